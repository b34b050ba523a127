import Experiments
import SimKernel

/// Where two series of a panel change places between neighbouring values of the axis.
struct SeriesCrossing {
  var panel: String
  /// The faster one below and above.
  var below: Int
  var above: Int
  /// Interpolated; straight lines between the points as they are drawn.
  var x: Double
  /// The swept values around it.
  var between: ClosedRange<Double>
}

extension ReportFigures {
  /// Curves of the iteration time with lines where the fastest variant changes.
  func crossovers() -> Figure? {
    guard axes.x != nil, !axes.isScattered, axes.seriesNames.count > 1 else { return nil }
    let places = places()
    let axis = axes.axis()
    var panels: [XYChart.Panel] = []
    var count = 0
    for panel in places.panels {
      let lines = lines(panel.places)
      if lines.filter({ $0.points.count > 1 }).count < 2 { continue }
      let envelope = Self.envelope(lines, isLogarithmic: axis.isLogarithmic)
      count += envelope.crossings.count
      panels.append(
        XYChart.Panel(
          panel.name,
          series: lines.map { line in
            XYChart.Series(
              axes.seriesNames[line.series], style: line.series,
              points: line.points.map {
                XYChart.Point(x: $0.x, y: $0.point.time, note: note($0.point))
              })
          },
          crossings: envelope.crossings.map {
            XYChart.Crossing(x: $0, label: crossingText($0))
          }, bands: envelope.bands))
    }
    guard !panels.isEmpty, count > 0 else { return nil }
    let times = panels.flatMap { $0.series.flatMap { $0.points.map(\.y) } }
    let isLogarithmic = times.allSatisfy { $0 > 0 } && (times.max() ?? 1) / (times.min() ?? 1) > 6
    return Figure(
      "crossovers", title: "Where the fastest variant changes",
      caption:
        "The strip over each panel has the colour of the fastest variant; dashed lines stand "
        + "where it changes, interpolated along the lines between the swept values. simnet "
        + "crossover finds the place by simulation, with an interval.",
      omissions: places.omissions,
      content: .curves(
        XYChart(
          x: axis,
          y: ChartAxis(
            "iteration time", unit: .seconds, isLogarithmic: isLogarithmic, includesZero: true),
          panels: panels)))
  }

  /// `x` of the axis in the unit it is marked in.
  func crossingText(_ x: Double) -> String {
    guard let numbers = axes.numbers else { return "" }
    if case .named(let unit) = numbers.unit {
      return Numbers.significant(x * axes.axis().shownPerUnit, 3) + " " + unit
    }
    return numbers.unit.text(x, digits: 3)
  }

  /// All pairs that change places, for the table.
  func pairCrossings() -> [SeriesCrossing] {
    guard axes.x != nil, !axes.isScattered else { return [] }
    let isLogarithmic = axes.axis().isLogarithmic
    var result: [SeriesCrossing] = []
    for panel in places().panels {
      let lines = lines(panel.places)
      for (place, a) in lines.enumerated() {
        for b in lines[(place + 1)...] {
          for (from, to) in zip(a.points, a.points.dropFirst()) {
            guard let otherFrom = b.points.first(where: { $0.x == from.x }),
              let otherTo = b.points.first(where: { $0.x == to.x })
            else { continue }
            let (first, last) = (
              from.point.compare(with: otherFrom.point), to.point.compare(with: otherTo.point)
            )
            guard first != .tie, last != .tie, first != last else { continue }
            let (p, q) = (
              Self.height(from.point.time) - Self.height(otherFrom.point.time),
              Self.height(to.point.time) - Self.height(otherTo.point.time)
            )
            guard p != q else { continue }
            let x = Self.between(from.x, to.x, p / (p - q), isLogarithmic)
            result.append(
              SeriesCrossing(
                panel: panel.name, below: first == .faster ? a.series : b.series,
                above: first == .faster ? b.series : a.series, x: x, between: from.x...to.x))
          }
        }
      }
    }
    return result
  }

  // MARK: - Lines

  private struct Line {
    var series: Int
    var points: [(x: Double, point: PointSummary)]
  }

  private func lines(_ places: [Place]) -> [Line] {
    axes.seriesNames.indices.compactMap { index in
      let members = places.filter { $0.series == index }.map { (x: $0.x, point: $0.point) }
        .sorted { $0.x < $1.x }
      return members.isEmpty ? nil : Line(series: index, points: members)
    }
  }

  /// Times are interpolated by their logarithms: a curve 1 + 1/x is nearly straight in these.
  private static func height(_ time: Double) -> Double {
    time > 0 ? DeterministicMath.log(time) : -700
  }
  private static func between(
    _ from: Double, _ to: Double, _ share: Double, _ isLogarithmic: Bool
  ) -> Double {
    isLogarithmic
      ? from * DeterministicMath.pow(to / from, share) : from + (to - from) * share
  }

  /// The fastest line at every place, and where that changes; ties go on with the line before.
  private static func envelope(
    _ lines: [Line], isLogarithmic: Bool
  ) -> (bands: [XYChart.Band], crossings: [Double]) {
    var xs: [Double] = []
    for line in lines {
      for entry in line.points where !xs.contains(entry.x) { xs.append(entry.x) }
    }
    xs.sort()
    func point(_ line: Line, _ x: Double) -> PointSummary? {
      line.points.first { $0.x == x }?.point
    }
    /// The fastest at `x`, or `current` if it ties with that.
    func winner(_ x: Double, keeping current: Int?) -> Int? {
      let there = lines.indices.compactMap { index in
        point(lines[index], x).map { (index, $0) }
      }
      guard let best = there.min(by: { $0.1.time < $1.1.time }) else { return nil }
      if let current, let own = there.first(where: { $0.0 == current }),
        own.1.compare(with: best.1) == .tie
      {
        return current
      }
      return best.0
    }
    var bands: [XYChart.Band] = []
    var crossings: [Double] = []
    guard let start = xs.first, var current = winner(start, keeping: nil) else { return ([], []) }
    var from = start
    for (a, b) in zip(xs, xs.dropFirst()) {
      guard let next = winner(b, keeping: current), next != current else { continue }
      guard let p0 = point(lines[current], a), let p1 = point(lines[current], b),
        let q0 = point(lines[next], a), let q1 = point(lines[next], b)
      else {
        // One of them was not run there: the change is somewhere before.
        bands.append(.init(from...b, style: lines[current].series))
        (from, current) = (b, next)
        continue
      }
      let (p, q) = (height(p0.time) - height(q0.time), height(p1.time) - height(q1.time))
      let share = p < q ? min(max(p / (p - q), 0), 1) : 0
      let x = between(a, b, share, isLogarithmic)
      bands.append(.init(from...max(from, x), style: lines[current].series))
      crossings.append(x)
      (from, current) = (max(from, x), next)
    }
    if let end = xs.last, end > from {
      bands.append(.init(from...end, style: lines[current].series))
    }
    return (bands, crossings)
  }
}
