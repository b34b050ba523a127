import Experiments
import SimKernel

/// Results as people would rather look at than read: a page, a figure, or Markdown.
///
/// ```swift
/// let report = try Report([ResultsFile(text, path: "quickstart.csv")])
/// report.html                                    // one page that needs nothing else
/// try report.figure("parts").svg(.paper())       // one figure for a column of a paper
/// ```
/// The same files and choices give the same bytes: nothing is said of the date or the host.
public struct Report {
  /// What is chosen by hand.
  public struct Choice: Sendable {
    /// The horizontal axis: a swept column, or a measured one for a cloud of points.
    public var x: String?
    /// What colours tell apart.
    public var series: String?
    /// A column that gets a figure of its own.
    public var y: String?
    /// In place of the scenarios' titles.
    public var title: String?
    public var scenario: ReportScenario?

    public init(
      x: String? = nil, series: String? = nil, y: String? = nil, title: String? = nil,
      scenario: ReportScenario? = nil
    ) {
      self.x = x
      self.series = series
      self.y = y
      self.title = title
      self.scenario = scenario
    }
  }

  private let answers: ReportAnswers
  private let choice: Choice
  /// The title of the page.
  public let title: String

  /// A report on `files`, taken together.
  ///
  /// - Throws: `InputError` for files that hold no results; `InvalidInput` for columns that are not
  ///   theirs.
  public init(_ files: [ResultsFile], _ choice: Choice = Choice()) throws {
    let data = try ReportData(files)
    if let y = choice.y {
      let columns = (ResultColumns.measurements + ResultColumns.comparisons).filter { column in
        data.points.contains { ReportData.value(column, $0) != nil }
      }
      if !columns.contains(y) {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--y"]),
            problem: .unknownName(
              noun: "column with numbers", found: y,
              suggestion: Spelling.suggestion(for: y, among: columns), known: columns))
        ])
      }
    }
    let axes = try ReportAxes(data, x: choice.x, series: choice.series)
    answers = ReportAnswers(ReportFigures(data: data, axes: axes))
    self.choice = choice
    let titles = data.titles.prefix(3).joined(separator: "; ")
    title =
      choice.title
      ?? (titles.isEmpty
        ? "simnet report" : titles + (data.titles.count > 3 ? "; and more" : ""))
  }

  /// The figures that these results give: names to ask for, and what each shows.
  public var plots: [(name: String, summary: String)] {
    ReportFigures.plots(y: choice.y).filter { answers.figures.figure($0) != nil }
      .map { ($0.name, $0.summary) }
  }

  /// The figure called `name`.
  ///
  /// - Throws: `InvalidInput` if there is none, or if the results have nothing for it.
  public func figure(_ name: String) throws(InvalidInput) -> Figure {
    let all = ReportFigures.plots(y: choice.y)
    if let plot = all.first(where: { $0.name == name }) {
      if let figure = answers.figures.figure(plot) { return figure }
      throw InvalidInput([
        Issue(
          path: FieldPath(["--plot"]),
          problem: .invalid(
            found: "these results have nothing for \(name)",
            expected: "they have \(plots.map(\.name).joined(separator: ", "))"))
      ])
    }
    throw InvalidInput([
      Issue(
        path: FieldPath(["--plot"]),
        problem: .unknownName(
          noun: "plot", found: name,
          suggestion: Spelling.suggestion(for: name, among: all.map(\.name)),
          known: plots.map(\.name)))
    ])
  }

  /// One page with everything, of less than a megabyte.
  public var html: String {
    ReportPage(answers: answers, title: title, y: choice.y, scenario: choice.scenario).html
  }

  /// The answer and the tables.
  public var markdown: String { answers.markdown(title: title) }
}
