import SimKernel
import Testing
import Validation

private let passed = Metric("passed", range: 0...1)

private func specification(
  _ text: String, _ adaptivity: Adaptivity = .none, steps: Int = 1,
  mode: GateMode = .falsePositiveFree, bound: BoundChoice = .hoeffding
) throws -> GateSpecification {
  GateSpecification(
    try Condition(text), reliability: 0.95, mode: mode, adaptivity: adaptivity, steps: steps,
    bound: bound)
}

/// Outcomes 0 and 1 of which the new build has `new` ones and the old one `old`, the first of each.
private func estimate(new: Int, old: Int, of count: Int) throws -> GateEstimate {
  try GateEstimate(
    new: (0..<count).map { $0 < new ? 1 : 0 }, old: (0..<count).map { $0 < old ? 1 : 0 },
    metric: passed)
}

@Suite struct GateTestSetTests {
  @Test func `an estimate counts means and changes`() throws {
    let estimate = try GateEstimate(
      new: [1, 0, 1, 1], old: [1, 1, 0, 1], metric: Metric("m", range: 0...1))
    #expect(estimate.new == 0.75 && estimate.old == 0.75)
    #expect(estimate.difference == 0.5 && estimate.replicates == 4)
    let clause = try Condition("2 * n - o + 1 > 0 +/- 0.125").clauses[0]
    #expect(estimate.interval(of: clause) == 0.625...0.875)
  }

  @Test func `values that void the bounds are refused`() {
    let metric = Metric("m", range: 0...1)
    #expect(throws: GateError.unpaired(new: 2, old: 1)) {
      try GateEstimate(new: [1, 0], old: [1], metric: metric)
    }
    #expect(throws: GateError.empty) { try GateEstimate(new: [], old: [], metric: metric) }
    #expect(throws: GateError.undeclaredRange(metric: "t")) {
      try GateEstimate(new: [1], old: [1], metric: Metric("t", range: nil))
    }
    #expect(
      throws: GateError.valueOutOfRange(metric: "m", index: 1, value: 1.5, lower: 0, upper: 1)
    ) {
      try GateEstimate(new: [1, 1], old: [0, 1.5], metric: metric)
    }
    #expect(throws: GateError.self) { try GateEstimate(new: [.nan], old: [0], metric: metric) }
  }

  @Test func `sums beyond the doubles decide nothing`() throws {
    let huge = Metric("m", range: 0...0x1.8p1023)
    let estimate = try GateEstimate(
      new: [0x1.8p1023, 0x1.8p1023], old: [0x1.8p1023, 0x1.8p1023], metric: huge)
    for text in ["n > 0 +/- 1", "n - o > 0 +/- 1", "d < 1 +/- 0.1"] {
      let clause = try Condition(text).clauses[0]
      let truth = clause.truth(over: estimate.interval(of: clause))
      #expect(truth == (text.hasPrefix("d") ? .true : .unknown))
    }
  }

  @Test func `unknown is a fail or a pass by the mode`() throws {
    for mode in GateMode.allCases {
      let specification = try specification("n > 0.5 +/- 0.1", steps: 3, mode: mode)
      var set = GateTestSet(try GatePlan(specification, metric: passed))
      let clear = try set.judge(try estimate(new: 700, old: 0, of: 1000))
      #expect(clear.truth == .true && clear.passes)
      let close = try set.judge(try estimate(new: 550, old: 0, of: 1000))
      #expect(close.truth == .unknown && close.passes == (mode == .falseNegativeFree))
      let bad = try set.judge(try estimate(new: 300, old: 0, of: 1000))
      #expect(bad.truth == .false && !bad.passes)
      #expect(bad.parts.count == 1 && bad.parts[0].interval.contains(0.3))
    }
  }

  @Test func `a false clause fails whatever the others are`() throws {
    let text = #"n > 0.5 +/- 0.1 /\ d < 0.2 +/- 0.1"#
    let specification = try specification(text, mode: .falseNegativeFree)
    var set = GateTestSet(try GatePlan(specification, metric: passed))
    let verdict = try set.judge(try estimate(new: 550, old: 0, of: 1000))
    #expect(verdict.parts.map(\.truth) == [.unknown, .false])
    #expect(verdict.truth == .false && !verdict.passes)
  }

  @Test func `replicates are retired after their steps`() throws {
    for adaptivity in Adaptivity.allCases {
      let specification = try specification("n > 0.5 +/- 0.1", adaptivity, steps: 2)
      var set = GateTestSet(try GatePlan(specification, metric: passed))
      let fail = try estimate(new: 0, old: 0, of: 1000)
      #expect(throws: GateError.tooFewReplicates(found: 10, needed: set.plan.replicates)) {
        try set.judge(try estimate(new: 10, old: 0, of: 10))
      }
      #expect(set.stepsUsed == 0)
      for step in 1...2 {
        #expect(!set.isRetired)
        #expect(try set.judge(fail).isReleased == (adaptivity != .none))
        #expect(set.stepsUsed == step)
      }
      #expect(set.isRetired)
      #expect(throws: GateError.retired(afterSteps: 2, passed: false)) { try set.judge(fail) }
    }
  }

  @Test func `steps used elsewhere count`() throws {
    let plan = try GatePlan(try specification("n > 0.5 +/- 0.1", steps: 4), metric: passed)
    let fail = try estimate(new: 0, old: 0, of: 1000)
    var set = GateTestSet(plan, stepsUsed: 3)
    _ = try set.judge(fail)
    #expect(throws: GateError.retired(afterSteps: 4, passed: false)) { try set.judge(fail) }
  }

  @Test func `the first pass retires replicates only at firstChange`() throws {
    let pass = try estimate(new: 1000, old: 0, of: 1000)
    for adaptivity in Adaptivity.allCases {
      let specification = try specification("n > 0.5 +/- 0.1", adaptivity, steps: 3)
      var set = GateTestSet(try GatePlan(specification, metric: passed))
      #expect(try set.judge(pass).passes)
      #expect(set.isRetired == (adaptivity == .firstChange))
      guard adaptivity == .firstChange else { continue }
      #expect(throws: GateError.retired(afterSteps: 1, passed: true)) { try set.judge(pass) }
    }
  }
}

