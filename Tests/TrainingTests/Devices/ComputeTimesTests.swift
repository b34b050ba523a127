import SimKernel
import Testing
import Training

@Suite("Compute times")
struct ComputeTimesTests {
  static let pairs = DeviceCatalog.names.flatMap { device in
    ModelCatalog.names.map { (device, $0) }
  }

  @Test("every model on every device in every precision has times and says why", arguments: pairs)
  func complete(device: String, model: String) throws {
    let profile = try #require(DeviceCatalog.profile(named: device))
    let table = try #require(ModelCatalog.table(named: model))
    for precision in Precision.allCases {
      for batch in [1, 2, 3, 32, 1000] {
        let times = profile.computeTimes(model: table, batch: batch, precision: precision)
        #expect(times.batch == batch)
        for part in [times.forward, times.backward, times.optimizer] {
          #expect(part > .zero && part < .seconds(1e6))
        }
        #expect(times.step == times.forward + times.backward + times.optimizer)
        #expect(times.readyOffsets.count == table.tensors.count)
        #expect(times.readyOffsets[0] == times.backward)
        #expect(times.readyOffsets.allSatisfy { $0 >= .zero })
        #expect(zip(times.readyOffsets, times.readyOffsets.dropFirst()).allSatisfy { $0 >= $1 })
        for (part, evidence) in times.evidence {
          #expect(!evidence.sentence.isEmpty, "\(part)")
          #expect(evidence.provenance != .overridden)
        }
      }
    }
  }

  @Test("times are proportional to the batch, the optimizer's is not", arguments: pairs)
  func affine(device: String, model: String) throws {
    let profile = try #require(DeviceCatalog.profile(named: device))
    let table = try #require(ModelCatalog.table(named: model))
    // Where several batches were measured there is a fixed part as well: see MeasuredProfileTests.
    if profile.models.filter({ $0.model == model }).count > 1 { return }
    let one = profile.computeTimes(model: table, batch: 32, precision: .fp32)
    let four = profile.computeTimes(model: table, batch: 128, precision: .fp32)
    // Rounded up once each, and the split of a sum may move a picosecond between its parts.
    #expect(abs((four.forward - one.forward * 4).picoseconds) <= 4)
    #expect(abs((four.backward - one.backward * 4).picoseconds) <= 4)
    #expect(four.optimizer == one.optimizer)
  }

  @Test(
    "the recorded V100 backward passes are replayed to the picosecond",
    arguments: [
      // The sums of the logs' waits in exact decimals, rounded up; the step less both other parts.
      ("resnet50", 64_806_567_299, 128_085_800_000),
      ("resnet101", 106_406_762_865, 192_005_990_000),
      ("vgg16", 111_620_484_459, 194_523_520_000),
    ] as [(String, Int64, Int64)])
  func replay(model: String, backward: Int64, step: Int64) throws {
    let profile = try #require(DeviceCatalog.profile(named: "v100"))
    let table = try #require(ModelCatalog.table(named: model))
    let times = profile.computeTimes(model: table, batch: 32, precision: .fp32)
    #expect(times.backward.picoseconds == backward)
    #expect(times.step.picoseconds == step)
    #expect(times.backwardEvidence.provenance == .measured)
    #expect(times.shapeEvidence.provenance == .measured)
    #expect(times.forwardEvidence.provenance == .derived)
    #expect(times.optimizerEvidence.provenance == .derived)
    #expect(times.warnings.isEmpty)
    let half = profile.computeTimes(model: table, batch: 16, precision: .fp32)
    #expect(half.warnings.contains { $0.contains("batch 32 only") })
    #expect(half.backwardEvidence.provenance == .derived)
  }

  @Test("normalisation that plain VGG-16 lacks counts towards the next convolution")
  func passedOver() throws {
    let profile = try #require(DeviceCatalog.profile(named: "v100"))
    let table = try #require(ModelCatalog.table(named: "vgg16"))
    let times = profile.computeTimes(model: table, batch: 32, precision: .fp32)
    let index = try #require(table.tensors.firstIndex { $0.name == "features.28.bias" })
    // Events 1...6 are the three linear layers; 7 and 8 the normalisation (1773.58 and 13.46 us), 9
    // and 10 the convolution (1944.72 us and none).
    let linear = times.readyOffsets[index + 1]
    let gap = times.readyOffsets[index] - linear
    #expect(abs(gap.picoseconds - 3_731_754_091) <= 3)
    #expect(times.readyOffsets[index - 1] == times.readyOffsets[index])
  }

