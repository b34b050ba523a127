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

  /// The column with every value divided at `separator`, which is not empty.
  public func split(by separator: String) -> DataColumn {
    let divider = Array(separator.utf8)
    return DataColumn(
      name,
      rows: rows.map { row in
        row.flatMap { value in Self.pieces(Array(value.utf8), divider) }
      })
  }

  private static func pieces(_ bytes: [UInt8], _ divider: [UInt8]) -> [String] {
    var pieces: [String] = []
    var start = 0
    var index = 0
    while index + divider.count <= bytes.count {
      if bytes[index..<index + divider.count].elementsEqual(divider) {
        pieces.append(String(decoding: bytes[start..<index], as: UTF8.self))
        index += divider.count
        start = index
      } else {
        index += 1
      }
    }
    pieces.append(String(decoding: bytes[start...], as: UTF8.self))
    return pieces
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

  /// The rows of all `tables` one after the other, with every column that any of them has, in the
  /// order in which they first occur; rows of a table without a column have no value there.
  public init(joining tables: [DataTable]) {
    var names: [String] = []
    var known: Set<String> = []
    for table in tables {
      for column in table.columns where known.insert(column.name).inserted {
        names.append(column.name)
      }
    }
    columns = names.map { name in
      DataColumn(
        name,
        rows: tables.flatMap { table in
          table[name]?.rows ?? [[String]](repeating: [], count: table.rowCount)
        })
    }
    rowCount = tables.reduce(0) { $0 + $1.rowCount }
  }

  /// The table with every cell divided into several values where `schema` gives a separator.
  public func splitCells(by schema: DataSchema) -> DataTable {
    DataTable(
      columns.map { column in
        guard let separator = schema[column.name]?.separator else { return column }
        return column.split(by: separator)
      }, rowCount: rowCount)
  }

  private init(_ columns: [DataColumn], rowCount: Int) {
    self.columns = columns
    self.rowCount = rowCount
  }

  /// The column called `name`, if there is one.
  public subscript(name: String) -> DataColumn? { columns.first { $0.name == name } }
}
