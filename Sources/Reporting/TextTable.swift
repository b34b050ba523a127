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

  /// The table as text; cells of left-aligned columns are shortened until it fits `width`.
  public func text(width: Int = .max) -> String {
    var widths = titles.indices.map { column in
      max(titles[column].count, rows.map { $0[column].count }.max() ?? 0)
    }
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
