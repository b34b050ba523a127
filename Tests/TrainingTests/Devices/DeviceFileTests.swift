import Compression
import SimKernel
import Testing
import Training

/// Device profiles of the user's own: read, written, and what they change.
@Suite struct DeviceFileTests {
  private func parse(_ text: String) throws -> DeviceFile {
    var copy = text
    return try copy.withUTF8 { try DeviceFile.parse(UnsafeRawBufferPointer($0), origin: "d.json") }
  }

  private func problems(_ text: String) -> [String] {
    do {
      _ = try parse(text)
      return []
    } catch let invalid as InvalidInput {
      return invalid.issues.map(\.description)
    } catch {
      return ["\(error)"]
    }
  }

  @Test("what is written reads back as the same profile")
  func roundTrip() throws {
    let costs = [
      CodecCosts.Entry(
        pipeline: "qsgd",
        encode: CodecCost(
          launch: .picoseconds(3_141_593), bandwidth: Bandwidth(bitsPerSecond: 34_359_738_367),
          nanosecondsPerElement: 0.1, rSquared: 0.987654321),
        decode: CodecCost(launch: .microseconds(1))),
      CodecCosts.Entry(
        pipeline: "top_k:ratio=0.01|fp16",
        encode: CodecCost(launch: .zero, bandwidth: .gigabytesPerSecond(1.5)),
        decode: CodecCost(launch: .nanoseconds(20), nanosecondsPerElement: 2)),
    ]
    var file = DeviceFile(
      name: "mine", base: "a100", evidence: Evidence(.measured, "with a \"stopwatch\""),
      place: .cpu, codecs: costs)
    file.memoryBandwidth = .gigabytesPerSecond(1234.5)
    file.memory = .mebibytes(40_000)
    file.kernelLaunch = .nanoseconds(4500)
    file.teraflops = [(.fp32, 12.5), (.amp, 200)]
    file.hasBFloat16 = false
    let again = try parse(file.text)
    #expect(again.name == "mine" && again.base == "a100" && again.place == .cpu)
    #expect(again.evidence == file.evidence)
    #expect(again.codecs == costs)
    #expect(again.memoryBandwidth == file.memoryBandwidth && again.memory == file.memory)
    #expect(again.kernelLaunch == file.kernelLaunch && again.hasBFloat16 == false)
    #expect(again.teraflops.map(\.precision) == [.fp32, .amp])
    #expect(again.teraflops.map(\.value) == [12.5, 200])
    #expect(again.text == file.text)
  }

