import Compression
import SimKernel
import Testing

/// How supports grow when sparse gradients are summed.
struct SupportGrowthTests {
  private func sparse(_ count: Int, _ positions: some Sequence<Int>) -> SparseGradient {
    let places = positions.map { UInt32($0) }
    return SparseGradient(
      elementCount: count, positions: places, values: [Float](repeating: 1, count: places.count))
  }

  @Test("identical supports do not grow")
  func identical() {
    for workers in 1...5 {
      let growth = SupportGrowth([SparseGradient](repeating: sparse(100, 0..<10), count: workers))
      #expect(growth.measured == [Double](repeating: 10, count: workers))
      if workers > 1 { #expect(growth.union(workers: 1000) == 10 && growth.population == 10) }
    }
  }

  @Test("disjoint supports grow by k until there are no more elements")
  func disjoint() {
    for workers in 2...4 {
      let growth = SupportGrowth((0..<workers).map { sparse(100, $0 * 10..<$0 * 10 + 10) })
      for m in 1...9 { #expect((growth.union(workers: m) - Double(10 * m)).magnitude < 1e-9) }
      #expect(growth.population == .infinity && growth.union(workers: 50) == 100)
    }
  }

  @Test("a union is the mean over rotations")
  func rotations() {
    // Neighbours 0,1 share two of three, 1,2 none, 2,0 one: (4 + 6 + 5) / 3.
    let growth = SupportGrowth([
      sparse(50, [1, 2, 3]), sparse(50, [2, 3, 4]), sparse(50, [10, 11, 1]),
    ])
    #expect(growth.measured == [3, 5, 6])
    #expect(growth.union(workers: 0) == 0)
    #expect(growth.union(workers: 2) == 5)
  }

  @Test("no support at all stays empty")
  func empty() {
    let growth = SupportGrowth([sparse(10, []), sparse(10, [])])
    #expect(growth.measured == [0, 0] && growth.union(workers: 9) == 0)
    #expect(SupportGrowth([sparse(0, [])]).union(workers: 3) == 0)
    #expect(SupportGrowth.expected(kept: 0, elements: 10, workers: 3) == 0)
  }

  @Test("one worker says nothing of the others: independence")
  func alone() {
    let growth = SupportGrowth([sparse(1000, 0..<10)])
    for m in 1...20 {
      let expected = Support.expectedUnion(kept: 10, elementCount: 1000, workers: m)
      #expect((growth.union(workers: m) - expected).magnitude < 1e-9)
    }
  }

  @Test("the formula of independent supports is the known one, and its limits")
  func formula() {
    for (kept, count, workers) in [(1, 2, 3), (10, 1000, 4), (500, 1000, 9), (7, 7, 2)] {
      let expected = Support.expectedUnion(
        kept: kept, elementCount: count, workers: workers)
      let own = SupportGrowth.expected(
        kept: Double(kept), elements: Double(count), workers: workers)
      #expect((own - expected).magnitude < 1e-9 * expected)
    }
    #expect(SupportGrowth.expected(kept: 3, elements: .infinity, workers: 5) == 15)
    // 3.94 k for four workers' independent top-1 %.
    let four = SupportGrowth.expected(kept: 10, elements: 1000, workers: 4)
    #expect((four - 39.4).magnitude < 0.01)
  }

  @Test("half of the workers foretell independent supports, and the true population")
  func independent() {
    var random = RandomStream(seed: 4, purpose: RandomPurpose("supports"))
    // Draws from 5000 of 20000 elements, of which every support has some 1500.
    let supports = (0..<16).map { _ in
      sparse(20_000, (0..<5000).filter { _ in random.uniform() < 0.3 })
    }
    let all = SupportGrowth(supports)
    for workers in [2, 4, 8] {
      let some = SupportGrowth(Array(supports[0..<workers]))
      #expect((some.population / 5000 - 1).magnitude < 0.15, "\(some.population)")
      let foretold = some.union(workers: 16)
      #expect((foretold / all.union(workers: 16) - 1).magnitude < 0.15)
      // Continuous where the measurement ends, and monotonous.
      let measured = some.union(workers: workers)
      let formula = SupportGrowth.expected(
        kept: some.measured[0], elements: some.population, workers: workers)
      #expect((formula / measured - 1).magnitude < 1e-9)
      for m in 1..<40 { #expect(some.union(workers: m) <= some.union(workers: m + 1)) }
    }
  }

  @Test("the recorded workers' top-1 % grow to 1.9 to 3.5 k")
  func recorded() throws {
    let pipeline = try Support.pipeline("top_k:ratio=0.01")
    var scratch = CodecScratch()
    var factors: [Double] = []
    for model in ["mlp-digits", "resnet8-digits", "chargpt", "wordemb"] {
      for stage in ["early", "middle", "late"] {
        guard let gradients = try SharedGradients.workers("\(model).\(stage)") else { return }
        let supports = try gradients.map { gradient in
          let encoded = try pipeline.encode(
            gradient, random: Support.random(), scratch: &scratch)
          return try #require(
            try pipeline.sparse(encoded, count: gradient.count, scratch: &scratch))
        }
        let growth = SupportGrowth(supports)
        factors.append(growth.union(workers: 4) / growth.measured[0])
        #expect(growth.union(workers: 4) == Double(Support.unionCount(supports)))
        let independent = SupportGrowth.expected(
          kept: growth.measured[0], elements: Double(growth.elementCount), workers: 64)
        #expect(growth.union(workers: 64) < independent)
      }
    }
    let (least, most) = (factors.min()!, factors.max()!)
    #expect(least > 1.85 && least < 2 && most > 3.4 && most < 3.55, "\(factors)")
  }
}
