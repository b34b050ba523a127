import Experiments
import Networks
import SimKernel

/// A network as a drawing: nodes, links as wide as they are fast, and what they carried in colour.
public struct TopologyDrawing {
  private let topology: Topology
  private let layout: TopologyLayout
  private let loads: LinkLoads?
  private let style: ChartStyle
  private let title: String

  /// A drawing `millimetres` wide.
  ///
  /// `loads` are those of a run over the same network; `title` says what it was.
  public init(
    _ topology: Topology, from specification: (any TopologySpecification)?,
    loads: LinkLoads? = nil, title: String = "", millimetres: Double = 170
  ) {
    self.topology = topology
    self.loads = loads
    self.title = title
    layout = TopologyLayout(topology, from: specification)
    style = .paper(millimetres: millimetres)
  }

  /// What is not shown as it is; empty if everything is.
  public var caveat: String { layout.caveat }
  /// How many nodes and lines are drawn.
  public var counts: (nodes: Int, lines: Int) { (layout.spots.count, layout.lines.count) }

  /// The links that are named beside the drawing.
  private static let named = 5

  /// The bandwidth of a line: of all its cables, one way.
  private func bandwidth(_ line: TopologyLayout.Line) -> Double {
    line.links.reduce(0) { $0 + Double(topology.links[$1].bandwidth.bitsPerSecond) } / 2
  }
  private func cableBandwidth(_ line: TopologyLayout.Line) -> Int64 {
    line.links.map { topology.links[$0].bandwidth.bitsPerSecond }.max() ?? 0
  }

  // MARK: - Drawing

