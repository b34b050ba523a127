import SimKernel

extension ScenarioFile {
  /// The scenario with its sweep fixed at `point`, the first if nil, and what that means, such as
  /// `bandwidth=10 Gbps`; the same scenario and nothing without a sweep.
  ///
  /// - Throws: `InvalidInput` for a sweep that cannot be read, or that has no such point.
  public func choosing(point: Int?) throws(InvalidInput) -> (file: ScenarioFile, label: String) {
    let sweep = try Sweep(of: root)
    let number = point ?? 0
    if number >= sweep.count {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--point"]),
          problem: .outOfRange(
            found: "\(number)", expected: "0..\(sweep.count - 1), the points of the scenario"))
      ])
    }
    let chosen = sweep.point(number)
    return (
      ScenarioFile(root: chosen.root, origin: origin, directory: directory),
      zip(sweep.columns, chosen.labels).map { "\($0)=\($1)" }.joined(separator: ", ")
    )
  }
}
