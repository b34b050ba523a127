import Experiments
import SimKernel

/// A report as one HTML page that needs nothing else.
struct ReportPage {
  /// What a page may weigh: mail and issue trackers take a megabyte.
  static let limit = 1_000_000

  let answers: ReportAnswers
  let title: String
  let y: String?
  let scenario: ReportScenario?

  var html: String {
    // Only very large results need a second try with smaller figures.
    var head = ""
    for limit in [80_000, 40_000, 20_000] {
      head = self.head(figures(limit: limit)) + rest
      if head.utf8.count <= Self.limit - 100_000 { break }
    }
    // What is left goes to the table of all points.
    let room = Self.limit - 20_000 - head.utf8.count - Self.end.utf8.count
    return head + points(room: max(60_000, room)) + Self.end
  }

  // MARK: - Figures

  private struct Drawn {
    var figure: Figure
    var svg: String
  }

  /// Every figure that the results give; one of more than `limit` bytes loses the values behind its
  /// marks, then marks.
  private func figures(limit: Int) -> [Drawn] {
    ReportFigures.plots(y: y).compactMap { plot in
      var result: Drawn?
      for (place, limits) in [
        ReportFigures.Limits(),
        ReportFigures.Limits(panels: 6, series: 12, points: 400, bars: 120, rows: 24),
        ReportFigures.Limits(panels: 3, series: 8, points: 200, bars: 48, rows: 16),
      ].enumerated() {
        var builder = answers.figures
        builder.limits = limits
        guard let figure = builder.figure(plot) else { return nil }
        var style = ChartStyle.page(prefix: plot.name + "-")
        var svg = figure.svg(style)
        if svg.utf8.count > limit {
          style.hasValues = false
          svg = figure.svg(style)
        }
        result = Drawn(figure: figure, svg: svg)
        if svg.utf8.count <= limit || place == 2 { break }
      }
      return result
    }
  }

  // MARK: - Before the table

