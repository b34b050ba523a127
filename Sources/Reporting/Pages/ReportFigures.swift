import Experiments
import SimKernel
import Validation

/// The figures that results give, each by its name.
struct ReportFigures {
  /// How much goes into one figure; what is beyond is named beside it.
  struct Limits {
    var panels = 12
    var series = 16
    var points = 1200
    var bars = 240
    var rows = 40
  }
  /// What a figure shows, before it is drawn.
  struct Plot {
    var name: String
    var summary: String
    fileprivate var build: (ReportFigures) -> Figure?
  }

  let data: ReportData
  let axes: ReportAxes
  var limits = Limits()

  /// What can be asked for, in the order of the page; some give nothing for some results.
  static func plots(y: String?) -> [Plot] {
    var plots = [
      Plot(name: "iteration-time", summary: "the time of an iteration over the swept axis") {
        $0.measured("iteration-time", "iteration_time_s")
      },
      Plot(name: "throughput", summary: "samples a second over the swept axis") {
        $0.measured("throughput", "samples_per_s")
      },
      Plot(name: "scaling", summary: "scaling efficiency over the swept axis") {
        $0.measured("scaling", "scaling_efficiency")
      },
      Plot(name: "speedup", summary: "the speed-up over plain fp32") {
        $0.measured("speedup", "speedup_over_fp32", reference: 1)
      },
      Plot(name: "parts", summary: "where the time of an iteration goes") { $0.parts() },
      Plot(name: "error-ratio", summary: "compression ratio against gradient error") {
        $0.errorAgainstRatio()
      },
      Plot(name: "crossovers", summary: "where the fastest variant changes") { $0.crossovers() },
      Plot(name: "busiest-link", summary: "how busy the busiest link is") { $0.busiestLink() },
      Plot(name: "links", summary: "how much of each link is used, from run --links") {
        $0.links()
      },
    ]
    if let y {
      plots.insert(
        Plot(name: y, summary: "as --y asks for") { $0.measured(y, y) }, at: 0)
    }
    return plots
  }

  /// The figure of `plot`; nil if the results have nothing for it.
  func figure(_ plot: Plot) -> Figure? { plot.build(self) }

  // MARK: - Points in their places

  /// A point with its panel and series.
  struct Place {
    var point: PointSummary
    var x: Double
    var series: Int
  }
  /// The points that have a place, panel by panel.
  struct Places {
    var panels: [(name: String, places: [Place])] = []
    var omissions: [String] = []
  }

  func places() -> Places {
    var result = Places()
    var panelIndex: [String: Int] = [:]
    let seriesIndex = Dictionary(
      uniqueKeysWithValues: axes.seriesNames.enumerated().map { ($1, $0) })
    let kept = keptSeries()
    var leftPanels = 0
    var placeless = 0
    for (index, point) in data.points.enumerated() {
      let x = axes.numbers?.values[index] ?? 0
      if !x.isFinite { placeless += 1 }
      guard x.isFinite, let series = seriesIndex[axes.seriesName(point)], kept.contains(series)
      else { continue }
      let name = axes.panelName(point)
      if panelIndex[name] == nil {
        panelIndex[name] = panelIndex.count
        if panelIndex.count > limits.panels {
          leftPanels += 1
        } else {
          result.panels.append((name, []))
        }
      }
      guard let panel = panelIndex[name], panel < limits.panels else { continue }
      result.panels[panel].places.append(Place(point: point, x: x, series: series))
    }
    if kept.count < axes.seriesNames.count {
      result.omissions.append(
        "\(axes.seriesNames.count - kept.count) of \(axes.seriesNames.count) series are left out, "
          + "those that are fastest nowhere first; --series names another column, and the table "
          + "has all points.")
    }
    if placeless > 0 {
      result.omissions.append(
        "\(placeless) of \(data.points.count) points have no place on this axis; the table has them."
      )
    }
    if leftPanels > 0 {
      result.omissions.append(
        "\(leftPanels) of \(panelIndex.count) panels are left out, the last ones; choose other "
          + "axes with --x and --series, or see the table.")
    }
    thin(&result)
    return result
  }

