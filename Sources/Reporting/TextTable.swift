/// A table for a terminal: columns aligned, numbers to the right, fitted to the width there is.
public struct TextTable {
  /// How a column's cells are aligned.
  public enum Alignment: Sendable { case left, right }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []
  /// How each row is set off.
  private var emphases: [TextStyle.Emphasis] = []
  /// Rows before which a blank line is drawn.
  private var breaks: Set<Int> = []

  /// Whether cells that are too long go on in further lines.
  private let isProse: Bool

  /// A table with these columns; cells of prose that are too long go on in further lines, those of
  /// other tables are cut.
  public init(_ columns: [(title: String, alignment: Alignment)], isProse: Bool = false) {
    self.isProse = isProse
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row of as many cells as there are columns.
  public mutating func add(_ cells: [String], _ emphasis: TextStyle.Emphasis = .plain) {
    precondition(cells.count == titles.count, "a row has a cell for every column")
    rows.append(cells)
    emphases.append(emphasis)
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
    var table = TextTable(
      kept.map { (title: titles[$0], alignment: alignments[$0]) }, isProse: isProse)
    table.rows = rows.map { row in kept.map { row[$0] } }
    table.emphases = emphases
    table.breaks = breaks
    return (table, omitted)
  }

  private func naturalWidth(_ column: Int) -> Int {
    max(titles[column].count, rows.map { $0[column].count }.max() ?? 0)
  }

  /// The table as text, fitted to `width` by its left-aligned columns, the widest first.
  ///
  /// Cells of prose go on in further lines, others are cut. Then titles over numbers are; numbers
  /// never.
  public func text(width: Int = .max, style: TextStyle = .plain) -> String {
    lines(width: width, style: style).map { $0 + "\n" }.joined()
  }

  /// The lines of ``text(width:style:)``, titles first; a break is an empty one.
  public func lines(width: Int = .max, style: TextStyle = .plain) -> [String] {
    let widths = fittedWidths(width)
    var lines = shown(titles, widths).map { style.set($0, .strong) }
    for (index, row) in rows.enumerated() {
      if index > 0, breaks.contains(index) { lines.append("") }
      lines += shown(row, widths).map { style.set($0, emphases[index]) }
    }
    return lines
  }

  private func fittedWidths(_ width: Int) -> [Int] {
    var widths = titles.indices.map { naturalWidth($0) }
    let gaps = 2 * (widths.count - 1)
    while widths.reduce(gaps, +) > width {
      guard
        let widest = widths.indices.filter({ alignments[$0] == .left && widths[$0] > 8 })
          .max(by: { widths[$0] < widths[$1] })
      else { break }
      widths[widest] -= 1
    }
    // Then titles over numbers; the numbers themselves stay whole.
    let least = titles.indices.map { column in
      max(4, rows.map { $0[column].count }.max() ?? 0)
    }
    while widths.reduce(gaps, +) > width {
      guard
        let widest = widths.indices.filter({
          alignments[$0] == .right && widths[$0] > least[$0]
        }).max(by: { widths[$0] - least[$0] < widths[$1] - least[$1] })
      else { break }
      widths[widest] -= 1
    }
    return widths
  }

  /// The lines of one row: as many as its tallest cell has.
  private func shown(_ cells: [String], _ widths: [Int]) -> [String] {
    let stacks = cells.indices.map { column -> [String] in
      let (cell, width) = (cells[column], widths[column])
      if cell.count <= width { return [cell] }
      if !isProse { return [cell.prefix(max(1, width - 1)) + "~"] }
      return WrappedText.lines(cell, indent: 0, width: width).flatMap { line -> [String] in
        // A word without a space, such as an address, is broken where the column ends.
        stride(from: 0, to: max(1, line.count), by: width).map { start in
          String(line.dropFirst(start).prefix(width))
        }
      }
    }
    return (0..<(stacks.map(\.count).max() ?? 0)).map { index in
      var line = ""
      for (column, stack) in stacks.enumerated() {
        let shown = index < stack.count ? stack[index] : ""
        let space = String(repeating: " ", count: widths[column] - shown.count)
        line += alignments[column] == .right ? space + shown : shown + space
        line += "  "
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
