/// Shares between 0 and 1 in rows and columns, the darker the larger.
public struct HeatMap: Sendable {
  /// One field; nil where nothing is known.
  public struct Cell: Sendable {
    public var share: Double
    /// What stands in the results, for hovering.
    public var note: String

    public init(_ share: Double, note: String) {
      self.share = share
      self.note = note
    }
  }
  /// A row with its name; a row without cells is a heading.
  public struct Row: Sendable {
    public var label: String
    public var cells: [Cell?]

    public init(_ label: String, cells: [Cell?]) {
      self.label = label
      self.cells = cells
    }
  }
  /// What the shares are of.
  public var title: String
  /// What the columns are.
  public var columnTitle: String
  public var columns: [String]
  public var rows: [Row]

  public init(_ title: String, columnTitle: String, columns: [String], rows: [Row]) {
    self.title = title
    self.columnTitle = columnTitle
    self.columns = columns
    self.rows = rows
  }

  /// The chart drawn from the origin down, and how high it came out.
  func drawing(_ style: ChartStyle) -> (svg: SVGWriter, height: Double) {
    var svg = SVGWriter()
    let size = style.fontSize
    let labelRoom = min(0.4 * style.width, rows.map { style.width(of: $0.label) }.max() ?? 0)
    let left = labelRoom + 0.6 * size
    let count = Double(max(1, columns.count))
    var width = min(7 * size, (style.width - left) / count)
    let height = 1.5 * size
    // Slanted where the names would touch; the last one then reaches over the right edge.
    let widest = columns.map { style.width(of: $0) }.max() ?? 0
    let isSlanted = widest > width - 0.4 * size
    if isSlanted {
      let reach = min(style.width(of: columns.last ?? ""), 12 * size) * 0.766
      width = min(width, (style.width - left - reach) / (count - 0.5))
    }
    var y = ramp(x: left, style, &svg)
    svg.text(
      TextMetrics.fitted(columnTitle, width: style.width - left, size: size), x: left,
      y: y + 1.1 * size, style: style, ink: .faint)
    y += 1.5 * size
    // The sine and cosine of 40 degrees.
    let shown = min(widest, 12 * size)
    let headRoom = isSlanted ? shown * 0.643 + 0.9 * size : 1.4 * size
    // Names of very narrow columns would lie upon one another.
    let every = isSlanted ? max(1, Int((1.3 * size / (width * 0.643)).rounded(.up))) : 1
    for (index, column) in columns.enumerated() where index % every == 0 {
      let middle = left + (Double(index) + 0.5) * width
      if isSlanted {
        svg.text(
          TextMetrics.fitted(column, width: 12 * size, size: size), x: middle,
          y: y + headRoom - 0.4 * size, style: style, angle: -40)
      } else {
        svg.text(column, x: middle, y: y + size, style: style, anchor: .middle)
      }
    }
    y += headRoom
    // Fields first, then what stands on them: what they have in common is said once.
    let top = y
    func walk(_ visit: (Row, Double) -> Void) {
      y = top
      for row in rows {
        visit(row, y)
        y += row.cells.isEmpty ? 1.7 * size : height
      }
    }
    walk { row, y in
      if row.cells.isEmpty {
        svg.text(
          TextMetrics.fitted(row.label, width: style.width, size: size), x: 0, y: y + 1.25 * size,
          style: style, isBold: true)
      } else {
        svg.text(
          TextMetrics.fitted(row.label, width: labelRoom, size: size), x: left - 0.6 * size,
          y: y + 1.05 * size, style: style, anchor: .end)
      }
    }
    svg.begin("g", ["stroke": style.color(.background), "stroke-width": 0.6])
    walk { row, y in
      for (index, cell) in row.cells.enumerated() {
        guard let cell else { continue }
        var attributes: SVGAttributes = [
          "x": left + Double(index) * width, "y": y, "width": width, "height": height,
          "fill": style.color(.share(cell.share)),
        ]
        if style.hasValues { attributes.append("data-v", XYChart.exact(cell.share)) }
        svg.element("rect", attributes, title: style.hasValues ? cell.note : nil)
      }
    }
    svg.end()
    // The number is the second cue, where it fits.
    var words: SVGAttributes = ["text-anchor": "middle"]
    if style.isPage { words.append("pointer-events", "none") }
    svg.begin("g", words)
    walk { row, y in
      for (index, cell) in row.cells.enumerated() {
        let text = cell.map { Numbers.fixed($0.share * 100, 0) } ?? "-"
        guard style.width(of: text) < width - 0.3 * size else { continue }
        let color = cell.map { Palette.isDark($0.share) ? "#FFFFFF" : "#000000" }
        svg.element(
          "text",
          [
            "x": left + (Double(index) + 0.5) * width, "y": y + 1.05 * size,
            "fill": color ?? style.color(.faint),
          ], text: text)
      }
    }
    svg.end()
    return (svg, y + 0.5 * size)
  }

  /// What the colours mean; how high it is.
  private func ramp(x: Double, _ style: ChartStyle, _ svg: inout SVGWriter) -> Double {
    let size = style.fontSize
    let steps = 20
    let width = 0.6 * size
    let label = TextMetrics.fitted(title + " (%)", width: style.width * 0.6, size: size)
    svg.text(label, x: 0, y: size, style: style)
    var place = style.width(of: label) + size
    svg.text("0", x: place, y: size, style: style)
    place += 0.9 * size
    for step in 0..<steps {
      svg.element(
        "rect",
        [
          "x": place + Double(step) * width, "y": 0.15 * size, "width": width + 0.1,
          "height": size,
          "fill": style.color(.share((Double(step) + 0.5) / Double(steps))),
        ])
    }
    svg.text("100", x: place + Double(steps) * width + 0.4 * size, y: size, style: style)
    return 1.8 * size
  }
}
