import SimKernel
import Testing
import Validation

private func plan(
  _ text: String = "n > 0.5 +/- 0.1", _ adaptivity: Adaptivity = .full, steps: Int = 3,
  reliability: Double = 0.95, range: ClosedRange<Double> = 0...1
) throws -> GatePlan {
  try GatePlan(
    GateSpecification(
      try Condition(text), reliability: reliability, adaptivity: adaptivity, steps: steps),
    metric: Metric("score", range: range))
}

private func entry(_ candidate: String, passes: Bool = false) -> GateLedger.Entry {
  GateLedger.Entry(
    baseline: "old", candidate: candidate, replicates: 2_000, truth: passes ? .true : .unknown,
    passes: passes)
}

private func estimate(_ passing: Int) throws -> GateEstimate {
  try GateEstimate(
    new: (0..<2_000).map { $0 < passing ? 1 : 0 }, old: [Double](repeating: 0, count: 2_000),
    metric: Metric("score", range: 0...1))
}

@Suite struct GateLedgerTests {
  @Test func `a record reads back as it was written`() throws {
    var ledger = GateLedger()
    #expect(try GateLedger.parse("", origin: "l") == ledger)
    ledger.append(entry("a"), of: try plan(range: -0.001...1.5))
    ledger.append(entry("b", passes: true), of: try plan(range: -0.001...1.5))
    let read = try GateLedger.parse(ledger.text, origin: "l")
    #expect(read == ledger && read.entries == ledger.entries && read.entries.count == 2)
    let first: String = #"""
      {"simnet_gate":1,"step":1,"condition":"n > 0.5 +/- 0.1","reliability":0.95,\#
      "mode":"fp-free","adaptivity":"full","steps":3,"bound":"hoeffding","metric":"score",\#
      "range":[-0.001,1.5],"baseline":"old","candidate":"a","replicates":2000,\#
      "truth":"unknown","verdict":"fail"}

      """#
    #expect(ledger.text.hasPrefix(first))
  }

  @Test func `the same results are known by both their names`() throws {
    var ledger = GateLedger()
    ledger.append(entry("a"), of: try plan())
    ledger.append(entry("b"), of: try plan())
    #expect(ledger.step(baseline: "old", candidate: "b") == 2)
    #expect(ledger.step(baseline: "b", candidate: "old") == nil)
    #expect(ledger.step(baseline: "old", candidate: "c") == nil)
  }

  @Test func `steps are used up, whoever read them back`() throws {
    for adaptivity in Adaptivity.allCases {
      let plan = try plan("n > 0.5 +/- 0.1", adaptivity)
      var ledger = GateLedger()
      for step in 1...3 {
        ledger = try GateLedger.parse(ledger.text, origin: "l")
        var set = try ledger.testSet(for: plan)
        #expect(!set.isRetired && set.stepsUsed == step - 1)
        let verdict = try set.judge(try estimate(0))
        ledger.append(entry("\(step)", passes: verdict.passes), of: plan)
      }
      var set = try ledger.testSet(for: plan)
      #expect(throws: GateError.retired(afterSteps: 3, passed: false)) {
        try set.judge(try estimate(2_000))
      }
    }
  }

  @Test func `a recorded pass retires at firstChange alone`() throws {
    for adaptivity in Adaptivity.allCases {
      let plan = try plan("n > 0.5 +/- 0.1", adaptivity)
      var ledger = GateLedger()
      ledger.append(entry("a", passes: true), of: plan)
      #expect(try ledger.testSet(for: plan).isRetired == (adaptivity == .firstChange))
    }
  }

  @Test func `another gate is refused, by the part that changed`() throws {
    var ledger = GateLedger()
    ledger.append(entry("a"), of: try plan())
    let read = try GateLedger.parse(ledger.text, origin: "l")
    #expect(try read.testSet(for: try plan("n>.5 +/- 1e-1")).stepsUsed == 1)
    for (other, what, found, recorded) in [
      (try plan("n > 0.4 +/- 0.1"), "condition", #""n > 0.4 +/- 0.1""#, #""n > 0.5 +/- 0.1""#),
      (try plan(reliability: 0.9), "reliability", "0.9", "0.95"),
      (try plan("n > 0.5 +/- 0.1", .none), "adaptivity", #""none""#, #""full""#),
      (try plan(steps: 4), "steps", "4", "3"), (try plan(range: 0...2), "range", "[0,2]", "[0,1]"),
    ] {
      #expect(throws: GateError.changed(what: what, found: found, recorded: recorded)) {
        try read.testSet(for: other)
      }
    }
  }

  @Test func `a damaged record is refused, not begun anew`() throws {
    var ledger = GateLedger()
    ledger.append(entry("a"), of: try plan())
    ledger.append(entry("b"), of: try plan())
    let lines = ledger.text.split(separator: "\n").map { $0 + "\n" }
    #expect(throws: JSONError.self) {
      try GateLedger.parse(String(ledger.text.dropLast(20)), origin: "l")
    }
    for (text, message) in [
      (lines[1], "l, line 1:1:25: step 1.step: found 2"),
      (lines[0] + lines[0], "step 2.step: found 1"),
      (
        lines[0] + lines[1].replacing("0.95", with: "0.9"),
        "step 2.reliability: 0.9 is not the 0.95 of the steps before"
      ), (lines[0].replacing("\"fail\"", with: "\"fall\""), #"did you mean "fail"?"#),
      (lines[0].replacing("simnet_gate\":1", with: "simnet_gate\":2"), "step 1.simnet_gate"),
      ("[]\n", "step 1: found an array"),
    ] {
      #expect {
        try GateLedger.parse(String(text), origin: "l")
      } throws: { "\($0)".contains(message) }
    }
  }
}
