import Foundation
import SimKernel
import Testing

/// Measured device profiles as the program shows them, and the tool that measures them.
@Suite struct DeviceProfileTests {
  private static let python: Bool =
    (try? Simnet.shell("command -v python3", in: "/tmp"))?.status == 0
  private static let tool = Simnet.root.appendingPathComponent("Tools/profile_device.py").path

  @Test func listedDevicesSayWhatTheyRestOn() throws {
    let text = try Simnet.run(["list", "devices"]).output
    for part in [
      "No measured GPU profile is built in", "v100: NVIDIA V100",
      "profile: not measured by simnet", "profile: measured on 20", "codecs: derived from declared",
      "interpolated (R^2 below 0.98 or an error above 15 %)", "of the step",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    let json = try JSONNode.parse(
      try Simnet.run(["list", "devices", "--format", "json"]).output, origin: "list")
    let measured = try #require(json.elements).filter {
      $0["measured"]?.compactText == "true"
    }
    #expect(measured.map { $0["name"]?.string } == ["epyc-1core"])
    #expect(measured[0]["quality"]?.elements?.isEmpty == false)
  }

  @Test func aDeviceIsExplainedWhole() throws {
    let measured = try Simnet.run(["explain", "device", "epyc-1core"])
    #expect(measured.status == 0)
    for part in [
      "memory bandwidth", "compute, measured", "resnet50", "sum/step", "measured/derived",
      "top_k:ratio=0.01", "samples", "overlap of a codec with backward",
    ] {
      #expect(measured.output.contains(part), "\(part)")
    }
    let sheet = try Simnet.run(["explain", "device", "v100"])
    #expect(sheet.status == 0 && sheet.output.contains("compute at batch 32 in fp32"))
    #expect(sheet.output.contains("derived") && !sheet.output.contains("compute, measured"))
  }

  @Test func aProfileOfOnesOwnIsExplainedOrItsFaultsAre() throws {
    let scratch = try Scratch()
    try scratch.write(
      "mine.json",
      """
      {"simnet_device": 1, "name": "mine", "codecs": [{"pipeline": "fp16",
        "encode": {"sizes_bytes": [4096, 65536], "times_us": [10, 20]},
        "decode": {"launch": "1 us", "bandwidth": "2 GB/s"}}]}
      """)
    try scratch.write("damaged.json", #"{"simnet_device": 1, "model": []}"#)
    let own = try Simnet.run(["explain", "device", "mine.json"], in: scratch.folder)
    #expect(own.status == 0 && own.output.contains("fp16"), "\(own.errors)")
    let damaged = try Simnet.run(["explain", "device", "damaged.json"], in: scratch.folder)
    #expect(damaged.status == 65 && damaged.errors.contains("did you mean \"models\"?"))
    let slip = try Simnet.run(["explain", "device", "v10"])
    #expect(slip.status == 65 && slip.errors.contains("did you mean \"v100\"?"))
    let two = try Simnet.run(["explain", "network.model", "v100"])
    #expect(two.status == 64 && two.errors.contains("simnet explain device"))
  }

  @Test(.enabled(if: python, "no python3")) func theToolTestsItself() throws {
    let run = try Simnet.shell("python3 '\(Self.tool)' --self-test", in: "/tmp")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("self-test: arithmetic passed"))
    if run.output.contains("skipped") { print(run.output) }
  }

  @Test(.enabled(if: python, "no python3")) func theToolSaysWhatIsWrong() throws {
    let scratch = try Scratch()
    // A Python that finds no torch, whatever is installed.
    try scratch.write("torch.py", "raise ImportError('none')\n")
    for (arguments, part) in [
      ("--device cpu -o x.json", "PyTorch is not installed"),
      ("--device cpu", "-o FILE.json is needed"),
      ("--device cpu -o x.json --parts model", "unknown part 'model'; known: memory, models"),
    ] {
      let run = try Simnet.shell(
        "PYTHONPATH='\(scratch.folder)' python3 '\(Self.tool)' \(arguments)", in: scratch.folder)
      #expect(run.status == 1 && run.errors.contains(part), "\(run.errors)")
    }
  }
}
