import Experiments
import SimKernel

extension ReportFigures {
  /// What compression gains in bytes against what it loses in the gradient, with the front of points
  /// that no other beats in both.
  func errorAgainstRatio() -> Figure? {
    let (ratio, error) = ("compression_ratio", "gradient_rel_l2")
    struct Known {
      var point: PointSummary
      var x: Double
      var y: Double
    }
    let known = data.points.compactMap { point -> Known? in
      guard let x = ReportData.value(ratio, point), let y = ReportData.value(error, point), x > 0,
        y >= 0
      else { return nil }
      return Known(point: point, x: x, y: y)
    }
    guard Set(known.map(\.x)).count > 1 || Set(known.map(\.y)).count > 1 else { return nil }
    let variants = axes.variants.isEmpty ? axes.series : axes.variants
    // Circumstances that change neither the ratio nor the error tell no panels apart.
    var context = axes.columns.filter { !variants.contains($0) }
    for column in context {
      let rest = context.filter { $0 != column }
      var seen: [String: Known] = [:]
      let isIdle = known.allSatisfy { entry in
        let key = (rest + variants).map { data.label($0, entry.point) }.joined(separator: "\u{1F}")
        guard let other = seen[key] else {
          seen[key] = entry
          return true
        }
        return other.x == entry.x && other.y == entry.y
      }
      if isIdle { context = rest }
    }
    var names: [String] = []
    var panels: [(name: String, members: [Known])] = []
    // Looked up only.
    var nameIndex: [String: Int] = [:]
    var panelIndex: [String: Int] = [:]
    var drawn: Set<String> = []
    for entry in known {
      let name = axes.name(variants, entry.point)
      if nameIndex[name] == nil {
        nameIndex[name] = names.count
        names.append(name)
      }
      let panel = axes.name(context, entry.point)
      let place = panelIndex[panel] ?? panels.endIndex
      if place == panels.endIndex {
        panelIndex[panel] = place
        panels.append((panel, []))
      }
      // What only repeats a mark is drawn once.
      if !drawn.insert("\(place)/\(entry.x)/\(entry.y)/\(name)").inserted { continue }
      panels[place].members.append(entry)
    }
    var omissions: [String] = []
    if panels.count > limits.panels {
      omissions.append(
        "\(panels.count - limits.panels) of \(panels.count) panels are left out, the last ones; "
          + "see the table, or simnet pareto.")
      panels.removeSubrange(limits.panels...)
    }
    if names.count > limits.series {
      omissions.append(
        "\(names.count - limits.series) of \(names.count) variants are left out, the last ones; "
          + "see the table, or simnet pareto.")
    }
    let count = panels.reduce(0) { $0 + $1.members.count }
    let stride = max(1, (count + limits.points - 1) / limits.points)
    if stride > 1 {
      omissions.append(
        "Of \(count) points only the optimal ones and every \(Self.ordinal(stride)) other are drawn; "
          + "the results have all of them.")
    }
    let xs = known.map(\.x)
    let ys = known.map(\.y).filter { $0 > 0 }
    let chart = XYChart(
      x: ChartAxis(
        ChartText.title(of: ratio), unit: .factor, isLogarithmic: Scale.suitsLogarithm(xs)),
      y: ChartAxis(
        ChartText.title(of: error), isLogarithmic: Scale.suitsLogarithm(ys), includesZero: true),
      panels: panels.map { panel in
        let flags = ParetoFront.isOptimal(
          panel.members.map { [$0.x, $0.y] }, [.higherIsBetter, .lowerIsBetter])
        /// Names of all that stand at one place, with the first of them.
        func label(_ place: Int) -> String? {
          guard flags[place] else { return nil }
          let entry = panel.members[place]
          let here = panel.members.indices.filter {
            panel.members[$0].x == entry.x && panel.members[$0].y == entry.y
          }
          guard here.first == place else { return nil }
          let own = here.prefix(2).map { axes.name(variants, panel.members[$0].point) }
          return own.joined(separator: ", ") + (here.count > 2 ? " + \(here.count - 2)" : "")
        }
        let series = names.prefix(limits.series).enumerated().compactMap { index, name in
          let members = panel.members.indices.filter {
            (flags[$0] || $0 % stride == 0)
              && axes.name(variants, panel.members[$0].point) == name
          }
          return members.isEmpty
            ? nil
            : XYChart.Series(
              name, style: index,
              points: members.map { place in
                let entry = panel.members[place]
                return XYChart.Point(
                  x: entry.x, y: entry.y, label: label(place),
                  isOptimal: flags[place],
                  note: "\(note(entry.point)), \(Numbers.significant(entry.x, 4))x smaller")
              })
        }
        return XYChart.Panel(panel.name, series: series)
      }, isJoined: false, front: .verticalFirst)
    return Figure(
      "error-ratio", title: "Compression ratio against gradient error",
      caption: "compression_ratio (raw over encoded bytes) against gradient_rel_l2 (one step, "
        + "without residuals: error feedback makes up for a part over steps). To the right and "
        + "down is better; the dashed line joins points that no other beats in both.",
      omissions: omissions, content: .curves(chart))
  }

