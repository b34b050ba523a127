import Foundation
import SimKernel
import Testing

/// `simnet calibrate codecs`, and scenarios on the profiles it writes.
@Suite struct CalibrateTests {
  private static let quick = [
    "calibrate", "codecs", "--pipeline", "fp16", "--pipeline", "qsgd", "--elements", "65536",
    "--repeats", "1",
  ]

  /// Two workers that gather qsgd on the device `device`.
  private func scenario(_ device: String, _ compression: String = "qsgd") -> String {
    """
    {"simnet": 1, "cluster": {"topology": {"kind": "star", "hosts": 2,
      "link": {"bandwidth": "100 Gbps", "latency": "1 us"}}, "device": \(device)},
     "workload": {"model": "resnet18", "iterations": 1, "warmup": 0},
     "communication": {"strategy": "all_gather", "compression": "\(compression)"}}
    """
  }

  private func rows(_ scenario: String, _ scratch: Scratch) throws -> [JSONNode] {
    try scratch.write("s.json", scenario)
    let run = try Simnet.run(["run", "s.json", "--format", "json"], in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    return try JSONNode.parse(run.output, origin: "rows").elements ?? []
  }

  @Test func aProfileIsWrittenAndAScenarioRunsOnIt() throws {
    let scratch = try Scratch()
    let run = try Simnet.run(Self.quick + ["-o", "my-host.json"], in: scratch.folder)
    #expect(run.status == 0)
    #expect(run.errors.hasSuffix("wrote my-host.json\n"))
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[0].contains("GB/s") && lines[0].contains("R^2"))
    #expect(lines[1].hasPrefix("fp16 ") && lines[2].hasPrefix("qsgd "))
    let profile = try JSONNode.parse(try scratch.read("my-host.json"), origin: "profile")
    #expect(profile["name"]?.string == "my-host" && profile["base"]?.string == "v100")
    #expect(profile["known"]?.string == "measured" && profile["codecs_run_on"]?.string == "cpu")
    #expect(profile["codecs"]?.elements?.count == 2)
    // Nothing says on which machine.
    #expect(!(try scratch.read("my-host.json").contains(ProcessInfo.processInfo.hostName)))
    let row = try #require(try rows(scenario(#""my-host.json""#, "qsgd|zstd"), scratch).first)
    #expect(row["codec_cost_source"]?.string?.contains("not among the codecs measured") == true)
    let measured = try #require(try rows(scenario(#""my-host.json""#), scratch).first)
    #expect(
      measured["codec_cost_source"]?.string?.hasPrefix(
        "measured: encode, decode of qsgd on my-host (on this host by simnet ") == true)
  }

  @Test func theFileNamesItsNumbersAndItsContentIsPartOfTheHash() throws {
    let scratch = try Scratch()
    func profile(_ launch: String) -> String {
      """
      {"simnet_device": 1, "name": "host", "known": "measured", "evidence": "by hand",
       "codecs_run_on": "cpu", "codecs": [{"pipeline": "qsgd",
         "encode": {"launch": "\(launch)", "bandwidth": "4 GB/s"},
         "decode": {"launch": "1 us", "bandwidth": "8 GB/s"}}]}
      """
    }
    try scratch.write("host.json", profile("5 us"))
    let plain = try #require(try rows(scenario(#""v100""#), scratch).first)
    let slow = try #require(try rows(scenario(#""host.json""#), scratch).first)
    #expect(plain["codec_cost_source"]?.string?.hasPrefix("derived: ") == true)
    #expect(
      slow["codec_cost_source"]?.string == "measured: encode, decode of qsgd on host (by hand)")
    #expect(slow["compute_time_s"]?.number == plain["compute_time_s"]?.number)
    let times = [plain, slow].compactMap { $0["iteration_time_s"]?.number }
    #expect(times[1] > times[0])
    try scratch.write("host.json", profile("500 ms"))
    let slower = try #require(try rows(scenario(#""host.json""#), scratch).first)
    #expect((slower["iteration_time_s"]?.number ?? 0) > times[1] + 0.4)
    let hashes = [plain, slow, slower].compactMap { $0["scenario_hash"]?.string }
    #expect(Set(hashes).count == 3)
    // Over another base, models take its times.
    let other = try #require(
      try rows(scenario(#"{"file": "host.json", "base": "a100"}"#), scratch).first)
    #expect((other["compute_time_s"]?.number ?? 1) < (plain["compute_time_s"]?.number ?? 0))
  }

  @Test func aBadFitIsAWarning() throws {
    let scratch = try Scratch()
    try scratch.write(
      "host.json",
      #"{"simnet_device": 1, "codecs": [{"pipeline": "qsgd", "encode": {"launch": "1 us", "#
        + #""r2": 0.5}, "decode": {"launch": "1 us", "r2": 0.99}}]}"#)
    try scratch.write("s.json", scenario(#""host.json""#))
    let run = try Simnet.run(["validate", "s.json"], in: scratch.folder)
    #expect(run.status == 0)
    #expect(run.errors.contains("warning: cluster.device: host.json: the cost of qsgd"))
    #expect(run.errors.contains("R^2 = 0.5") && run.errors.split(separator: "\n").count == 1)
  }

  @Test func anInterruptionEndsAtOnceAndLeavesNoFile() throws {
    let scratch = try Scratch()
    let running = try Running(
      [
        "calibrate", "codecs", "--elements", "16777216", "--repeats", "1000", "-o",
        scratch.path("host.json"),
      ])
    usleep(700_000)
    running.send(SIGINT)
    let done = try running.wait(10)
    #expect(done.status == 130)
    #expect(done.output == "" && scratch.names.isEmpty)
  }

  @Test(arguments: [
    (["--elements", "1000"], 64, "--elements must be in 65536..."),
    (["--repeats", "0"], 64, "--repeats must be at least 1"),
    (["-o", "host.csv"], 64, "-o must end in .json"),
    (["--base", "v10"], 64, "--base: unknown device \"v10\"; did you mean \"v100\"?"),
    (["--name", "v100"], 64, "--name: v100 is a listed device"),
    (["--pipeline", "fp61"], 64, "--pipeline[0]: unknown codec \"fp61\""),
  ]) func slipsAreSaid(_ arguments: [String], _ status: Int32, _ part: String) throws {
    let run = try Simnet.run(["calibrate", "codecs"] + arguments)
    #expect(run.status == status && run.output == "")
    #expect(run.errors.contains(part), "\(run.errors)")
  }

  @Test func theFormatIsDocumented() throws {
    let key = try Simnet.run(["explain", "cluster.device"])
    for part in ["simnet calibrate codecs", "codecs_run_on", "peak_teraflops", "my-host.json"] {
      #expect(key.output.contains(part), "\(part)")
    }
    let inner = try Simnet.run(["explain", "cluster.device.codecs.encode.bandwidth"])
    #expect(inner.status == 0 && inner.output.contains("in a device profile: "))
    let slip = try Simnet.run(["explain", "cluster.device.codec"])
    #expect(slip.status == 65 && slip.errors.contains("did you mean \"codecs\"?"))
    let schema = try JSONNode.parse(try Simnet.run(["schema", "device"]).output, origin: "schema")
    #expect(schema["properties"]?["codecs"] != nil)
    #expect(try Simnet.run(["list", "devices"]).output.contains("simnet calibrate codecs"))
  }
}
