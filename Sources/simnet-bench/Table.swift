/// Prints measurements as columns, a row at a time, as they are finished.
enum Table {
  private static let widths = [52, 9, 10, 10, 30, 9, 6, 6]

  /// Prints the names of the columns.
  static func printHeader() {
    printRow(["what", "n", "rate", "unit", "ceiling", "ratio", "aim", ""])
  }

  /// Prints one row.
  static func print(_ row: Measurement) {
    printRow([
      row.what, String(row.n), decimal(row.rate), row.unit,
      "\(row.ceiling) \(decimal(row.ceilingRate))", decimal(row.ratio),
      row.aim.map(decimal) ?? "", row.aim.map { row.ratio >= $0 ? "met" : "missed" } ?? "",
    ])
  }

  private static func printRow(_ cells: [String]) {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - cell.count))
      // Numbers are aligned to the right, words to the left.
      line += [1, 2, 5, 6].contains(index) ? padding + cell + "  " : cell + padding + "  "
    }
    while line.last == " " { line.removeLast() }
    Swift.print(line)
  }

  /// `value` with three digits that matter.
  private static func decimal(_ value: Double) -> String {
    var scale = 1.0
    while value * scale < 100, scale < 1e6 { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }
}
