extension BarChart {
  /// The chart drawn from the origin down, and how high it came out.
  func drawing(_ style: ChartStyle) -> (svg: SVGWriter, height: Double) {
    var svg = SVGWriter()
    let size = style.fontSize
    var top = 0.0
    if parts.count > 1 {
      hatching(style, &svg)
      let used = parts.indices.filter { part in
        panels.contains { $0.bars.contains { $0.values[part] > 0 } }
      }
      let legend = Legend(
        used.map { part in
          Legend.Item(name: parts[part]) { svg, x, y in
            field(
              part, x: x, y: y - 0.4 * size, width: 1.3 * size, height: 0.8 * size, style, &svg)
          }
        }, style: style, markWidth: 1.3 * size)
      legend.draw(into: &svg, y: 0)
      top = legend.height + 0.5 * size
    }
    let grid = PanelGrid(
      panels.count, width: style.width, minimum: 29 * size, gap: 1.6 * size)
    let longestLabel =
      panels.flatMap { $0.bars.map { style.width(of: $0.label) } }.max() ?? 0
    let labelRoom = min(longestLabel, 0.36 * grid.panelWidth)
    for row in 0..<grid.rows {
      let members = panels.indices.filter { grid.row($0) == row }
      var height = 0.0
      for index in members {
        height = max(
          height,
          draw(
            panels[index], x: grid.x(index), y: top, width: grid.panelWidth, labelRoom: labelRoom,
            style, &svg))
      }
      top += height + 1.2 * size
    }
    return (svg, top)
  }

  private func hatchName(_ part: Int, _ style: ChartStyle) -> String {
    "\(style.prefix)hatch\(part)"
  }

  /// Thin lines over every second part, so that neighbours differ in grey too.
  private func hatching(_ style: ChartStyle, _ svg: inout SVGWriter) {
    svg.begin("defs")
    for part in parts.indices where part % 2 == 0 && part > 0 {
      let step = part == 4 ? 4.0 : 3.0
      svg.begin(
        "pattern",
        [
          "id": hatchName(part, style), "width": step, "height": step,
          "patternUnits": "userSpaceOnUse",
          "patternTransform": part == 4 ? "rotate(-45)" : "rotate(45)",
        ])
      svg.line(
        0, 0, 0, step, style: style, ink: .text, width: 0.7)
      svg.end()
    }
    svg.end()
  }

  private func field(
    _ part: Int, x: Double, y: Double, width: Double, height: Double, _ style: ChartStyle,
    _ svg: inout SVGWriter, values: SVGAttributes = [:], note: String? = nil
  ) {
    let box: SVGAttributes = ["x": x, "y": y, "width": width, "height": height]
    svg.element(
      "rect",
      box + ["fill": style.color(parts.count > 1 ? .part(part) : .series(0))] + values, title: note)
    if parts.count > 1, part > 0, part % 2 == 0 {
      svg.element(
        "rect",
        box + ["fill": "url(#\(hatchName(part, style)))", "fill-opacity": "0.45"]
          + (style.isPage ? ["pointer-events": "none"] : [:]))
    }
  }

  // MARK: - A panel

