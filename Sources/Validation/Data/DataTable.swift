/// One column of a table: a list of values a row, empty where the row has none.
public struct DataColumn: Sendable, Equatable {
  /// The column's name.
  public var name: String
  /// The values of each row.
  public var rows: [[String]]

  /// A column with any number of values a row.
  public init(_ name: String, rows: [[String]]) {
    self.name = name
    self.rows = rows
  }

  /// A column of a file with one cell a row: an empty cell is no value, and `separator`, if there
  /// is one, divides a cell into several.
  public init(_ name: String, cells: [String], separator: Character? = nil) {
    self.name = name
    rows = cells.map { cell in
      if cell.isEmpty { return [] }
      guard let separator else { return [cell] }
      return cell.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
  }
}

/// Columns of equal length with different names.
public struct DataTable: Sendable, Equatable {
  /// The columns in the order of the file.
  public let columns: [DataColumn]
  /// The number of rows.
  public let rowCount: Int

  /// Why columns make no table.
  public enum Malformation: Error, Equatable, Sendable, CustomStringConvertible {
    /// A column with more or fewer rows than the first.
    case unequalLength(column: String, found: Int, expected: Int)
    /// A name that two columns bear.
    case duplicateColumn(String)

    /// What was found and what was expected.
    public var description: String {
      switch self {
      case .unequalLength(let column, let found, let expected):
        "column \(column) has \(found) rows; the first one has \(expected)"
      case .duplicateColumn(let name):
        "two columns are called \(name)"
      }
    }
  }

  /// The table of `columns`.
  public init(_ columns: [DataColumn]) throws(Malformation) {
    rowCount = columns.first?.rows.count ?? 0
    for column in columns where column.rows.count != rowCount {
      throw .unequalLength(column: column.name, found: column.rows.count, expected: rowCount)
    }
    let names = columns.map(\.name).sorted()
    for (name, next) in zip(names, names.dropFirst()) where name == next {
      throw .duplicateColumn(name)
    }
    self.columns = columns
  }

  /// The column called `name`, if there is one.
  public subscript(name: String) -> DataColumn? { columns.first { $0.name == name } }
}