  @Test(
    "published rates are met where times come from them",
    arguments: [
      // device, precision, model, samples a second, batch, optimizer
      ("v100", .amp, "resnet50", 1200, 64, .sgdMomentum),
      ("a100", .tf32, "resnet50", 938, 256, .sgdMomentum),
      ("a100", .amp, "resnet50", 2470, 256, .sgdMomentum),
      ("v100", .fp32, "bert_large_seq128", 50, 32, .adam),
      ("v100", .amp, "bert_large_seq128", 224, 32, .adam),
      ("v100", .fp32, "bert_large_seq512", 19, 8, .adam),
      ("v100", .fp16, "bert_large_seq512", 75, 8, .adam),
      ("a100", .tf32, "bert_large_seq128", 317, 128, .adam),
      ("a100", .amp, "bert_large_seq128", 580, 256, .adam),
      ("a100", .tf32, "bert_large_seq512", 110, 16, .adam),
      ("a100", .bf16, "bert_large_seq512", 210, 32, .adam),
      // Tokens a second over 32 tokens a sample.
      ("v100", .fp32, "transformer_big", 8742.0 / 32, 160, .adam),
      ("v100", .amp, "transformer_big", 32942.0 / 32, 160, .adam),
      ("a100", .tf32, "transformer_big", 51057.0 / 32, 320, .adam),
      ("a100", .amp, "transformer_big", 82059.0 / 32, 320, .adam),
    ] as [(String, Precision, String, Double, Int, OptimizerKind)])
  func published(
    device: String, precision: Precision, model: String, rate: Double, batch: Int,
    optimizer: OptimizerKind
  ) throws {
    let profile = try #require(DeviceCatalog.profile(named: device))
    let table = try #require(ModelCatalog.table(named: model))
    let times = profile.computeTimes(
      model: table, batch: batch, precision: precision, optimizer: optimizer)
    #expect(abs(Double(batch) / times.step.seconds / rate - 1) < 1e-9)
    let ratio = Double(times.backward.picoseconds) / Double(times.forward.picoseconds)
    #expect(abs(ratio - 2) < 1e-6)
    #expect(times.forwardEvidence.provenance == .derived)
    #expect(times.forwardEvidence.sentence.contains("DeepLearningExamples"))
    // ResNet-50 in fp32 was measured on a slower V100 than the published one.
    #expect(times.warnings.count == (device == "v100" && model == "resnet50" ? 1 : 0))
  }

  @Test("models nobody ran are timed like those of their kind, and say so") func calibrated() throws
  {
    let v100 = try #require(DeviceCatalog.profile(named: "v100"))
    let vgg16 = try #require(ModelCatalog.table(named: "vgg16"))
    let vgg19 = try #require(ModelCatalog.table(named: "vgg19"))
    let known = v100.computeTimes(model: vgg16, batch: 32, precision: .fp32)
    let guess = v100.computeTimes(model: vgg19, batch: 32, precision: .fp32)
    let work = Double(vgg19.totalMACsPerSample) / Double(vgg16.totalMACsPerSample)
    let passes = (known.step - known.optimizer).seconds * work
    #expect(abs((guess.step - guess.optimizer).seconds / passes - 1) < 1e-9)
    #expect(guess.forwardEvidence.provenance == .derived)
    #expect(guess.forwardEvidence.sentence.contains("vgg16"))
    let h100 = try #require(DeviceCatalog.profile(named: "h100"))
    let far = h100.computeTimes(model: vgg19, batch: 32, precision: .amp)
    #expect(far.forwardEvidence.provenance == .assumed)
    #expect(far.forwardEvidence.sentence.contains("a100"))
  }

  @Test("embeddings are ready last, norms with the layer after them") func shape() throws {
    let device = try #require(DeviceCatalog.profile(named: "a100"))
    let table = try #require(ModelCatalog.table(named: "gpt2_small"))
    let times = device.computeTimes(model: table, batch: 8, precision: .bf16)
    func ready(_ name: String) throws -> SimDuration {
      times.readyOffsets[try #require(table.tensors.firstIndex { $0.name == name })]
    }
    #expect(try ready("transformer.wte.weight") == times.backward)
    #expect(try ready("transformer.wpe.weight") == times.backward)
    #expect(
      try ready("transformer.h.3.ln_1.weight") == ready("transformer.h.3.attn.c_attn.weight"))
    // The tied head runs before any gradient: 39.5 of 145.8 GMACs with the attention scores.
    let head = 39_523_713_024.0 / Double(table.totalMACsPerSample)
    #expect(abs(try ready("transformer.ln_f.bias").seconds / times.backward.seconds - head) < 1e-9)
  }

