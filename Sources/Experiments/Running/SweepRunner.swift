import Dispatch
import Foundation
import SimKernel
import Synchronization
import Training

/// A scenario with its sweep: checks all of it, then runs it.
public struct SweepRunner: Sendable {
  public let sweep: Sweep
  /// Doubts that do not stop a run, each once.
  public let warnings: [Issue]
  /// The scenario of the first point: title, question and the like are common to all.
  public let scenario: Scenario
  let survey: SweepSurvey
  private let inputs: PreparationInputs
  private let cache = PreparedCache()

  /// Reads and checks every point of `file`, or of one shard of it.
  ///
  /// - Parameter comparing: whether rows are to be compared with their baselines; a mere check needs
  ///   none.
  /// - Parameter checked: hears how many of how many points are checked, from any thread and in any
  ///   order.
  /// - Throws: `InvalidInput` with all problems of all points, each once.
  public init(
    _ file: ScenarioFile, comparing: Bool = true, shard: Shard = .whole, threads: Int = 1,
    checked: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(InvalidInput) {
    try self.init(
      file, PreparationInputs(directory: file.directory), comparing: comparing, shard: shard,
      threads: threads, isRecorded: false, checked: checked)
  }

  /// The sweep of `folder` as it was started, to look at its results: input files need not be there
  /// any more.
  ///
  /// - Throws: `InvalidInput` for a manifest that this build cannot read.
  public init(recorded folder: SweepFolder, threads: Int = 1) throws(InvalidInput) {
    let inputs = PreparationInputs(
      directory: folder.scenario.directory, digests: folder.inputs)
    try self.init(
      folder.scenario, inputs, comparing: true, shard: .whole, threads: threads, isRecorded: true,
      checked: { _, _ in })
  }

  private init(
    _ file: ScenarioFile, _ inputs: PreparationInputs, comparing: Bool, shard: Shard,
    threads: Int, isRecorded: Bool, checked: @Sendable (Int, Int) -> Void
  ) throws(InvalidInput) {
    sweep = try Sweep(of: file.root)
    self.inputs = inputs
    survey = SweepSurvey(
      sweep, points: Array(shard.points(of: sweep.count)), comparing: comparing, inputs: inputs,
      cache: cache, threads: threads, isRecorded: isRecorded, checked: checked)
    let unique = Self.unique(survey.issues, swept: sweep.columns)
    let errors = unique.filter { $0.severity == .error }
    if !errors.isEmpty { throw InvalidInput(errors) }
    warnings = unique.filter { $0.severity == .warning }
    if let scenario = survey.scenario {
      self.scenario = scenario
    } else {
      // A shard beyond the last point has none; the first point stands for what is common.
      let issues = IssueCollector()
      scenario = Scenario.read(sweep.point(0).root, issues: issues)
      try issues.throwIfInvalid()
    }
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

  /// The number of points, of the shard if this is one.
  public var count: Int { survey.entries.count }
  /// Runs asked for, baselines not counted.
  public var runCount: Int { survey.entries.reduce(0) { $0 + Int($1.replicates) } }
  /// The input files of all points with the digests of their contents, by name.
  public var inputDigests: [(file: String, digest: String)] { inputs.digests }

  // MARK: - Tasks

  /// One run to do: a configuration and a replicate.
  struct Task: Sendable {
    var configuration: Int32
    var replicate: Int32
  }

  /// The rows' name of a configuration.
  func hash(of configuration: Int32) -> String {
    StableHash.hexadecimal(survey.configurations[Int(configuration)].hash)
  }

  func id(
    of configuration: Int32, _ replicate: Int32, _ build: BuildVersion = .current
  ) -> RunID {
    RunID(
      configuration: hash(of: configuration), seed: scenario.seed, replicate: Int(replicate),
      build: build)
  }

  /// The entries of the points that `options` choose.
  func entries(_ options: SweepOptions) -> [SweepSurvey.Entry] {
    guard let chosen = options.points.map(Set.init) else { return survey.entries }
    return survey.entries.filter { chosen.contains(Int($0.point)) }
  }

  /// The replicates of `entry` that `options` choose.
  func replicates(of entry: SweepSurvey.Entry, _ options: SweepOptions) -> [Int32] {
    let all = 0..<entry.replicates
    guard let chosen = options.replicates else { return Array(all) }
    return all.filter { chosen.contains(Int($0)) }
  }

  /// Every distinct run the chosen points and their baselines need: each point, then what it is
  /// compared with.
  private func tasks(_ options: SweepOptions) -> [Task] {
    var tasks: [Task] = []
    var scheduled = [Int32](repeating: 0, count: survey.configurations.count)
    for entry in entries(options) {
      let replicates = replicates(of: entry, options)
      for configuration in [entry.own] + entry.baselines where configuration >= 0 {
        for replicate in replicates where replicate >= scheduled[Int(configuration)] {
          tasks.append(Task(configuration: configuration, replicate: replicate))
          scheduled[Int(configuration)] = replicate + 1
        }
      }
    }
    return tasks
  }

  // MARK: - Running

  /// Runs the sweep.
  ///
  /// Results do not depend on `options`: each run is single-threaded and keyed by its configuration,
  /// seed and replicate alone.
  ///
  /// - Throws: ``InputError`` if a journal cannot be used. What goes wrong in one run is a failure
  ///   of its point.
  public func run(_ options: SweepOptions) throws -> SweepOutcome {
    let results = try execute(options)
    var rows: [[String]] = []
    try results.forEachRow { rows.append($0) }
    return SweepOutcome(
      table: ResultTable(header: results.header, sweptCount: sweep.columns.count, rows: rows),
      finishedPoints: results.finishedPoints, totalPoints: results.totalPoints,
      seed: scenario.seed, failures: results.failures, isInterrupted: results.isInterrupted)
  }

  /// As ``run(_:)``, with rows to be had one at a time, so that a large sweep needs little memory.
  public func execute(_ options: SweepOptions) throws -> SweepResults {
    let tasks = tasks(options)
    let index = try JournalIndex(options.journals)
    let todo = tasks.filter { task in
      let id = id(of: task.configuration, task.replicate)
      if index.hasFailed(id) { return options.retriesFailures }
      return !index.isFinished(id)
    }
    let journal = todo.isEmpty ? nil : try options.journalPath.map { try Journal(path: $0) }
    options.progress.update(
      done: tasks.count - todo.count, total: tasks.count, resumed: tasks.count - todo.count)
    let encodings = encodings(todo, options)
    let collected = Mutex(Collected())
    // A journal that cannot be written ends the sweep: hours of runs would be lost with it.
    let isOver = Atomic<Bool>(false)
    let next = Atomic<Int>(0)
    let threads = max(1, min(options.jobs, todo.count))
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      var bench = Workbench(self)
      while !options.stop.isRaised, !isOver.load(ordering: .relaxed) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < todo.count else { return }
        let task = todo[index]
        let result = Result {
          try PointRun.measure(
            try bench.prepared(task.configuration), replicate: Int(task.replicate),
            encodings: encodings, stop: options.stop, timeline: options.timeline
          ) { account in
            options.links?.record(
              account, configuration: task.configuration, replicate: task.replicate)
          }
        }
        if case .failure(SimulationError.interrupted) = result { continue }
        let id = id(of: task.configuration, task.replicate)
        do throws(InputError) {
          try journal?.append(id, result)
        } catch {
          collected.withLock { $0.journalError = $0.journalError ?? error }
          isOver.store(true, ordering: .relaxed)
          return
        }
        if case .failure = result, options.stopsAtFailure,
          survey.configurations[Int(task.configuration)].baseline == nil
        {
          isOver.store(true, ordering: .relaxed)
        }
        collected.withLock { state in
          state.take(result, of: id, keepsCells: journal == nil)
          options.progress.update(
            done: tasks.count - todo.count + state.count, total: tasks.count,
            resumed: tasks.count - todo.count)
        }
      }
    }
    options.progress.finish()
    try journal?.flush()
    let (known, failed) = try collected.withLock { state in
      if let error = state.journalError { throw error }
      return (state.known, state.failed)
    }
    // What is on disk is what counts from here on.
    let records = RunRecords(
      memory: known, failures: failed,
      journals: todo.isEmpty ? index : try JournalIndex(options.journals))
    return SweepResults(self, records, options)
  }

