/// One figure: a chart with what has to be said about it.
public struct Figure: Sendable {
  /// The chart itself.
  public enum Content: Sendable {
    case curves(XYChart)
    case bars(BarChart)
    case heatMap(HeatMap)
  }
  /// By which it is asked for.
  public var name: String
  public var title: String
  /// What is shown and how to read it.
  public var caption: String
  /// What was left out, and where it is.
  public var omissions: [String]
  public var content: Content

  public init(
    _ name: String, title: String, caption: String, omissions: [String] = [], content: Content
  ) {
    self.name = name
    self.title = title
    self.caption = caption
    self.omissions = omissions
    self.content = content
  }

  /// The figure as an `svg` element.
  ///
  /// For paper it stands alone: its size is in points, colours and fonts are attributes, and nothing is
  /// taken from elsewhere. On a page it takes the width there is.
  public func svg(_ style: ChartStyle) -> String {
    // Half a letter around everything: marks reach over the edge of what they mark.
    let margin = 0.5 * style.fontSize
    var inner = style
    inner.width -= 2 * margin
    let (drawing, drawnHeight) =
      switch content {
      case .curves(let chart): chart.drawing(inner)
      case .bars(let chart): chart.drawing(inner)
      case .heatMap(let chart): chart.drawing(inner)
      }
    let height = drawnHeight + 2 * margin
    var svg = SVGWriter()
    let box = [-margin, -margin, style.width, height].map { SVGWriter.number($0) }
    var attributes: SVGAttributes = [
      "xmlns": "http://www.w3.org/2000/svg", "viewBox": box.joined(separator: " "),
    ]
    if style.isPage {
      attributes =
        attributes + ["class": "figure", "role": "img", "aria-label": "\(title). \(caption)"]
    } else {
      attributes =
        attributes + [
          "width": SVGWriter.number(style.width) + "pt", "height": SVGWriter.number(height) + "pt",
        ]
    }
    attributes =
      attributes + [
        "font-family": "Helvetica, Arial, Liberation Sans, sans-serif", "font-size": style.fontSize,
      ]
    svg.begin("svg", attributes)
    if !style.isPage {
      svg.element("title", [:], text: title)
      svg.element("desc", [:], text: ([caption] + omissions).joined(separator: " "))
      svg.element(
        "rect",
        [
          "x": -margin, "y": -margin, "width": style.width, "height": height,
          "fill": style.color(.background),
        ])
    }
    svg.append(drawing)
    svg.end()
    return svg.finished() + "\n"
  }
}
