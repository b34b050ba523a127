import SimKernel
import Testing
import Validation

private let accuracy = Metric("accuracy", range: 0...1)

private func plan(
  _ text: String, reliability: Double, adaptivity: Adaptivity, steps: Int = 32,
  bound: BoundChoice = .hoeffding, metric: Metric = accuracy
) throws -> GatePlan {
  try GatePlan(
    GateSpecification(
      Condition(text), reliability: reliability, adaptivity: adaptivity, steps: steps,
      bound: bound), metric: metric)
}

@Suite struct GatePlanTests {
  /// Sample sizes for 32 steps as ease.ml/ci's authors print them (Renggli et al., 2019, figure 2;
  /// 5496 is in their notebook): reliability, expression, adaptivity and the counts at tolerances
  /// of 0.1, 0.05, 0.025 and 0.01.
  @Test(arguments: [
    (0.99, "n", Adaptivity.none, [404, 1615, 6457, 40355]),
    (0.99, "n", .full, [1340, 5358, 21429, 133930]),
    (0.99, "n - o", .none, [1753, 7012, 28045, 175282]),
    (0.99, "n - o", .full, [5496, 21984, 87933, 549581]),
    (0.9999, "n", .none, [634, 2536, 10141, 63381]),
    (0.9999, "n", .full, [1570, 6279, 25113, 156956]),
    (0.9999, "n - o", .none, [2674, 10696, 42782, 267385]),
    (0.9999, "n - o", .full, [6417, 25668, 102670, 641684]),
  ])
  func `counts are those of the published table`(
    reliability: Double, expression: String, adaptivity: Adaptivity, counts: [Int]
  ) throws {
    for (tolerance, count) in zip([0.1, 0.05, 0.025, 0.01], counts) {
      let text = "\(expression) > 0.5 +/- \(tolerance)"
      let needed = try plan(text, reliability: reliability, adaptivity: adaptivity).replicates
      #expect((needed - count).magnitude <= 1, "\(text): \(needed)")
    }
  }

  /// The paper's "29K" for d < 0.1 and n - o within 0.01 at 0.9999.
  @Test func `Bennett's count is that of the paper`() throws {
    let text = #"d < 0.1 +/- 0.01 /\ n - o > 0.02 +/- 0.01"#
    let plan = try plan(text, reliability: 0.9999, adaptivity: .none, bound: .bennett)
    #expect((plan.clauses[1].replicates - 29_047).magnitude <= 1)
    #expect(plan.clauses[1].reason == .bennett(difference: 0.1))
    // A tenth of the replicates differ, and only those need labels.
    #expect((plan.clauses[1].labelledReplicates - 2_905).magnitude <= 1)
    #expect(plan.clauses[0].labelledReplicates == 0)
    #expect(plan.replicates == plan.clauses.map(\.replicates).max())
  }

  @Test func `more steps cost their logarithm, and their number when results are released`() throws
  {
    let text = "n > 0.5 +/- 0.01"
    func count(_ adaptivity: Adaptivity, _ steps: Int) throws -> Int {
      try plan(text, reliability: 0.99, adaptivity: adaptivity, steps: steps).replicates
    }
    let one = try count(.none, 1)
    // 1 / (2 tolerance^2) = 5000 replicates for each factor e.
    #expect((Double(one) - 5_000 * DeterministicMath.log(100)).magnitude < 1)
    for steps in [2, 3, 10, 100] {
      let withheld = try count(.none, steps)
      let logarithm = DeterministicMath.log(Double(steps))
      #expect((Double(withheld - one) - 5_000 * logarithm).magnitude < 2)
      #expect(try count(.firstChange, steps) == withheld)
      let released = try count(.full, steps) - one
      let expected = 5_000 * Double(steps) * DeterministicMath.log(2)
      #expect((Double(released) - expected).magnitude < 2)
    }
    // 2^10000 is no double; its logarithm is.
    #expect(try count(.full, 10_000) > 34_000_000)
  }

  @Test func `counts scale with the square of range and coefficient, and not with its sign`() throws
  {
    func count(_ text: String, _ metric: Metric = accuracy) throws -> Double {
      Double(try plan(text, reliability: 0.99, adaptivity: .none, metric: metric).replicates)
    }
    let base = try count("n > 0.5 +/- 0.001")
    #expect((try count("2 * n > 0.5 +/- 0.001") / base - 4).magnitude < 1e-5)
    #expect((try count("-2 * n > 0.5 +/- 0.001") / base - 4).magnitude < 1e-5)
    let wide = Metric("loss", range: -1...2)
    #expect((try count("n > 0.5 +/- 0.001", wide) / base - 9).magnitude < 1e-5)
    #expect((try count("n > 0.5 +/- 0.003", wide) / base - 1).magnitude < 1e-5)
    // d is a fraction whatever the metric is.
    #expect(try count("d < 0.5 +/- 0.001", wide) == base)
    #expect(try count("d < 0.5 +/- 0.001", Metric("time", range: nil)) == base)
  }