  /// The series that are drawn: those that win somewhere first, then in the order met.
  private func keptSeries() -> Set<Int> {
    let count = axes.seriesNames.count
    if count <= limits.series { return Set(0..<count) }
    var best: [[String]: PointSummary] = [:]
    let circumstances = axes.columns.filter { !axes.series.contains($0) }
    for point in data.points {
      let key = circumstances.map { data.label($0, point) }
      if let known = best[key], known.time <= point.time { continue }
      best[key] = point
    }
    var wins: [String: Int] = [:]
    for winner in best.values { wins[axes.seriesName(winner), default: 0] += 1 }
    let order = (0..<count).sorted { a, b in
      let (own, other) = (wins[axes.seriesNames[a]] ?? 0, wins[axes.seriesNames[b]] ?? 0)
      return own != other ? own > other : a < b
    }
    return Set(order.prefix(limits.series))
  }

  /// Leaves every n-th point where there are too many to be told apart.
  private func thin(_ places: inout Places) {
    let count = places.panels.reduce(0) { $0 + $1.places.count }
    if count <= limits.points { return }
    let stride = (count + limits.points - 1) / limits.points
    for panel in places.panels.indices {
      let all = places.panels[panel].places
      places.panels[panel].places = all.indices.filter { $0 % stride == 0 }.map { all[$0] }
    }
    places.omissions.append(
      "Every \(Self.ordinal(stride)) of \(count) points is drawn; the results have all of them.")
  }
  static func ordinal(_ number: Int) -> String {
    switch number {
    case 2: "second"
    case 3: "third"
    default: "\(number)th"
    }
  }

  // MARK: - One column over the axis

  /// `column` over the horizontal axis; as bars where nothing numeric is swept.
  private func measured(_ name: String, _ column: String, reference: Double? = nil) -> Figure? {
    let values = data.points.compactMap { ReportData.value(column, $0) }
    guard !values.isEmpty else { return nil }
    // Where all are their own baseline there is nothing to see.
    if let reference, values.allSatisfy({ ($0 - reference).magnitude < 1e-6 }) { return nil }
    let unit = ChartText.unit(of: column)
    let title = ChartText.title(of: column)
    let doc = ResultColumns.column(column).map { " (\($0.doc))" } ?? ""
    let intervals =
      data.points.contains { $0.replicates > 1 }
      ? "; means over replicates with 95 % intervals where they are wide enough to be seen" : ""
    let heading = title.prefix(1).uppercased() + title.dropFirst()
    guard axes.x != nil, let numbers = axes.numbers, numbers.distinct > 1 else {
      // A single point has nothing to be compared with.
      if data.points.count == 1, name != "iteration-time" { return nil }
      let chart = bars(
        title, unit: unit, parts: [title], reference: reference,
        interval: { point in Self.interval(column, point) },
        values: { point in ReportData.value(column, point).map { [max(0, $0)] } })
      if values.contains(where: { $0 < 0 }) { return nil }
      return Figure(
        name, title: String(heading), caption: "\(column)\(doc)\(intervals).",
        omissions: chart.omissions, content: .bars(chart.chart))
    }
    let places = places()
    let low = values.filter { $0 > 0 }.min() ?? 0
    let isLogarithmic =
      values.allSatisfy { $0 > 0 } && (values.max() ?? 0) / low > 25 && unit != .share
    let chart = XYChart(
      x: axes.axis(),
      y: ChartAxis(
        title, unit: unit, isLogarithmic: isLogarithmic,
        includesZero: !axes.isMeasured && values.allSatisfy { $0 >= 0 }),
      panels: places.panels.map { panel in
        XYChart.Panel(
          panel.name,
          series: curves(panel.places) {
            ReportData.value(column, $0)
          } interval: {
            Self.interval(column, $0)
          })
      }.filter { !$0.series.isEmpty }, isJoined: !axes.isScattered, reference: reference)
    guard !chart.panels.isEmpty else { return nil }
    return Figure(
      name, title: "\(heading) by \(chart.x.title)", caption: "\(column)\(doc)\(intervals).",
      omissions: places.omissions, content: .curves(chart))
  }

  private static func interval(_ column: String, _ point: PointSummary) -> ClosedRange<Double>? {
    guard let mean = ReportData.value(column, point), let half = point.halfWidth(column),
      half.isFinite, half > 0
    else { return nil }
    return mean - half...mean + half
  }