  @Test(
    "arithmetic a device lacks is timed as fp32, with a warning",
    arguments: [
      ("v100", Precision.tf32), ("v100", .bf16), ("k80", .amp), ("p100", .bf16), ("cpu", .fp16),
    ])
  func fallback(device: String, precision: Precision) throws {
    let profile = try #require(DeviceCatalog.profile(named: device))
    let table = try #require(ModelCatalog.table(named: "resnet18"))
    let times = profile.computeTimes(model: table, batch: 32, precision: precision)
    let single = profile.computeTimes(model: table, batch: 32, precision: .fp32)
    #expect(times.step == single.step)
    #expect(times.warnings.contains { $0.contains("timed as fp32") })
    #expect(profile.peak(precision) == nil)
  }

  @Test("optimizer time is bytes over bandwidth") func optimizer() throws {
    let profile = try #require(DeviceCatalog.profile(named: "v100"))
    let table = try #require(ModelCatalog.table(named: "resnet50"))
    // 25,557,032 x 4 B x 3, 5 or 7 accesses at 900 GB/s.
    for (kind, accesses) in [(OptimizerKind.sgd, 3), (.sgdMomentum, 5), (.adam, 7)] {
      let expected = 25_557_032.0 * 4 * Double(accesses) / 900e9
      let time = profile.optimizerTime(kind, model: table)
      #expect(abs(time.seconds - expected) < 1e-12)
      #expect(kind.accesses == accesses)
    }
  }

  @Test("overrides set totals and keep the shape") func overrides() throws {
    let profile = try #require(DeviceCatalog.profile(named: "v100"))
    let table = try #require(ModelCatalog.table(named: "resnet50"))
    let times = profile.computeTimes(model: table, batch: 16, precision: .fp32)
    let total = SimDuration.milliseconds(10)
    let changed = times.overridden(
      by: ComputeOverride(forward: .milliseconds(5), backward: total, optimizer: .zero))
    #expect(changed.forward == .milliseconds(5))
    #expect(changed.backward == total && changed.readyOffsets[0] == total)
    #expect(changed.optimizer == .zero)
    #expect(changed.evidence.filter { $0.evidence.provenance == .overridden }.count == 3)
    #expect(changed.warnings.isEmpty)
    for (old, new) in zip(times.readyOffsets, changed.readyOffsets) {
      let expected = old.seconds / times.backward.seconds * total.seconds
      #expect(abs(new.seconds - expected) < 1e-11)
    }
    let same = times.overridden(by: ComputeOverride())
    #expect(same.readyOffsets == times.readyOffsets && same.warnings == times.warnings)
    let zero = times.overridden(by: ComputeOverride(backward: .zero))
    #expect(zero.readyOffsets.allSatisfy { $0 == .zero })
    let again = zero.overridden(by: ComputeOverride(backward: total))
    #expect(again.readyOffsets[0] == total)
  }

  @Test("a table of the user's own without any work still gets times") func bare() throws {
    let table = try ModelTable.parse("tensor,numel\na.w,10\nb.w,30\n", origin: "bare.csv")
    for name in DeviceCatalog.names {
      let profile = try #require(DeviceCatalog.profile(named: name))
      let times = profile.computeTimes(model: table, batch: 1, precision: .fp32)
      #expect(times.backward > .zero)
      #expect(times.readyOffsets[0] == times.backward)
      #expect(times.warnings.contains { $0.contains("multiply-accumulates") })
    }
  }

  @Test("a user's table under a catalogued name is not given its measured times") func impostor()
    throws
  {
    let table = try ModelTable.parse(
      "# name: resnet50\ntensor,numel,macs\na,25557032,4089184256\n", origin: "x.csv")
    let profile = try #require(DeviceCatalog.profile(named: "v100"))
    let times = profile.computeTimes(model: table, batch: 32, precision: .fp32)
    #expect(times.backwardEvidence.provenance != .measured)
  }

  @Test("state that does not fit the memory is warned about") func memory() throws {
    let profile = try #require(DeviceCatalog.profile(named: "p100"))
    let table = try #require(ModelCatalog.table(named: "gpt2_xl"))
    let times = profile.computeTimes(
      model: table, batch: 1, precision: .fp32, optimizer: .adam)
    #expect(times.warnings.contains { $0.contains("24 GB") })
  }
}
