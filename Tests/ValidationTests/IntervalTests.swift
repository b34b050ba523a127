import SimKernel
import Testing
import Validation

private func differences(_ values: [Double]) throws -> PairedDifferences {
  try PairedDifferences(baseline: [Double](repeating: 0, count: values.count), candidate: values)
}

@Suite struct StandardNormalTests {
  /// Probabilities of the tables, to more digits.
  @Test(arguments: [
    (0, 0.5), (1, 0.8413447460685429), (-1, 0.15865525393145707), (1.96, 0.9750021048517795),
    (-3, 0.0013498980316300946), (-5, 2.866515718791939e-07), (-10, 7.619853024160527e-24),
    (-20, 2.7536241186062337e-89), (.infinity, 1), (-.infinity, 0),
  ])
  func `probabilities are those of the tables`(x: Double, p: Double) {
    #expect((StandardNormal.cumulative(x) - p).magnitude <= 1e-13 * p)
  }

  @Test func `the quantile inverts it, and both halves are symmetric`() {
    for step in 1..<800 {
      let x = Double(step) / 100
      let lower = StandardNormal.cumulative(-x)
      #expect((StandardNormal.quantile(lower) / -x - 1).magnitude < 1e-12)
      #expect((StandardNormal.cumulative(x) + lower - 1).magnitude < 1e-15)
    }
    #expect(StandardNormal.cumulative(.nan).isNaN)
  }
}

@Suite struct PairedDifferencesTests {
  @Test func `nothing, one and two pairs`() throws {
    let none = try differences([])
    #expect(none.count == 0 && none.studentInterval() == nil && none.studentProbability == nil)
    #expect(none.cohensD == nil && none.hedgesG == nil)
    let one = try PairedDifferences(baseline: [2], candidate: [5])
    #expect(one.mean == 3 && one.studentInterval() == nil && one.cohensD == nil)
    let two = try PairedDifferences(baseline: [1, 1], candidate: [2, 4])
    // t(0.975, 1) sqrt 2 / sqrt 2.
    let interval = try #require(two.studentInterval())
    #expect((interval.upperBound - 2 - 12.706204736174705).magnitude < 1e-9)
    #expect((interval.lowerBound - 2 + 12.706204736174705).magnitude < 1e-9)
    // One degree of freedom is Cauchy's distribution: t = 2, p = 1 - 2 arctan(2) / pi.
    #expect((two.studentProbability! - 0.2951672353008665).magnitude < 1e-14)
    #expect((two.cohensD! - 2.0.squareRoot()).magnitude < 1e-15)
    #expect(two.hedgesG == nil)
  }

  @Test func `what all pairs share cancels`() throws {
    let baseline = [1000.0, 2000, 4000, 8000]
    let shifted = try PairedDifferences(baseline: baseline, candidate: baseline.map { $0 + 1 })
    #expect(shifted.studentInterval() == 1...1)
    #expect(shifted.studentProbability == 0)
    #expect(shifted.cohensD == nil)
    let same = try PairedDifferences(baseline: baseline, candidate: baseline)
    #expect(same.studentProbability == 1)
  }

  /// Times a power of two nothing is rounded, so nothing may change.
  @Test(arguments: [-890, -600, -1, 1, 600, 890])
  func `the scale of a metric changes nothing but the scale`(exponent: Int) throws {
    var random = RandomStream(seed: 9, purpose: RandomPurpose("scale"))
    let values = (0..<12).map { _ in random.normal() + 0.5 }
    let factor = Double(sign: .plus, exponent: exponent, significand: 1)
    let plain = try differences(values)
    let scaled = try differences(values.map { $0 * factor })
    #expect(scaled.studentProbability == plain.studentProbability)
    #expect(scaled.hedgesG == plain.hedgesG)
    let stream = RandomStream(seed: 1, purpose: RandomPurpose("resample"))
    let bootstrap = Bootstrap(resamples: 99)
    for (one, other) in [
      (scaled.studentInterval(), plain.studentInterval()),
      (
        bootstrap.interval(of: scaled, stream: stream),
        bootstrap.interval(of: plain, stream: stream)
      ),
    ] {
      #expect(one!.lowerBound == other!.lowerBound * factor)
      #expect(one!.upperBound == other!.upperBound * factor)
    }
  }