  @Test("a profile is its base with what it replaces, and keeps the base's compute times")
  func base() throws {
    let v100 = try #require(DeviceCatalog.profile(named: "v100"))
    let table = try #require(ModelCatalog.table(named: "resnet50"))
    let plain = try parse(#"{"simnet_device": 1, "name": "mine"}"#).profile()
    #expect(plain.name == "mine" && plain.codecCosts == nil)
    let expected = v100.computeTimes(model: table, batch: 32, precision: .fp32)
    let times = plain.computeTimes(model: table, batch: 32, precision: .fp32)
    #expect(times.backward == expected.backward && times.forward == expected.forward)
    #expect(times.backwardEvidence == expected.backwardEvidence)
    let other = try parse(#"{"simnet_device": 1, "kernel_launch": "2 us"}"#).profile(base: "a100")
    #expect(other.kernelLaunch.value == .microseconds(2))
    #expect(other.kernelLaunch.evidence.provenance == .overridden)
    #expect(other.memoryBandwidth.value == .gigabytesPerSecond(2039))
  }

  @Test("twice the peak is half the calibrated time, not the base's measured one")
  func peaks() throws {
    let table = Scene.table([40_000])
    func passes(_ teraflops: Double) throws -> Double {
      let device = try parse(
        #"{"simnet_device": 1, "peak_teraflops": {"fp32": \#(teraflops)}}"#
      ).profile()
      let times = device.computeTimes(model: table, batch: 1000, precision: .fp32)
      return times.forward.seconds + times.backward.seconds
    }
    #expect((try passes(10) / passes(20) - 2).magnitude < 1e-3)
    let resnet = try #require(ModelCatalog.table(named: "resnet50"))
    let own = try parse(#"{"simnet_device": 1, "peak_teraflops": {"fp32": 10}}"#).profile()
    let times = own.computeTimes(model: resnet, batch: 32, precision: .fp32)
    #expect(times.backwardEvidence.provenance == .assumed)
  }

  @Test("pipelines are known by their label, however they are spelled")
  func labels() throws {
    let file = try parse(
      #"{"simnet_device": 1, "codecs": [{"pipeline": " qsgd:s=127 | zstd ", "#
        + #""encode": {"launch": "1 us"}, "decode": {"launch": "1 us"}}]}"#)
    #expect(file.codecs[0].pipeline == (try label("qsgd|zstd")))
  }

  private func label(_ text: String) throws -> String { try pipeline(text).label }
  private func pipeline(_ text: String) throws -> CompressionPipeline {
    let issues = IssueCollector()
    let pipeline = CompressionPipeline.read(text, issues: issues)
    try issues.throwIfInvalid()
    return pipeline
  }

  @Test("a problem names its line; a file that is no JSON its column")
  func damaged() {
    for (text, parts) in [
      ("{", ["d.json:1:2: "]),
      ("{}", ["d.json:1:1: simnet_device: missing"]),
      (#"{"simnet_device": 2}"#, ["d.json:1:19: simnet_device: found 2, expected"]),
      (
        "{\"simnet_device\": 1,\n \"kernel_launch\": 9, \"memry\": \"1 GB\"}",
        ["d.json:2:19: kernel_launch: 9 has no unit", "d.json:2:31: memry: unknown key"]
      ),
      (
        "{\"simnet_device\": 1, \"codecs\": [\n{\"pipeline\": \"fp61\", \"encode\": {},\n"
          + " \"decode\": {\"bandwidth\": \"0 GB/s\"}}]}",
        [
          "d.json:2:14: codecs[0].pipeline: unknown codec \"fp61\"; did you mean \"fp16\"?",
          "d.json:2:32: codecs[0].encode: a cost of nothing at all",
          "d.json:3:26: codecs[0].decode.bandwidth: found \"0 GB/s\", expected",
        ]
      ),
      (#"{"simnet_device": 1, "name": "v100"}"#, ["name: v100 is a listed device"]),
    ] as [(String, [String])] {
      let found = problems(text)
      for part in parts {
        #expect(found.contains { $0.contains(part) }, "\(part) is not in \(found)")
      }
    }
    let twice = #"{"pipeline": "fp16", "encode": {"launch": "1 us"}, "decode": {"launch": "1 us"}}"#
    #expect(
      problems(#"{"simnet_device": 1, "codecs": [\#(twice), \#(twice)]}"#).first?
        .contains("fp16 is given twice") == true)
  }

  // MARK: - What measured costs change

  /// A profile that knows `codecs`, each at 2 us + 4 GB/s to encode and 1 us + 8 GB/s to decode.
  private func device(_ codecs: [String], on place: CodecCosts.Place) throws -> DeviceProfile {
    DeviceFile(
      name: "mine", base: "v100", evidence: Evidence(.measured, "by hand"), place: place,
      codecs: try codecs.map {
        CodecCosts.Entry(
          pipeline: try label($0),
          encode: CodecCost(launch: .microseconds(2), bandwidth: .gigabytesPerSecond(4)),
          decode: CodecCost(launch: .microseconds(1), bandwidth: .gigabytesPerSecond(8)))
      }
    ).profile()
  }

  private func scene(_ compression: String, _ device: DeviceProfile, extra: String = "") -> Scene {
    var scene = Scene()
    scene.device = device
    // One exchange of 40,000 elements, 160,000 bytes, among 4 workers after backward.
    scene.communication =
      #""strategy": "all_gather", "schedule": "one_shot", "compression": "\#(compression)"\#(extra)"#
    return scene
  }

  @Test("codecs of an accelerator take launch + bytes / bandwidth, decoded once a worker")
  func accelerator() throws {
    let scene = scene("qsgd", try device(["qsgd"], on: .accelerator))
    let account = try scene.run().job.mean
    // 160,000 bytes at 4 GB/s are 40 us, at 8 GB/s 20 us.
    #expect(account.encode == us(2 + 40))
    #expect(account.decode == us(4 * (1 + 20)))
    let source = try scene.plan().report.codecSource
    #expect(source == "measured: encode, decode of qsgd on mine (by hand)")
  }

  @Test("codecs of a host add a copy of the gradient, whatever stream the scenario says")
  func cpu() throws {
    for streams in ["", #", "streams": {"encode": "cpu", "decode": "cpu"}"#] {
      let account = try scene("qsgd", try device(["qsgd"], on: .cpu), extra: streams).run().job.mean
      // The V100's host link: 160,000 bytes at 16 GB/s are 10 us, each way and payload.
      #expect(account.encode == us(2 + 40 + 10))
      #expect(account.decode == us(4 * (1 + 20 + 10)))
    }
  }

  @Test("a chain is the sum of its stages, each charged for the bytes that enter it")
  func stages() throws {
    let device = try device(["top_k:ratio=0.1", "fp16", "zstd"], on: .accelerator)
    let scene = scene("top_k:ratio=0.1|fp16|zstd", device)
    // zstd takes in 4,000 values of 2 bytes and as many positions of 4.
    let expected = us(3 * 2 + 40 + 4) + .nanoseconds(6000)
    #expect(isClose(try scene.run().job.mean.encode, expected, within: 10))
    #expect(
      try scene.plan().report.codecSource.hasPrefix("measured: stages, summed, of top_k:ratio=0.1"))
    // A whole chain that was measured goes before its stages.
    let whole = try self.device(["top_k:ratio=0.1|fp16", "top_k:ratio=0.1"], on: .accelerator)
    #expect(try self.scene("top_k:ratio=0.1|fp16", whole).run().job.mean.encode == us(42))
  }

  @Test("what a profile does not know stays derived, and says so")
  func unknown() throws {
    let known = try device(["int8"], on: .accelerator)
    for (codec, device) in [("qsgd", known), ("int8|zstd", known)] {
      let derived = try scene(codec, DeviceCatalog.profile(named: "v100")!).run().job.mean
      let scene = scene(codec, device)
      #expect(try scene.run().job.mean.encode == derived.encode)
      let source = try scene.plan().report.codecSource
      #expect(source.hasPrefix("derived: ") && source.contains("not among the codecs measured"))
    }
    // Measured on an accelerator says nothing of the host.
    let moved = scene(
      "int8", known, extra: #", "streams": {"encode": "cpu", "decode": "cpu"}"#)
    #expect(try moved.plan().report.codecSource.hasPrefix("derived: "))
  }

  @Test("with error feedback an encode decodes too, and passes over the residual")
  func errorFeedback() throws {
    let plain = try device(["int8"], on: .accelerator)
    let account = try scene("int8", plain, extra: #", "error_feedback": true"#).run().job.mean
    // Two launches of 9.3696 us and 24 bytes an element at 900 GB/s.
    let passes =
      plain.kernelLaunch.value * 2
      + plain.memoryBandwidth.value.time(toSend: ByteCount(24 * 40_000))
    #expect(account.encode == us(42 + 21) + passes)
  }
}
