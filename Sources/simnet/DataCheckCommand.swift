import ArgumentParser
import Experiments
import Foundation
import SimKernel
import Validation

struct DataCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Find where a table disagrees with a schema, an older table or a measured one.",
    discussion: """
      Each anomaly comes with the change that would make it expected, as a merge patch of the \
      schema file (RFC 7396). Mend the data, or, if it is right, the schema: by hand, or all at \
      once with --accept. Exits with 3 if there is an anomaly.

      Example: simnet data check new.csv --schema results.schema.json
      Example: simnet data check new.csv --schema results.schema.json --against old.csv --accept \
        -o results-2.schema.json
      Example: simnet data check simulated.csv --schema ops.schema.json --measured trace.csv \
        --format json
      """)

  @Argument(help: "The table.", completion: .file(extensions: ["csv", "json", "jsonl"]))
  var file: String

  @Option(help: "What it must be like.", completion: .file(extensions: ["json"]))
  var schema: String

  @Option(
    help: "An older table, from which drift and the ratio of rows are measured.",
    completion: .file(extensions: ["csv", "json", "jsonl"]))
  var against: String?

  @Option(
    help: "A measured table, from which the skew of simulated columns and rows is measured.",
    completion: .file(extensions: ["csv", "json", "jsonl"]))
  var measured: String?

  @Option(help: "Where the table comes from; columns that are absent there are not required.")
  var environment: String?

  @Flag(help: "Write a schema with every suggested change made, to be reviewed; needs -o.")
  var accept = false

  @Option(name: .shortAndLong, help: "The new schema.", completion: .file(extensions: ["json"]))
  var output: String?

  @Option(help: "table, a line an anomaly, or json.")
  var format = Format.table

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  func validate() throws {
    if accept != (output != nil) { throw ValidationError("--accept and -o go together") }
    if let output, Self.isSame(output, schema) {
      throw ValidationError("-o names a new file; the schema that was checked is kept")
    }
  }

  func run() throws {
    let known = try DataFiles.schema(schema)
    let table = try DataFiles.table(file).splitCells(by: known)
    let check = DataCheck(
      known, environment: environment,
      previous: try against.map { try DataFiles.table($0).splitCells(by: known) },
      counterpart: try measured.map { try DataFiles.table($0).splitCells(by: known) })
    let anomalies = check.anomalies(of: table)
    switch format {
    case .table: Terminal.print(Self.lines(anomalies, known))
    case .json: Terminal.print(Self.json(anomalies, known))
    }
    let size = "\(table.columns.count) columns, \(table.rowCount) rows"
    if anomalies.isEmpty { return Terminal.say("\(file): no anomalies in \(size)") }
    let count = anomalies.count == 1 ? "1 anomaly" : "\(anomalies.count) anomalies"
    Terminal.say("\(file): \(count) in \(size)")
    if let output { try write(known, anomalies, check, table, to: output) }
    throw ExitCode(ExitStatus.anomaliesFound)
  }

  /// Makes every change and says what the new schema still finds, such as the drift of a column
  /// whose type was wrong.
  private func write(
    _ schema: DataSchema, _ anomalies: [Anomaly], _ check: DataCheck, _ table: DataTable,
    to path: String
  ) throws {
    var check = check
    check.schema = anomalies.reduce(schema) { $0.applying($1.suggestion) }
    try AtomicFile.write(check.schema.text, to: path)
    let left = check.anomalies(of: table).count
    Terminal.say(
      "wrote \(path) with \(anomalies.count == 1 ? "this change" : "these changes")"
        + (left == 0 ? "" : "; it finds \(left) more, so check again"))
  }

  private static func lines(_ anomalies: [Anomaly], _ schema: DataSchema) -> String {
    anomalies.map { anomaly in
      let place = anomaly.column ?? "the table"
      return "\(place): \(anomaly.finding.name): \(anomaly.message)\n"
        + "  change: \(schema.mergePatch(for: anomaly.suggestion).compactText)\n"
    }.joined()
  }

  private static func json(_ anomalies: [Anomaly], _ schema: DataSchema) -> String {
    if anomalies.isEmpty { return "[]\n" }
    let objects = anomalies.map { anomaly in
      JSONNode(
        .object([
          JSONMember("column", JSONNode(anomaly.column.map { .string($0) } ?? .null)),
          JSONMember("anomaly", JSONNode(.string(anomaly.finding.name))),
          JSONMember("message", JSONNode(.string(anomaly.message))),
          JSONMember("change", schema.mergePatch(for: anomaly.suggestion)),
        ])
      ).compactText
    }
    return "[\n" + objects.map { "  " + $0 }.joined(separator: ",\n") + "\n]\n"
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    URL(fileURLWithPath: one).resolvingSymlinksInPath().path
      == URL(fileURLWithPath: other).resolvingSymlinksInPath().path
  }
}