  private func draw(
    _ panel: Panel, x left: Double, y: Double, width: Double, labelRoom: Double,
    _ style: ChartStyle, _ svg: inout SVGWriter
  ) -> Double {
    let size = style.fontSize
    var top = y
    if !panel.title.isEmpty {
      svg.text(
        TextMetrics.fitted(panel.title, width: width, size: size * 1.05), x: left,
        y: top + 1.05 * size, style: style, isBold: true)
      top += 1.6 * size
    }
    let limit = max(limit(of: panel.bars), reference ?? 0)
    let bars = panel.bars
    let texts = bars.map { unit.text($0.sum) }
    let textRoom = (texts.map { style.width(of: $0) }.max() ?? 0) + 1.4 * size
    let plotLeft = left + labelRoom + 0.5 * size
    let plotRight = max(plotLeft + 4 * size, left + width - textRoom)
    let scale = Scale(0...limit, from: plotLeft, to: plotRight)
    let step = 1.5 * size
    let thickness = 1.0 * size
    let bottom = top + Double(bars.count) * step + 0.2 * size
    let axis = ChartAxis(title, unit: unit, includesZero: true)
    let (title, marks) = axis.labelled(on: scale, values: [limit], count: 4)
    for mark in marks {
      let place = scale.position(mark.value)
      svg.line(place, top, place, bottom, style: style, ink: .grid)
    }
    for (index, bar) in bars.enumerated() {
      let middle = top + (Double(index) + 0.5) * step + 0.1 * size
      svg.text(
        TextMetrics.fitted(bar.label, width: labelRoom, size: size), x: plotLeft - 0.5 * size,
        y: middle + 0.35 * size, style: style, anchor: .end)
      draw(bar, text: texts[index], scale, limit: limit, middle: middle, thickness, style, &svg)
    }
    if let reference {
      let place = scale.position(reference)
      svg.line(place, top, place, bottom, style: style, ink: .text, width: 0.8)
    }
    svg.line(plotLeft, top, plotLeft, bottom, style: style, ink: .axis, width: 0.7)
    var lastEnd = -Double.infinity
    for mark in marks {
      let place = scale.position(mark.value)
      let half = style.width(of: mark.label) / 2
      if place - half < lastEnd + 0.5 * size { continue }
      svg.text(
        mark.label, x: place, y: bottom + 1.1 * size, style: style, anchor: .middle, ink: .faint)
      lastEnd = place + half
    }
    svg.text(
      TextMetrics.fitted(title, width: width, size: size), x: (plotLeft + plotRight) / 2,
      y: bottom + 2.3 * size, style: style, anchor: .middle, ink: .faint)
    return bottom + 2.8 * size - y
  }

  private func draw(
    _ bar: Bar, text: String, _ scale: Scale, limit: Double, middle: Double, _ thickness: Double,
    _ style: ChartStyle, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    let isCut = bar.sum > limit * (1 + 1e-9)
    var from = 0.0
    var end = scale.position(0)
    for (part, value) in bar.values.enumerated() where value > 0 {
      let to = min(from + value, limit)
      if to <= from { break }
      let (x0, x1) = (scale.position(from), scale.position(to))
      from += value
      end = x1
      // A hundredth of a unit is nothing to be seen.
      if x1 - x0 < 0.05 { continue }
      var values: SVGAttributes = [:]
      var note: String?
      if style.hasValues {
        values.append("data-v", XYChart.exact(value))
        note =
          parts.count > 1
          ? "\(parts[part]) \(unit.text(value)), \(bar.note)" : bar.note
      }
      field(
        part, x: x0, y: middle - thickness / 2, width: x1 - x0, height: thickness, style, &svg,
        values: values, note: note)
      if to >= limit { break }
    }
    if isCut {
      // Two slanted strokes: the bar goes on.
      for offset in [0.9, 0.45] {
        let x = end - offset * size
        svg.line(
          x - 0.2 * size, middle + 0.7 * thickness, x + 0.2 * size, middle - 0.7 * thickness,
          style: style, ink: .background, width: size * 0.17)
      }
    }
    if let interval = bar.interval, interval.upperBound <= limit * 1.0001 {
      let (x0, x1) = (
        scale.position(max(0, interval.lowerBound)), scale.position(interval.upperBound)
      )
      if x1 - x0 > 1.5 {
        svg.line(x0, middle, x1, middle, style: style, ink: .text, width: 0.8)
        for x in [x0, x1] {
          svg.line(
            x, middle - 0.25 * size, x, middle + 0.25 * size, style: style, ink: .text, width: 0.8)
        }
        end = max(end, x1)
      }
    }
    // The number does not stand on the line of reference.
    if let reference {
      let place = scale.position(reference)
      if place > end - 0.3 * size, place < end + 0.8 * size + style.width(of: text) {
        end = max(end, place)
      }
    }
    svg.text(
      text, x: end + 0.4 * size, y: middle + 0.35 * size, style: style,
      ink: isCut ? .text : .faint)
  }
}
