import SimKernel
import Validation

/// What stands at a path of a scenario.
struct Setting: Sendable {
  var path: [String]
  var node: JSONNode
}

/// What two variants come to under the same settings.
struct PairSample: Sendable {
  /// One job of one variant: a value and a gradient error a replicate.
  struct Side: Sendable {
    var values: [Double] = []
    var errors: [Double?] = []

    var mean: Double { values.reduce(0, +) / Double(max(1, values.count)) }
    /// The mean gradient error; nil where unknown.
    var error: Double? {
      let known = errors.compactMap { $0 }
      return known.isEmpty || known.count < errors.count
        ? nil : known.reduce(0, +) / Double(known.count)
    }
  }
  /// By job, in the order of the scenario.
  var a: [Side]
  var b: [Side]

  /// B less A of one job, replicate by replicate.
  func differences(_ job: Int) -> [Double] {
    zip(b[job].values, a[job].values).map { $0 - $1 }
  }
  /// The mean of B less A.
  func difference(_ job: Int) -> Double {
    let all = differences(job)
    return all.reduce(0, +) / Double(max(1, all.count))
  }
}

/// How runs are carried out for an answer.
public struct AnswerOptions: Sendable {
  /// Runs at a time.
  public var jobs: Int
  public var stop: StopFlag

  public init(jobs: Int = 1, stop: StopFlag = StopFlag()) {
    self.jobs = jobs
    self.stop = stop
  }
}

/// Someone asked to stop before the answer was there.
public struct AnswerInterrupted: Error {}

/// Runs two variants of a scenario, each without a sweep, under settings of one's choice.
///
/// Both meet the same random numbers, replicate by replicate. A setting is made where its path
/// exists; a variant that has none of the paths that are set, though the other has, is run once.
struct PairEvaluator {
  let metric: String
  let options: AnswerOptions
  /// Simulated runs so far.
  private(set) var runs = 0
  private let sides: [ScenarioFile]
  /// Bandwidths, latencies and factors on times leave encoded gradients as they are.
  private let encodings: EncodingCache

  init(
    a: ScenarioFile, b: ScenarioFile, metric: String, options: AnswerOptions,
    encodings: EncodingCache
  ) {
    self.encodings = encodings
    sides = [a, b]
    self.metric = metric
    self.options = options
  }

  /// The sample at each of `settings`, all of which set the same paths.
  ///
  /// - Parameter replicates: only these; nil runs all.
  /// - Throws: `InvalidInput` if a setting is refused, what a run threw, and ``AnswerInterrupted``.
  mutating func samples(
    at settings: [[Setting]], replicates: [Int]? = nil
  ) throws -> [PairSample] {
    guard let first = settings.first else { return [] }
    // A path that only one variant has is an axis of that one.
    let has = sides.map { side in first.map { side.root.get($0.path) != nil } }
    var results: [[[PairSample.Side]]] = []
    for side in sides.indices {
      let chosen = first.indices.filter { has[side][$0] || !has[1 - side][$0] }
      if chosen.isEmpty, !first.isEmpty {
        let one = try run(sides[side], [[]], replicates)
        results.append(Array(repeating: one[0], count: settings.count))
      } else {
        results.append(
          try run(sides[side], settings.map { all in chosen.map { all[$0] } }, replicates))
      }
    }
    return settings.indices.map { PairSample(a: results[0][$0], b: results[1][$0]) }
  }