/// Ten thousand commits that must not pass, or must not fail, by a hair.
@Suite struct GateReliabilityTests {
  private static let commits = 10_000
  private static let delta = 0.05

  /// How often `set` errs over many commits of independent replicates.
  private static func errorRate(
    _ text: String, mode: GateMode, bound: BoundChoice, new: Double, agreeing: Double,
    steps: Int = 1, fraction: Double = 1
  ) throws -> Double {
    let specification = try specification(text, steps: steps, mode: mode, bound: bound)
    let plan = try GatePlan(specification, metric: passed)
    let count = Int((Double(plan.replicates) * fraction).rounded(.up))
    let clauses = specification.condition.clauses
    var random = RandomStream(seed: 6, purpose: RandomPurpose("commits"))
    var wrong = 0
    var newValues = [Double](repeating: 0, count: count)
    var oldValues = newValues
    for _ in 0..<commits / steps {
      // One history: it is wrong if any of its steps is.
      var erred = false
      for _ in 0..<steps {
        for index in 0..<count {
          let draw = random.uniform()
          // The old build is right in half of the replicates; both agree in `agreeing` of them.
          oldValues[index] = draw < 0.5 * agreeing || draw >= agreeing + new ? 1 : 0
          newValues[index] =
            draw < 0.5 * agreeing || draw >= agreeing && draw < agreeing + new ? 1 : 0
        }
        let estimate = try GateEstimate(new: newValues, old: oldValues, metric: passed)
        let truth = clauses.reduce(TruthValue.true) {
          $0 && $1.truth(over: estimate.interval(of: $1))
        }
        erred = erred || mode.passes(truth) == (mode == .falsePositiveFree)
      }
      if erred { wrong += 1 }
    }
    return Double(wrong) / Double(commits / steps)
  }

  /// The new build is better in as many replicates as it is worse: n - o = 0, which is not above 0.
  @Test func `fp-free passes a bad commit with at most delta`() throws {
    let text = "n - o > 0 +/- 0.1"
    let rate = try Self.errorRate(
      text, mode: .falsePositiveFree, bound: .hoeffding, new: 0.25, agreeing: 0.5)
    #expect(rate <= Self.delta)
    // With a fiftieth of the replicates it does not hold: the check can fail.
    let starved = try Self.errorRate(
      text, mode: .falsePositiveFree, bound: .hoeffding, new: 0.25, agreeing: 0.5, fraction: 0.02)
    #expect(starved > Self.delta)
  }

  /// n = 1/2, which is not above 1/2, where Hoeffding's inequality is tightest.
  @Test func `a single variable's bound is near what is needed`() throws {
    let text = "n > 0.5 +/- 0.1"
    let rate = try Self.errorRate(
      text, mode: .falsePositiveFree, bound: .hoeffding, new: 0, agreeing: 1)
    #expect(rate <= Self.delta && rate > 0)
    let starved = try Self.errorRate(
      text, mode: .falsePositiveFree, bound: .hoeffding, new: 0, agreeing: 1, fraction: 0.3)
    #expect(starved > Self.delta)
  }

  /// d < 0.2 holds, n - o = 0.
  @Test func `Bennett's smaller number of replicates keeps the promise`() throws {
    let text = #"d < 0.2 +/- 0.1 /\ n - o > 0 +/- 0.05"#
    let rate = try Self.errorRate(
      text, mode: .falsePositiveFree, bound: .bennett, new: 0.045, agreeing: 0.91)
    #expect(rate <= Self.delta)
  }

  /// n = 1/2 is above 0.4999.
  @Test func `fn-free fails a good commit with at most delta`() throws {
    let rate = try Self.errorRate(
      "n > 0.4999 +/- 0.1", mode: .falseNegativeFree, bound: .hoeffding, new: 0, agreeing: 1)
    #expect(rate <= Self.delta)
  }

  @Test func `a history of ten steps errs anywhere with at most delta`() throws {
    let rate = try Self.errorRate(
      "n > 0.5 +/- 0.1", mode: .falsePositiveFree, bound: .hoeffding, new: 0, agreeing: 1,
      steps: 10)
    #expect(rate <= Self.delta)
  }
}
