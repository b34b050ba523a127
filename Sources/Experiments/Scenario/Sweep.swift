import SimKernel

/// One resolved configuration of a sweep: the scenario with every axis fixed.
public struct SweepPoint: Sendable {
  /// Its position, from 0; the first axis varies slowest.
  public var index: Int
  /// The value of each axis as the CSV shows it, in the order of the axes.
  public var labels: [String]
  /// The scenario without its `sweep`.
  public var root: JSONNode
}

/// The axes of a scenario and the points they span.
public struct Sweep: Sendable {
  /// One axis: a path, or several that move together.
  struct Axis: Sendable {
    /// Where it was written.
    var position: TextPosition?
    /// The CSV columns it fills.
    var columns: [String]
    /// For each position: the labels, and what is set or merged where.
    var positions: [(labels: [String], changes: [Change])]
  }
  struct Change: Sendable {
    var path: [String]
    var node: JSONNode
    /// Named variants merge over the base; listed values replace it.
    var merges: Bool
  }

  private let base: JSONNode
  let axes: [Axis]

  /// The columns the sweep adds to a result, one for each swept path, named by that path.
  public var columns: [String] { axes.flatMap(\.columns) }
  /// The number of points: 1 without a sweep.
  public var count: Int { axes.reduce(1) { $0 * $1.positions.count } }

  /// The sweep written in `root`.
  ///
  /// - Throws: `InvalidInput` for axes that are empty or neither lists nor objects.
  public init(of root: JSONNode) throws(InvalidInput) {
    let issues = IssueCollector()
    var stripped = root
    if case .object(var members) = stripped.value {
      members.removeAll { $0.key == "sweep" }
      stripped.value = .object(members)
    }
    base = stripped
    var axes: [Axis] = []
    if let sweep = root["sweep"], !sweep.isNull {
      guard let members = sweep.members else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["sweep"]), position: sweep.position,
            problem: .wrongType(
              found: sweep.kindName, expected: "an object of axes",
              example: #"{"workload.batch_per_worker": [32, 64]}"#))
        ])
      }
      for member in members {
        if member.key == "zip" {
          let groups = member.node.elements ?? [member.node]
          for group in groups { Self.zipAxis(group, issues).map { axes.append($0) } }
        } else if let axis = Self.axis(member.key, member.node, issues) {
          axes.append(axis)
        }
      }
      if members.isEmpty { Self.reportEmpty("sweep", sweep, issues) }
    }
    self.axes = axes
    SweepCheck(base: base, axes: axes, position: root["sweep"]?.position).report(to: issues)
    try issues.throwIfInvalid()
  }

  /// The point at `index`, whose axes count like digits, the first one highest.
  public func point(_ index: Int) -> SweepPoint {
    var rest = index
    var choice = [Int](repeating: 0, count: axes.count)
    for axis in axes.indices.reversed() {
      choice[axis] = rest % axes[axis].positions.count
      rest /= axes[axis].positions.count
    }
    var root = base
    var labels: [String] = []
    for (axis, position) in zip(axes, choice) {
      labels += axis.positions[position].labels
      for change in axis.positions[position].changes { Self.apply(change, to: &root) }
    }
    return SweepPoint(index: index, labels: labels, root: root)
  }

  static func apply(_ change: Change, to root: inout JSONNode) {
    var node = change.node
    if change.merges, var current = root.get(change.path) {
      current.merge(change.node)
      node = current
    }
    // ``SweepCheck`` has refused paths that lead through plain values.
    _ = root.set(change.path, to: node)
  }

  // MARK: - Reading axes

  private static func axis(_ key: String, _ node: JSONNode, _ issues: IssueCollector) -> Axis? {
    let path = FieldPath(parsing: key).parts
    switch node.value {
    case .array(let values):
      if values.isEmpty {
        reportEmpty(key, node, issues)
        return nil
      }
      return Axis(
        position: node.position, columns: [key],
        positions: values.map { ([label($0)], [Change(path: path, node: $0, merges: false)]) })
    case .object(let variants):
      if variants.isEmpty {
        reportEmpty(key, node, issues)
        return nil
      }
      return Axis(
        position: node.position, columns: [key],
        positions: variants.map {
          ([$0.key], [Change(path: path, node: $0.node, merges: true)])
        })
    default:
      issues.report(
        Issue(
          path: FieldPath(["sweep", key]), position: node.position,
          problem: .wrongType(
            found: node.kindName, expected: "a list of values or an object of named variants",
            example: #"["1 Gbps", "10 Gbps"]"#)))
      return nil
    }
  }

  private static func zipAxis(_ group: JSONNode, _ issues: IssueCollector) -> Axis? {
    guard let members = group.members, !members.isEmpty else {
      reportEmpty("zip", group, issues)
      return nil
    }
    let parts = members.compactMap { axis($0.key, $0.node, issues) }
    guard parts.count == members.count else { return nil }
    let lengths = parts.map(\.positions.count)
    if Set(lengths).count > 1 {
      let listing = zip(members, lengths).map { "\($0.key) has \($1)" }.joined(separator: ", ")
      issues.report(
        Issue(
          path: FieldPath(["sweep", "zip"]), position: group.position,
          problem: .conflict(
            "axes that move together need equally many values, but \(listing)")))
      return nil
    }
    return Axis(
      position: group.position, columns: parts.flatMap(\.columns),
      positions: (0..<lengths[0]).map { index in
        (
          parts.flatMap { $0.positions[index].labels },
          parts.flatMap { $0.positions[index].changes }
        )
      })
  }

  private static func reportEmpty(_ key: String, _ node: JSONNode, _ issues: IssueCollector) {
    let isWhole = key == "sweep"
    issues.report(
      Issue(
        path: FieldPath(isWhole ? ["sweep"] : ["sweep", key]), position: node.position,
        problem: .invalid(
          found: isWhole ? "a sweep without axes" : "an axis without values spans no points",
          expected: isWhole ? "give it axes or remove it" : "give it values or remove it")))
  }

  /// A value as a CSV cell: text as it is, anything else as compact JSON.
  private static func label(_ node: JSONNode) -> String { node.string ?? node.compactText }
}
