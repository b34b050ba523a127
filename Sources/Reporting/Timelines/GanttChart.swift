import Experiments
import SimKernel
import Training

/// A timeline as a chart for a paper: lanes of a few workers over time, coloured by what they do.
///
/// Only attributes, no style sheet, so that converters to PDF see all of it.
public struct GanttChart {
  /// Rows beyond which nothing could be read.
  public static let rowLimit = 120

  private let timeline: RunTimeline
  private let lanes: TimelineLanes
  private let style: ChartStyle

  /// The chart of `timeline` at `millimetres` width.
  public init(_ timeline: RunTimeline, millimetres: Double) {
    self.timeline = timeline
    lanes = TimelineLanes(timeline)
    style = .paper(millimetres: millimetres)
  }

  /// The lanes that would be drawn.
  public var rowCount: Int { rows.reduce(0) { $0 + $1.lanes.count } }

  /// What is drawn of each process: iterations become lines across.
  private var rows: [(process: TimelineLanes.Process, lanes: [TimelineLanes.Lane])] {
    lanes.processes.map { process in
      (process, process.lanes.filter { $0.kind != .iteration && $0.kind != .hold })
    }
  }

  /// Kinds of bars, in the order of the legend.
  private enum Bar: Int, CaseIterable {
    case forward, backward, optimizer, encode, exchange, send, receive, reduce, decode, copy

    var ink: Ink {
      switch self {
      case .forward: .part(0)
      case .backward: .part(1)
      case .optimizer: .series(6)
      case .encode: .part(2)
      case .exchange: .part(3)
      case .send: .series(3)
      case .receive: .series(2)
      case .reduce: .series(7)
      case .decode: .part(4)
      case .copy: .part(5)
      }
    }
    var isDark: Bool { self == .backward || self == .optimizer || self == .exchange }
  }

  private func bar(_ slice: TimelineLanes.Slice, _ kind: TimelineLanes.Kind) -> Bar {
    switch kind {
    case .compute:
      switch timeline.spans[Int(slice.record)].kind {
      case .backward: .backward
      case .optimizer: .optimizer
      default: .forward
      }
    case .encode: .encode
    case .exchange, .iteration: .exchange
    case .send: .send
    case .receive: .receive
    case .reduce: .reduce
    case .decode: .decode
    case .copy, .hold: .copy
    }
  }

  /// The drawing.
  public func svg() -> String {
    let rows = rows
    let size = style.fontSize
    let rowHeight = (size * 1.45).rounded()
    let gap = (rowHeight * 0.5).rounded()
    let names = rows.flatMap { $0.lanes.map { laneName($0) } }
    let margin = size * 0.6
    let left =
      margin + size * 1.4
      + max(
        names.map { style.width(of: $0) }.max() ?? 0,
        rows.map { style.width(of: $0.process.name) - size * 0.8 }.max() ?? 0)
    let right = style.width - margin * 1.6
    let used = Bar.allCases.filter { kind in
      rows.contains { row in
        row.lanes.contains { lane in lane.slices.contains { bar($0, lane.kind) == kind } }
      }
    }
    let legend = legendLines(used, width: right - left)
    let top = margin + Double(legend.count) * size * 1.5 + size * 1.8
    var height = top
    for row in rows { height += rowHeight * (Double(row.lanes.count) + 1) + gap }
    let bottom = height
    height += size * 3.4

    var svg = SVGWriter()
    svg.begin(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": "\(SVGWriter.number(style.width))pt",
        "height": "\(SVGWriter.number(height))pt",
        "viewBox": "0 0 \(SVGWriter.number(style.width)) \(SVGWriter.number(height))",
        "font-family": "Helvetica, Arial, 'Liberation Sans', sans-serif", "font-size": size,
      ])
    svg.element("title", [:], text: "\(timeline.origin.title): timeline")
    svg.element(
      "rect",
      ["width": style.width, "height": height, "fill": style.color(.background)])
    svg.breakLine()
    drawLegend(legend, x: left, y: margin + size, &svg)

