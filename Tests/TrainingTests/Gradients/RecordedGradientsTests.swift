import Testing
import Training

@Suite struct RecordedGradientsTests {
  static let tensors = [
    GradientTensor(name: "w", kind: .linear, shape: [2, 2]),
    GradientTensor(name: "b", kind: .bias, shape: [2]),
  ]
  static func values(_ base: Float) -> [Float] { (0..<6).map { base + Float($0) } }

  @Test("worker r answers with recorded worker r mod W, iteration i with i mod I")
  func repeats() throws {
    let recorded = [[10, 20, 30], [40, 50, 60]].map { $0.map { Self.values($0) } }
    let source = try RecordedGradients(tensors: Self.tensors, iterations: recorded)
    for iteration in 0..<5 {
      for worker in 0..<7 {
        #expect(
          source.gradient(worker: worker, iteration: iteration)
            == recorded[iteration % 2][worker % 3])
      }
    }
    var one = try RecordedGradients(tensors: Self.tensors, workers: recorded[0])
    let update: [Float] = [1]
    update.withUnsafeBufferPointer { one.apply($0, parameterVersion: 0) }
    #expect(one.gradient(worker: 4, iteration: 9) == recorded[0][1])
  }

  @Test("a sample copies the runs of its layout")
  func sampled() throws {
    let tensors = RecordedModel.mlp.tensors
    let layout = SampledLayout(tensors, budget: 5000)
    let flat = (0..<layout.modelElements).map(Float.init)
    let source = try RecordedGradients(tensors: tensors, workers: [flat], layout: layout)
    let values = source.gradient(worker: 0, iteration: 0)
    #expect(values.count == layout.elementCount)
    #expect(values == values.sorted())
    #expect(Set(values).count == values.count)
  }

  @Test("what does not fit is refused with the place")
  func refusals() {
    #expect(throws: GradientSourceError.empty) {
      try RecordedGradients(tensors: Self.tensors, workers: [])
    }
    #expect(throws: GradientSourceError.empty) {
      try RecordedGradients(tensors: Self.tensors, iterations: [])
    }
    #expect(
      throws: GradientSourceError.length(worker: 1, iteration: 0, found: 1, expected: 6)
    ) {
      try RecordedGradients(tensors: Self.tensors, workers: [Self.values(0), [1]])
    }
  }
}
