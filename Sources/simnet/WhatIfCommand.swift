import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel

struct WhatIfCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "whatif",
    abstract: "Ask which assumption decides between two variants of a sweep.",
    discussion: """
      Compute time, codec cost, goodput, link bandwidth, latency and the spread of stragglers are moved \
      one at a time (simnet explain assumptions), the most influential comes first; then the smallest \
      changes are found that make the other variant the better one.

      Example: simnet whatif Scenarios/quickstart.json --set workload.model=resnet50 --set \
      'cluster.topology.link.bandwidth=25 Gbps' --between fp16 'top_k 1%'
      """)

  @Argument(
    help: "The scenario file; - reads standard input.", completion: .file(extensions: ["json"]))
  var scenario: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Two variants of the sweep: axis=value, or the value alone where that is clear.",
      valueName: "a b"))
  var between: [String]

  @Option(help: "What to compare: a column of the results.")
  var metric = "iteration_time_s"

  @Option(help: "How far each assumption is moved either way, such as 30% or 0.3.")
  var change = "30%"

  @Option(help: "The largest factor at which a flip is looked for.")
  var limit = 10.0

  @Option(help: "The relative width to which a flip is narrowed.")
  var tolerance = 1e-4

  @Option(help: "The relative difference up to which there is a tie.")
  var tie = PointSummary.tieThreshold

  @Option(name: .long, help: "Override a key: path=value. May be repeated.")
  var set: [String] = []

  @Option(name: .shortAndLong, help: "Runs at a time; the answer does not depend on it.")
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "What standard output gets: table, md, csv, json or jsonl.")
  var format = AnswerDocument.Format.table

  /// ``change`` as a fraction.
  private var fraction: Double? {
    let isPercent = change.hasSuffix("%")
    let text = isPercent ? String(change.dropLast()).trimmingCharacters(in: .whitespaces) : change
    return Double(text).map { isPercent ? $0 / 100 : $0 }
  }

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if between.count != 2 {
      throw ValidationError("--between takes two variants, found \(between.count)")
    }
    guard let fraction, fraction > 0, fraction < 1 else {
      throw ValidationError("--change lies between 0% and 100%, found \"\(change)\"")
    }
    if !(limit > 1 && limit <= 1000) { throw ValidationError("--limit lies between 1 and 1000") }
    if !(tie >= 0 && tie < 1) { throw ValidationError("--tie is a fraction, such as 0.01") }
    if !(tolerance > 0 && tolerance < 1) {
      throw ValidationError("--tolerance is a fraction, such as 1e-4")
    }
  }

  func run() throws {
    let judged = try JudgedMetric(parsing: metric, option: "--metric")
    let question = WhatIfQuestion(
      between: between, metric: judged.name, direction: judged.direction,
      change: fraction ?? 0.3, limit: limit, tolerance: tolerance, tieThreshold: tie)
    let answer = try AnswerRun(scenario, set: set).answer(jobs: jobs) {
      try question.answer($0, options: $1)
    }
    for warning in answer.warnings { Terminal.say("\(warning)") }
    Terminal.print(WhatIfReport(answer).document.text(format, width: Terminal.width()))
  }
}