  private func head(_ figures: [Drawn]) -> String {
    var page = SVGWriter()
    page.append(markup: "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
    page.append(
      markup: "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n")
    page.append(markup: "<meta name=\"generator\" content=\"simnet\"/>\n")
    page.element("title", [:], text: title)
    page.append(markup: "\n<style>\n\(PageStyle.css)\n</style>\n</head>\n<body>\n<header>\n")
    page.element("h1", [:], text: title)
    page.element("p", ["class": "faint"], text: origin)
    page.append(markup: "</header>\n")
    contents(figures, &page)
    page.append(markup: "<main>\n<section id=\"answer\" aria-labelledby=\"answer-title\">\n")
    page.element("h2", ["id": "answer-title"], text: "The answer")
    page.element("p", ["class": "lead"], text: answers.lead)
    answer(&page)
    page.append(markup: "</section>\n")
    for drawn in figures {
      let figure = drawn.figure
      page.append(markup: "<section id=\"\(SVGWriter.escaped(figure.name))\">\n")
      page.element("h2", [:], text: figure.title)
      page.append(markup: "<figure>\n" + drawn.svg)
      page.element(
        "figcaption", [:], text: ([figure.caption] + figure.omissions).joined(separator: " "))
      page.append(markup: "\n</figure>\n")
      if figure.name == "crossovers", var table = answers.crossings {
        let all = table.count
        table.keepFirst(100)
        table.html(
          caption: "Pairs that change places between neighbouring values"
            + (all > 100 ? " (the first 100 of \(all); --format md has all)" : ""), into: &page)
      }
      page.append(markup: "</section>\n")
    }
    explore(&page)
    return page.finished()
  }

  /// Where the numbers come from, in a line.
  private var origin: String {
    let names = answers.data.files.map { path in
      path.split(separator: "/").last.map(String.init) ?? path
    }
    let rows = answers.data.table.rows.count
    let points = answers.data.points.count
    return names.joined(separator: ", ")
      + ": \(points) \(points == 1 ? "point" : "points"), \(rows) \(rows == 1 ? "run" : "runs")"
  }

  private func contents(_ figures: [Drawn], _ page: inout SVGWriter) {
    page.append(markup: "<nav aria-label=\"Contents\">\n")
    var entries = [("answer", "The answer")] + figures.map { ($0.figure.name, $0.figure.title) }
    entries += [("sources", "What the numbers rest on")]
    if scenario != nil { entries.append(("scenario", "The scenario")) }
    entries.append(("table", "All points"))
    for (name, title) in entries {
      page.element("a", ["href": "#" + name], text: title)
      page.breakLine()
    }
    page.append(markup: "</nav>\n")
  }

  private func answer(_ page: inout SVGWriter) {
    let sentences = answers.sentences
    let limit = 60
    if sentences.count > 1 {
      // A long list opens on demand; the table below says the same in short.
      let isLong = sentences.count > 12
      if isLong {
        page.append(markup: "<details>")
        page.element(
          "summary", [:],
          text: sentences.count > limit
            ? "In words (the first \(limit) of \(sentences.count))" : "In words")
      }
      page.begin("ul", ["class": "answers"])
      for sentence in sentences.prefix(limit) {
        page.begin("li")
        page.element("strong", [:], text: sentence.context)
        page.append(markup: SVGWriter.escaped(": " + sentence.text))
        page.end()
        page.breakLine()
      }
      page.end()
      if isLong { page.append(markup: "</details>\n") }
    }
    var winners = answers.winners
    if winners.count > 0 {
      let all = winners.count
      winners.keepFirst(200)
      winners.html(
        caption: "Who wins where"
          + (all > 200 ? " (the first 200 of \(all); --format md has all)" : ""), into: &page)
    }
    if var payoffs = answers.payoffs {
      let all = payoffs.count
      payoffs.keepFirst(200)
      payoffs.html(
        caption: SweepReport.Payoffs.title
          + (all > 200 ? " (the first 200 of \(all); --format md has all)" : ""), into: &page)
    }
    for note in answers.notes {
      page.element("p", ["class": "faint"], text: note)
      page.breakLine()
    }
  }

  private func explore(_ page: inout SVGWriter) {
    let columns = answers.axes.columns
    page.begin(
      "section",
      [
        "id": "explore", "hidden": "hidden",
        "data-x": answers.axes.x ?? "compression_ratio", "data-y": y ?? "iteration_time_s",
        "data-series": answers.axes.series.first ?? columns.first ?? "",
      ])
    page.element("h2", [:], text: "Any two columns")
    page.begin("div", ["class": "controls"])
    for (name, title) in [("x", "across"), ("y", "up"), ("series", "colour")] {
      page.begin("label")
      page.append(markup: title + " ")
      page.element("select", ["id": "pick-" + name], text: "")
      page.end()
    }
    for (name, title) in [("x", "logarithm across"), ("y", "logarithm up")] {
      page.begin("label")
      page.element("input", ["type": "checkbox", "id": "log-" + name])
      page.append(markup: " " + title)
      page.end()
    }
    page.end()
    page.append(
      markup: "<figure><svg id=\"drawn\" class=\"figure\"/>"
        + "<figcaption>In base units (seconds, bytes, bits a second); the filter of the table below "
        + "applies here too.</figcaption></figure>\n")
    page.end()
    page.breakLine()
  }

  // MARK: - After the figures

  private func points(room: Int) -> String {
    var page = SVGWriter()
    page.append(markup: "<section id=\"table\">\n")
    page.element("h2", [:], text: "All points")
    page.append(
      markup: "<div class=\"controls\" hidden=\"hidden\"><label>Filter <input id=\"filter\" "
        + "type=\"search\" placeholder=\"words that a row holds\"/></label> "
        + "<span id=\"shown\" class=\"faint\" role=\"status\"></span></div>\n")
    let all = answers.data.points.count
    func table(_ count: Int) -> String {
      var own = SVGWriter()
      answers.points(limit: count).html(
        identifier: "points",
        caption: "One row a point, means over replicates"
          + (count < all
            ? "; the first \(count) of \(all): the others are in the result files, and in "
              + "--format md" : "; the titles of columns say what stands in them"),
        into: &own)
      return own.finished()
    }
    var text = table(all)
    if text.utf8.count > room {
      // Rows are of much the same length.
      var count = max(1, all * room / text.utf8.count)
      text = table(count)
      while text.utf8.count > room, count > 1 {
        count = count * 9 / 10
        text = table(count)
      }
    }
    page.append(markup: text)
    page.append(markup: "</section>\n")
    return page.finished()
  }

  private var rest: String {
    var page = SVGWriter()
    page.append(markup: "<section id=\"sources\">\n")
    page.element("h2", [:], text: "What the numbers rest on")
    answers.sources.html(
      caption: "In full in the *_source columns of the results", into: &page)
    page.append(markup: "</section>\n")
    if let scenario {
      page.append(markup: "<section id=\"scenario\">\n")
      page.element("h2", [:], text: "The scenario")
      let limit = 60_000
      page.element(
        "p", ["class": "faint"],
        text: scenario.name
          + (scenario.text.utf8.count > limit ? ": the first \(limit / 1000) kB of it" : ""))
      page.begin("pre")
      // Line ends are kept, unlike in attributes.
      let lines =
        scenario.text.utf8.count > limit
        ? String(decoding: Array(scenario.text.utf8.prefix(limit)), as: UTF8.self) : scenario.text
      page.append(
        markup: lines.split(separator: "\n", omittingEmptySubsequences: false)
          .map { SVGWriter.escaped(String($0)) }.joined(separator: "\n"))
      page.end()
      page.append(markup: "\n</section>\n")
    }
    return page.finished()
  }

  private static let end =
    "</main>\n<script>\n//<![CDATA[\n\(PageScript.text)\n//]]>\n</script>\n</body>\n</html>\n"
}

/// The scenario behind results, to be shown.
public struct ReportScenario: Sendable {
  /// Where it was read.
  public var name: String
  /// As it stands there.
  public var text: String

  public init(name: String, text: String) {
    self.name = name
    self.text = text
  }
}