  /// What `journals` hold of this sweep; nothing is run.
  ///
  /// - Parameter mixing: whether runs of other builds with the same columns may fill gaps.
  /// - Throws: ``InputError`` if a journal cannot be read.
  public func results(journals: [String], mixing: Bool = false) throws -> SweepResults {
    let index = try JournalIndex(journals)
    let others = index.builds.filter {
      $0 != .current && $0.columns == BuildVersion.current.columns
    }
    return SweepResults(
      self, RunRecords(journals: index), SweepOptions(otherJournals: journals),
      builds: [.current] + (mixing ? others : []))
  }

  /// What one thread works with: its memory of what points share, and the last point it prepared.
  private struct Workbench {
    private let runner: SweepRunner
    private let preparation: PointPreparation
    private var last: (configuration: Int32, point: PreparedPoint)?

    init(_ runner: SweepRunner) {
      self.runner = runner
      preparation = PointPreparation(runner.inputs)
    }

    /// The configuration, ready to run.
    ///
    /// - Throws: `InvalidInput` for a baseline that cannot be built, or where an input file has
    ///   changed since it was checked.
    mutating func prepared(_ configuration: Int32) throws -> PreparedPoint {
      if let last, last.configuration == configuration { return last.point }
      let wanted = runner.survey.configurations[Int(configuration)]
      if let point = runner.cache.take(hash: wanted.hash) {
        last = (configuration, point)
        return point
      }
      var root = runner.sweep.point(Int(wanted.point)).root
      if let baseline = wanted.baseline { root = baseline.derive(from: root) }
      let issues = IssueCollector()
      guard let point = preparation.prepare(root, issues: issues) else {
        throw InvalidInput(issues.errors)
      }
      last = (configuration, point)
      return point
    }
  }