  public func svg() -> String {
    let size = style.fontSize
    let margin = size
    let side =
      layout.layers.map { style.width(of: $0.text) }.max().map { $0 + size * 1.5 } ?? 0
    let field = style.width - 2 * margin - side
    let left = margin + side
    let top = margin + size * 3
    let bottom = top + layout.height * field
    let hottest = hottestLinks
    let notes = notes
    let legendTop = bottom + size * 1.5
    let legendLines = max(
      loads == nil ? speeds.count : speeds.count + 3, hottest.isEmpty ? 0 : hottest.count + 1)
    let height =
      legendTop + Double(legendLines) * size * 1.4 + Double(notes.count) * size * 1.4 + margin * 1.5

    var svg = SVGWriter()
    svg.begin(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": "\(SVGWriter.number(style.width))pt",
        "height": "\(SVGWriter.number(height))pt",
        "viewBox": "0 0 \(SVGWriter.number(style.width)) \(SVGWriter.number(height))",
        "font-family": "Helvetica, Arial, 'Liberation Sans', sans-serif", "font-size": size,
      ])
    svg.element("title", [:], text: heading)
    svg.element(
      "rect", ["width": style.width, "height": height, "fill": style.color(.background)])
    svg.breakLine()
    svg.text(
      TextMetrics.fitted(heading, width: style.width - 2 * margin, size: size * 1.2),
      x: margin, y: margin + size * 1.2, style: style, size: size * 1.2, isBold: true)
    for layer in layout.layers {
      svg.text(
        layer.text, x: margin, y: top + layer.y * field + size * 0.35, style: style, ink: .faint)
    }
    func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
      (left + x * field, top + y * field)
    }
    drawLines(place, field, &svg)
    drawSpots(place, field, &svg)
    for label in layout.labels {
      let (x, y) = place(label.x, label.y)
      svg.element(
        "circle", ["cx": x, "cy": y, "r": size * 0.9, "fill": style.color(.background)])
      svg.text(label.text, x: x, y: y + size * 0.35, style: style, anchor: .middle, isBold: true)
    }
    drawMarks(hottest, place, field, &svg)
    drawLegend(hottest, x: margin, y: legendTop + size, &svg)
    for (index, note) in notes.enumerated() {
      svg.breakLine()
      svg.text(
        note, x: margin,
        y: legendTop + Double(legendLines) * size * 1.4 + Double(index + 1) * size * 1.4,
        style: style, ink: .faint)
    }
    svg.breakLine()
    svg.end()
    return svg.finished() + "\n"
  }

  private var heading: String { title.isEmpty ? topology.name : "\(topology.name): \(title)" }

  private var notes: [String] {
    var notes: [String] = []
    if !layout.caveat.isEmpty { notes.append(layout.caveat) }
    if loads != nil {
      notes.append("colour: the share of the run in which the busier direction carried something")
    }
    return notes
  }

  /// The share of the run in which the busiest link of a line carried something.
  private func share(_ line: TopologyLayout.Line) -> Double? {
    guard let loads else { return nil }
    return line.links.map { loads.busyShare($0) }.max() ?? 0
  }

  /// Lines of one width where all are alike; else as the root of the bandwidth, so that a hundredth
  /// can still be seen.
  private func width(_ line: TopologyLayout.Line, most: Double, areAlike: Bool) -> Double {
    let crowd = layout.lines.count > 300 ? 0.5 : 1
    if areAlike || most <= 0 { return 1.2 * crowd }
    return (0.4 + 2.2 * (bandwidth(line) / most).squareRoot()) * crowd
  }
  private var widest: Double { layout.lines.map { bandwidth($0) }.max() ?? 0 }
  private var areAlike: Bool {
    layout.lines.allSatisfy { bandwidth($0) == bandwidth(layout.lines[0]) }
  }

  private func drawLines(
    _ place: (Double, Double) -> (x: Double, y: Double), _ field: Double, _ svg: inout SVGWriter
  ) {
    svg.breakLine()
    svg.begin("g", ["fill": "none", "stroke-linecap": "round"])
    // Busy lines lie on top.
    let shares = layout.lines.map { share($0) ?? 0 }
    let (most, areAlike) = (widest, areAlike)
    for index in layout.lines.indices.sorted(by: { (shares[$0], $0) < (shares[$1], $1) }) {
      let line = layout.lines[index]
      let stroke: String =
        loads == nil ? style.color(.axis) : style.color(.share(0.15 + 0.85 * shares[index]))
      var attributes: SVGAttributes = [
        "d": path(line, place, field), "stroke": stroke,
        "stroke-width": width(line, most: most, areAlike: areAlike),
      ]
      if loads == nil { attributes.append("stroke-opacity", layout.lines.count > 300 ? 0.35 : 0.6) }
      svg.element("path", attributes, title: describe(line))
    }
    svg.end()
  }

  private func describe(_ line: TopologyLayout.Line) -> String {
    let (a, b) = (layout.spots[line.a].name, layout.spots[line.b].name)
    let speed = Bandwidth(bitsPerSecond: cableBandwidth(line))
    var text = "\(a) - \(b): " + (line.cables > 1 ? "\(line.cables) x " : "") + "\(speed)"
    if let share = share(line) {
      text += ", busy \(Numbers.percent((share * 1000).rounded() / 1000))"
    }
    return text
  }

  private func middle(
    _ line: TopologyLayout.Line, _ place: (Double, Double) -> (x: Double, y: Double),
    _ field: Double
  ) -> (control: (x: Double, y: Double), from: (x: Double, y: Double), to: (x: Double, y: Double)) {
    let (a, b) = (layout.spots[line.a], layout.spots[line.b])
    let (from, to) = (place(a.x, a.y), place(b.x, b.y))
    let length = ((to.x - from.x) * (to.x - from.x) + (to.y - from.y) * (to.y - from.y))
      .squareRoot()
    let bend = length > 0 ? line.bend * field * 2 / length : 0
    return (
      (
        (from.x + to.x) / 2 + (to.y - from.y) * bend, (from.y + to.y) / 2 - (to.x - from.x) * bend
      ), from, to
    )
  }

  private func path(
    _ line: TopologyLayout.Line, _ place: (Double, Double) -> (x: Double, y: Double),
    _ field: Double
  ) -> String {
    let (control, from, to) = middle(line, place, field)
    func n(_ value: Double) -> String { SVGWriter.number(value) }
    if line.bend == 0 { return "M\(n(from.x)) \(n(from.y))L\(n(to.x)) \(n(to.y))" }
    return "M\(n(from.x)) \(n(from.y))Q\(n(control.x)) \(n(control.y)) \(n(to.x)) \(n(to.y))"
  }

  private func drawSpots(
    _ place: (Double, Double) -> (x: Double, y: Double), _ field: Double, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    let most = layout.spacing * field * 0.72
    let fits = layout.spots.allSatisfy { style.width(of: $0.name) * 0.85 + 3 < most * 1.3 }
    var perTier: [Int: Int] = [:]
    for spot in layout.spots { perTier[spot.tier, default: 0] += 1 }
    svg.breakLine()
    for spot in layout.spots {
      let (x, y) = place(spot.x, spot.y)
      // Layers with few nodes have room for names where the widest has none.
      let own =
        layout.layers.isEmpty
        ? most : min(90, field / Double(perTier[spot.tier] ?? 1) * 0.72)
      let named = style.width(of: spot.name) * 0.85 + 3
      let isNamed = layout.layers.isEmpty ? fits : named < own
      let width = isNamed ? max(named, min(own, size * 3)) : min(max(own, 1.6), size * 1.6)
      let height = isNamed ? size * 1.7 : min(width, size * 1.6)
      svg.element(
        "rect",
        [
          "x": x - width / 2, "y": y - height / 2, "width": width,
          "height": height, "rx": spot.tier == 0 ? 0.0 : min(height / 2, 4),
          "fill": style.color(spot.tier == 0 ? .background : .grid),
          "stroke": style.color(.axis), "stroke-width": width < 4 ? 0.3 : 0.6,
        ], title: spot.name)
      if isNamed {
        svg.text(
          spot.name, x: x, y: y + size * 0.3, style: style, size: size * 0.85, anchor: .middle)
      }
    }
  }

  // MARK: - Loads

  /// The busiest directed links, each with its line: no line twice.
  private var hottestLinks: [(link: Int, line: Int, share: Double)] {
    guard let loads else { return [] }
    var all: [(link: Int, line: Int, share: Double)] = []
    for (index, line) in layout.lines.enumerated() {
      var best: (link: Int, share: Double)?
      for link in line.links {
        let share = loads.busyShare(link)
        if share > best?.share ?? 0 { best = (link, share) }
      }
      if let best { all.append((best.link, index, best.share)) }
    }
    return Array(all.sorted { ($1.share, $0.link) < ($0.share, $1.link) }.prefix(Self.named))
  }

  private func drawMarks(
    _ hottest: [(link: Int, line: Int, share: Double)],
    _ place: (Double, Double) -> (x: Double, y: Double), _ field: Double, _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    var taken: [(x: Double, y: Double)] = []
    for (index, entry) in hottest.enumerated() {
      let (control, from, to) = middle(layout.lines[entry.line], place, field)
      // Along the line, where no other number is yet.
      var best = (x: 0.0, y: 0.0)
      for t in [0.4, 0.6, 0.3, 0.7, 0.5] {
        let (p, q, r) = ((1 - t) * (1 - t), 2 * t * (1 - t), t * t)
        best = (
          p * from.x + q * control.x + r * to.x, p * from.y + q * control.y + r * to.y
        )
        let isFree = taken.allSatisfy {
          ($0.x - best.x).magnitude > size * 1.4 || ($0.y - best.y).magnitude > size * 1.4
        }
        if isFree { break }
      }
      taken.append(best)
      svg.element(
        "circle",
        [
          "cx": best.x, "cy": best.y, "r": size * 0.62, "fill": style.color(.background),
          "stroke": style.color(.axis), "stroke-width": 0.5,
        ])
      svg.text(
        "\(index + 1)", x: best.x, y: best.y + size * 0.3, style: style, size: size * 0.85,
        anchor: .middle)
    }
  }

  // MARK: - Legend

  /// The bandwidths of single cables, the fastest first: at most six.
  private var speeds: [(bandwidth: Int64, line: Int)] {
    var found: [(bandwidth: Int64, line: Int)] = []
    for (index, line) in layout.lines.enumerated() {
      let speed = Int64(bandwidth(line))
      if !found.contains(where: { $0.bandwidth == speed }) { found.append((speed, index)) }
    }
    return Array(found.sorted { $0.bandwidth > $1.bandwidth }.prefix(6))
  }

  private func drawLegend(
    _ hottest: [(link: Int, line: Int, share: Double)], x: Double, y: Double,
    _ svg: inout SVGWriter
  ) {
    let size = style.fontSize
    svg.breakLine()
    var line = y
    let (most, areAlike) = (widest, areAlike)
    for speed in speeds {
      svg.line(
        x, line - size * 0.3, x + size * 3, line - size * 0.3, style: style, ink: .axis,
        width: width(layout.lines[speed.line], most: most, areAlike: areAlike))
      let cables = layout.lines[speed.line].cables
      let single = Bandwidth(bitsPerSecond: cableBandwidth(layout.lines[speed.line]))
      svg.text(
        cables > 1 ? "\(cables) cables of \(single)" : "\(single)", x: x + size * 3.6, y: line,
        style: style)
      line += size * 1.4
    }
    guard loads != nil else { return }
    line += size * 0.4
    let step = size * 1.3
    for index in 0..<10 {
      svg.element(
        "rect",
        [
          "x": x + Double(index) * step, "y": line - size * 0.8, "width": step,
          "height": size * 0.9, "fill": style.color(.share(0.15 + 0.85 * Double(index) / 9)),
        ])
    }
    svg.text("0 %", x: x, y: line + size * 1.2, style: style)
    svg.text(
      "100 % busy", x: x + step * 10, y: line + size * 1.2, style: style, anchor: .end)
    if hottest.isEmpty { return }
    let column = x + (style.width - 2 * x) * 0.42
    svg.text("busiest links", x: column, y: y, style: style, isBold: true)
    for (index, entry) in hottest.enumerated() {
      let text =
        "\(index + 1)  \(topology.links[entry.link].name)  "
        + "\(Numbers.fixed(entry.share * 100, 1)) %"
      svg.text(text, x: column, y: y + Double(index + 1) * size * 1.4, style: style)
    }
  }
}