    let begin = timeline.start
    let scale = Scale(
      0...max(1e-12, (timeline.end - begin).seconds), from: left, to: right)
    func x(_ time: SimTime) -> Double { scale.position((time - begin).seconds) }
    drawAxis(scale, top: top, bottom: bottom, &svg)
    drawIterations(x, top: top, bottom: bottom, right: right, &svg)
    var y = top
    for row in rows {
      svg.breakLine()
      svg.text(
        row.process.name, x: margin, y: y + rowHeight * 0.72, style: style, isBold: true)
      y += rowHeight
      for lane in row.lanes {
        svg.breakLine()
        svg.text(
          laneName(lane), x: margin + size * 0.8, y: y + rowHeight * 0.72, style: style, ink: .faint
        )
        drawBars(lane, x, y: y + rowHeight * 0.08, height: rowHeight * 0.84, &svg)
        y += rowHeight
      }
      y += gap
      if row.process.id != rows.last?.process.id {
        svg.line(margin, y - gap / 2, right, y - gap / 2, style: style, ink: .grid, width: 0.4)
      }
    }
    svg.breakLine()
    svg.end()
    return svg.finished() + "\n"
  }

  private func laneName(_ lane: TimelineLanes.Lane) -> String {
    lane.number == 0 ? lane.kind.name : "\(lane.kind.name) \(lane.number + 1)"
  }

  // MARK: - Parts

  /// Bars closer than what a printer can tell apart become one.
  private func drawBars(
    _ lane: TimelineLanes.Lane, _ x: (SimTime) -> Double, y: Double, height: Double,
    _ svg: inout SVGWriter
  ) {
    var pending: (bar: Bar, from: Double, to: Double, count: Int)?
    func draw() {
      guard let now = pending else { return }
      let width = max(now.to - now.from, 0.15)
      svg.element(
        "rect",
        [
          "x": now.from, "y": y, "width": width, "height": height,
          "fill": style.color(now.bar.ink),
        ])
      let name = "\(now.bar)"
      // Many bars that became one, and lanes of one kind, need no name in each.
      if now.count == 1, lane.kind == .compute, style.width(of: name) + 3 < width {
        svg.text(
          name, x: (now.from + now.to) / 2, y: y + height * 0.72, style: style, anchor: .middle,
          ink: now.bar.isDark ? .background : .text)
      }
    }
    for slice in lane.slices where slice.end > slice.start {
      let (from, to) = (x(slice.start), x(slice.end))
      let bar = bar(slice, lane.kind)
      if let now = pending, now.bar == bar, from - now.to < 0.05,
        min(now.to - now.from, to - from) < 0.6
      {
        pending = (bar, now.from, to, now.count + 1)
        continue
      }
      draw()
      // A hair of white between neighbours of one kind.
      if let now = pending, now.bar == bar, from - now.to < 0.3, to - from > 1.2 {
        pending = (bar, from + 0.3, to, 1)
      } else {
        pending = (bar, from, to, 1)
      }
    }
    draw()
  }

  private func drawAxis(
    _ scale: Scale, top: Double, bottom: Double, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    let unit = ChartUnit.seconds.prefixed(for: scale.high)
    let count = max(2, min(10, Int((scale.end - scale.start) / (size * 7))))
    svg.breakLine()
    for tick in Ticks.linear(0, scale.high / unit.factor, count: count) {
      let x = scale.position(tick * unit.factor)
      svg.line(x, top, x, bottom, style: style, ink: .grid, width: 0.4)
      svg.line(x, bottom, x, bottom + size * 0.4, style: style, ink: .axis)
      svg.text(
        ChartUnit.short(tick), x: x, y: bottom + size * 1.5, style: style, anchor: .middle)
    }
    svg.line(scale.start, bottom, scale.end, bottom, style: style, ink: .axis)
    let start = timeline.start.seconds
    svg.text(
      "time since "
        + (start == 0
          ? "the start of the run" : ChartUnit.seconds.text(start, digits: 6) + " of the run")
        + " (\(unit.symbol))",
      x: (scale.start + scale.end) / 2, y: bottom + size * 2.9, style: style, anchor: .middle)
  }

  /// Where the first worker's iterations begin.
  private func drawIterations(
    _ x: (SimTime) -> Double, top: Double, bottom: Double, right: Double, _ svg: inout SVGWriter
  ) {
    guard let first = timeline.iterations.first else { return }
    svg.breakLine()
    let own = timeline.iterations.filter { $0.job == first.job && $0.worker == first.worker }
      .sorted { $0.start < $1.start }
    for span in own {
      let (from, to) = (x(span.start), x(span.end))
      for place in [from, to] {
        svg.line(
          place, top - style.fontSize * 0.4, place, bottom, style: style, ink: .axis, width: 0.5,
          dashes: "2 2")
      }
      let name = "iteration \(timeline.counted(span.iteration, of: span.job))"
      if style.width(of: name) < to - from {
        svg.text(
          name, x: (from + to) / 2, y: top - style.fontSize * 0.6, style: style, anchor: .middle,
          ink: .faint)
      }
    }
  }

  private func legendLines(_ bars: [Bar], width: Double) -> [[Bar]] {
    var lines: [[Bar]] = [[]]
    var used = 0.0
    for bar in bars {
      let need = style.width(of: "\(bar)") + style.fontSize * 2.6
      if used + need > width, !lines[lines.count - 1].isEmpty {
        lines.append([])
        used = 0
      }
      lines[lines.count - 1].append(bar)
      used += need
    }
    return lines
  }

  private func drawLegend(_ lines: [[Bar]], x: Double, y: Double, _ svg: inout SVGWriter) {
    let size = style.fontSize
    for (number, line) in lines.enumerated() {
      var place = x
      let base = y + Double(number) * size * 1.5
      for bar in line {
        svg.element(
          "rect",
          [
            "x": place, "y": base - size * 0.75, "width": size * 1.2, "height": size * 0.85,
            "fill": style.color(bar.ink),
          ])
        svg.text("\(bar)", x: place + size * 1.5, y: base, style: style)
        place += style.width(of: "\(bar)") + size * 2.6
      }
    }
  }
}
