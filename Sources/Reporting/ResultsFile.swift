import Experiments
import SimKernel
import Validation

/// A file of results by its columns, whoever wrote it.
public struct ResultsFile: Sendable {
  /// Where it was read.
  public let path: String
  /// The names of its columns.
  public let header: [String]
  /// Its rows, each with a cell a column.
  public let rows: [[String]]

  /// The results that `text`, read at `path`, holds as CSV.
  ///
  /// - Throws: `InputError` for an empty file, a column that is there twice, and rows of another
  ///   length than the header.
  public init(_ text: String, path: String) throws(InputError) {
    let table: [[String]]
    do throws(CSV.Damage) { table = try CSV.parse(text) } catch {
      throw InputError(
        path: path, reason: "\(error)", advice: "give a whole CSV file", kind: .content)
    }
    guard let header = table.first else {
      throw InputError(
        path: path, reason: "is empty", advice: "give a CSV with a header", kind: .content)
    }
    if let twice = header.indices.first(where: { header[..<$0].contains(header[$0]) }) {
      throw InputError(
        path: path, reason: "has two columns \(header[twice])", advice: "leave one of them out",
        kind: .content)
    }
    rows = Array(table.dropFirst())
    if let row = rows.firstIndex(where: { $0.count != header.count }) {
      throw InputError(
        path: path,
        reason: "row \(row + 1) has \(rows[row].count) cells under \(header.count) columns",
        advice: "give a whole CSV file", kind: .content)
    }
    self.path = path
    self.header = header
  }

  /// The position of column `name`.
  public func column(_ name: String) -> Int? { header.firstIndex(of: name) }

  /// The position of column `name`, which must be there.
  public func required(_ name: String) throws(InputError) -> Int {
    if let column = column(name) { return column }
    let hint = Spelling.suggestion(for: name, among: header).map { "did you mean \($0)?" }
    throw InputError(
      path: path, reason: "there is no column \(name)",
      advice: hint ?? "name one of \(header.joined(separator: ", "))", kind: .content)
  }

  /// The number in a cell; nil if it is empty, text or not finite.
  static func number(_ cell: String) -> Double? {
    guard let value = Double(cell), value.isFinite else { return nil }
    return value
  }

  /// The columns that say what was swept: all that no result has by itself, `metrics` apart.
  public func swept(except metrics: [String]) -> [String] {
    header.filter { ResultColumns.column($0) == nil && !metrics.contains($0) }
  }
}

/// A column to judge by, with its better side.
public struct JudgedMetric: Sendable, Equatable {
  /// The column.
  public var name: String
  /// Which of its values are the better ones.
  public var direction: MetricDirection

  /// A metric whose better side is known.
  public init(_ name: String, _ direction: MetricDirection) {
    self.name = name
    self.direction = direction
  }

  /// Reads `iteration_time_s`, or with the better side of a column that simnet does not know,
  /// `score:higher`.
  ///
  /// - Throws: `InvalidInput` naming `option` if the better side is unknown.
  public init(parsing text: String, option: String) throws(InvalidInput) {
    func issue(_ problem: Issue.Problem) -> InvalidInput {
      InvalidInput([Issue(path: FieldPath([option]), problem: problem)])
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    if parts.count == 2 {
      guard let direction = MetricDirection(rawValue: String(parts[1])), !name.isEmpty else {
        throw issue(
          .invalid(
            found: "\"\(text)\" does not say which values are better",
            expected: "write for example \(name.isEmpty ? "score" : name):lower or :higher"))
      }
      self.init(name, direction)
      return
    }
    guard let direction = ResultColumns.column(name)?.direction else {
      throw issue(
        .invalid(
          found: "nobody knows which values of \(name) are better",
          expected: "write \(name):lower or \(name):higher"))
    }
    self.init(name, direction)
  }
}