  /// The share of the run in which the busiest link was busy.
  func busiestLink() -> Figure? {
    let column = "busiest_link_share"
    guard data.points.contains(where: { ReportData.value(column, $0) != nil }) else { return nil }
    if data.points.count < 2 || axes.isScattered { return nil }
    let across = axes.x.map { [$0] } ?? axes.series
    let inside = axes.columns.filter { !across.contains($0) && axes.series.contains($0) }
    let outside = axes.columns.filter { !across.contains($0) && !inside.contains($0) }
    var order: [(name: String, x: Double)] = []
    var groups: [(name: String, rows: [(name: String, cells: [String: HeatMap.Cell])])] = []
    // Looked up only.
    var groupIndex: [String: Int] = [:]
    var met: Set<String> = []
    for (index, point) in data.points.enumerated() {
      let x = axes.numbers?.values[index] ?? 0
      guard let share = ReportData.value(column, point), x.isFinite else { continue }
      let top = axes.name(across, point)
      if met.insert(top).inserted { order.append((top, x)) }
      let group = axes.name(outside, point)
      let place = groupIndex[group] ?? groups.endIndex
      if place == groups.endIndex {
        groupIndex[group] = place
        groups.append((group, []))
      }
      let name = axes.name(inside, point)
      let row = groups[place].rows.firstIndex { $0.name == name } ?? groups[place].rows.endIndex
      if row == groups[place].rows.endIndex { groups[place].rows.append((name, [:])) }
      groups[place].rows[row].cells[top] = HeatMap.Cell(
        share,
        note: "\(axes.fullName(point)): \(point.text("busiest_link")) is busy for "
          + "\(Numbers.percent(share)) of the run")
    }
    // Swept numbers in their order, the rest as met.
    order = order.enumerated().sorted { ($0.1.x, $0.0) < ($1.1.x, $1.0) }.map(\.1)
    var omissions: [String] = []
    if order.count > limits.rows {
      omissions.append(
        "\(order.count - limits.rows) of \(order.count) columns are left out, the last ones; see "
          + "the table.")
      order.removeSubrange(limits.rows...)
    }
    var rows: [HeatMap.Row] = []
    var left = 0
    for group in groups {
      if rows.count + group.rows.count > 2 * limits.rows, !rows.isEmpty {
        left += group.rows.count
        continue
      }
      if !group.name.isEmpty, group.rows.count > 1 || groups.count == 1 {
        rows.append(HeatMap.Row(group.name, cells: []))
      }
      for row in group.rows.prefix(2 * limits.rows) {
        let isLone = group.rows.count == 1 && groups.count > 1
        rows.append(
          HeatMap.Row(
            isLone
              ? [group.name, row.name].filter { !$0.isEmpty }.joined(separator: ", ") : row.name,
            cells: order.map { row.cells[$0.name] }))
      }
      left += max(0, group.rows.count - 2 * limits.rows)
    }
    if left > 0 { omissions.append("\(left) rows are left out, the last ones; see the table.") }
    return Figure(
      "busiest-link", title: "How busy the busiest link is",
      caption: "busiest_link_share: the share of the run in which something crossed the link that "
        + "was busy for longest. Near 100 the network is what limits, wherever it is.",
      omissions: omissions,
      content: .heatMap(
        HeatMap(
          "busy share",
          columnTitle: across.map {
            ColumnNames.short($0, among: data.table.swept).replacing("_", with: " ")
          }.joined(separator: ", "), columns: order.map(\.name), rows: rows)))
  }

  /// Every link's utilisation at every point, the most used first.
  func links() -> Figure? {
    guard let links = data.links, !links.entries.isEmpty else { return nil }
    var peaks: [String: Double] = [:]
    var cells: [String: [String: HeatMap.Cell]] = [:]
    var names: [String: String] = [:]
    for point in data.points {
      // Links know points by their number; of several files nobody knows whose it is.
      if data.table.swept.contains(ReportData.fileColumn) { break }
      let name = axes.fullName(point)
      if !name.isEmpty { names[point.text("point")] = name }
    }
    func label(_ point: String) -> String { names[point] ?? "point \(point)" }
    for entry in links.entries {
      peaks[entry.link] = max(peaks[entry.link] ?? 0, entry.utilization)
      cells[entry.link, default: [:]][entry.point] = HeatMap.Cell(
        entry.utilization,
        note: "\(entry.link), \(label(entry.point)): \(Numbers.percent(entry.utilization)) of the "
          + "line rate, busy for \(Numbers.percent(entry.busy)), "
          + ChartUnit.bytes.text(entry.bytes))
    }
    let order = links.links.enumerated().sorted { a, b in
      let (own, other) = (peaks[a.1] ?? 0, peaks[b.1] ?? 0)
      return own != other ? own > other : a.0 < b.0
    }.map(\.1)
    var omissions: [String] = []
    if order.count > limits.rows {
      omissions.append(
        "The \(limits.rows) most used of \(order.count) links are shown; the file of links has all."
      )
    }
    if links.points.count > limits.rows {
      omissions.append(
        "The first \(limits.rows) of \(links.points.count) points are shown; the file of links has "
          + "all.")
    }
    let points = links.points.prefix(limits.rows)
    return Figure(
      "links", title: "How much of each link is used",
      caption: "Payload carried over what the line rate would have carried in the whole run, means "
        + "over replicates; the most used links first.", omissions: omissions,
      content: .heatMap(
        HeatMap(
          "utilisation", columnTitle: "point", columns: points.map(label),
          rows: order.prefix(limits.rows).map { link in
            HeatMap.Row(link, cells: points.map { cells[link]?[$0] })
          })))
  }
}
