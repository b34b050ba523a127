import Testing
import Training

@Suite struct SampledLayoutTests {
  static let models: [[GradientTensor]] =
    RecordedModel.allCases.map(\.tensors) + [
      [
        GradientTensor(name: "fc6.weight", kind: .linear, shape: [4096, 25088]),
        GradientTensor(name: "fc6.bias", kind: .bias, shape: [4096]),
        GradientTensor(name: "bn.weight", kind: .norm, shape: [64]),
        GradientTensor(name: "scale", kind: .other, shape: []),
      ],
      [GradientTensor(name: "wte", kind: .embedding, shape: [50257, 1600])],
      [GradientTensor(name: "odd", kind: .linear, shape: [3, 9001])],
    ]

  @Test("runs are in order, apart, within their tensors and add up", arguments: models)
  func runsAreSound(_ tensors: [GradientTensor]) {
    for budget in [nil, 0, 1, 2, 3, 100, 5000, 17_000, 60_000, 1 << 20, 1 << 40] as [Int?] {
      let layout = SampledLayout(tensors, budget: budget)
      var counts = [Int](repeating: 0, count: tensors.count)
      var (tensor, end) = (0, 0)
      for run in layout.runs {
        if run.tensor != tensor { (tensor, end) = (run.tensor, 0) }
        #expect(run.start >= end && run.count > 0)
        end = run.start + run.count
        #expect(end <= tensors[tensor].elements)
        counts[tensor] += run.count
      }
      #expect(layout.runs.map(\.tensor) == layout.runs.map(\.tensor).sorted())
      #expect(counts == layout.sampledElements)
      #expect(counts.allSatisfy { $0 >= 1 })
      #expect(layout.elementCount == counts.reduce(0, +))
      let wanted = min(budget ?? .max, layout.modelElements)
      #expect((layout.elementCount - wanted).magnitude <= tensors.count)
      #expect(layout.isWhole == (layout.elementCount == layout.modelElements))
    }
  }

  @Test("without a budget, or with enough, each tensor is one whole run", arguments: models)
  func whole(_ tensors: [GradientTensor]) {
    for budget in [nil, 1 << 40] as [Int?] {
      let layout = SampledLayout(tensors, budget: budget)
      #expect(layout.isWhole)
      #expect(layout.runs.map(\.count) == tensors.map(\.elements))
      #expect(tensors.indices.allSatisfy { layout.scale(ofTensor: $0) == 1 })
    }
  }

  @Test("a table's runs are whole rows, spread from its first to its last part")
  func rowsStayWhole() {
    let table = [GradientTensor(name: "wte", kind: .embedding, shape: [50257, 1600])]
    let layout = SampledLayout(table)
    #expect(layout.runs.dropLast().allSatisfy { $0.start % 1600 == 0 && $0.count % 1600 == 0 })
    #expect(layout.runs[0].start == 0)
    #expect(layout.runs.last.map { $0.start > 50257 * 1600 * 9 / 10 } == true)
    #expect(layout.elementCount == 1 << 20)
  }

  @Test("shares are proportional, so tensors weigh as in the model")
  func proportional() {
    let layout = SampledLayout(Self.models[4])
    #expect(layout.scale(ofTensor: 0) > 97.5 && layout.scale(ofTensor: 0) < 98.5)
    #expect(layout.sampledElements[1] == 42)
    #expect(layout.sampledElements[2...] == [1, 1])
  }
}
