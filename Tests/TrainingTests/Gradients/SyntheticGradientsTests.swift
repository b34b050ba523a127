import Testing
import Training

@Suite struct SyntheticGradientsTests {
  static func tensor(_ name: String, _ kind: GradientKind, _ shape: Int...) -> GradientTensor {
    GradientTensor(name: name, kind: kind, shape: shape)
  }
  static let small = RecordedModel.mlp.tensors

  @Test("the same request gets the same bits, another one other bits")
  func purity() {
    let source = SyntheticGradients(tensors: Self.small, seed: 7, replicate: 1)
    let again = SyntheticGradients(tensors: Self.small, seed: 7, replicate: 1)
    let first = source.gradient(worker: 2, iteration: 5)
    _ = source.gradient(worker: 0, iteration: 9)
    #expect(first == again.gradient(worker: 2, iteration: 5, parameterVersion: 3))
    #expect(first != source.gradient(worker: 3, iteration: 5))
    #expect(first != source.gradient(worker: 2, iteration: 6))
    let other = SyntheticGradients(tensors: Self.small, seed: 7, replicate: 2)
    #expect(first != other.gradient(worker: 2, iteration: 5))
    let otherSeed = SyntheticGradients(tensors: Self.small, seed: 8, replicate: 1)
    #expect(first != otherSeed.gradient(worker: 2, iteration: 5))
  }

  @Test("a sample holds the elements that the whole has at its runs")
  func sampleIsPartOfTheWhole() {
    let tensors = RecordedModel.chargpt.tensors
    let layout = SampledLayout(tensors, budget: 20_000)
    let whole = SyntheticGradients(tensors: tensors, seed: 3).gradient(worker: 1, iteration: 2)
    let part = SyntheticGradients(tensors: tensors, seed: 3, layout: layout)
      .gradient(worker: 1, iteration: 2)
    var bases = [0]
    for tensor in tensors { bases.append(bases[bases.count - 1] + tensor.elements) }
    let expected = layout.runs.flatMap { run in
      whole[bases[run.tensor] + run.start..<bases[run.tensor] + run.start + run.count]
    }
    #expect(part == expected)
  }

  @Test("every kind, shape and size is finite and has no negative zero")
  func everyKindAndShape() {
    for stage in TrainingStage.allCases {
      for family in GradientFamily.allCases {
        for kind in GradientKind.allCases {
          for shape in [[], [1], [2], [3], [1, 1], [1, 5], [7, 1], [3, 2, 1, 1], [17, 9]] {
            let tensors = [GradientTensor(name: "a.bias", kind: kind, shape: shape)]
            let source = SyntheticGradients(
              tensors: tensors, profile: SyntheticProfile(stage: stage, family: family), seed: 1)
            let values = source.gradient(worker: 0, iteration: 0)
            #expect(values.count == tensors[0].elements)
            #expect(values.allSatisfy { $0.isFinite && $0.bitPattern != 0x8000_0000 })
          }
        }
      }
    }
  }

  @Test("no tensors give an empty gradient")
  func empty() {
    let source = SyntheticGradients(tensors: [], seed: 1)
    #expect(source.gradient(worker: 0, iteration: 0).isEmpty)
  }

  @Test("embedding rows outside the batch are whole rows of zeros, mostly the same for workers")
  func embeddingRows() {
    let tensors = RecordedModel.wordemb.tensors
    let source = SyntheticGradients(tensors: tensors, seed: 4)
    func liveRows(_ worker: Int) -> Set<Int> {
      let values = source.gradient(worker: worker, iteration: 0)
      var live: Set<Int> = []
      for row in 0..<4096 {
        let zeros = values[row * 8..<row * 8 + 8].count(where: { $0 == 0 })
        #expect(zeros == 0 || zeros == 8)
        if zeros == 0 { live.insert(row) }
      }
      return live
    }
    let (a, b) = (liveRows(0), liveRows(1))
    #expect((40...120).contains(a.count))
    // Independent rows would share one or two.
    #expect(a.intersection(b).count > 10)
  }

  @Test("the shared part renews: one step later half of it is left, later none")
  func stepToStep() {
    let source = SyntheticGradients(
      tensors: RecordedModel.chargpt.tensors, profile: SyntheticProfile(stage: .early), seed: 5)
    let now = source.gradient(worker: 0, iteration: 10)
    func cosine(_ worker: Int, _ iteration: Int) -> Double {
      GradientMeasures.cosine(now, source.gradient(worker: worker, iteration: iteration))
    }
    let same = cosine(1, 10)
    let next = (cosine(1, 11) + cosine(1, 9) + cosine(0, 11) + cosine(0, 9)) / 4
    #expect(same > 0.7)
    #expect((next / same - 0.5).magnitude < 0.35)
    #expect(cosine(1, 13).magnitude < 0.2)
  }

  @Test("supports persist over steps although signs do not")
  func supportsPersist() {
    let source = SyntheticGradients(tensors: Self.small, seed: 6)
    let steps = (0..<4).map { source.gradient(worker: 0, iteration: 5 * $0) }
    #expect(GradientMeasures.union(steps) < 3.7)
  }

  @Test("the family follows from the kinds of layers")
  func families() {
    #expect(GradientFamily(resembling: RecordedModel.mlp.tensors) == .mlp)
    #expect(GradientFamily(resembling: RecordedModel.resnet.tensors) == .convolutional)
    #expect(GradientFamily(resembling: RecordedModel.chargpt.tensors) == .transformer)
    #expect(GradientFamily(resembling: RecordedModel.wordemb.tensors) == .embedding)
  }

  @Test("provenance says whether the model was fitted or the profile is assumed")
  func provenance() {
    #expect(
      SyntheticGradients(tensors: Self.small, seed: 1).provenance
        == "synthetic, mlp family, middle stage, fitted on this model")
    let other = [Self.tensor("conv1.weight", .conv, 64, 3, 7, 7)]
    #expect(
      SyntheticGradients(tensors: other, seed: 1).provenance
        == "synthetic, convolutional family, middle stage, applied by kind of layer, assumed")
  }

  @Test("bits are the recorded ones on every instruction set")
  func goldenBits() {
    // Recorded from this implementation; a change means that every committed result changes.
    let source = SyntheticGradients(tensors: RecordedModel.chargpt.tensors, seed: 42)
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for value in source.gradient(worker: 3, iteration: 17) {
      hash = (hash ^ UInt64(value.bitPattern)) &* 0x0000_0100_0000_01B3
    }
    #expect(hash == 15_796_396_406_424_538_414)
  }
}
