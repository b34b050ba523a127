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
  private let base: JSONNode
  let axes: [SweepAxis]
  /// The combinations that meet the constraints; nil if there are none to meet.
  private let kept: [Int32]?
  /// The combinations of all axes.
  private let combinations: Int

  /// The columns the sweep adds to a result, one for each swept path, named by that path.
  public var columns: [String] { axes.flatMap(\.columns) }
  /// The number of points: 1 without a sweep.
  public var count: Int { kept?.count ?? combinations }
  /// How many combinations of the axes the constraints dropped.
  public var droppedCount: Int { combinations - count }

  /// The sweep written in `root`.
  ///
  /// - Throws: `InvalidInput` for axes that are empty or neither lists nor objects, and for
  ///   constraints that cannot be read or that no point meets.
  public init(of root: JSONNode) throws(InvalidInput) {
    let issues = IssueCollector()
    var stripped = root
    if case .object(var members) = stripped.value {
      members.removeAll { $0.key == "sweep" }
      stripped.value = .object(members)
    }
    base = stripped
    var axes: [SweepAxis] = []
    var constraints: [SweepConstraint] = []
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
      let reader = SweepAxisReader(issues: issues)
      for member in members {
        if member.key == "constraints" {
          constraints = SweepConstraint.read(member.node, issues: issues)
        } else {
          axes += reader.axes(member)
        }
      }
      if members.allSatisfy({ $0.key == "constraints" }) {
        issues.report(
          Issue(
            path: FieldPath(["sweep"]), position: sweep.position,
            problem: .invalid(
              found: "a sweep without axes", expected: "give it axes or remove it")))
      }
    }
    self.axes = axes
    SweepCheck(base: base, axes: axes, position: root["sweep"]?.position).report(to: issues)
    try issues.throwIfInvalid()
    combinations = axes.reduce(1) { $0 * $1.positions.count }
    kept = try Self.meeting(constraints, base, axes, combinations, at: root["sweep"]?.position)
  }

  /// The combinations that meet all of `constraints`.
  private static func meeting(
    _ constraints: [SweepConstraint], _ base: JSONNode, _ axes: [SweepAxis], _ combinations: Int,
    at position: TextPosition?
  ) throws(InvalidInput) -> [Int32]? {
    if constraints.isEmpty { return nil }
    let columns = axes.flatMap(\.columns)
    var kept: [Int32] = []
    for index in 0..<combinations {
      let point = point(index, base, axes)
      var isKept = true
      for constraint in constraints where isKept {
        isKept = try constraint.isMet(by: point.root, columns: columns, labels: point.labels)
      }
      if isKept { kept.append(Int32(index)) }
    }
    if kept.isEmpty {
      throw InvalidInput([
        Issue(
          path: FieldPath(["sweep", "constraints"]), position: position,
          problem: .conflict("no combination of the axes meets all constraints"))
      ])
    }
    return kept
  }

  /// The point at `index`; the axes of all combinations count like digits, the first one highest.
  public func point(_ index: Int) -> SweepPoint {
    var point = Self.point(kept.map { Int($0[index]) } ?? index, base, axes)
    point.index = index
    return point
  }

  /// The labels of the point at `index`, without the scenario.
  func labels(of index: Int) -> [String] {
    let choice = Self.choice(kept.map { Int($0[index]) } ?? index, axes)
    return zip(axes, choice).flatMap { $0.positions[$1].labels }
  }

  /// The position on each axis.
  private static func choice(_ index: Int, _ axes: [SweepAxis]) -> [Int] {
    var rest = index
    var choice = [Int](repeating: 0, count: axes.count)
    for axis in axes.indices.reversed() {
      choice[axis] = rest % axes[axis].positions.count
      rest /= axes[axis].positions.count
    }
    return choice
  }

  private static func point(_ index: Int, _ base: JSONNode, _ axes: [SweepAxis]) -> SweepPoint {
    var root = base
    var labels: [String] = []
    for (axis, position) in zip(axes, choice(index, axes)) {
      labels += axis.positions[position].labels
      for change in axis.positions[position].changes { change.apply(to: &root) }
    }
    return SweepPoint(index: index, labels: labels, root: root)
  }
}
