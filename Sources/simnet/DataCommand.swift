import ArgumentParser
import Experiments
import Foundation
import SimKernel
import Validation

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Say what data must be like, check it, and try scenarios that nobody wrote.",
    discussion: """
      Tables are results (CSV, JSON, JSON Lines), model tables, and traces in CSV. A schema is \
      inferred once, read by a person and kept; every anomaly comes with the change to the schema \
      that would make it expected, for when it is the schema that is wrong (Breck et al. 2019).

      Example: simnet data infer Results/quickstart.csv -o quickstart.schema.json
      Example: simnet data check Results/new.csv --schema quickstart.schema.json
      Example: simnet data fuzz -n 100
      """,
    subcommands: [DataInferCommand.self, DataCheckCommand.self, DataFuzzCommand.self])
}

struct DataInferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infer",
    abstract: "Write the schema that tables satisfy: types, presence, domains, thresholds.",
    discussion: """
      Several tables make one schema that all of them satisfy, with thresholds of at least twice \
      the largest distance between two of them: so far they differ by chance. Columns that name a row of results \
      (point, seed, hashes and the like) get no domain, since other runs have others. Every key \
      of the file: simnet schema data.

      Example: simnet data infer Results/quickstart.csv -o quickstart.schema.json
      Example: simnet data infer a.csv b.csv --range-margin 0.5 --row-margin 0.1 --key point,replicate
      """)

  @Argument(help: "The tables.", completion: .file(extensions: ["csv", "json", "jsonl"]))
  var files: [String]

  @Option(name: .shortAndLong, help: "Write the schema here instead of to standard output.")
  var output: String?

  @Option(help: "The most different texts that make a domain; more are free text.")
  var largestDomain = 100

  @Option(
    help: """
      Widen the range of every number by this share of its width and take it as the domain; \
      without it only the sign counts.
      """)
  var rangeMargin: Double?

  @Option(help: "By which share later tables may have fewer or more rows; without it any but none.")
  var rowMargin: Double?

  @Option(help: "The drift threshold of every column, 0 to 1.")
  var driftThreshold = 0.1

  @Option(help: "The skew threshold of every column, 0 to 1.")
  var skewThreshold = 0.1

  @Option(
    help: ArgumentHelp(
      "The columns by which rows are paired with measured ones.", valueName: "column,column"))
  var key: String?

  @Option(help: "With --key: how far a number may be from the measured one, as a share of it.")
  var featureTolerance = 0.1

  @Option(help: "A further column that names a row and measures nothing. May be repeated.")
  var identifier: [String] = []

  @Option(
    help: ArgumentHelp(
      "Divide the cells of a column into several values. May be repeated.",
      valueName: "column=separator"))
  var split: [String] = []

  func validate() throws {
    if largestDomain < 0 { throw ValidationError("--largest-domain is at least 0") }
    for (name, value) in [("--range-margin", rangeMargin), ("--row-margin", rowMargin)] {
      if let value, !(value >= 0 && value.isFinite) {
        throw ValidationError("\(name) is at least 0, such as 0.5")
      }
    }
    for (name, value) in [
      ("--drift-threshold", driftThreshold), ("--skew-threshold", skewThreshold),
    ] where !(value >= 0 && value <= 1) {
      throw ValidationError("\(name) is a distance between 0 and 1")
    }
    if !(featureTolerance >= 0 && featureTolerance.isFinite) {
      throw ValidationError("--feature-tolerance is at least 0, such as 0.1")
    }
    for assignment in split where Self.separator(assignment) == nil {
      throw ValidationError("--split needs column=separator, found \"\(assignment)\"")
    }
  }

  func run() throws {
    let separators = split.compactMap(Self.separator)
    var tables: [DataTable] = []
    for file in files {
      var outline = DataSchema([])
      for (column, separator) in separators {
        var own = ColumnSchema(column, type: .text)
        own.separator = separator
        outline.columns.append(own)
      }
      tables.append(try DataFiles.table(file).splitCells(by: outline))
    }
    var inference = SchemaInference()
    inference.largestDomain = largestDomain
    inference.rangeMargin = rangeMargin
    inference.rowMargin = rowMargin
    inference.driftThreshold = driftThreshold
    inference.skewThreshold = skewThreshold
    inference.identifiers = ResultColumns.identification + identifier
    inference.key = key?.split(separator: ",").map(String.init) ?? []
    inference.featureTolerance = featureTolerance
    var schema = inference.schema(of: tables)
    for (column, separator) in separators {
      guard let index = schema.columns.firstIndex(where: { $0.name == column }) else {
        throw Self.unknown(column, "--split", schema)
      }
      schema.columns[index].separator = separator
    }
    for column in inference.key + identifier where schema[column] == nil {
      throw Self.unknown(column, identifier.contains(column) ? "--identifier" : "--key", schema)
    }
    guard let output else { return Terminal.print(schema.text) }
    if files.contains(where: { FileIdentity.isSame($0, output) }) {
      throw ValidationError("-o names one of the tables; name another file")
    }
    try AtomicFile.write(schema.text, to: output)
    let rows = tables.reduce(0) { $0 + $1.rowCount }
    Terminal.say(
      "wrote \(output): \(schema.columns.count) columns from \(rows) rows; read it before you "
        + "rely on it")
  }

  /// `column=separator`; the separator may itself be an equals sign.
  private static func separator(_ text: String) -> (String, String)? {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
    let separator = text[text.index(after: equals)...]
    return separator.isEmpty ? nil : (String(text[..<equals]), String(separator))
  }

  private static func unknown(
    _ column: String, _ option: String, _ schema: DataSchema
  ) -> InvalidInput {
    let names = schema.columns.map(\.name)
    return InvalidInput([
      Issue(
        path: FieldPath([option]),
        problem: .unknownName(
          noun: "column", found: column,
          suggestion: Spelling.suggestion(for: column, among: names), known: names))
    ])
  }
}
