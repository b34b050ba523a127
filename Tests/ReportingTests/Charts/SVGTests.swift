import Reporting
import Testing

@Suite struct SVGWriterTests {
  @Test func `elements close in order`() throws {
    var svg = SVGWriter()
    svg.begin("g", ["stroke": "#000", "x": 1.5, "n": 3])
    svg.element("line", ["x1": 0.0, "y2": -0.004])
    svg.element("text", [:], text: "a", title: "b")
    svg.end()
    #expect(
      svg.finished()
        == "<g stroke=\"#000\" x=\"1.5\" n=\"3\"><line x1=\"0\" y2=\"0\"/>"
        + "<text><title>b</title>a</text></g>")
  }

  @Test func `names cannot break out`() throws {
    let hostile = "</text><script>alert('1' & \"2\")</script>\u{1}\u{0}\n\u{FFFF}"
    var svg = SVGWriter()
    svg.element("text", ["data-n": hostile], text: hostile, title: hostile)
    let elements = try MarkupCheck.elements(svg.finished())
    #expect(elements.map(\.name) == ["text", "title"])
    #expect(
      elements[0].attributes["data-n"]
        == "</text><script>alert('1' & \"2\")</script>\u{FFFD}\u{FFFD} \u{FFFD}")
  }

  @Test func `coordinates have two digits`() {
    #expect(SVGWriter.number(0) == "0" && SVGWriter.number(-0.001) == "0")
    #expect(SVGWriter.number(12.345) == "12.35" && SVGWriter.number(100) == "100")
    #expect(SVGWriter.number(-7.10) == "-7.1")
  }
}

@Suite struct MarkupCheckTests {
  @Test(arguments: [
    "<a>", "<a></b>", "</a>", "<a x=1/>", "<a x=\"1\" x=\"2\"/>", "<a x=\"<\"/>", "<a>&nbsp;</a>",
    "<a>a & b</a>", "<a", "<a x=\"1/>", "<a>\u{1}</a>",
  ])
  func `damaged markup is noticed`(text: String) {
    #expect(throws: (any Error).self) { try MarkupCheck.elements(text) }
  }
  @Test func `whole markup is read`() throws {
    let text = "<?xml version=\"1.0\"?>\n<a x=\"&lt;1\"><b/><![CDATA[ <c> & ]]>d &amp; e</a>"
    let elements = try MarkupCheck.elements(text)
    #expect(elements.map(\.name) == ["a", "b"] && elements[0].attributes == ["x": "<1"])
  }
}

@Suite struct TextMetricsTests {
  @Test func `widths are Helvetica's`() {
    #expect(TextMetrics.width("", size: 10) == 0)
    #expect(TextMetrics.width("i", size: 10) == 2.22)
    // 667 + 556 + 222
    #expect(TextMetrics.width("Aal", size: 1000) == 667 + 556 + 222)
  }

  @Test(arguments: [
    "", "a", "ab", "top_k 1%", String(repeating: "wide ", count: 30), "\u{1F680}\u{91CF}\u{5B50}",
  ])
  func `what is shortened fits, what fits is whole`(text: String) {
    for width in [0.0, 5, 20, 60, 1e6] {
      let fitted = TextMetrics.fitted(text, width: width, size: 10)
      let natural = TextMetrics.width(text, size: 10)
      if natural <= width {
        #expect(fitted == text)
      } else {
        #expect(TextMetrics.width(fitted, size: 10) <= max(width, 10))
        #expect(fitted.contains("\u{2026}"))
      }
    }
  }
}

@Suite struct PaletteTests {
  @Test func `series are told apart by more than colour`() {
    var seen: [(String, SeriesMark)] = []
    for index in 0..<64 {
      let entry = (Palette.paper(.series(index)), SeriesMark(index))
      #expect(!seen.contains { $0.0 == entry.0 && $0.1 == entry.1 }, "\(index)")
      seen.append(entry)
    }
    #expect(Set(seen.prefix(8).map(\.0)).count == 8)
    #expect(Set(seen.prefix(8).map(\.1.shape)).count == 8)
  }

  @Test func `shares run from light to dark`() {
    #expect(Palette.paper(.share(0)) == "#F7FBFF")
    #expect(Palette.paper(.share(1)) == "#08306B")
    #expect(Palette.paper(.share(-1)) == Palette.paper(.share(0)))
    #expect(Palette.paper(.share(7)) == Palette.paper(.share(1)))
  }
}
