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

      Example: simnet gate --condition 'n - o > -0.02 +/- 0.01 /\ d < 0.1 +/- 0.01' --plan
      Example: simnet gate --condition 'n - o < 0.05 +/- 0.05' --steps 1 --reliability 0.95 \
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

  @Option(help: "Which of the steps this commit takes.")
  var step = 1

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
    if plan { return }
    if metric == nil || baseline == nil || candidate == nil {
      throw ValidationError("give --metric, --baseline and --candidate, or --plan")
    }
    if step < 1 { throw ValidationError("--step counts from 1") }
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
    var set = GateTestSet(gate, stepsUsed: step - 1)
    let verdict = try set.judge(
      GateEstimate(new: pairs.candidate, old: pairs.baseline, metric: measured))
    var text = ""
    for part in verdict.parts {
      let interval = part.interval
      text +=
        "\(part.clause): \(part.truth.rawValue), within "
        + "\(interval.lowerBound)...\(interval.upperBound)\n"
    }
    Terminal.print(text + (verdict.passes ? "pass\n" : "fail\n"))
    if !verdict.isReleased {
      Terminal.say("withhold this from developers: adaptivity none rests on their not knowing")
    }
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
