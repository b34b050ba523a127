/// The medium a chart is drawn for: its size, its letters and its colours.
///
/// On paper one unit is a point (1/72 inch), so that letters have the size that journals ask for; on a
/// page it is a CSS pixel.
public struct ChartStyle: Sendable {
  public var width: Double
  /// The size of tick labels and legends; titles are a little larger.
  public var fontSize: Double
  public var lineWidth: Double
  /// Whether colours are names that a style sheet defines.
  public var isPage: Bool
  /// Whether marks carry the values they stand for, for hovering and for scripts.
  public var hasValues: Bool
  /// What identifiers of patterns begin with: there are several drawings on a page.
  public var prefix: String

  /// For a page of about `width` pixels.
  public static func page(width: Double = 780, prefix: String = "") -> ChartStyle {
    ChartStyle(
      width: width, fontSize: 11, lineWidth: 1.6, isPage: true, hasValues: true, prefix: prefix)
  }
  /// For a figure of `millimetres` on paper: 85 is a column, 170 a page of two.
  public static func paper(millimetres: Double = 85) -> ChartStyle {
    ChartStyle(
      width: millimetres / 25.4 * 72, fontSize: 7, lineWidth: 1, isPage: false,
      hasValues: false, prefix: "")
  }

  /// The colour of `ink`, as fill and stroke take it.
  public func color(_ ink: Ink) -> String { isPage ? Palette.page(ink) : Palette.paper(ink) }
  /// The width of `text`.
  public func width(of text: some StringProtocol) -> Double {
    TextMetrics.width(text, size: fontSize)
  }
}

extension SVGWriter {
  /// Where text begins, relative to its point.
  public enum Anchor: String, Sendable { case start, middle, end }

  /// A line of text whose baseline begins, is centred or ends at a point.
  public mutating func text(
    _ text: String, x: Double, y: Double, style: ChartStyle, size: Double? = nil,
    anchor: Anchor = .start, ink: Ink = .text, isBold: Bool = false, angle: Double = 0
  ) {
    var attributes: SVGAttributes = ["x": x, "y": y, "fill": style.color(ink)]
    if let size, size != style.fontSize { attributes.append("font-size", size) }
    if anchor != .start { attributes.append("text-anchor", anchor.rawValue) }
    if isBold { attributes.append("font-weight", "bold") }
    if angle != 0 {
      attributes.append(
        "transform", "rotate(\(Self.number(angle)) \(Self.number(x)) \(Self.number(y)))")
    }
    element("text", attributes, text: text)
  }

  /// A straight line.
  public mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, style: ChartStyle, ink: Ink,
    width: Double = 0.4, dashes: String? = nil
  ) {
    var attributes: SVGAttributes = [
      "x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": style.color(ink), "stroke-width": width,
    ]
    if let dashes { attributes.append("stroke-dasharray", dashes) }
    element("line", attributes)
  }

  /// The mark of a series at a point, about `size` wide; `attributes` and `title` say what it stands
  /// for.
  public mutating func marker(
    _ shape: SeriesMark.Shape, x: Double, y: Double, size: Double, style: ChartStyle, ink: Ink,
    attributes: SVGAttributes = [:], title: String? = nil
  ) {
    let r = size / 2
    func points(_ offsets: [(Double, Double)]) -> String {
      offsets.map { "\(Self.number(x + $0.0 * r)) \(Self.number(y + $0.1 * r))" }
        .joined(separator: " ")
    }
    let color = style.color(ink)
    let filled: SVGAttributes = [
      "fill": color, "stroke": style.color(.background), "stroke-width": style.lineWidth * 0.4,
    ]
    let stroked: SVGAttributes = [
      "fill": "none", "stroke": color, "stroke-width": style.lineWidth * 1.1,
    ]
    func polygon(_ offsets: [(Double, Double)]) -> SVGAttributes {
      ["points": points(offsets)] + filled + attributes
    }
    func strokes(_ path: String) -> SVGAttributes { ["d": path] + stroked + attributes }
    func n(_ value: Double) -> String { Self.number(value) }
    switch shape {
    case .circle:
      element("circle", ["cx": x, "cy": y, "r": r] + filled + attributes, title: title)
    case .square:
      let side = size * 0.88
      element(
        "rect",
        ["x": x - side / 2, "y": y - side / 2, "width": side, "height": side] + filled + attributes,
        title: title)
    case .triangle:
      element("polygon", polygon([(0, -1.15), (1.05, 0.75), (-1.05, 0.75)]), title: title)
    case .wedge:
      element("polygon", polygon([(0, 1.15), (1.05, -0.75), (-1.05, -0.75)]), title: title)
    case .diamond:
      element("polygon", polygon([(0, -1.25), (1.05, 0), (0, 1.25), (-1.05, 0)]), title: title)
    case .cross:
      let d = r * 0.85
      element(
        "path",
        strokes(
          "M\(n(x - d)) \(n(y - d))L\(n(x + d)) \(n(y + d))M\(n(x - d)) \(n(y + d))L\(n(x + d)) \(n(y - d))"
        ),
        title: title)
    case .plus:
      element(
        "path", strokes("M\(n(x - r)) \(n(y))H\(n(x + r))M\(n(x)) \(n(y - r))V\(n(y + r))"),
        title: title)
    case .bar:
      element(
        "rect",
        ["x": x - r * 1.1, "y": y - r * 0.45, "width": r * 2.2, "height": r * 0.9] + filled
          + attributes, title: title)
    }
  }
}
