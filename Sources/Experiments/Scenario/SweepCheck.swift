import SimKernel

/// Refuses axes that could not do what their labels say.
struct SweepCheck {
  let base: JSONNode
  let axes: [SweepAxis]
  /// Where the sweep was written.
  let position: TextPosition?

  /// More points than this are a slip, not a sweep.
  static let mostPoints = 1_000_000
  /// Columns that every row has already under these names.
  static let reserved = [
    "title": "give each sweep a title of its own",
    "seed": "\"replicates\" repeats runs with other random numbers",
    "sweep": "name the path of a value",
  ]

  func report(to issues: IssueCollector) {
    checkPaths(issues)
    checkOverlaps(issues)
    var points = 1
    for axis in axes {
      let (product, overflow) = points.multipliedReportingOverflow(by: axis.positions.count)
      points = overflow ? .max : product
    }
    if points > Self.mostPoints {
      issues.report(
        Issue(
          path: FieldPath(["sweep"]), position: position,
          problem: .conflict(
            "the axes span more than \(Self.mostPoints) points; remove some, or move axes together "
              + "with \"zip\"")))
    }
  }

  /// A change whose path leads through a plain value would be lost in silence.
  private func checkPaths(_ issues: IssueCollector) {
    for axis in axes {
      for (index, column) in axis.columns.enumerated() {
        let path = FieldPath(parsing: column).parts
        if let first = path.first, let advice = Self.reserved[first],
          path.count == 1 || first == "sweep"
        {
          issues.report(
            Issue(
              path: FieldPath(["sweep", column]), position: axis.position,
              problem: .conflict("\(column) cannot be swept; \(advice)")))
          continue
        }
        var root = base
        for earlier in axes {
          for change in earlier.positions[0].changes
          where change.path.count < path.count {
            change.apply(to: &root)
          }
        }
        if path.isEmpty || !root.set(path, to: axis.positions[0].changes[index].node) {
          issues.report(
            Issue(
              path: FieldPath(["sweep", column]), position: axis.position,
              problem: .invalid(
                found: "no value stands at \(column): the path leads through a plain value or past "
                  + "the end of a list",
                expected: "see: simnet explain \(path.first ?? "")")))
        }
      }
    }
  }

  /// Two axes must not set the same value: the later one would win and the labels would lie.
  private func checkOverlaps(_ issues: IssueCollector) {
    var earlier: [(column: String, path: [String])] = []
    for axis in axes {
      for (index, column) in axis.columns.enumerated() {
        let path = FieldPath(parsing: column).parts
        if earlier.contains(where: { $0.path == path }) {
          issues.report(
            Issue(
              path: FieldPath(["sweep", column]), position: axis.position,
              problem: .conflict("\(column) is swept twice; keep one of the two axes")))
        } else if let lost = earlier.first(where: { other in
          other.path.starts(with: path)
            && axis.positions.contains { position in
              let change = position.changes[index]
              return !change.merges || change.node.get(other.path.dropFirst(path.count)) != nil
            }
        }) {
          issues.report(
            Issue(
              path: FieldPath(["sweep", column]), position: axis.position,
              problem: .conflict(
                "this axis overwrites what \(lost.column) sets before it; put it first")))
        }
        earlier.append((column, path))
      }
    }
  }
}

extension JSONNode {
  /// Whether this is null, which counts as absent.
  var isNull: Bool {
    if case .null = value { return true }
    return false
  }
}