  /// One sweep over all settings, which measures each distinct encoded gradient once.
  private mutating func run(
    _ file: ScenarioFile, _ settings: [[Setting]], _ replicates: [Int]?
  ) throws -> [[PairSample.Side]] {
    var swept = file
    let paths = settings[0].map(\.path)
    if !paths.isEmpty {
      let axes = paths.indices.map { index in
        JSONMember(
          paths[index].joined(separator: "."),
          JSONNode(.array(settings.map { $0[index].node })))
      }
      _ = swept.root.set(
        ["sweep"], to: JSONNode(.object([JSONMember("zip", JSONNode(.object(axes)))])))
    }
    let runner = try SweepRunner(
      swept, comparing: ResultColumns.comparisons.contains(metric))
    let outcome = try runner.run(
      SweepOptions(
        jobs: options.jobs, replicates: replicates, stop: options.stop, encodings: encodings))
    if outcome.isInterrupted { throw AnswerInterrupted() }
    if let failure = outcome.failures.first { throw failure.error }
    let table = outcome.table
    guard let point = table.column("point"), let job = table.column("job") else {
      preconditionFailure("results have these columns")
    }
    guard let value = table.column(metric) else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--metric"]),
          problem: .unknownName(
            noun: "column", found: metric,
            suggestion: Spelling.suggestion(for: metric, among: table.header),
            known: table.header))
      ])
    }
    let error = table.column("gradient_rel_l2")
    var sides = [[PairSample.Side]](repeating: [], count: settings.count)
    var names = [[String]](repeating: [], count: settings.count)
    for row in table.rows {
      guard let index = Int(row[point]), sides.indices.contains(index) else { continue }
      guard let number = Double(row[value]), number.isFinite else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--metric"]),
            problem: .invalid(
              found: "\(metric) of job \(row[job]) is unknown here",
              expected: "name a column that holds a number"))
        ])
      }
      let place: Int
      if let known = names[index].firstIndex(of: row[job]) {
        place = known
      } else {
        place = names[index].count
        names[index].append(row[job])
        sides[index].append(PairSample.Side())
      }
      sides[index][place].values.append(number)
      sides[index][place].errors.append(error.flatMap { Double(row[$0]) })
    }
    runs += table.rows.count / max(1, names.first?.count ?? 1)
    return sides
  }
}

/// Two variants of a sweep, once for every combination of the other axes.
struct VariantContexts {
  /// One combination.
  struct Context {
    var labels: [String]
    var a: ScenarioFile
    var b: ScenarioFile
  }
  let pair: VariantPair
  /// The names of the other axes.
  let columns: [String]
  let contexts: [Context]
  /// The names of the jobs.
  let jobs: [String]
  let replicates: Int
  let warnings: [Issue]

  /// The variants that `between` names in the sweep of `file`.
  ///
  /// - Throws: `InvalidInput` for all problems of all points, and for variants that are not there.
  init(_ file: ScenarioFile, between: [String]) throws(InvalidInput) {
    let runner = try SweepRunner(file, comparing: false)
    let sweep = runner.sweep
    let points = (0..<sweep.count).map { sweep.point($0) }
    let pair = try VariantPair(between, columns: sweep.columns, labels: points.map(\.labels))
    guard let column = sweep.columns.firstIndex(of: pair.column) else {
      preconditionFailure("a pair is of one of the columns")
    }
    var order: [[String]] = []
    var roots: [[String]: (a: JSONNode?, b: JSONNode?)] = [:]
    for point in points {
      let label = point.labels[column]
      guard label == pair.a || label == pair.b else { continue }
      let key = pair.context.map { point.labels[$0] }
      if roots[key] == nil { order.append(key) }
      if label == pair.a {
        roots[key, default: (nil, nil)].a = roots[key]?.a ?? point.root
      } else {
        roots[key, default: (nil, nil)].b = roots[key]?.b ?? point.root
      }
    }
    func scenario(_ root: JSONNode) -> ScenarioFile {
      ScenarioFile(root: root, origin: file.origin, directory: file.directory)
    }
    contexts = order.compactMap { key in
      guard let a = roots[key]?.a, let b = roots[key]?.b else { return nil }
      return Context(labels: key, a: scenario(a), b: scenario(b))
    }
    self.pair = pair
    columns = pair.context.map { sweep.columns[$0] }
    jobs = runner.scenario.jobs.map(\.name)
    replicates = runner.scenario.replicates
    warnings = runner.warnings
    guard !contexts.isEmpty else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--between"]),
          problem: .conflict("\(pair.a) and \(pair.b) never meet under the same circumstances"))
      ])
    }
  }
}
