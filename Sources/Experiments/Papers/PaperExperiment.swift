import Foundation
import SimKernel

/// What is run for a paper file: a scenario with its sweep, or something smaller in its place.
public struct PaperExperiment: Sendable {
  /// What the points of the sweep are.
  enum Kind: Sendable {
    /// Whole simulations.
    case scenario
    /// A ``ReplayExperiment`` each.
    case replay
    /// A ``GraphExperiment`` each.
    case graph
  }
  let kind: Kind
  let file: ScenarioFile
  public let sweep: Sweep

  /// The experiment that `draft` names.
  ///
  /// - Throws: `InvalidInput` for a sweep that cannot be, ``InputError`` for a scenario that cannot be
  ///   read.
  init(_ draft: PaperDraft, in paper: ScenarioFile) throws {
    func inline(_ node: JSONNode) -> ScenarioFile {
      ScenarioFile(root: node, origin: paper.origin, directory: paper.directory)
    }
    if let node = draft.replay {
      try self.init(.replay, inline(node))
    } else if let node = draft.graph {
      try self.init(.graph, inline(node))
    } else if let path = draft.scenario?.string {
      let place = URL(fileURLWithPath: path, relativeTo: paper.directory)
      try self.init(.scenario, ScenarioFile.read(place.relativePath(from: paper)))
    } else {
      try self.init(.scenario, inline(draft.scenario ?? JSONNode(.object([]))))
    }
  }

  private init(_ kind: Kind, _ file: ScenarioFile) throws {
    self.kind = kind
    self.file = file
    sweep = try Sweep(of: file.root)
  }

  /// The names of the columns that it measures.
  var columns: [String] {
    switch kind {
    case .scenario: ResultColumns.measurements + ResultColumns.comparisons
    case .replay: ReplayExperiment.columns
    case .graph: GraphExperiment.columns
    }
  }

  /// The same with the value at `path` replaced.
  ///
  /// - Throws: `InvalidInput` if the path leads nowhere.
  func setting(_ path: String, to value: JSONNode) throws -> PaperExperiment {
    var changed = file
    guard changed.root.set(FieldPath(parsing: path).parts, to: value) else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["constants"]),
          problem: .invalid(
            found: "\(path) leads through a plain value",
            expected: "name a key of the scenario"))
      ])
    }
    return try PaperExperiment(kind, changed)
  }

  /// What tells it from others: equal texts give equal results.
  var identity: String { "\(kind) \(file.directory.path) \(file.root.canonicalText)" }

  /// Runs every point.
  ///
  /// - Throws: `InvalidInput` for all problems of all points, what a run threw, and
  ///   ``AnswerInterrupted``.
  func run(_ options: SweepOptions, comparing: Bool) throws -> ResultTable {
    switch kind {
    case .scenario:
      let runner = try SweepRunner(file, comparing: comparing, threads: options.jobs)
      let outcome = try runner.run(options)
      if outcome.isInterrupted { throw AnswerInterrupted() }
      if let failure = outcome.failures.first { throw failure.error }
      return outcome.table
    case .replay:
      return try table(options.stop, reading: { ReplayExperiment(&$0) }) {
        try $0.measured(in: file.directory)
      }
    case .graph:
      return try table(options.stop, reading: { GraphExperiment(&$0) }) { try $0.measured() }
    }
  }

  /// The numbers of every point, each of which is read as a record of its own.
  private func table<Point>(
    _ stop: StopFlag, reading declaration: (inout FieldReader) -> Point,
    _ measure: (Point) throws -> [Double]
  ) throws -> ResultTable {
    let issues = IssueCollector()
    let points = (0..<sweep.count).map {
      FieldReader.read(sweep.point($0).root, issues: issues, declaration)
    }
    try issues.throwIfInvalid()
    var rows: [[String]] = []
    for (index, point) in points.enumerated() {
      if stop.isRaised { throw AnswerInterrupted() }
      rows.append([String(index), ""] + (try measure(point)).map { JSONNumber.shortest($0) })
    }
    return ResultTable(header: ["point", "job"] + columns, sweptCount: 0, rows: rows)
  }
}

extension URL {
  /// The path as messages show it: beside `paper` as that was given.
  fileprivate func relativePath(from paper: ScenarioFile) -> String {
    let folder = (paper.origin as NSString).deletingLastPathComponent
    return folder.isEmpty || paper.origin == "<stdin>"
      ? relativePath : (folder as NSString).appendingPathComponent(relativePath)
  }
}