  /// The distinct gradients that `todo` needs encoded.
  private func encodings(_ todo: [Task], _ options: SweepOptions) -> EncodingStore {
    let encoding = todo.filter { survey.configurations[Int($0.configuration)].mayEncode }
    let requests = Mutex([[EncodingRequest]](repeating: [], count: encoding.count))
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(options.jobs, encoding.count))) { _ in
      var bench = Workbench(self)
      var seen: Set<String> = []
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < encoding.count, !options.stop.isRaised else { return }
        let task = encoding[index]
        // A configuration that cannot be prepared says so when it is to be run.
        guard let point = try? bench.prepared(task.configuration) else { continue }
        cache.put(point, hash: survey.configurations[Int(task.configuration)].hash)
        let own = point.jobs.flatMap(\.cuts).flatMap {
          EncodingRequest.all($0, seed: point.scenario.seed, replicate: Int(task.replicate))
        }.filter { $0.isNeeded && seen.insert($0.key).inserted }
        if !own.isEmpty { requests.withLock { $0[index] = own } }
      }
    }
    return EncodingStore.prepare(
      requests.withLock { $0 }.flatMap { $0 }, threads: options.jobs, stop: options.stop,
      cache: options.encodings)
  }

  /// What the threads of a sweep share, under one lock.
  private struct Collected {
    /// Only without a journal: a sweep's cells belong on disk.
    var known: [RunID: [String]] = [:]
    var failed: [RunID: any Error] = [:]
    /// Runs that came to an end.
    var count = 0
    var journalError: InputError?

    mutating func take(_ result: Result<[String], any Error>, of id: RunID, keepsCells: Bool) {
      switch result {
      case .success(let cells): if keepsCells { known[id] = cells }
      case .failure(let error): failed[id] = error
      }
      count += 1
    }
  }
}

extension Journal {
  /// Appends a run as it ended.
  fileprivate func append(
    _ id: RunID, _ result: Result<[String], any Error>
  ) throws(InputError) {
    switch result {
    case .success(let cells): try append(id, cells: cells)
    case .failure(let error): try append(id, failure: "\(error)")
    }
  }
}
