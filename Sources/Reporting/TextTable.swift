/// A table for a terminal: columns aligned, numbers to the right, cut to the width there is.
public struct TextTable {
  /// How a column's cells are aligned.
  public enum Alignment: Sendable { case left, right }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []
  /// Rows before which a blank line is drawn.
  private var breaks: Set<Int> = []

  /// A table with these columns.
  public init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row of as many cells as there are columns.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == titles.count, "a row has a cell for every column")
    rows.append(cells)
  }
  /// Separates what follows from what went before.
  public mutating func addBreak() { breaks.insert(rows.count) }

  /// The columns that are shown within `width`, and the titles of those left out.
  ///
  /// Columns without content go first, then those of `expendable` in its order until the rest fits;
  /// left-aligned columns may be shortened to 20 characters for that.
  public func fitting(width: Int, expendable: [String]) -> (table: TextTable, omitted: [String]) {
    var kept = Array(titles.indices)
    kept.removeAll { column in
      expendable.contains(titles[column]) && !rows.isEmpty && rows.allSatisfy { $0[column].isEmpty }
    }
    func needed(_ column: Int) -> Int {
      let natural = naturalWidth(column)
      return alignments[column] == .left ? min(natural, 20) : natural
    }
    func fits(_ columns: [Int]) -> Bool {
      columns.reduce(2 * (columns.count - 1)) { $0 + needed($1) } <= width
    }
    var dropped: [Int] = []
    for title in expendable where !fits(kept) {
      guard let index = kept.firstIndex(where: { titles[$0] == title }) else { continue }
      dropped.append(kept.remove(at: index))
    }
    // A narrow column may fit where a wide one had to go.
    for column in dropped.reversed() where fits(kept + [column]) {
      kept.append(column)
      dropped.removeAll { $0 == column }
    }
    kept.sort()
    let omitted = dropped.map { titles[$0] }
    var table = TextTable(kept.map { (title: titles[$0], alignment: alignments[$0]) })
    table.rows = rows.map { row in kept.map { row[$0] } }
    table.breaks = breaks
    return (table, omitted)
  }

  private func naturalWidth(_ column: Int) -> Int {
    max(titles[column].count, rows.map { $0[column].count }.max() ?? 0)
  }

  /// The table as text; cells of left-aligned columns are shortened until it fits `width`.
  public func text(width: Int = .max) -> String {
    var widths = titles.indices.map { naturalWidth($0) }
    let gaps = 2 * (widths.count - 1)
    while widths.reduce(gaps, +) > width {
      guard
        let widest = widths.indices.filter({ alignments[$0] == .left && widths[$0] > 8 })
          .max(by: { widths[$0] < widths[$1] })
      else { break }
      widths[widest] -= 1
    }
    var text = line(titles, widths) + "\n"
    for (index, row) in rows.enumerated() {
      if index > 0, breaks.contains(index) { text += "\n" }
      text += line(row, widths) + "\n"
    }
    return text
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var parts: [String] = []
    for (column, cell) in cells.enumerated() {
      let width = widths[column]
      let shown = cell.count > width ? cell.prefix(max(1, width - 1)) + "~" : cell[...]
      let space = String(repeating: " ", count: width - shown.count)
      parts.append(alignments[column] == .right ? space + shown : shown + space)
    }
    var line = parts.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }
}