  /// The places of a panel as series, each in the order of the axis.
  private func curves(
    _ places: [Place], _ value: (PointSummary) -> Double?,
    interval: (PointSummary) -> ClosedRange<Double>?
  ) -> [XYChart.Series] {
    var series: [XYChart.Series] = []
    for index in axes.seriesNames.indices {
      var points: [XYChart.Point] = []
      for place in places where place.series == index {
        guard let y = value(place.point) else { continue }
        points.append(
          XYChart.Point(
            x: place.x, y: y, interval: interval(place.point), note: note(place.point)))
      }
      if points.isEmpty { continue }
      points.sort { $0.x < $1.x }
      series.append(XYChart.Series(axes.seriesNames[index], style: index, points: points))
    }
    return series
  }

  /// A point in one line.
  func note(_ point: PointSummary) -> String {
    let name = axes.fullName(point)
    let half = point.timeInterval.map { " \u{00B1} \(Numbers.seconds($0))" } ?? ""
    return (name.isEmpty ? "" : name + ": ") + Numbers.seconds(point.time) + half + ", "
      + point.errorNote
  }

  // MARK: - Bars

  /// A bar for every point: what is compared within a panel, the circumstances over it.
  private func bars(
    _ title: String, unit: ChartUnit, parts: [String], reference: Double? = nil,
    interval: (PointSummary) -> ClosedRange<Double>?, values: (PointSummary) -> [Double]?
  ) -> (chart: BarChart, omissions: [String]) {
    var inside = axes.variants
    if inside.isEmpty { inside = axes.x.map { axes.isMeasured ? [] : [$0] } ?? axes.series }
    let outside = axes.columns.filter { !inside.contains($0) }
    var chart = BarChart(title, unit: unit, parts: parts, panels: [], reference: reference)
    var index: [String: Int] = [:]
    for point in data.points {
      guard let lengths = values(point) else { continue }
      let name = axes.name(outside, point)
      if index[name] == nil {
        index[name] = chart.panels.count
        chart.panels.append(BarChart.Panel(name, bars: []))
      }
      chart.panels[index[name]!].bars.append(
        BarChart.Bar(
          axes.name(inside, point), values: lengths, interval: interval(point), note: note(point)))
    }
    // Panels go as a whole: half of one would name the wrong winner. One alone may have to be cut.
    var kept = 0
    var bars = 0
    for panel in chart.panels {
      if kept > 0, bars + panel.bars.count > limits.bars { break }
      kept += 1
      bars += panel.bars.count
    }
    let all = chart.panels.reduce(0) { $0 + $1.bars.count }
    chart.panels.removeSubrange(kept...)
    if bars > limits.bars {
      chart.panels[0].bars.removeSubrange(limits.bars...)
      bars = limits.bars
    }
    let left = all - bars
    var omissions: [String] = []
    if left > 0 {
      omissions.append(
        "\(left) of \(all) points are left out, the last ones; the table has them.")
    }
    let isCut = chart.panels.contains { panel in
      let limit = chart.limit(of: panel.bars)
      return panel.bars.contains { $0.sum > limit * (1 + 1e-9) }
    }
    if isCut {
      omissions.append(
        "Bars with two strokes go on beyond the axis: the number beside them is their length.")
    }
    return (chart, omissions)
  }

  private static let partColumns = [
    ("compute_time_s", "compute"), ("optimizer_time_s", "optimizer"),
    ("exposed_encode_s", "encode"), ("exposed_communication_s", "exposed communication"),
    ("exposed_decode_s", "decode"), ("straggler_wait_s", "wait for stragglers"),
  ]

  private func parts() -> Figure? {
    let columns = Self.partColumns
    guard
      data.points.contains(where: { point in
        columns.contains { ReportData.value($0.0, point) != nil }
      })
    else { return nil }
    let (chart, omissions) = bars(
      "time of an iteration", unit: .seconds, parts: columns.map(\.1), interval: { _ in nil },
      values: { point in
        let values = columns.map { ReportData.value($0.0, point) }
        if values.allSatisfy({ $0 == nil }) { return nil }
        return values.map { max(0, $0 ?? 0) }
      })
    return Figure(
      "parts", title: "Where the time of an iteration goes",
      caption: "Every instant is charged once: to compute while forward or backward runs, else to "
        + "what the critical path was doing; the parts add up to iteration_time_s. Each panel has "
        + "its own scale.", omissions: omissions, content: .bars(chart))
  }
}