  @Test func `unequal and infinite series are refused`() {
    #expect(throws: PairingError.unpaired(baseline: 1, candidate: 2)) {
      try PairedDifferences(baseline: [1], candidate: [1, 2])
    }
    #expect(throws: PairingError.notFinite(index: 1, baseline: 2, candidate: .infinity)) {
      try PairedDifferences(baseline: [1, 2], candidate: [1, .infinity])
    }
    #expect(throws: PairingError.notFinite(index: 0, baseline: 0, candidate: 0x1p900)) {
      try PairedDifferences(baseline: [0], candidate: [0x1p900])
    }
    #expect(throws: PairingError.self) { try PairedDifferences(baseline: [0], candidate: [.nan]) }
  }

  /// The interval leaves out 0 exactly when the test rejects it.
  @Test func `interval and test agree`() throws {
    var random = RandomStream(seed: 3, purpose: RandomPurpose("duality"))
    var rejected = 0
    for _ in 0..<500 {
      let sample = try differences((0..<6).map { _ in random.normal() + 0.8 })
      let outside = !sample.studentInterval()!.contains(0)
      #expect(outside == (sample.studentProbability! < 0.05))
      rejected += outside ? 1 : 0
    }
    #expect(rejected > 50 && rejected < 450)
  }

  /// J(2) = 1/sqrt(pi), J(3) = sqrt(pi/6), J(4) = sqrt(2/pi); then the usual approximation.
  @Test func `Hedges' correction has its closed forms`() {
    let root = Double.pi.squareRoot()
    #expect((EffectSize.hedgesCorrection(degreesOfFreedom: 2) - 1 / root).magnitude < 1e-15)
    let three = (Double.pi / 6).squareRoot()
    #expect((EffectSize.hedgesCorrection(degreesOfFreedom: 3) - three).magnitude < 1e-15)
    let four = 2.0.squareRoot() / root
    #expect((EffectSize.hedgesCorrection(degreesOfFreedom: 4) - four).magnitude < 1e-15)
    for m in [10, 11, 100, 1_001, 100_000] {
      let size = Double(m)
      let value = EffectSize.hedgesCorrection(degreesOfFreedom: m)
      #expect((value - (1 - 3 / (4 * size - 1))).magnitude < 0.2 / (size * size))
    }
  }

  /// Of five normal pairs Cohen's d is a fifth too far from 0 on average; Hedges' g is not.
  @Test func `Hedges' g is unbiased`() throws {
    var random = RandomStream(seed: 4, purpose: RandomPurpose("hedges"))
    var cohen = 0.0
    var hedges = 0.0
    for _ in 0..<20_000 {
      let sample = try differences((0..<5).map { _ in random.normal() + 1 })
      cohen += sample.cohensD! / 20_000
      hedges += sample.hedgesG! / 20_000
    }
    #expect(cohen > 1.2 && (hedges - 1).magnitude < 0.02)
  }
}

