/// Names beside the marks they belong to, in rows above a drawing.
struct Legend {
  /// One entry: how wide its mark is, and how it is drawn with its left end at a point.
  struct Item {
    var name: String
    var draw: (inout SVGWriter, Double, Double) -> Void
  }
  private let style: ChartStyle
  private let markWidth: Double
  private var rows: [[(item: Item, x: Double, name: String)]] = []

  /// The rows that `items` need within `style`'s width.
  init(_ items: [Item], style: ChartStyle, markWidth: Double) {
    self.style = style
    self.markWidth = markWidth
    let size = style.fontSize
    var x = 0.0
    var row: [(item: Item, x: Double, name: String)] = []
    for item in items {
      let room = style.width - markWidth - size
      let name = TextMetrics.fitted(item.name, width: room, size: size)
      let needed = markWidth + 0.4 * size + style.width(of: name)
      if !row.isEmpty, x + needed > style.width {
        rows.append(row)
        row = []
        x = 0
      }
      row.append((item, x, name))
      x += needed + 1.4 * size
    }
    if !row.isEmpty { rows.append(row) }
  }

  /// The height of all rows.
  var height: Double { Double(rows.count) * style.fontSize * 1.5 }

  /// Draws from the vertical position `y` down.
  func draw(into svg: inout SVGWriter, y: Double) {
    let size = style.fontSize
    for (index, row) in rows.enumerated() {
      let middle = y + (Double(index) + 0.5) * size * 1.5
      for entry in row {
        entry.item.draw(&svg, entry.x, middle)
        svg.text(
          entry.name, x: entry.x + markWidth + 0.4 * size, y: middle + 0.35 * size, style: style)
      }
    }
  }
}
