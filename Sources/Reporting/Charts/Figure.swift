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
    let (drawing, height) =
      switch content {
      case .curves(let chart): chart.drawing(style)
      case .bars(let chart): chart.drawing(style)
      case .heatMap(let chart): chart.drawing(style)
      }
    var svg = SVGWriter()
    let size = "\(SVGWriter.number(style.width)) \(SVGWriter.number(height))"
    var attributes: SVGAttributes = [
      "xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 \(size)",
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
        "rect", ["width": style.width, "height": height, "fill": style.color(.background)])
    }
    svg.append(drawing)
    svg.end()
    return svg.finished() + "\n"
  }
}
