import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel

struct CrossoverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crossover",
    abstract: "Find where along one numeric axis two variants of a sweep tie.",
    discussion: """
      The axis is looked over in intervals, then every crossing is narrowed; each combination of the \
      scenario's other axes gets its own. With several replicates a crossing has an interval.

      Example: simnet crossover Scenarios/quickstart.json --set workload.model=resnet50 --set \
      'cluster.topology.link.bandwidth=10 Gbps' --axis cluster.topology.link.bandwidth --from '1 Gbps' \
      --to '100 Gbps' --between fp16 'top_k 1%'
      """)

  @Argument(
    help: "The scenario file; - reads standard input.", completion: .file(extensions: ["json"]))
  var scenario: String

  @Option(help: "The path of a number of the scenario, such as cluster.topology.link.bandwidth.")
  var axis: String

  @Option(help: "Where the axis begins (default: a tenth of what the scenario has).")
  var from: String?

  @Option(help: "Where it ends (default: ten times what the scenario has).")
  var to: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Two variants of the sweep: axis=value, or the value alone where that is clear.",
      valueName: "a b"))
  var between: [String]

  @Option(help: "What to compare: a column of the results.")
  var metric = "iteration_time_s"

  @Option(name: .long, help: "Override a key: path=value. May be repeated.")
  var set: [String] = []

  @Option(help: "Intervals that are looked at for crossings.")
  var intervals = 16

  @Option(help: "The relative width to which a crossing is narrowed.")
  var tolerance = 1e-4

  @Option(help: "The confidence of the interval over replicates.")
  var confidence = 0.95

  @Option(name: .shortAndLong, help: "Runs at a time; the answer does not depend on it.")
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "What standard output gets: table, md, csv, json or jsonl.")
  var format = AnswerDocument.Format.table

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if between.count != 2 {
      throw ValidationError("--between takes two variants, found \(between.count)")
    }
    if !(1...10_000).contains(intervals) {
      throw ValidationError("--intervals lies between 1 and 10000")
    }
    if !(tolerance > 0 && tolerance < 1) {
      throw ValidationError("--tolerance is a fraction, such as 1e-4")
    }
    if !(confidence > 0 && confidence < 1) {
      throw ValidationError("--confidence lies between 0 and 1")
    }
  }

  func run() throws {
    let judged = try JudgedMetric(parsing: metric, option: "--metric")
    let question = CrossoverQuestion(
      axis: axis, from: from, to: to, between: between, metric: judged.name,
      direction: judged.direction, intervals: intervals, tolerance: tolerance,
      confidence: confidence)
    let answer = try AnswerRun(scenario, set: set).answer(jobs: jobs) {
      try question.answer($0, options: $1)
    }
    for warning in answer.warnings { Terminal.say("\(warning)") }
    Terminal.print(CrossoverReport(answer).document.text(format, width: Terminal.width()))
  }
}
