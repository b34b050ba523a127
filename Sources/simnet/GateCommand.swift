import ArgumentParser
import Experiments
import Foundation
import SimKernel
import Validation

extension GateMode: ExpressibleByArgument {}
extension Adaptivity: ExpressibleByArgument {}
extension BoundChoice: ExpressibleByArgument {}

struct GateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Decide whether a new build may pass, with a bound on how often that is wrong.",
    discussion: #"""
      A condition compares n (the metric's mean of the new build), o (of the old one) and d (the \#
      fraction of replicates that differ): linear, > or <, each clause with a tolerance, joined \#
      by /\. The metric's range must be declared; times have none and must be scaled first.

      Rows of both files are paired by point, replicate and job, and count as independent \#
      replicates. Exits with 3 if the condition fails.

      With --state the steps are counted in a file, one line each: another gate, a step beyond the \#
      last and, at adaptivity firstChange, one after a pass are refused; the same two files again \#
      take no step. At adaptivity none the verdict is withheld, since developers must not know it; \#
      --reveal shows it to the owner.

      Example: simnet gate --condition 'n - o > -0.02 +/- 0.01 /\ d < 0.1 +/- 0.01' --plan
      Example: simnet gate --condition 'n - o < 0.05 +/- 0.05' --steps 1 --reliability 0.95 \
        --metric scaling_efficiency --range 0:1 --baseline old.csv --candidate new.csv
      Example: simnet gate --condition 'n - o > -0.02 +/- 0.01' --adaptivity none --state gate.jsonl \
        --metric scaling_efficiency --range 0:1 --baseline old.csv --candidate new.csv
      """#)

  @Option(help: "What the new build must satisfy.")
  var condition: String

  @Option(help: "The probability that no answer of all steps is wrong.")
  var reliability = 0.9999

  @Option(help: "fp-free: unknown fails, so a pass is right. fn-free: unknown passes.")
  var mode = GateMode.falsePositiveFree

  @Option(
    help: """
      What developers learn: none (results withheld), full (pass or fail), firstChange (new seeds \
      after the first pass).
      """)
  var adaptivity = Adaptivity.full

  @Option(help: "The commits that one set of seeds judges.")
  var steps = 32

  @Option(help: "Which of the steps this commit takes; --state counts by itself.")
  var step: Int?

  @Option(
    help: "Count the steps in this file, which is made if it does not exist.",
    completion: .file(extensions: ["jsonl"]))
  var state: String?

  @Flag(help: "Show a verdict that adaptivity none withholds.")
  var reveal = false

  @Option(help: "The inequality: hoeffding, bennett (n - o beside d < A) or smaller.")
  var bound = BoundChoice.smaller

  @Option(help: "The column that n and o are means of.")
  var metric: String?

  @Option(
    help: ArgumentHelp(
      "The range of the metric; --plan takes 0:1, a fraction, unless told.",
      valueName: "lower:upper"))
  var range: String?

  @Flag(help: "Only tell how many replicates the condition needs, and why.")
  var plan = false

  @Option(help: "Results of the old build.", completion: .file(extensions: ["csv"]))
  var baseline: String?

  @Option(help: "Results of the new build.", completion: .file(extensions: ["csv"]))
  var candidate: String?

  func validate() throws {
    if let step, step < 1 || step > steps {
      throw ValidationError("--step \(step) is none of the \(steps) steps; --steps says how many")
    }
    if step != nil, state != nil {
      throw ValidationError("--state counts the steps; leave out --step")
    }
    if plan { return }
    if metric == nil || baseline == nil || candidate == nil {
      throw ValidationError("give --metric, --baseline and --candidate, or --plan")
    }
  }

  func run() throws {
    let specification = GateSpecification(
      try Condition(condition), reliability: reliability, mode: mode, adaptivity: adaptivity,
      steps: steps, bound: bound)
    let declared = try range.map(Self.read)
    let measured = Metric(metric ?? "metric", range: declared ?? (plan ? 0...1 : nil))
    let gate = try GatePlan(specification, metric: measured)
    if plan { return Terminal.print(gate.explanation) }
    guard let baseline, let candidate, let metric else { return }
    let pairs = try PairedResults(baseline: baseline, candidate: candidate, metric: metric)
    let estimate = try GateEstimate(new: pairs.candidate, old: pairs.baseline, metric: measured)
    let verdict: GateVerdict
    if let state {
      verdict = try judge(
        estimate, by: gate, state: try GateState(state), baseline: baseline, candidate: candidate)
    } else {
      var set = GateTestSet(gate, stepsUsed: (step ?? 1) - 1)
      verdict = try set.judge(estimate)
    }
    try tell(verdict)
  }

  /// Judges and records a step, unless it was recorded before.
  private func judge(
    _ estimate: GateEstimate, by gate: GatePlan, state: GateState, baseline: String,
    candidate: String
  ) throws -> GateVerdict {
    var set = try state.ledger.testSet(for: gate)
    let old = try GateState.hash(baseline)
    let new = try GateState.hash(candidate)
    if let known = state.ledger.step(baseline: old, candidate: new) {
      Terminal.say("judged before, at step \(known); no step is used")
      return try GateTestSet.verdict(on: estimate, by: gate)
    }
    let verdict = try set.judge(estimate)
    try state.record(
      GateLedger.Entry(
        baseline: old, candidate: new, replicates: estimate.replicates, truth: verdict.truth,
        passes: verdict.passes), of: gate)
    Terminal.say("step \(set.stepsUsed) of \(gate.specification.steps)")
    if set.isRetired { Terminal.say("these replicates are now retired; draw new seeds") }
    return verdict
  }

  private func tell(_ verdict: GateVerdict) throws {
    if !verdict.isReleased, !reveal {
      Terminal.print("withheld\n")
      Terminal.say(
        "adaptivity none rests on developers not knowing the verdict; --reveal shows it to the "
          + "owner")
      return
    }
    var text = ""
    for part in verdict.parts {
      let interval = part.interval
      text +=
        "\(part.clause): \(part.truth.rawValue), within "
        + "\(interval.lowerBound)...\(interval.upperBound)\n"
    }
    Terminal.print(text + (verdict.passes ? "pass\n" : "fail\n"))
    if !verdict.isReleased { Terminal.say("withhold this from developers") }
    if !verdict.passes { throw ExitCode(ExitStatus.gateFailed) }
  }

  /// The range written as lower:upper.
  private static func read(_ text: String) throws -> ClosedRange<Double> {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let lower = Double(parts[0]), let upper = Double(parts[1]),
      lower <= upper
    else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--range"]),
          problem: .invalid(found: text, expected: "write lower:upper, such as 0:1"))
      ])
    }
    return lower...upper
  }
}
