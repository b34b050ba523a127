/// Panels in rows and columns, and how many of the latter fit.
struct PanelGrid {
  let columns: Int
  let rows: Int
  let panelWidth: Double
  let gap: Double

  /// A grid of `count` panels, each at least `minimum` wide where `width` allows.
  init(_ count: Int, width: Double, minimum: Double, gap: Double) {
    var columns = max(1, min(count, Int((width + gap) / (minimum + gap))))
    // Two and two look better than three and one.
    if columns > 2, count == columns + 1, count.isMultiple(of: 2), columns == 3 { columns = 2 }
    self.columns = columns
    rows = (max(1, count) + columns - 1) / columns
    panelWidth = (width - gap * Double(columns - 1)) / Double(columns)
    self.gap = gap
  }

  /// The left edge of the panel at `index`.
  func x(_ index: Int) -> Double { Double(index % columns) * (panelWidth + gap) }
  /// The row of the panel at `index`.
  func row(_ index: Int) -> Int { index / columns }
  /// Whether no panel stands below that at `index` of `count`.
  func isLowest(_ index: Int, of count: Int) -> Bool { index + columns >= count }
}
