import SimKernel

/// Holds a paper file's table, measure and explanations against the points of its experiment.
struct PaperCheck {
  private let paper: PaperFile
  private let root: JSONNode
  private let axes: [String]
  /// The labels that each swept path takes, in order.
  private let labels: [[String]]

  init(_ paper: PaperFile, root: JSONNode) {
    self.paper = paper
    self.root = root
    axes = paper.experiment.sweep.columns
    let points = (0..<paper.experiment.sweep.count).map { paper.experiment.sweep.labels(of: $0) }
    labels = axes.indices.map { axis in
      var known: [String] = []
      for point in points where !known.contains(point[axis]) { known.append(point[axis]) }
      return known
    }
  }

  /// Reports axes, labels and columns that do not exist, points that are missing, and axes left over.
  func report(to issues: IssueCollector) {
    let measure = paper.measure
    for (index, name) in paper.published.axes.enumerated() {
      checkAxis(name, ["published", "by", String(index)], issues)
    }
    for (key, names) in [("mean_over", measure.meanOver), ("max_over", measure.maxOver)] {
      for (index, name) in names.enumerated() {
        checkAxis(name, ["measure", key, String(index)], issues)
      }
    }
    for (axis, label) in measure.reference {
      checkLabel(axis, label, ["measure", "compared_with", axis], nil, issues)
    }
    for column in [("column", measure.column)]
      + (measure.divisor.map { [("divided_by", $0)] } ?? [])
    where !paper.experiment.columns.contains(column.1) {
      issue(
        ["measure", column.0], nil,
        .unknownName(
          noun: "column", found: column.1,
          suggestion: Spelling.suggestion(for: column.1, among: paper.experiment.columns),
          known: paper.experiment.columns), issues)
    }
    for (index, explanation) in paper.explanations.enumerated() {
      for member in explanation.cases.members ?? [] {
        for node in member.node.elements ?? [member.node] {
          checkLabel(
            member.key, SweepAxis.label(node), ["misses", String(index), "where", member.key],
            node.position, issues)
        }
      }
    }
    if case .order(_, let along) = paper.tolerance {
      for (index, name) in along.enumerated() where !paper.published.axes.contains(name) {
        issue(
          ["tolerance", "along", String(index)], nil,
          .unknownName(
            noun: "axis of the published table", found: name,
            suggestion: Spelling.suggestion(for: name, among: paper.published.axes),
            known: paper.published.axes), issues)
      }
    }
    // What no axis of the table fixes must be one point, or averaged.
    for (index, name) in axes.enumerated()
    where labels[index].count > 1 && !paper.published.axes.contains(name)
      && !measure.reducedAxes.contains(name) && !isFollower(index)
    {
      issue(
        ["published", "by"], nil,
        .conflict(
          "the sweep has an axis \(name), which \"by\" does not name; add it there, or "
            + "to \"mean_over\" or \"max_over\" of the measure"), issues)
    }
    if issues.errors.isEmpty { checkCases(issues) }
  }

  /// Whether the labels of an axis follow from those of the axes that are named, as in a zip.
  private func isFollower(_ axis: Int) -> Bool {
    let fixed = axes.indices.filter {
      paper.published.axes.contains(axes[$0]) || paper.measure.reducedAxes.contains(axes[$0])
    }
    var seen: [[String]: String] = [:]
    for index in 0..<paper.experiment.sweep.count {
      let point = paper.experiment.sweep.labels(of: index)
      let key = fixed.map { point[$0] }
      if let known = seen[key], known != point[axis] { return false }
      seen[key] = point[axis]
    }
    return true
  }

  private func checkCases(_ issues: IssueCollector) {
    let finder = CaseFinder(paper)
    for published in paper.published.cases {
      var isKnown = true
      for (axis, label) in zip(paper.published.axes, published.labels) {
        let before = issues.errors.count
        checkLabel(
          axis, label, ["published", "values"] + published.labels, published.position, issues)
        isKnown = isKnown && issues.errors.count == before
      }
      guard isKnown else { continue }
      if finder.points(published.labels).isEmpty {
        issue(
          ["published", "values"] + published.labels, published.position,
          .conflict(
            "no point of the sweep has \(published.labels.joined(separator: ", ")); add it to the "
              + "sweep or remove the number"), issues)
      } else if !paper.measure.reference.isEmpty, finder.pairs(published.labels) == nil {
        issue(
          ["measure", "compared_with"], nil,
          .conflict(
            "no point of the sweep stands for the variant of "
              + published.labels.joined(separator: ", ")), issues)
      }
    }
  }

  private func checkAxis(_ name: String, _ place: [String], _ issues: IssueCollector) {
    if axes.contains(name) { return }
    issue(
      place, nil,
      .unknownName(
        noun: "axis of the sweep", found: name,
        suggestion: Spelling.suggestion(for: name, among: axes), known: axes), issues)
  }

  private func checkLabel(
    _ axis: String, _ label: String, _ place: [String], _ position: TextPosition?,
    _ issues: IssueCollector
  ) {
    guard let index = axes.firstIndex(of: axis) else {
      checkAxis(axis, place, issues)
      return
    }
    if labels[index].contains(label) { return }
    issue(
      place, position,
      .unknownName(
        noun: "value of \(axis)", found: label,
        suggestion: Spelling.suggestion(for: label, among: labels[index]), known: labels[index]),
      issues)
  }

  private func issue(
    _ place: [String], _ position: TextPosition?, _ problem: Issue.Problem,
    _ issues: IssueCollector
  ) {
    issues.report(
      Issue(
        path: FieldPath(place), position: position ?? root.get(place)?.position, problem: problem))
  }
}

/// Finds the points of a sweep that stand for a published case.
struct CaseFinder {
  private let axes: [Int]
  private let references: [(axis: Int, label: String)]
  private let points: [[String]]

  /// - Precondition: the axes of the table and of the comparison are columns of the sweep.
  init(_ paper: PaperFile) {
    let columns = paper.experiment.sweep.columns
    axes = paper.published.axes.compactMap { columns.firstIndex(of: $0) }
    references = paper.measure.reference.compactMap { reference in
      columns.firstIndex(of: reference.axis).map { ($0, reference.label) }
    }
    points = (0..<paper.experiment.sweep.count).map { paper.experiment.sweep.labels(of: $0) }
  }

  /// The points with `labels` on the axes of the table.
  func points(_ labels: [String]) -> [Int] {
    points.indices.filter { index in zip(axes, labels).allSatisfy { points[index][$0] == $1 } }
  }

  /// Each of these points with the one it is compared with, which differs from it on the axes of the
  /// comparison alone; nil if one has none.
  func pairs(_ labels: [String]) -> [(point: Int, reference: Int)]? {
    var pairs: [(Int, Int)] = []
    for index in self.points(labels) {
      var wanted = points[index]
      for reference in references { wanted[reference.axis] = reference.label }
      guard let other = points.firstIndex(of: wanted) else { return nil }
      pairs.append((index, other))
    }
    return pairs
  }
}
