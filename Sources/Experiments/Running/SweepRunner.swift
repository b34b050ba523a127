import Dispatch
import Foundation
import SimKernel
import Synchronization
import Training

/// How a sweep is carried out; nothing here can change a result.
public struct SweepOptions: Sendable {
  /// Runs at a time.
  public var jobs: Int
  /// Where finished runs are kept while the sweep goes on; nil keeps them in memory only.
  public var journalPath: String?
  /// Only these points; nil runs all.
  public var points: [Int]?
  /// Only these replicates; nil runs all.
  public var replicates: [Int]?
  public var stop: StopFlag
  public var progress: any ProgressReporter

  public init(
    jobs: Int = 1, journalPath: String? = nil, points: [Int]? = nil, replicates: [Int]? = nil,
    stop: StopFlag = StopFlag(), progress: any ProgressReporter = SilentProgress()
  ) {
    self.jobs = jobs
    self.journalPath = journalPath
    self.points = points
    self.replicates = replicates
    self.stop = stop
    self.progress = progress
  }
}

/// A point that did not reach its end.
public struct PointFailure: Sendable {
  public var point: Int
  public var replicate: Int
  public var error: any Error & Sendable
  /// What to tell the user.
  public var reason: String { "replicate \(replicate): \(error)" }
  /// Whether the simulation itself could not go on, as opposed to its inputs.
  public var cannotProceed: Bool { error is SimulationError }
}

/// What came of a sweep.
public struct SweepOutcome: Sendable {
  /// The rows of all finished points, in point order.
  public var table: ResultTable
  public var finishedPoints: Int
  public var totalPoints: Int
  /// Keys every random stream.
  public var seed: UInt64
  public var failures: [PointFailure]
  /// Whether a stop was asked for before the end.
  public var isInterrupted: Bool
}

/// A scenario with its sweep: checks all of it, then runs it.
public struct SweepRunner: Sendable {
  public let sweep: Sweep
  /// Doubts that do not stop a run, each once.
  public let warnings: [Issue]
  private let points: [PreparedPoint]
  private let labels: [[String]]
  private let baselines: [[Baseline: PreparedPoint]]

  /// Reads and checks every point of `file`.
  ///
  /// - Parameter comparing: whether rows are to be compared with their baselines, which must then be
  ///   prepared as well; a mere check needs none.
  /// - Throws: `InvalidInput` with all problems of all points, each once.
  public init(_ file: ScenarioFile, comparing: Bool = true) throws(InvalidInput) {
    sweep = try Sweep(of: file.root)
    let issues = IssueCollector()
    var preparation = PointPreparation(directory: file.directory)
    var points: [PreparedPoint] = []
    var labels: [[String]] = []
    var baselines: [[Baseline: PreparedPoint]] = []
    var derived: [String: PreparedPoint] = [:]
    for index in 0..<sweep.count {
      let point = sweep.point(index)
      guard let prepared = preparation.prepare(point.root, issues: issues) else { continue }
      points.append(prepared)
      labels.append(point.labels)
      var own: [Baseline: PreparedPoint] = [:]
      // Plain points are baselines of their own.
      if comparing { derived[point.root.canonicalText] = prepared }
      for baseline in comparing ? Baseline.allCases : [] {
        let root = baseline.derive(from: point.root)
        let key = root.canonicalText
        if derived[key] == nil {
          // A baseline that cannot be built leaves its comparison empty; it is not the user's error.
          derived[key] = preparation.prepare(root, issues: IssueCollector())
        }
        own[baseline] = derived[key]
      }
      baselines.append(own)
    }
    let unique = Self.unique(issues.issues, swept: sweep.columns)
    let errors = unique.filter { $0.severity == .error }
    if !errors.isEmpty { throw InvalidInput(errors) }
    warnings = unique.filter { $0.severity == .warning }
    self.points = points
    self.labels = labels
    self.baselines = baselines
  }

  /// The same problem meets many points; it is reported once, with where it was first seen.
  ///
  /// A swept key that does not exist is one problem, however many values it is given.
  private static func unique(_ issues: [Issue], swept columns: [String]) -> [Issue] {
    let paths = Set(columns.map { FieldPath(parsing: $0) })
    var seen: Set<String> = []
    return issues.filter { issue in
      if case .unknownKey = issue.problem, paths.contains(issue.path) {
        return seen.insert("\(issue.path): \(issue.message)").inserted
      }
      return seen.insert(issue.description).inserted
    }
  }

  /// The scenario of the first point: title, question and the like are common to all.
  public var scenario: Scenario { points[0].scenario }
  /// The number of points.
  public var count: Int { points.count }
  /// Runs asked for, baselines not counted.
  public var runCount: Int { points.reduce(0) { $0 + $1.scenario.replicates } }

  // MARK: - Running

  /// One run to do: a configuration and a replicate.
  private struct Task: Sendable {
    var id: String
    var point: PreparedPoint
    var replicate: Int
  }

  private static func identity(_ point: PreparedPoint, _ replicate: Int) -> String {
    var hash = StableHash()
    hash.combine(point.hash)
    hash.combine(point.scenario.seed)
    hash.combine(UInt64(replicate))
    hash.combine(SimnetVersion.current)
    hash.combine(SimnetVersion.libzstd)
    return hash.hexadecimal
  }

  private func replicates(of index: Int, _ options: SweepOptions) -> [Int] {
    let all = Array(0..<points[index].scenario.replicates)
    return options.replicates.map { chosen in all.filter(chosen.contains) } ?? all
  }

