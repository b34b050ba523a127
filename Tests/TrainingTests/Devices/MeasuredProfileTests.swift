import Compression
import SimKernel
import Testing
import Training

/// Profiles that Tools/profile_device.py writes: models, codec times by size, overlap.
@Suite struct MeasuredProfileTests {
  private func parse(_ text: String) throws -> DeviceFile {
    var copy = text
    return try copy.withUTF8 { try DeviceFile.parse(UnsafeRawBufferPointer($0), origin: "d.json") }
  }

  private func problems(_ text: String) -> String {
    do {
      _ = try parse(text)
      return ""
    } catch let invalid as InvalidInput {
      return invalid.issues.map(\.description).joined(separator: "\n")
    } catch {
      return "\(error)"
    }
  }

  /// Alexnet's tensors, each ready a tenth of backward after the one behind it in forward order.
  private func entry(
    batch: Int = 4, precision: String = "fp32", forward: Int = 100, backward: Int = 200,
    ready: (Int, String) -> String? = { "\"\($1)\": \(10 * (16 - $0))" }, extra: String = ""
  ) throws -> String {
    let table = try #require(ModelCatalog.table(named: "alexnet"))
    let times = table.tensors.enumerated().compactMap { ready($0, $1.name) }
    return #"{"model": "alexnet", "batch": \#(batch), "precision": "\#(precision)", "#
      + #""forward": "\#(forward) us", "backward": "\#(backward) us", "#
      + #""ready_us": {\#(times.joined(separator: ", "))}\#(extra)}"#
  }

  private func profile(_ parts: String) -> String {
    #"{"simnet_device": 1, "name": "mine", "known": "measured", "evidence": "by hand", \#(parts)}"#
  }

  private func codec(_ pipeline: String, _ sizes: String, _ times: String) -> String {
    let list = #"{"sizes_bytes": \#(sizes), "times_us": \#(times)}"#
    return #""codecs": [{"pipeline": "\#(pipeline)", "encode": \#(list), "decode": \#(list)}]"#
  }

  // MARK: - Models

