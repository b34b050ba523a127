import ArgumentParser
import Experiments
import Foundation
import Reporting
import Validation

struct ParetoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pareto",
    abstract: "Show the points of results that no other beats in every objective.",
    discussion: """
      Objectives are means over replicates; ties are kept. Points compete within a group: those that \
      differ only in how gradients are communicated, unless --by names other columns.

      Example: simnet pareto Results/quickstart.csv
      Example: simnet pareto Results/quickstart.csv --y wire_bytes --objective \
      accumulated_rel_l2 --all --format csv
      """)

  @Argument(help: "Results; several are taken together.", completion: .file(extensions: ["csv"]))
  var files: [String]

  @Option(help: "The first objective: a column, with :lower or :higher if simnet does not know it.")
  var x = "iteration_time_s"

  @Option(help: "The second objective.")
  var y = "gradient_rel_l2"

  @Option(help: "A further objective. May be repeated.")
  var objective: [String] = []

  @Option(
    help: "Group by these columns (default: swept columns other than communication, and the job).")
  var by: CommaList?

  @Flag(help: "Show the dominated points too, each with the optimal ones that dominate it.")
  var all = false

  @Option(help: "What standard output gets: table, md, csv, json or jsonl.")
  var format = AnswerDocument.Format.table

  func run() throws {
    let named = [("--x", x), ("--y", y)] + objective.map { ("--objective", $0) }
    let objectives = try named.map { try JudgedMetric(parsing: $0.1, option: $0.0) }
    for (index, one) in objectives.enumerated()
    where objectives[..<index].contains(where: { $0.name == one.name }) {
      throw ValidationError("\(one.name) is an objective twice")
    }
    let report = try ParetoReport(
      files.map { try ResultsFile.read($0) }, objectives: objectives, by: by?.items,
      showsDominated: all)
    Terminal.print(report.document.text(format, width: Terminal.width()))
  }
}