@Suite struct MultipleComparisonsTests {
  @Test(arguments: [
    (MultipleComparisons.none, [0.01, 0.04, 0.03, 0.005]),
    (.holm, [0.03, 0.06, 0.06, 0.02]), (.benjaminiHochberg, [0.02, 0.04, 0.04, 0.02]),
  ])
  func `four tests by hand`(correction: MultipleComparisons, expected: [Double]) {
    let adjusted = correction.adjusted([0.01, 0.04, 0.03, 0.005])
    for (value, known) in zip(adjusted, expected) { #expect((value - known).magnitude < 1e-15) }
  }

  @Test func `no test, one test, ties and ones`() {
    for correction in MultipleComparisons.allCases {
      #expect(correction.adjusted([]) == [])
      #expect(correction.adjusted([0.2]) == [0.2])
      #expect(correction.adjusted([1, 1, 1]) == [1, 1, 1])
      #expect(Set(correction.adjusted([0.01, 0.01, 0.01])).count == 1)
    }
    #expect(MultipleComparisons.holm.adjusted([0.5, 0.5]) == [1, 1])
    #expect(MultipleComparisons.benjaminiHochberg.adjusted([0.5, 0.5]) == [0.5, 0.5])
  }

  @Test func `adjusted probabilities keep the order, and Holm's are the larger`() {
    var random = RandomStream(seed: 5, purpose: RandomPurpose("family"))
    for count in 2..<40 {
      let raw = (0..<count).map { _ in random.uniform() * random.uniform() }
      let holm = MultipleComparisons.holm.adjusted(raw)
      let hochberg = MultipleComparisons.benjaminiHochberg.adjusted(raw)
      for i in 0..<count {
        #expect(raw[i] <= hochberg[i] && hochberg[i] <= holm[i] && holm[i] <= 1)
        for j in 0..<count where raw[i] < raw[j] {
          #expect(holm[i] <= holm[j] && hochberg[i] <= hochberg[j])
        }
      }
    }
  }

  /// Ten true hypotheses: Holm rejects any in at most 5 % of the families, no correction in 40 %.
  @Test func `Holm bounds the rate of false discoveries`() {
    var random = RandomStream(seed: 6, purpose: RandomPurpose("discoveries"))
    var corrected = 0
    var plain = 0
    for _ in 0..<10_000 {
      let raw = (0..<10).map { _ in random.uniform() }
      if MultipleComparisons.holm.adjusted(raw).contains(where: { $0 <= 0.05 }) { corrected += 1 }
      if raw.contains(where: { $0 <= 0.05 }) { plain += 1 }
    }
    // Four standard deviations above 5 %.
    #expect(corrected < 590 && plain > 3_800)
  }
}

@Suite struct ComparisonTests {
  @Test func `the better build wins by its metric's direction`() throws {
    var random = RandomStream(seed: 7, purpose: RandomPurpose("comparison"))
    let noise = (0..<20).map { _ in random.normal() }
    let family = [
      try differences(noise.map { $0 * 0.1 - 1 }), try differences(noise.map { $0 * 0.1 + 1 }),
      try differences([5]), try differences([0, 0, 0]),
    ]
    let lower = ComparisonSettings(bootstrap: Bootstrap(resamples: 199)).compare(family)
    #expect(lower.map(\.winner) == [.candidate, .baseline, .undecided, .undecided])
    let higher = ComparisonSettings(
      direction: .higherIsBetter, bootstrap: Bootstrap(resamples: 199)
    ).compare(family)
    #expect(higher.map(\.winner) == [.baseline, .candidate, .undecided, .undecided])
    #expect(lower.map(\.difference) == family.map(\.mean))
    #expect(lower[2].pairs == 1 && lower[2].adjustedProbability == nil)
    #expect(lower[2].studentInterval == nil && lower[2].bootstrapInterval == nil)
    for comparison in lower[0...1] {
      #expect(comparison.studentInterval!.contains(comparison.difference))
      #expect(comparison.bootstrapInterval!.contains(comparison.difference))
    }
    #expect(ComparisonSettings().compare([]) == [])
  }

  /// A family of hopeless comparisons takes significance from a weak one.
  @Test func `a comparison among many must be clearer`() throws {
    // Alternating about 0.5: t = 2.6 with 19 degrees of freedom, p = 0.018.
    let weak = try differences((0..<20).map { 0.5 + ($0 % 2 == 0 ? 0.85 : -0.85) })
    let nothing = try differences((0..<20).map { $0 % 2 == 0 ? 1 : -1 })
    let settings = ComparisonSettings(bootstrap: Bootstrap(resamples: 99))
    #expect(settings.compare([weak])[0].winner == .baseline)
    let many = settings.compare([weak] + [PairedDifferences](repeating: nothing, count: 9))
    #expect(many[0].winner == .undecided)
    #expect((many[0].adjustedProbability! / many[0].probability! - 10).magnitude < 1e-12)
  }
}