  @Test("a batch that was measured is taken as it is, before the base's own times")
  func exact() throws {
    let table = try #require(ModelCatalog.table(named: "alexnet"))
    let device = try parse(profile(#""models": [\#(try entry())]"#)).profile()
    let times = device.computeTimes(model: table, batch: 4, precision: .fp32)
    #expect(times.forward == us(100) && times.backward == us(200))
    // The first tensor's gradient stands for the end of backward, the others are as measured.
    var expected = (0..<16).map { us(Int64(160 - 10 * $0)) }
    expected[0] = us(200)
    #expect(times.readyOffsets == expected)
    #expect(times.warnings.isEmpty)
    #expect(times.backwardEvidence.provenance == .measured)
    #expect(times.backwardEvidence.sentence == "at batch 4; by hand")
    // Another precision was not measured.
    let other = device.computeTimes(model: table, batch: 4, precision: .amp)
    #expect(other.backwardEvidence.provenance != .measured)
  }

  @Test("with one batch times are in proportion, with two on the line through both")
  func batches() throws {
    let table = try #require(ModelCatalog.table(named: "alexnet"))
    let one = try parse(profile(#""models": [\#(try entry())]"#)).profile()
    let eight = one.computeTimes(model: table, batch: 8, precision: .fp32)
    #expect(eight.forward == us(200) && eight.backward == us(400))
    #expect(eight.readyOffsets[1] == us(300))
    #expect(eight.backwardEvidence.provenance == .derived)
    #expect(eight.warnings.contains { $0.contains("at batch 4 only") })
    // 60 + 10 a sample forward, 80 + 30 a sample backward.
    let second = try entry(batch: 10, forward: 160, backward: 380)
    let two = try parse(profile(#""models": [\#(second), \#(try entry())]"#)).profile()
    for (batch, forward, backward) in [(7, 130, 290), (1, 70, 110), (20, 260, 680)] {
      let times = two.computeTimes(model: table, batch: batch, precision: .fp32)
      #expect(times.forward == us(Int64(forward)) && times.backward == us(Int64(backward)))
      #expect(times.readyOffsets[0] == times.backward)
      #expect(zip(times.readyOffsets, times.readyOffsets.dropFirst()).allSatisfy { $0 >= $1 })
      #expect(times.warnings.contains { $0.contains("batches 4 and 10") })
    }
    // Less time for more samples is noise: proportion to the nearest.
    let noise = try entry(batch: 10, forward: 90, backward: 380)
    let noisy = try parse(profile(#""models": [\#(noise), \#(try entry())]"#)).profile()
    #expect(
      noisy.computeTimes(model: table, batch: 6, precision: .fp32).forward == us(150))
  }

  @Test("a gradient waits for those of later layers; without ready times work decides")
  func order() throws {
    let table = try #require(ModelCatalog.table(named: "alexnet"))
    let swapped = try entry(ready: { "\"\($1)\": \($0 == 9 ? 5 : 10 * (16 - $0))" })
    let device = try parse(profile(#""models": [\#(swapped)]"#)).profile()
    let times = device.computeTimes(model: table, batch: 4, precision: .fp32)
    #expect(times.readyOffsets[9] == us(60) && times.readyOffsets[10] == us(60))
    let bare = #"{"model": "alexnet", "batch": 4, "forward": "1 us", "backward": "2 us"}"#
    let plain = try parse(profile(#""models": [\#(bare)]"#)).profile()
    let derived = plain.computeTimes(model: table, batch: 4, precision: .fp32)
    #expect(derived.backward == us(2) && derived.backwardEvidence.provenance == .measured)
    #expect(derived.shapeEvidence.provenance == .derived)
  }

  @Test("other models run at the share of the peak that the measured ones reach")
  func share() throws {
    let alexnet = try #require(ModelCatalog.summary(named: "alexnet"))
    let vgg = try #require(ModelCatalog.table(named: "vgg16"))
    let text = profile(
      #""peak_teraflops": {"fp32": 100}, "models": [\#(try entry(forward: 1000, backward: 2000))]"#)
    let times = try parse(text).profile().computeTimes(model: vgg, batch: 4, precision: .fp32)
    let ratio = Double(vgg.totalMACsPerSample) / Double(alexnet.forwardMACsPerSample)
    let expected = 3e-3 * ratio
    #expect(((times.forward + times.backward).seconds / expected - 1).magnitude < 1e-3)
    #expect(times.backwardEvidence.sentence.contains("as measured for alexnet on the mine"))
  }

  @Test("a user's table under a catalogued name is not given measured times")
  func impostor() throws {
    let table = try ModelTable.parse(
      "# name: alexnet\ntensor,numel,macs\na,61100840,714188480\n", origin: "x.csv")
    let device = try parse(profile(#""models": [\#(try entry())]"#)).profile()
    let times = device.computeTimes(model: table, batch: 4, precision: .fp32)
    #expect(times.backwardEvidence.provenance != .measured)
  }

  // MARK: - Codecs

  @Test("where a line explains the times it is used; elsewhere times lie between the samples")
  func interpolation() throws {
    // 2 us + 1 GB/s.
    let line = try parse(profile(codec("qsgd", "[4000, 8000, 400000]", "[6, 10, 402]")))
    let straight = line.codecs[0].encode
    #expect(!straight.isInterpolated && straight.rSquared.map { $0 > 0.999999 } == true)
    #expect(isClose(straight.launch, us(2), within: 10))
    #expect(isClose(straight.time(bytes: 40_000, elements: 10_000), us(42), within: 100))
    // A cliff between two sizes.
    let cliff = try parse(
      profile(codec("qsgd", "[4000, 8000, 16000, 32000]", "[10, 10, 100, 120]"))
    ).codecs[0].encode
    #expect(cliff.isInterpolated)
    for (bytes, time) in [
      (1000.0, 10), (4000, 10), (6000, 10), (8000, 10), (12_000, 55), (16_000, 100),
      (24_000, 110), (32_000, 120), (64_000, 160),
    ] as [(Double, Int64)] {
      #expect(cliff.time(bytes: bytes, elements: bytes / 4) == us(time), "\(bytes) bytes")
    }
    #expect(cliff.time(bytes: 0, elements: 0) == .zero)
    // Beyond a line that falls, in proportion.
    let falling = try parse(
      profile(codec("qsgd", "[4000, 8000, 16000]", "[10, 100, 50]"))
    ).codecs[0].encode
    #expect(falling.isInterpolated)
    #expect(falling.time(bytes: 32_000, elements: 8000) == us(100))
  }

  @Test("interpolated times reach the simulation, whose source says so")
  func simulated() throws {
    // One exchange of 160,000 bytes, in the middle of a cliff.
    let text = profile(codec("int8", "[40000, 80000, 240000]", "[10, 10, 210]"))
    var scene = Scene()
    scene.device = try parse(text).profile()
    scene.communication =
      #""strategy": "all_gather", "schedule": "one_shot", "compression": "int8""#
    #expect(try scene.run().job.mean.encode == us(110))
    let source = try scene.plan().report.codecSource
    #expect(source.contains("interpolated, since no line fits") && source.hasPrefix("measured"))
  }

  // MARK: - Overlap

  private static let overlaps =
    #""overlap": [{"pipeline": "fp16", "model": "alexnet", "batch": 4, "bytes": 1000, "#
    + #""backward": 1.2, "codec": 2}, {"pipeline": "int8", "model": "alexnet", "batch": 4, "#
    + #""bytes": 1000, "backward": 1.4, "codec": 3}]"#

  @Test("the mean slowdown is the device's, unless the scenario gives one")
  func overlap() throws {
    let device = try parse(profile(Self.overlaps)).profile()
    let mean = try #require(device.overlap)
    #expect((mean.compute - 1.3).magnitude < 1e-12 && mean.side == 2.5)
    var scene = Scene()
    #expect(try scene.plan().plan.overlapSlowdown == .none)
    scene.device = device
    #expect(try scene.plan().plan.overlapSlowdown == mean)
    scene.communication = #""streams": {"overlap_slowdown": 1.5}"#
    #expect(try scene.plan().plan.overlapSlowdown == OverlapSlowdown(1.5))
  }

  @Test("compute and side stream are slowed by factors of their own")
  func factors() throws {
    // 10 us of codec from the start, beside 100 us of backward.
    let topology = Lab.star(1)
    let graph = Lab.graph { graph in
      graph.add(.backward, on: .compute, for: us(100))
      graph.add(.encode, on: .side, for: us(10))
    }
    var plan = Lab.job(graph, on: topology, workers: 1)
    plan.overlapSlowdown = OverlapSlowdown(compute: 1.5, side: 3)
    let timeline = TimelineCollector()
    _ = try Lab.run([plan], on: topology, recorder: timeline)
    func end(_ kind: OperationKind) -> SimTime? {
      timeline.spans.first { $0.kind == kind }?.end
    }
    // The codec takes 30 us; backward loses a third of those.
    #expect(end(.encode).map { isClose($0 - .zero, us(30), within: 2) } == true)
    #expect(end(.backward).map { isClose($0 - .zero, us(110), within: 2) } == true)
  }

  // MARK: - The format

  @Test("what is written reads back as the same profile")
  func roundTrip() throws {
    let text = profile(
      codec("qsgd", "[4000, 8000]", "[6.5, 10]") + ", " + Self.overlaps + #", "models": ["#
        + (try entry(
          extra: #", "layers_between": "3 us", "spread": 0.1, "implementation": "plain", "#
            + #""layers": [{"layer": "features.0", "forward_us": 1.5, "backward_us": 2}]"#))
        + #"], "measurement": {"date": "2026-01-31", "device": "cuda", "hardware": "one", "#
        + #""torch": "2.5", "clock": "1 GHz", "threads": 2, "command": "x"}"#)
    let file = try parse(text)
    let again = try parse(file.text)
    #expect(again.text == file.text)
    #expect(again.models == file.models && again.models.count == 1)
    #expect(again.codecs == file.codecs && again.overlaps == file.overlaps)
    #expect(again.measurement == file.measurement && again.measurement?.kind == .cuda)
    let gap = try #require(file.models[0].layerGap)
    #expect((gap - (6.5 / 300 - 1)).magnitude < 1e-12)
  }

  @Test("damage is named")
  func damaged() throws {
    let whole = try entry()
    for (text, part) in [
      (
        #""models": [\#(try entry(ready: { $0 == 3 ? nil : "\"\($1)\": 1" }))]"#,
        "models[0].ready_us: 1 tensors of alexnet are missing: features.3.bias"
      ),
      (
        #""models": [\#(try entry(ready: { "\"\($1)x\": 1" }))]"#,
        "alexnet has no tensor features.0.weightx"
      ),
      (
        #""models": [\#(try entry(ready: { "\"\($1)\": \($0 == 0 ? 201 : 1)" }))]"#,
        "features.0.weight is ready after the end of backward"
      ),
      (
        #""models": [\#(try entry(ready: { "\"\($1)\": -\($0 + 1)" }))]"#,
        "models[0].ready_us.features.0.weight"
      ),
      (#""models": [\#(whole), \#(whole)]"#, "alexnet at batch 4 in fp32 is given twice"),
      (#""models": [\#(try entry(forward: 0))]"#, "forward and backward take time"),
      (#""models": [{"model": "alexnt"}]"#, "did you mean \"alexnet\"?"),
      (codec("qsgd", "[4000, 8000]", "[1]"), "1 values for the 2 of sizes_bytes"),
      (codec("qsgd", "[8000, 4000]", "[1, 2]"), "sizes must ascend"),
      (codec("qsgd", "[8000]", "[1]"), "at least 2"),
      (codec("qsgd", "[4000, 8000]", "[0, 2]"), "codecs[0].encode.times_us[0]: found 0"),
      (
        #""codecs": [{"pipeline": "qsgd", "encode": {"sizes_bytes": [4, 8]}, "decode": {}}]"#,
        "sizes_bytes and times_us are given together"
      ),
      (
        #""codecs": [{"pipeline": "qsgd", "encode": {"sizes_bytes": [4, 8], "times_us": [1, 2], "#
          + #""launch": "1 us"}, "decode": {"launch": "1 us"}}]"#,
        "leave launch, bandwidth and r2 out"
      ),
      (
        #""overlap": [{"pipeline": "fp16", "model": "alexnet", "batch": 1, "bytes": 4, "#
          + #""backward": 0.9, "codec": 1}]"#, "overlap[0].backward: found 0.9, expected"
      ),
      (#""measurement": {"device": "tpu"}"#, "measurement.device"),
    ] {
      let found = problems(profile(text))
      #expect(found.contains(part), "\(part) is not in \(found)")
    }
  }
}

/// The profiles that are built in.
@Suite struct BuiltInProfileTests {
  static let measured = DeviceCatalog.profiles.filter { $0.measurement != nil }.map(\.name)

  @Test("there is one, of a CPU, and its quality is known") func exists() throws {
    #expect(Self.measured == ["epyc-1core"])
    let device = try #require(DeviceCatalog.profile(named: "epyc-1core"))
    #expect(device.measurement?.kind == .cpu)
    let costs = try #require(device.codecCosts)
    #expect(costs.entries.count >= 20 && costs.place == .accelerator)
    #expect(costs.entries.allSatisfy { $0.encode.samples != nil && $0.decode.samples != nil })
    #expect(device.overlap != nil)
    // The sum of layers and what lies between them is within 10 % of the step without hooks.
    for entry in device.models {
      let gap = try #require(entry.layerGap)
      #expect(gap.magnitude < 0.1, "\(entry.model) at batch \(entry.batch): \(gap)")
    }
  }

  @Test(
    "simulated gradients are ready when those of the unhooked backward were, within 5 %",
    arguments: DeviceCatalog.profiles.flatMap { device in
      device.models.indices.map { (device.name, $0) }
    })
  func ready(name: String, index: Int) throws {
    let device = try #require(DeviceCatalog.profile(named: name))
    let entry = device.models[index]
    var scene = Scene()
    scene.device = device
    scene.model = try #require(ModelCatalog.table(named: entry.model))
    scene.topology = Lab.star(2, .gigabitsPerSecond(100_000))
    scene.workload =
      #""batch_per_worker": \#(entry.batch), "precision": "\#(entry.precision.rawValue)", "#
      + #""iterations": 1, "warmup": 0"#
    scene.communication = #""schedule": "per_tensor""#
    let timeline = TimelineCollector()
    let plan = try scene.plan().plan
    _ = try Lab.run([plan], on: scene.topology, recorder: timeline)
    let start = try #require(
      timeline.spans.filter { $0.kind == .backward && $0.worker.index == 0 }.map(\.start).min())
    let units = try scene.blueprint().schedule.units
    var measured: [String: SimDuration] = [:]
    for ready in entry.ready { measured[ready.tensor] = ready.time }
    var count = 0
    for span in timeline.exchanges where span.worker.index == 0 {
      let simulated = (span.ready - start).seconds
      for tensor in units[Int(span.unit)].tensors {
        let expected = try #require(measured[scene.model.tensors[tensor.index].name]).seconds
        // Of the time itself, or of backward where that is short.
        let error = (simulated - expected).magnitude / max(expected, entry.backward.seconds * 0.02)
        #expect(error < 0.05, "\(scene.model.tensors[tensor.index].name): \(error)")
        count += 1
      }
    }
    #expect(count == scene.model.tensors.count)
  }
}