  @Test func `Bennett's count does not change when metric and tolerance are scaled together`()
    throws
  {
    func count(_ text: String, _ range: ClosedRange<Double>) throws -> Int {
      try plan(
        text, reliability: 0.99, adaptivity: .full, bound: .bennett,
        metric: Metric("m", range: range)
      ).clauses[1].replicates
    }
    let unit = try count(#"d < 0.125 +/- 0.1 /\ n - o > 0 +/- 0.0625"#, 0...1)
    #expect(try count(#"d < 0.125 +/- 0.1 /\ n - o > 0 +/- 0.25"#, -2...2) == unit)
    #expect(try count(#"d < 0.125 +/- 0.1 /\ 4 * o - 4 * n < 0 +/- 0.25"#, 0...1) == unit)
    #expect(try count(#"-8 * d > -1 +/- 0.1 /\ n - o > 0 +/- 0.0625"#, 0...1) == unit)
  }

  @Test func `the smaller bound is the smaller of both`() throws {
    for limit in [0.01, 0.1, 0.3, 1] {
      let text = "d < \(limit) +/- 0.1 /\\ n - o > 0 +/- 0.01"
      let counts = try BoundChoice.allCases.map { bound in
        try plan(text, reliability: 0.99, adaptivity: .none, bound: bound).clauses[1].replicates
      }
      #expect(BoundChoice.allCases == [.hoeffding, .bennett, .smaller])
      #expect(counts[2] == min(counts[0], counts[1]))
    }
  }

  /// Bennett's exponent is between those of Bernstein's inequality and of a normal variable.
  @Test func `Bennett's exponent lies between u^2/(2 + 2u/3) and u^2/2 and is smooth`() {
    #expect(ConcentrationBound.bennettExponent(0) == 0)
    for step in 1...400 {
      let u = Double(step) / 100
      let value = ConcentrationBound.bennettExponent(u)
      #expect(value > u * u / (2 + 2 * u / 3) && value < u * u / 2)
    }
    // Both ways of computing it agree where they meet.
    let u = 0.125
    let series = ConcentrationBound.bennettExponent(u.nextDown)
    #expect((series / ConcentrationBound.bennettExponent(u) - 1).magnitude < 1e-13)
    let tiny = ConcentrationBound.bennettExponent(1e-9)
    #expect((tiny / 5e-19 - 1).magnitude < 1e-9)
  }

  @Test func `what cannot be planned is refused`() throws {
    let times = Metric("iteration_time_s", range: nil)
    func refusal(
      _ text: String, _ reliability: Double = 0.99, steps: Int = 1,
      bound: BoundChoice = .hoeffding, metric: Metric = accuracy
    ) throws -> GateError? {
      do {
        _ = try plan(
          text, reliability: reliability, adaptivity: .none, steps: steps, bound: bound,
          metric: metric)
        return nil
      } catch let error as GateError {
        return error
      }
    }
    #expect(
      try refusal("n > 0 +/- 1", metric: times) == .undeclaredRange(metric: "iteration_time_s"))
    #expect(try refusal("d < 0.5 +/- 1", metric: times) == nil)
    #expect(
      try refusal("n > 0 +/- 1", metric: Metric("m", range: 2...2))
        == .uselessRange(metric: "m", lower: 2, upper: 2))
    #expect(
      try refusal("n > 0 +/- 1", metric: Metric("m", range: 0...(.infinity)))
        == .uselessRange(metric: "m", lower: 0, upper: .infinity))
    for reliability in [0, 1, -1, 1.5] {
      #expect(try refusal("n > 0 +/- 1", reliability) == .reliabilityOutOfRange(reliability))
    }
    #expect(try refusal("n > 0 +/- 1", .nan) != nil)
    #expect(try refusal("n > 0 +/- 1", steps: 0) == .noSteps(0))
    #expect(try refusal("n > 0 +/- 1e-9") == .tooManyReplicates(clause: "n > 0.0 +/- 1e-09"))
    #expect(try refusal("n > 0 +/- 1", bound: .bennett) == .noVarianceBound)
    #expect(try refusal(#"n - o > 0 +/- 1 /\ d > 0.1 +/- 1"#, bound: .bennett) == .noVarianceBound)
    #expect(try refusal(#"n - o > 0 +/- 1 /\ d < 0 +/- 1"#, bound: .bennett) == .noVarianceBound)
  }

  @Test func `a plan explains itself`() throws {
    let plan = try plan(
      #"n - o > -0.02 +/- 0.01 /\ d < 0.1 +/- 0.01"#, reliability: 0.9999, adaptivity: .full,
      bound: .smaller)
    #expect(
      plan.explanation == """
        \(plan.replicates) replicates for n - o > -0.02 +/- 0.01 /\\ d < 0.1 +/- 0.01
        reliability 0.9999, fp-free, adaptivity full, 32 steps
          n - o > -0.02 +/- 0.01: \(plan.clauses[0].replicates) replicates, Bennett, \
        error probability 1.16e-14 an estimate
            n - o differs from 0 in at most 0.1 of the replicates; only those, \
        \(plan.clauses[0].labelledReplicates), need labels
          d < 0.1 +/- 0.01: \(plan.clauses[1].replicates) replicates, Hoeffding, \
        error probability 1.16e-14 an estimate
            d within 0.01 of a range 1.0 wide: \(plan.clauses[1].replicates)

        """)
  }
}
