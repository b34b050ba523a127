/// What an attribute of an SVG element may hold.
public protocol SVGValue: Sendable {
  /// The value as it stands between quotes, before escaping.
  var svgText: String { get }
}
extension String: SVGValue {
  public var svgText: String { self }
}
extension Int: SVGValue {
  public var svgText: String { String(self) }
}
extension Double: SVGValue {
  /// Two digits after the point: a hundredth of a point is finer than any printer.
  public var svgText: String { SVGWriter.number(self) }
}

/// The attributes of an element in the order they are written: `["x": 1.5, "fill": "#000"]`.
public struct SVGAttributes: ExpressibleByDictionaryLiteral, Sendable {
  var pairs: [(name: String, value: String)]

  public init(dictionaryLiteral elements: (String, any SVGValue)...) {
    pairs = elements.map { ($0.0, $0.1.svgText) }
  }
  /// Appends one attribute.
  public mutating func append(_ name: String, _ value: some SVGValue) {
    pairs.append((name, value.svgText))
  }
  /// The attributes of `a`, then those of `b`.
  public static func + (a: SVGAttributes, b: SVGAttributes) -> SVGAttributes {
    var sum = a
    sum.pairs += b.pairs
    return sum
  }
}

/// Writes SVG that is well formed whatever names and numbers go into it.
///
/// ```swift
/// var svg = SVGWriter()
/// svg.begin("g", ["stroke": "#000"])
/// svg.element("line", ["x1": 0.0, "y1": 0.0, "x2": 10.0, "y2": 2.5])
/// svg.end()
/// svg.finished()  // <g stroke="#000"><line x1="0" y1="0" x2="10" y2="2.5"/></g>
/// ```
public struct SVGWriter: Sendable {
  private var written = ""
  private var open: [String] = []

  /// Nothing is written yet.
  public init() {}

  /// Opens an element; what follows goes into it until ``end()``.
  public mutating func begin(_ name: String, _ attributes: SVGAttributes = [:]) {
    tag(name, attributes)
    written += ">"
    open.append(name)
  }
  /// Closes the innermost open element.
  public mutating func end() {
    precondition(!open.isEmpty, "no element is open")
    written += "</\(open.removeLast())>"
  }
  /// An element without children, or with `text` and a `title`, which viewers show on hovering.
  public mutating func element(
    _ name: String, _ attributes: SVGAttributes, text: String? = nil, title: String? = nil
  ) {
    tag(name, attributes)
    if text == nil, title == nil {
      written += "/>"
      return
    }
    written += ">"
    if let title { written += "<title>\(Self.escaped(title))</title>" }
    if let text { written += Self.escaped(text) }
    written += "</\(name)>"
  }
  /// Appends all that `other` wrote, whose elements are closed.
  public mutating func append(_ other: SVGWriter) { written += other.finished() }
  /// Appends `markup` as it is; it must be well formed.
  public mutating func append(markup: String) { written += markup }
  /// A line end, for people who read the file.
  public mutating func breakLine() { written += "\n" }

  /// All that was written.
  ///
  /// - Precondition: every element is closed.
  public func finished() -> String {
    precondition(open.isEmpty, "\(open.last ?? "") is still open")
    return written
  }

  private mutating func tag(_ name: String, _ attributes: SVGAttributes) {
    written += "<" + name
    for (key, value) in attributes.pairs { written += " \(key)=\"\(Self.escaped(value))\"" }
  }

  // MARK: - Text and numbers

  /// `text` as it may stand in an element or in a quoted attribute, of XML and of HTML.
  ///
  /// Characters that XML 1.0 does not allow at all become U+FFFD.
  public static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x26: result += "&amp;"
      case 0x3C: result += "&lt;"
      case 0x3E: result += "&gt;"
      case 0x22: result += "&quot;"
      case 0x27: result += "&#39;"
      case 0x09, 0x0A, 0x0D: result += " "
      case 0..<0x20, 0x7F, 0xFFFE, 0xFFFF: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A coordinate: at most two digits after the point, no zeros at its end.
  ///
  /// - Precondition: `value` is finite.
  public static func number(_ value: Double) -> String {
    precondition(value.isFinite, "a drawing has no place for \(value)")
    var text = Numbers.fixed(value, 2)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}