  /// Every distinct run the chosen points and their baselines need, in a fixed order.
  private func tasks(of chosen: [Int], _ options: SweepOptions) -> [Task] {
    var tasks: [Task] = []
    var seen: Set<String> = []
    for baseline in [nil] + Baseline.allCases.map(Optional.some) {
      for index in chosen {
        guard let point = baseline.map({ baselines[index][$0] }) ?? points[index] else { continue }
        for replicate in replicates(of: index, options) {
          let id = Self.identity(point, replicate)
          if seen.insert(id).inserted {
            tasks.append(Task(id: id, point: point, replicate: replicate))
          }
        }
      }
    }
    return tasks
  }

  /// Runs the sweep.
  ///
  /// Results do not depend on `options`: each run is single-threaded and keyed by its configuration,
  /// seed and replicate alone.
  ///
  /// - Throws: ``InputError`` if the journal cannot be used. What goes wrong in one run is a failure
  ///   of its point.
  public func run(_ options: SweepOptions) throws -> SweepOutcome {
    let chosen = options.points ?? Array(points.indices)
    let tasks = tasks(of: chosen, options)
    let journal = try options.journalPath.map { try Journal(path: $0) }
    var known: [String: [String]] = [:]
    for task in tasks {
      // Another build of the same version may have had other columns.
      guard let cells = journal?.finished[task.id],
        cells.count == task.point.jobs.count * ResultColumns.measurements.count
      else { continue }
      known[task.id] = cells
    }
    let todo = tasks.filter { known[$0.id] == nil }
    options.progress.update(
      done: tasks.count - todo.count, total: tasks.count, resumed: tasks.count - todo.count)

    let encodings = EncodingStore.prepare(
      todo.flatMap { task in
        task.point.jobs.flatMap {
          EncodingRequest.all($0, seed: task.point.scenario.seed, replicate: task.replicate)
        }
      }, threads: options.jobs, stop: options.stop)
    let collected = Mutex(Collected(known: known, journal: journal))
    let next = Atomic<Int>(0)
    let threads = max(1, min(options.jobs, todo.count))
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      // A journal that cannot be written ends the sweep: hours of runs would be lost with it.
      while !options.stop.isRaised, collected.withLock({ $0.journalError == nil }) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < todo.count else { return }
        let task = todo[index]
        let result = Result {
          try PointRun.measure(
            task.point, replicate: task.replicate, encodings: encodings, stop: options.stop)
        }
        collected.withLock { state in
          state.take(result, of: task.id)
          options.progress.update(
            done: state.known.count + state.failed.count, total: tasks.count,
            resumed: tasks.count - todo.count)
        }
      }
    }
    options.progress.finish()
    return try collected.withLock { state in
      try state.journal?.flush()
      if let error = state.journalError { throw error }
      return outcome(chosen, state, options)
    }
  }

  /// What the threads of a sweep share, under one lock.
  private struct Collected {
    var known: [String: [String]]
    var failed: [String: any Error] = [:]
    var journal: Journal?
    var journalError: InputError?

    mutating func take(_ result: Result<[String], any Error>, of id: String) {
      switch result {
      case .success(let cells):
        known[id] = cells
        do { try journal?.append(id: id, cells: cells) } catch {
          journalError = journalError ?? error
        }
      case .failure(SimulationError.interrupted):
        return
      case .failure(let error):
        failed[id] = error
      }
    }
  }

  // MARK: - Rows

  private func outcome(
    _ chosen: [Int], _ state: borrowing Collected, _ options: SweepOptions
  ) -> SweepOutcome {
    var rows: [[String]] = []
    var failures: [PointFailure] = []
    var finished = 0
    for index in chosen {
      let point = points[index]
      var own: [[String]] = []
      var isWhole = true
      for replicate in replicates(of: index, options) {
        let id = Self.identity(point, replicate)
        if let cells = state.known[id] {
          own += self.rows(index, replicate, cells, state)
        } else {
          isWhole = false
          if let error = state.failed[id] {
            failures.append(PointFailure(point: index, replicate: replicate, error: error))
            break
          }
        }
      }
      // A point counts once all its replicates are there; rows are never half a point.
      if isWhole {
        finished += 1
        rows += own
      }
    }
    return SweepOutcome(
      table: ResultTable(
        header: ResultColumns.header(swept: sweep.columns), sweptCount: sweep.columns.count,
        rows: rows),
      finishedPoints: finished, totalPoints: chosen.count, seed: scenario.seed,
      failures: failures,
      // A stop that came after the last run interrupted nothing.
      isInterrupted: options.stop.isRaised && finished + failures.count < chosen.count)
  }

  /// The CSV rows of one run: one a job.
  private func rows(
    _ index: Int, _ replicate: Int, _ cells: [String], _ state: borrowing Collected
  ) -> [[String]] {
    let point = points[index]
    let width = ResultColumns.measurements.count
    let time = ResultColumns.index(of: "iteration_time_s")
    return (0..<cells.count / width).map { job in
      let own = Array(cells[job * width..<(job + 1) * width])
      let identification = [
        point.scenario.title, String(index), String(replicate), String(point.scenario.seed),
        point.hash, SimnetVersion.current, SimnetVersion.libzstd,
      ]
      let comparisons = Baseline.allCases.map { baseline -> String in
        guard let reference = baselines[index][baseline],
          let other = state.known[Self.identity(reference, replicate)],
          other.count == cells.count, let theirs = Double(other[job * width + time]),
          let ours = Double(own[time]), ours > 0
        else { return "" }
        return JSONNumber.shortest(theirs / ours)
      }
      return identification + labels[index] + own + comparisons
    }
  }
}
