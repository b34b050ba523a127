extension XYChart {
  /// The chart drawn from the origin down, and how high it came out.
  func drawing(_ style: ChartStyle) -> (svg: SVGWriter, height: Double) {
    var svg = SVGWriter()
    let size = style.fontSize
    let series = legend
    let isDirect = panels.count == 1 && isJoined && (2...9).contains(series.count)
    var top = 0.0
    if !isDirect, series.count > 1 || !(series.first?.name.isEmpty ?? true) {
      let legend = Legend(
        series.map { one in Legend.Item(name: one.name) { sample(one, &$0, $1, $2, style) } },
        style: style, markWidth: isJoined ? 2.6 * size : 0.9 * size)
      legend.draw(into: &svg, y: 0)
      top = legend.height + 0.5 * size
    }
    let titleRoom = 1.7 * size
    let grid = PanelGrid(
      panels.count, width: style.width - titleRoom, minimum: 20.5 * size, gap: 1.2 * size)
    let frames = layout(grid, style, series: isDirect ? series : [])
    for (index, panel) in panels.enumerated() {
      let row = grid.row(index)
      let y = top + Double(row) * frames.height
      draw(
        panel, frames, x: titleRoom + grid.x(index), y: y,
        isLowest: grid.isLowest(index, of: panels.count), isDirect: isDirect, style, &svg)
      if index % grid.columns == 0 {
        let middle = y + frames.top + frames.plotHeight / 2
        svg.text(
          frames.yTitle, x: size, y: middle, style: style, anchor: .middle, angle: -90)
      }
    }
    // The lowest row alone has the title of the horizontal axis.
    let height = top + Double(grid.rows) * frames.height + 0.7 * size
    return (svg, height)
  }

  // MARK: - Layout

  /// What all panels have in common.
  private struct Frames {
    var plotWidth = 0.0
    var plotHeight = 0.0
    var left = 0.0
    var top = 0.0
    /// From the top of a panel to that of the next row.
    var height = 0.0
    var right = 0.0
    var xTitle = ""
    var yTitle = ""
    /// Every vertical value of the chart, which decides the unit.
    var xs: [Double] = []
    var ys: [Double] = []
    /// Room below a logarithmic axis for zeros.
    var zeroLane = 0.0
  }

  private func layout(_ grid: PanelGrid, _ style: ChartStyle, series: [Series]) -> Frames {
    var frames = Frames()
    let size = style.fontSize
    frames.xs = panels.flatMap { $0.series.flatMap { $0.points.map(\.x) } }
    frames.ys = panels.flatMap { Self.values(of: $0) }
    if y.isLogarithmic, frames.ys.contains(0) { frames.zeroLane = 1.6 * size }
    var widest = 0.0
    for panel in panels {
      let scale = Scale(
        y.domain(of: Self.values(of: panel)), from: 0, to: 1, isLogarithmic: y.isLogarithmic)
      let (title, marks) = y.labelled(on: scale, values: frames.ys)
      frames.yTitle = title
      widest = max(widest, marks.map { style.width(of: $0.label) }.max() ?? 0)
    }
    frames.left = widest + 0.9 * size
    if !series.isEmpty {
      frames.right = min(
        0.32 * grid.panelWidth, (series.map { style.width(of: $0.name) }.max() ?? 0) + 2 * size)
    } else {
      frames.right = 0.9 * size
    }
    let hasCrossings = panels.contains { !$0.crossings.isEmpty }
    let hasTitles = panels.contains { !$0.title.isEmpty }
    frames.top = (hasTitles ? 1.7 : 0.5) * size + (hasCrossings ? 1.4 * size : 0)
    frames.plotWidth = grid.panelWidth - frames.left - frames.right
    frames.plotHeight =
      max(9 * size, min(frames.plotWidth * (panels.count == 1 ? 0.56 : 0.72), 30 * size))
    frames.height = frames.top + frames.plotHeight + frames.zeroLane + 2.6 * size
    return frames
  }

  private static func values(of panel: Panel) -> [Double] {
    panel.series.flatMap { series in
      series.points.flatMap { point in
        [point.y] + (point.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
      }
    }
  }

  // MARK: - A panel

  private func draw(
    _ panel: Panel, _ frames: Frames, x left: Double, y top: Double, isLowest: Bool, isDirect: Bool,
    _ style: ChartStyle, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    let plotLeft = left + frames.left
    let plotRight = plotLeft + frames.plotWidth
    let plotTop = top + frames.top
    let plotBottom = plotTop + frames.plotHeight
    // On a logarithmic axis, an interval that reaches zero ends at the axis.
    var domain = y.domain(of: Self.values(of: panel))
    if let reference, !y.isLogarithmic {
      domain = min(domain.lowerBound, reference)...max(domain.upperBound, reference)
    }
    let yScale = Scale(domain, from: plotBottom, to: plotTop, isLogarithmic: y.isLogarithmic)
    let xScale = Scale(
      x.domain(of: frames.xs), from: plotLeft, to: plotRight, isLogarithmic: x.isLogarithmic)
    if !panel.title.isEmpty {
      svg.text(
        TextMetrics.fitted(panel.title, width: frames.plotWidth + frames.right, size: size * 1.05),
        x: plotLeft, y: top + 1.05 * size, style: style, isBold: true)
    }
    // The grid and its numbers.
    let yMarks = y.labelled(on: yScale, values: frames.ys).marks
    for mark in yMarks {
      let place = yScale.position(mark.value)
      svg.line(plotLeft, place, plotRight, place, style: style, ink: .grid)
      svg.text(
        mark.label, x: plotLeft - 0.5 * size, y: place + 0.35 * size, style: style, anchor: .end)
    }
    let bottom = plotBottom + frames.zeroLane
    if frames.zeroLane > 0 {
      let place = plotBottom + frames.zeroLane * 0.6
      svg.line(plotLeft, place, plotRight, place, style: style, ink: .grid, dashes: "1 2")
      svg.text("0", x: plotLeft - 0.5 * size, y: place + 0.35 * size, style: style, anchor: .end)
    }
    let (xTitle, xMarks) = x.labelled(on: xScale, values: frames.xs)
    for mark in xMarks {
      let place = xScale.position(mark.value)
      svg.line(place, plotTop, place, bottom, style: style, ink: .grid)
      svg.line(place, bottom, place, bottom + 0.3 * size, style: style, ink: .axis, width: 0.7)
    }
    for (mark, place) in Self.spaced(xMarks, xScale, style) {
      svg.text(
        mark.label, x: place, y: bottom + 1.3 * size, style: style, anchor: .middle)
    }
    svg.line(plotLeft, bottom, plotRight, bottom, style: style, ink: .axis, width: 0.7)
    if isLowest {
      svg.text(
        xTitle, x: (plotLeft + plotRight) / 2, y: bottom + 2.8 * size, style: style, anchor: .middle
      )
    }
    if let reference, yScale.contains(reference) {
      let place = yScale.position(reference)
      svg.line(plotLeft, place, plotRight, place, style: style, ink: .axis, width: 0.8)
    }
    for band in panel.bands {
      let from = xScale.position(max(band.range.lowerBound, xScale.low))
      let to = xScale.position(min(band.range.upperBound, xScale.high))
      svg.element(
        "rect",
        [
          "x": from, "y": plotTop - 0.55 * size, "width": max(0, to - from), "height": 0.45 * size,
          "fill": style.color(.series(band.style)),
        ])
    }
    var lastLabelEnd = -Double.infinity
    for crossing in panel.crossings.sorted(by: { $0.x < $1.x }) where xScale.contains(crossing.x) {
      let place = xScale.position(crossing.x)
      svg.line(
        place, plotTop - 0.55 * size, place, bottom, style: style, ink: .axis, width: 0.7,
        dashes: "2 2")
      let half = style.width(of: crossing.label) / 2
      let middle = max(plotLeft + half, min(place, plotRight + frames.right - half))
      if middle - half > lastLabelEnd + 0.4 * size {
        svg.text(
          crossing.label, x: middle, y: plotTop - 0.9 * size, style: style, anchor: .middle)
        lastLabelEnd = middle + half
      }
    }
    let zero = plotBottom + frames.zeroLane * 0.6
    let corners = frontCorners(panel, xScale, yScale, zero: zero)
    drawFront(corners, style, &svg)
    for series in panel.series.reversed() {
      draw(series, xScale, yScale, zero: zero, style, &svg)
    }
    label(
      panel, xScale, yScale, zero: zero, right: plotRight + frames.right, around: corners, style,
      &svg)
    if isDirect {
      nameEnds(panel, xScale, yScale, zero: zero, room: frames.right, style, &svg)
    }
  }

  /// The marks whose labels do not touch, the outer ones first.
  private static func spaced(
    _ marks: [ChartAxis.Mark], _ scale: Scale, _ style: ChartStyle
  ) -> [(ChartAxis.Mark, Double)] {
    var kept: [(mark: ChartAxis.Mark, place: Double, half: Double)] = []
    // Both ends, then what lies between them from left to right.
    let order =
      marks.count > 2 ? [0, marks.count - 1] + Array(1..<marks.count - 1) : Array(marks.indices)
    for index in order {
      let place = scale.position(marks[index].value)
      let half = style.width(of: marks[index].label) / 2
      if kept.allSatisfy({ abs($0.place - place) >= $0.half + half + 0.5 * style.fontSize }) {
        kept.append((marks[index], place, half))
      }
    }
    return kept.sorted { $0.place < $1.place }.map { ($0.mark, $0.place) }
  }

  private func place(_ value: Double, _ scale: Scale, zero: Double) -> Double? {
    if !value.isFinite { return nil }
    if scale.isLogarithmic, value <= 0 { return value == 0 ? zero : nil }
    return scale.position(value)
  }

  private func draw(
    _ series: Series, _ xScale: Scale, _ yScale: Scale, zero: Double, _ style: ChartStyle,
    _ svg: inout SVGWriter
  ) {
    let mark = SeriesMark(series.style)
    let ink = Ink.series(series.style)
    var places: [(point: Point, x: Double, y: Double)] = []
    for point in series.points where !xScale.isLogarithmic || point.x > 0 {
      guard let y = place(point.y, yScale, zero: zero) else { continue }
      places.append((point, xScale.position(point.x), y))
    }
    if isJoined, places.count > 1 {
      let path = places.enumerated().map { index, place in
        "\(index == 0 ? "M" : "L")\(SVGWriter.number(place.x)) \(SVGWriter.number(place.y))"
      }.joined()
      var attributes: SVGAttributes = [
        "d": path, "fill": "none", "stroke": style.color(ink), "stroke-width": style.lineWidth,
        "stroke-linejoin": "round",
      ]
      if let dashes = mark.dashArray(width: style.lineWidth) {
        attributes.append("stroke-dasharray", dashes)
      }
      svg.element("path", attributes)
    }
    let size = style.fontSize * (places.count > 60 ? 0.42 : 0.62)
    for (point, x, y) in places {
      if let interval = point.interval {
        let low = max(interval.lowerBound, yScale.isLogarithmic ? yScale.low : -.infinity)
        let ends = (yScale.position(low), yScale.position(max(interval.upperBound, low)))
        // Ends closer than the marker would only blur it.
        if abs(ends.0 - ends.1) > size * 0.6 {
          let half = style.fontSize * 0.25
          let path =
            "M\(SVGWriter.number(x)) \(SVGWriter.number(ends.0))V\(SVGWriter.number(ends.1))"
            + [ends.0, ends.1].map {
              "M\(SVGWriter.number(x - half)) \(SVGWriter.number($0))h\(SVGWriter.number(2 * half))"
            }.joined()
          svg.element(
            "path",
            [
              "d": path, "fill": "none", "stroke": style.color(ink),
              "stroke-width": style.lineWidth * 0.6,
            ])
        }
      }
      var attributes: SVGAttributes = [:]
      if style.hasValues {
        attributes.append("data-x", Self.exact(point.x))
        attributes.append("data-y", Self.exact(point.y))
      }
      svg.marker(
        mark.shape, x: x, y: y, size: size, style: style, ink: ink, attributes: attributes,
        title: style.hasValues && !point.note.isEmpty ? point.note : nil)
    }
  }

  /// A number as results have it.
  static func exact(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// The corners of the front's steps.
  private func frontCorners(
    _ panel: Panel, _ xScale: Scale, _ yScale: Scale, zero: Double
  ) -> [(x: Double, y: Double)] {
    guard let front else { return [] }
    var corners: [(x: Double, y: Double)] = []
    let optimal = panel.series.flatMap(\.points).filter(\.isOptimal)
      .sorted { ($0.x, $0.y) < ($1.x, $1.y) }
    for point in optimal where !xScale.isLogarithmic || point.x > 0 {
      guard let y = place(point.y, yScale, zero: zero) else { continue }
      let x = xScale.position(point.x)
      if let last = corners.last {
        corners.append(front == .horizontalFirst ? (x, last.y) : (last.x, y))
      }
      corners.append((x, y))
    }
    return corners.count > 1 ? corners : []
  }

  private func drawFront(
    _ corners: [(x: Double, y: Double)], _ style: ChartStyle, _ svg: inout SVGWriter
  ) {
    if corners.isEmpty { return }
    let path = corners.enumerated().map { index, corner in
      "\(index == 0 ? "M" : "L")\(SVGWriter.number(corner.x)) \(SVGWriter.number(corner.y))"
    }.joined()
    let (stroke, gap) = (style.lineWidth * 3, style.lineWidth * 1.5)
    svg.element(
      "path",
      [
        "d": path, "fill": "none", "stroke": style.color(.faint),
        "stroke-width": style.lineWidth * 0.7,
        "stroke-dasharray": "\(SVGWriter.number(stroke)) \(SVGWriter.number(gap))",
      ])
  }

  // MARK: - Names

  /// Labels beside points where they meet neither another label nor a point.
  private func label(
    _ panel: Panel, _ xScale: Scale, _ yScale: Scale, zero: Double, right: Double,
    around corners: [(x: Double, y: Double)], _ style: ChartStyle, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    struct Box { var x0, y0, x1, y1: Double }
    var taken: [Box] = []
    var wanted: [(text: String, x: Double, y: Double)] = []
    for point in panel.series.flatMap(\.points) where !xScale.isLogarithmic || point.x > 0 {
      guard let y = place(point.y, yScale, zero: zero) else { continue }
      let x = xScale.position(point.x)
      taken.append(
        Box(x0: x - 0.35 * size, y0: y - 0.35 * size, x1: x + 0.35 * size, y1: y + 0.35 * size))
      if let label = point.label { wanted.append((label, x, y)) }
    }
    for (from, to) in zip(corners, corners.dropFirst()) {
      taken.append(
        Box(
          x0: min(from.x, to.x) - 1, y0: min(from.y, to.y) - 1, x1: max(from.x, to.x) + 1,
          y1: max(from.y, to.y) + 1))
    }
    for (text, x, y) in wanted {
      let width = style.width(of: text)
      let candidates: [(Double, Double)] = [
        (x + 0.6 * size, y + 0.35 * size), (x - width - 0.6 * size, y + 0.35 * size),
        (x - width / 2, y - 0.7 * size), (x - width / 2, y + 1.35 * size),
        (x + 0.4 * size, y - 0.6 * size), (x + 0.4 * size, y + 1.2 * size),
        (x - width - 0.4 * size, y - 0.6 * size), (x - width - 0.4 * size, y + 1.2 * size),
      ]
      for (left, base) in candidates {
        let box = Box(x0: left, y0: base - 0.8 * size, x1: left + width, y1: base + 0.2 * size)
        let isInside =
          box.x0 >= xScale.start && box.x1 <= right && box.y0 >= yScale.end - size
          && box.y1 <= max(yScale.start, zero + size)
        let isFree = taken.allSatisfy {
          $0.x1 < box.x0 || $0.x0 > box.x1 || $0.y1 < box.y0 || $0.y0 > box.y1
        }
        if isInside, isFree {
          svg.text(text, x: left, y: base, style: style)
          taken.append(box)
          break
        }
      }
    }
  }

  /// Names of series where their lines end, moved apart until none covers another.
  private func nameEnds(
    _ panel: Panel, _ xScale: Scale, _ yScale: Scale, zero: Double, room: Double,
    _ style: ChartStyle, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    var ends: [(name: String, style: Int, x: Double, wanted: Double, y: Double)] = []
    for series in panel.series {
      guard let last = series.points.last(where: { place($0.y, yScale, zero: zero) != nil }),
        let y = place(last.y, yScale, zero: zero)
      else { continue }
      ends.append((series.name, series.style, xScale.position(last.x), y, y))
    }
    ends.sort { ($0.wanted, $0.style) < ($1.wanted, $1.style) }
    // Down from the top, then up from the bottom: at least a line apart, and inside the panel.
    let step = size * 1.15
    for index in ends.indices.dropFirst() {
      ends[index].y = max(ends[index].y, ends[index - 1].y + step)
    }
    let floor = max(zero, yScale.start)
    if let last = ends.indices.last, ends[last].y > floor {
      ends[last].y = floor
      for index in ends.indices.dropLast().reversed() {
        ends[index].y = min(ends[index].y, ends[index + 1].y - step)
      }
    }
    for end in ends {
      let x = xScale.end + 1.1 * size
      if abs(end.y - end.wanted) > 0.3 * size || xScale.end - end.x > size {
        svg.line(
          end.x + 0.4 * size, end.wanted, x - 0.2 * size, end.y, style: style,
          ink: .series(end.style), width: 0.4)
      }
      svg.marker(
        SeriesMark(end.style).shape, x: x + 0.2 * size, y: end.y, size: 0.62 * size, style: style,
        ink: .series(end.style))
      svg.text(
        TextMetrics.fitted(end.name, width: room - 1.9 * size, size: size), x: x + 0.8 * size,
        y: end.y + 0.35 * size, style: style)
    }
  }

  private func sample(
    _ series: Series, _ svg: inout SVGWriter, _ x: Double, _ y: Double, _ style: ChartStyle
  ) {
    let size = style.fontSize
    let mark = SeriesMark(series.style)
    if isJoined {
      svg.line(
        x, y, x + 2.6 * size, y, style: style, ink: .series(series.style), width: style.lineWidth,
        dashes: mark.dashArray(width: style.lineWidth))
    }
    svg.marker(
      mark.shape, x: x + (isJoined ? 1.3 : 0.45) * size, y: y, size: 0.62 * size, style: style,
      ink: .series(series.style))
  }
}
