extension Figure {
  /// The numbers of the figure as a plain table, for pgfplots, gnuplot, R and pandas alike.
  ///
  /// A curve or a part is a column of its own, named by its panel, its series and the letters and
  /// digits of both (`resnet50_top_k_1`), with `_low` and `_high` beside it where there are
  /// intervals. Horizontal values are in the unit of their column's name, all others in base units.
  /// What is not there is `NaN`. pgfplots splits lines at every comma and takes `%` for a comment, so
  /// that no cell is quoted and words keep letters, digits and a few signs only.
  ///
  /// - Complexity: O(*p* *s*) for *p* values of the horizontal axis and *s* series.
  public var csv: String {
    let table =
      switch content {
      case .curves(let chart): Self.table(chart)
      case .bars(let chart): Self.table(chart)
      case .heatMap(let chart): Self.table(chart)
      }
    return table.text
  }

  private static func table(_ chart: XYChart) -> PlainTable {
    var places: [Double] = []
    for panel in chart.panels {
      for series in panel.series { places += series.points.map(\.x) }
    }
    places.sort()
    var rows: [Double] = []
    for place in places where rows.last != place { rows.append(place) }
    var axis = chart.x.title
    if case .named(let unit) = chart.x.unit { axis += " " + unit }
    var table = PlainTable()
    table.add(axis, rows.map { PlainTable.cell($0 * chart.x.shownPerUnit) })
    for panel in chart.panels {
      for series in panel.series {
        let name = chart.panels.count > 1 ? panel.title + " " + series.name : series.name
        // Points of a cloud may share a place; the first keeps the column, the others get more.
        for (layer, points) in layers(of: series.points).enumerated() {
          let suffix = layer == 0 ? "" : " \(layer + 1)"
          func column(_ value: (XYChart.Point) -> Double?) -> [String] {
            var cells = [String](repeating: PlainTable.missing, count: rows.count)
            var row = 0
            for point in points {
              while rows[row] != point.x { row += 1 }
              if let value = value(point) { cells[row] = PlainTable.cell(value) }
            }
            return cells
          }
          table.add(name + suffix, column(\.y))
          if points.contains(where: { $0.interval != nil }) {
            table.add(name + suffix + " low", column(\.interval?.lowerBound))
            table.add(name + suffix + " high", column(\.interval?.upperBound))
          }
        }
      }
    }
    return table
  }

  /// `points` by place, in as many layers as points share one place.
  private static func layers(of points: [XYChart.Point]) -> [[XYChart.Point]] {
    var layers: [[XYChart.Point]] = [[]]
    // The order among equal places is that of the results.
    let ordered = points.enumerated().sorted {
      ($0.element.x, $0.offset) < ($1.element.x, $1.offset)
    }
    for (_, point) in ordered where !point.x.isNaN {
      let free = layers.firstIndex { $0.last?.x != point.x }
      if let free {
        layers[free].append(point)
      } else {
        layers.append([point])
      }
    }
    return layers
  }

  private static func table(_ chart: BarChart) -> PlainTable {
    let bars = chart.panels.flatMap { panel in panel.bars.map { (panel.title, $0) } }
    var table = PlainTable()
    table.add("panel", bars.map { PlainTable.words($0.0) })
    table.add("bar", bars.map { PlainTable.words($0.1.label) })
    for (index, part) in chart.parts.enumerated() {
      table.add(part, bars.map { PlainTable.cell($0.1.values[index]) })
    }
    if bars.contains(where: { $0.1.interval != nil }) {
      func end(_ value: (ClosedRange<Double>) -> Double) -> [String] {
        bars.map { bar in bar.1.interval.map { PlainTable.cell(value($0)) } ?? PlainTable.missing }
      }
      table.add("low", end(\.lowerBound))
      table.add("high", end(\.upperBound))
    }
    return table
  }

  private static func table(_ chart: HeatMap) -> PlainTable {
    var panels: [String] = []
    var rows: [HeatMap.Row] = []
    var panel = ""
    for row in chart.rows {
      if row.cells.isEmpty {
        panel = row.label
      } else {
        panels.append(panel)
        rows.append(row)
      }
    }
    var table = PlainTable()
    table.add("panel", panels.map(PlainTable.words))
    table.add("row", rows.map { PlainTable.words($0.label) })
    for (index, column) in chart.columns.enumerated() {
      table.add(
        column,
        rows.map { row in
          row.cells[index].map { PlainTable.cell($0.share) } ?? PlainTable.missing
        })
    }
    return table
  }
}

/// Columns of cells that need no quotes.
private struct PlainTable {
  static let missing = "NaN"
  private var names: [String] = []
  private var columns: [[String]] = []

  /// A number in its shortest form that reads back as the same.
  static func cell(_ value: Double) -> String {
    guard value.isFinite else { return missing }
    return value.magnitude < 1e15 && value == value.rounded(.towardZero)
      ? String(Int64(value)) : value.description
  }

  /// Words without what readers of tables take for more than a letter.
  static func words(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "%": result += " percent"
      case _ where character.isLetter || character.isNumber: result.append(character)
      case ".", "-", "+", "/", "=": result.append(character)
      default: result.append(" ")
      }
    }
    let parts = result.split(separator: " ")
    return parts.isEmpty ? "-" : parts.joined(separator: " ")
  }

  /// Adds a column whose name is what of `title` can stand in one, and no other's.
  mutating func add(_ title: String, _ cells: [String]) {
    var name = ""
    for character in title {
      if character.isASCII && (character.isLetter || character.isNumber) {
        name.append(character)
      } else if name.last != "_", !name.isEmpty {
        name.append("_")
      }
    }
    if name.last == "_" { name.removeLast() }
    if name.isEmpty { name = "value" }
    var unique = name
    var number = 2
    while names.contains(unique) {
      unique = "\(name)_\(number)"
      number += 1
    }
    names.append(unique)
    columns.append(cells)
  }

  var text: String {
    var text = names.joined(separator: ",") + "\n"
    for row in 0..<(columns.first?.count ?? 0) {
      text += columns.map { $0[row] }.joined(separator: ",") + "\n"
    }
    return text
  }
}
