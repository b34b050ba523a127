import SimKernel

/// One axis of a sweep: a path, or several that move together.
struct SweepAxis: Sendable {
  /// What is set or merged where.
  struct Change: Sendable {
    var path: [String]
    var node: JSONNode
    /// Named variants merge over the base; listed values replace it.
    var merges: Bool

    func apply(to root: inout JSONNode) {
      var result = node
      if merges, var current = root.get(path) {
        current.merge(node)
        result = current
      }
      // ``SweepCheck`` has refused paths that lead through plain values.
      _ = root.set(path, to: result)
    }
  }
  struct Position: Sendable {
    /// The value of each column as the CSV shows it.
    var labels: [String]
    var changes: [Change]
  }

  /// Where it was written.
  var position: TextPosition?
  /// The CSV columns it fills.
  var columns: [String]
  var positions: [Position]

  /// A value as a CSV cell: text as it is, anything else as compact JSON.
  static func label(_ node: JSONNode) -> String { node.string ?? node.compactText }
}

/// Reads the axes of a `sweep`.
struct SweepAxisReader {
  let issues: IssueCollector

  /// What is not the path of an axis.
  static let groups = ["zip", "list", "random", "latin_hypercube", "constraints"]

  /// Keys of a scenario, which are paths of a single part.
  private static let sections = Scenario.description.fields.map(\.key)

  /// The axes that `member` of the sweep spans; none if it has problems, which are reported.
  func axes(_ member: JSONMember) -> [SweepAxis] {
    let node = member.node
    switch member.key {
    case "zip":
      let groups = node.elements ?? [node]
      if groups.isEmpty { reportEmpty("zip", node) }
      return groups.compactMap(zip)
    case "list": return list(node).map { [$0] } ?? []
    case "random", "latin_hypercube":
      let sampling = SampledAxisReader(
        key: member.key, isStratified: member.key == "latin_hypercube", reader: self)
      return (node.elements ?? [node]).compactMap(sampling.axis)
    default:
      // Paths have dots or are sections; what resembles neither but a way of spanning points is one
      // misspelt.
      if !member.key.contains("."), !Self.sections.contains(member.key),
        let meant = Spelling.suggestion(for: member.key, among: Self.groups)
      {
        report(
          member.key, node,
          .unknownKey(found: member.key, suggestion: meant, known: Self.groups))
        return []
      }
      return axis(member.key, node).map { [$0] } ?? []
    }
  }

  /// The axis of `key`: listed values, or named variants.
  func axis(_ key: String, _ node: JSONNode) -> SweepAxis? {
    let path = FieldPath(parsing: key).parts
    switch node.value {
    case .array(let values):
      if values.isEmpty {
        reportEmpty(key, node)
        return nil
      }
      return SweepAxis(
        position: node.position, columns: [key],
        positions: values.map {
          .init(
            labels: [SweepAxis.label($0)], changes: [.init(path: path, node: $0, merges: false)])
        })
    case .object(let variants):
      if variants.isEmpty {
        reportEmpty(key, node)
        return nil
      }
      return SweepAxis(
        position: node.position, columns: [key],
        positions: variants.map {
          .init(labels: [$0.key], changes: [.init(path: path, node: $0.node, merges: true)])
        })
    default:
      report(
        key, node,
        .wrongType(
          found: node.kindName, expected: "a list of values or an object of named variants",
          example: #"["1 Gbps", "10 Gbps"]"#))
      return nil
    }
  }

  /// Axes that move together.
  private func zip(_ group: JSONNode) -> SweepAxis? {
    guard let members = group.members else {
      report(
        "zip", group,
        .wrongType(
          found: group.kindName, expected: "an object of axes that move together",
          example: #"{"a.b": [1, 2], "c.d": [3, 4]}"#))
      return nil
    }
    if members.isEmpty {
      reportEmpty("zip", group)
      return nil
    }
    let parts = members.compactMap { axis($0.key, $0.node) }
    guard parts.count == members.count else { return nil }
    let lengths = parts.map(\.positions.count)
    if lengths.contains(where: { $0 != lengths[0] }) {
      let listing = members.indices.map { "\(members[$0].key) has \(lengths[$0])" }
        .joined(separator: ", ")
      report(
        "zip", group,
        .conflict("axes that move together need equally many values, but \(listing)"))
      return nil
    }
    return SweepAxis(
      position: group.position, columns: parts.flatMap(\.columns),
      positions: (0..<lengths[0]).map { index in
        .init(
          labels: parts.flatMap { $0.positions[index].labels },
          changes: parts.flatMap { $0.positions[index].changes })
      })
  }

  /// Points written one by one, each with a value for the same paths.
  private func list(_ node: JSONNode) -> SweepAxis? {
    guard let rows = node.elements else {
      report(
        "list", node,
        .wrongType(
          found: node.kindName, expected: "a list of objects, one a point",
          example: #"[{"workload.batch_per_worker": 32, "cluster.device": "a100"}]"#))
      return nil
    }
    if let row = rows.first, row.members == nil {
      report(
        "list", row,
        .wrongType(
          found: row.kindName, expected: "an object a point",
          example: #"{"workload.batch_per_worker": 32}"#))
      return nil
    }
    guard let first = rows.first?.members, !first.isEmpty else {
      reportEmpty("list", node)
      return nil
    }
    let columns = first.map(\.key)
    var positions: [SweepAxis.Position] = []
    for (index, row) in rows.enumerated() {
      let values = columns.map { row[$0] }
      guard let members = row.members, members.count == columns.count,
        !values.contains(where: { $0 == nil })
      else {
        report(
          "list." + String(index), row,
          .conflict(
            "every point of a list sets the same paths; the first sets "
              + columns.joined(separator: ", ")))
        return nil
      }
      positions.append(
        .init(
          labels: values.map { SweepAxis.label($0!) },
          changes: columns.indices.map {
            .init(path: FieldPath(parsing: columns[$0]).parts, node: values[$0]!, merges: false)
          }))
    }
    return SweepAxis(position: node.position, columns: columns, positions: positions)
  }

  func report(_ key: String, _ node: JSONNode, _ problem: Issue.Problem) {
    issues.report(
      Issue(path: FieldPath(["sweep", key]), position: node.position, problem: problem))
  }

  private func reportEmpty(_ key: String, _ node: JSONNode) {
    report(
      key, node,
      .invalid(
        found: "an axis without values spans no points",
        expected: "give it values or remove it"))
  }
}
