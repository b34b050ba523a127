import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel
import Validation

extension MultipleComparisons: ExpressibleByArgument {}
extension Bootstrap.Method: ExpressibleByArgument {}
extension AnswerDocument.Format: ExpressibleByArgument {}

extension ResultsFile {
  /// The results at `path`.
  static func read(_ path: String) throws(InputError) -> ResultsFile {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw InputError(path: path, reason: InputError.reason(error), advice: "check the path")
    }
    return try ResultsFile(text, path: path)
  }
}

/// A list as options take it: `a,b,c`.
struct CommaList: ExpressibleByArgument {
  var items: [String]
  init?(argument: String) {
    items = argument.split(separator: ",").map {
      String($0).trimmingCharacters(in: .whitespaces)
    }
    if items.isEmpty || items.contains("") { return nil }
  }
}

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two result files, or two variants inside one, pair by pair.",
    discussion: """
      Pairs share point, job, seed and replicate, so that they meet the same random numbers. Every \
      point gets its difference B - A with intervals by Student's t and by bootstrap, the ratio, \
      Hedges' g and a probability adjusted for all comparisons made; then comes who wins where.

      Example: simnet compare old.csv new.csv --metric iteration_time_s,wire_bytes
      Example: simnet compare Results/quickstart.csv --between 'communication=fp16' \
      'communication=top_k 1%' --by workload.model --format md
      """)

  @Argument(
    help: "Results of A, then of B; with --between one file may hold both.",
    completion: .file(extensions: ["csv"]))
  var files: [String]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Two values of one swept column: column=value, or the value alone where that is clear.",
      valueName: "a b"))
  var between: [String] = []

  @Option(
    help: """
      Sum up by these columns only, and take means over axes that only one file sweeps (default: by \
      every swept column).
      """)
  var by: CommaList?

  @Option(
    help: """
      What to compare: columns of numbers, with :lower or :higher for the better side of one that \
      simnet does not know.
      """)
  var metric = CommaList(argument: "iteration_time_s")!

  @Option(help: "The confidence of intervals; 1 less it is the level of tests.")
  var confidence = 0.95

  @Option(help: "How probabilities are adjusted for the number of comparisons: holm, bh or none.")
  var correction = MultipleComparisons.holm

  @Option(help: "The bootstrap's interval: bca or percentile.")
  var bootstrap = Bootstrap.Method.biasCorrected

  @Option(help: "Resamples of the bootstrap.")
  var resamples = 9_999

  @Option(help: "The seed of the resampling.")
  var seed: UInt64 = 1

  @Option(help: "The relative difference up to which there is a tie whatever the test says.")
  var tie = PointSummary.tieThreshold

  @Option(help: "What standard output gets: table, md, csv, json or jsonl.")
  var format = AnswerDocument.Format.table

  func validate() throws {
    if files.count > 2 { throw ValidationError("give one file or two, found \(files.count)") }
    if files.count == 1, between.isEmpty {
      throw ValidationError(
        "give a second file, or --between 'column=a' 'column=b' for two variants inside one")
    }
    if !between.isEmpty, between.count != 2 {
      throw ValidationError("--between takes two variants, found \(between.count)")
    }
    if !(confidence > 0 && confidence < 1) {
      throw ValidationError("--confidence lies between 0 and 1")
    }
    if resamples < 2 { throw ValidationError("--resamples must be at least 2") }
    if !(tie >= 0 && tie < 1) { throw ValidationError("--tie is a fraction, such as 0.01") }
  }

  func run() throws {
    let metrics = try metric.items.map { try JudgedMetric(parsing: $0, option: "--metric") }
    let a = try ResultsFile.read(files[0])
    let b = files.count == 2 ? try ResultsFile.read(files[1]) : nil
    let comparison = try ResultComparison(
      a, b,
      ResultComparison.Choice(
        between: between.isEmpty ? nil : between, by: by?.items, metrics: metrics,
        tieThreshold: tie),
      settings: ComparisonSettings(
        confidence: confidence, correction: correction,
        bootstrap: Bootstrap(bootstrap, resamples: resamples), seed: seed))
    try Self.checkNumbers(comparison)
    Terminal.print(ComparisonReport(comparison).document.text(format, width: Terminal.width()))
  }

  /// Says which metrics have no number in any pair, and refuses if none has.
  private static func checkNumbers(_ comparison: ResultComparison) throws {
    let compared = Set(comparison.entries.map(\.metric.name))
    let empty = comparison.metrics.map(\.name).filter { !compared.contains($0) }
    let text = "no pair has numbers in both files, so that nothing can be compared"
    if comparison.entries.isEmpty {
      throw InvalidInput(
        empty.map { Issue(path: FieldPath(["--metric", $0]), problem: .conflict(text)) })
    }
    for name in empty { Terminal.say("\(name): \(text)") }
  }
}
