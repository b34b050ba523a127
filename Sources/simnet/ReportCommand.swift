import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show results as a page, a figure for a paper, or Markdown.",
    discussion: """
      The page needs nothing else: no network, no JavaScript (a little adds values on hovering, \
      sorting, filtering and choosing axes); it is light or dark as the reader's system is, and \
      prints on A4. Several files are shown side by side; one that run --links wrote adds a map of \
      the links. Figures are SVG of paper size, with colours that colour-blind people tell apart.

      Example: simnet report Results/quickstart.csv -o report.html
      Example: simnet report Results/quickstart.csv --plot list
      Example: simnet report Results/quickstart.csv --format svg --plot crossovers --width '170 mm' \
      -o figure.svg
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case html, svg, md, csv
    case vegaLite = "vega-lite"
  }

  @Argument(
    help: "Results of run -o, sweep or run --links.", completion: .file(extensions: ["csv"]))
  var files: [String]

  @Option(
    name: .shortAndLong, help: "Write here; - or nothing is standard output.", completion: .file())
  var output: String?

  @Option(
    help: """
      html, svg (one figure), vega-lite (one figure as a Vega-Lite 5 specification with its values), \
      csv (the numbers of one figure, a column a curve, for pgfplots and gnuplot) or md (default: \
      what -o ends in, else html).
      """)
  var format: Format?

  @Option(
    help: "The figure for svg, vega-lite and csv; list prints the names that these results have.")
  var plot: String?

  @Option(help: "The width of an SVG figure: a column of a paper has 85 mm, a page 170 mm.")
  var width = "85 mm"

  @Option(
    help: "A scenario to show in the page (default: that in the .meta.json beside the results).",
    completion: .file(extensions: ["json"]))
  var scenario: String?

  @Option(help: "The title (default: that of the scenario).")
  var title: String?

  @Option(help: "The horizontal axis: a swept column, or a measured one.")
  var x: String?

  @Option(help: "The column that colours tell apart (default: how gradients are communicated).")
  var series: String?

  @Option(help: "A measured column that gets a figure of its own, named by it.")
  var y: String?

  /// ``width`` in millimetres.
  private var millimetres: Double? {
    let units = [("mm", 1.0), ("cm", 10.0), ("in", 25.4), ("pt", 25.4 / 72)]
    guard let (unit, factor) = units.first(where: { width.hasSuffix($0.0) }),
      let number = Double(
        width.dropLast(unit.count).trimmingCharacters(in: .whitespaces))
    else { return nil }
    let value = number * factor
    return value >= 40 && value <= 600 ? value : nil
  }

  /// The format asked for, or the one that the output's name says.
  private var chosen: Format {
    if let format { return format }
    let name = output?.lowercased() ?? ""
    if name.hasSuffix(".svg") { return .svg }
    if name.hasSuffix(".md") { return .md }
    if name.hasSuffix(".json") { return .vegaLite }
    if name.hasSuffix(".csv") { return .csv }
    // A figure alone is asked for to be put somewhere.
    return plot != nil && output == nil ? .svg : .html
  }

  func validate() throws {
    if files.isEmpty { throw ValidationError("give at least one CSV of results") }
    if millimetres == nil {
      throw ValidationError(
        "--width lies between 40 mm and 600 mm and has a unit, such as \"85 mm\" or \"3.5 in\", "
          + "found \"\(width)\"")
    }
    let inputs = files + (scenario.map { [$0] } ?? [])
    if let output, output != "-", inputs.contains(where: { FileIdentity.isSame($0, output) }) {
      throw ValidationError("-o names an input, \(output); name another file")
    }
    if plot == "list" { return }
    switch chosen {
    case .svg, .vegaLite, .csv:
      if plot == nil, y == nil {
        throw ValidationError(
          "--format \(chosen.rawValue) writes one figure: name it with --plot; --plot list prints "
            + "the names")
      }
    case .html, .md:
      if plot != nil {
        throw ValidationError(
          "--plot belongs to --format svg, vega-lite and csv; a page has all figures")
      }
    }
  }

  func run() throws {
    try checkOutput()
    let results = try files.map { try ResultsFile.read($0) }
    let report = try Report(
      results,
      Report.Choice(x: x, series: series, y: y, title: title, scenario: try readScenario()))
    if plot == "list" {
      var table = TextTable([(title: "plot", alignment: .left), (title: "shows", alignment: .left)])
      for plot in report.plots { table.add([plot.name, plot.summary]) }
      Terminal.print(table.text(width: Terminal.width()))
      return
    }
    let text: String
    switch chosen {
    case .html: text = report.html
    case .md: text = report.markdown
    case .svg:
      let drawing = try report.figure(plot ?? y ?? "").svg(.paper(millimetres: millimetres ?? 85))
      text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + drawing
    case .vegaLite: text = try report.figure(plot ?? y ?? "").vegaLite
    case .csv: text = try report.figure(plot ?? y ?? "").csv
    }
    guard let output, output != "-" else {
      Terminal.print(text)
      return
    }
    try AtomicFile.write(text, to: output)
    Terminal.say("wrote \(output)")
  }

  /// Refuses an output that would take the place of what is no file.
  private func checkOutput() throws {
    guard let output, output != "-" else { return }
    var status = stat()
    if stat(output, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw InputError(
        path: output, reason: "is not a regular file", advice: "name another with -o")
    }
  }

  /// The scenario given, or the one that is kept beside the first results that have one.
  private func readScenario() throws -> ReportScenario? {
    if let scenario {
      let file = try ScenarioFile.read(scenario)
      let name = scenario.split(separator: "/").last.map(String.init) ?? scenario
      return ReportScenario(name: name, text: file.root.prettyText + "\n")
    }
    for path in files {
      let meta = path + ".meta.json"
      guard FileManager.default.fileExists(atPath: meta),
        let text = try? String(contentsOfFile: meta, encoding: .utf8),
        let node = try? JSONNode.parse(text, origin: meta), let scenario = node["scenario"]
      else { continue }
      let name = node["scenario_file"]?.string.map {
        $0.split(separator: "/").last.map(String.init) ?? $0
      }
      return ReportScenario(name: name ?? meta, text: scenario.prettyText + "\n")
    }
    return nil
  }
}
