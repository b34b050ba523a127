import ArgumentParser
import Experiments
import Foundation
import SimKernel

/// Where a sweep runs.
enum SweepEngine: String, ExpressibleByArgument, CaseIterable { case local, slurm }

/// Which script is written instead of running.
enum SweepScriptKind: String, ExpressibleByArgument, CaseIterable { case slurm, parallel }

/// What a failed point means for the others.
enum FailurePolicy: EnumerableFlag { case keepGoing, failFast }

extension Shard: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run a large sweep in a folder: in shards, resumable, on one machine or a cluster.",
    discussion: """
      Finished points are never run again: the same command goes on where the last one stopped, \
      however it stopped. Rows do not depend on shards, jobs or hosts. A whole sweep ends with \
      DIR/results.csv; shards are put together by simnet merge.

      Exit codes: 4 if points failed, 130 after an interrupt, 143 after SIGTERM, SIGUSR1 or \
      --max-time; what was finished by then is kept.

      Example: simnet sweep scenario.json --out DIR --jobs 8
      Example: simnet sweep scenario.json --out DIR --shard 0/16
      Example: simnet sweep scenario.json --out DIR --engine slurm --shards 16 --partition main
      Example: simnet sweep scenario.json --emit parallel --shards 16
      """)

  @Argument(
    help: "The scenario file (- reads standard input), or the folder of an earlier sweep.",
    completion: .file(extensions: ["json"]))
  var scenario: String

  @Option(name: .long, help: "Override a key as simnet run does. May be repeated.")
  var set: [String] = []

  @Option(
    name: .long, help: "The sweep's folder (default: the scenario's name with .sweep).",
    completion: .directory)
  var out: String?

  @Option(name: .shortAndLong, help: "Runs at a time; results do not depend on it.")
  var jobs: Int?

  @Option(name: .long, help: "Only every nth point, as i/n with i from 0.")
  var shard: Shard = .whole

  @Flag(
    inversion: .prefixedNo,
    help: "Skip finished points; --no-resume forgets what this shard has finished.")
  var resume = true

  @Flag(name: .long, help: "Try points again that failed before.")
  var retryFailed = false

  @Flag(help: "Whether a failed point ends the sweep; what is running then is finished.")
  var policy = FailurePolicy.keepGoing

  @Option(name: .long, help: "Stop after this time, such as 50min, and exit with 143.")
  var maxTime: String?

  @Flag(name: .long, help: "List the points with their shards and run nothing.")
  var dryRun = false

  @Flag(
    name: .long,
    help: "Print the shards of --shards that have something left to do, as an --array= list.")
  var listMissing = false

  @Option(name: .long, help: "local runs here; slurm submits a job array and a merge after it.")
  var engine = SweepEngine.local

  @Option(
    name: .long, help: "Write the scripts for slurm or parallel into the folder; run nothing.")
  var emit: SweepScriptKind?

  @Option(name: .long, help: "How many shards a cluster gets (default: 16, or one a point).")
  var shards: Int?

  @Option(name: .long, help: "The Slurm partition.")
  var partition: String?

  @Option(name: .long, help: "The Slurm time limit of a shard, as sbatch --time takes it.")
  var time: String?

  @Option(
    name: .long, parsing: .unconditionalSingleValue,
    help: "A further option for sbatch. May be repeated.")
  var sbatch: [String] = []

  @Flag(name: .shortAndLong, help: "No progress and no closing line.")
  var quiet = false

  func validate() throws {
    if out?.isEmpty == true { throw ValidationError("--out needs the name of a folder") }
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if let shards, shards < 1 { throw ValidationError("--shards must be at least 1") }
    if let maxTime, Self.seconds(maxTime) == nil {
      throw ValidationError("--max-time needs a duration such as 50min, found \"\(maxTime)\"")
    }
    let modes = [dryRun, listMissing, emit != nil, engine == .slurm].count { $0 }
    if modes > 1 {
      throw ValidationError(
        "--dry-run, --list-missing, --emit and --engine slurm exclude one another")
    }
    if shard != .whole, modes > 0, !dryRun {
      throw ValidationError("--shard runs one shard; clusters take --shards")
    }
  }

  private static func seconds(_ text: String) -> Double? {
    guard let quantity = Quantity(text), quantity.isLike(Quantity(0, seconds: 1)) else {
      return nil
    }
    return quantity.value > 0 ? quantity.value : nil
  }

  func run() throws {
    let folder = try folder()
    if dryRun {
      try list(folder)
    } else if listMissing || emit != nil || engine == .slurm {
      try SweepSubmission(command: self, folder: folder).run()
    } else {
      try sweep(folder)
    }
  }

  /// The folder to work in, and what is swept.
  private func folder() throws -> SweepFolder {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: scenario, isDirectory: &isFolder), isFolder.boolValue
    {
      let earlier = try SweepFolder(reading: scenario)
      var file = earlier.scenario
      for assignment in set { try file.set(assignment) }
      return SweepFolder(path: out ?? earlier.path, scenario: file)
    }
    var file = try ScenarioFile.read(scenario)
    for assignment in set { try file.set(assignment) }
    let stem =
      scenario == "-"
      ? "stdin" : URL(fileURLWithPath: scenario).deletingPathExtension().lastPathComponent
    return SweepFolder(path: out ?? stem + ".sweep", scenario: file)
  }

  var threads: Int { jobs ?? ProcessInfo.processInfo.activeProcessorCount }

  // MARK: - Running

  private func sweep(_ folder: SweepFolder) throws {
    let start = Date()
    try folder.checkForeignFiles()
    if resume, shard == .whole, folder.isFinished {
      if !quiet { Terminal.say("\(folder.resultsPath) is finished; nothing to do") }
      return
    }
    let runner = try checkedRunner(folder, comparing: true)
    if !quiet { for warning in runner.warnings { Terminal.say("\(warning)") } }
    let isChanged = try folder.prepare(runner)
    if isChanged, !quiet {
      Terminal.say("\(folder.path) held another sweep; what is part of both is kept")
    }
    let journal = folder.journalPath(shard)
    if !resume, unlink(journal) != 0, errno != ENOENT {
      throw InputError(
        path: journal, reason: String(cString: strerror(errno)),
        advice: "remove it yourself, or choose another --out")
    }
    let flag = StopFlag()
    let signals = SignalWatch(flag)
    let deadline = maxTime.flatMap(Self.seconds).map { Deadline(flag, after: $0) }
    defer { withExtendedLifetime((signals, deadline)) {} }
    let isLive = !quiet && Terminal.isTalkingToPeople
    let results = try runner.execute(
      SweepOptions(
        jobs: threads, journalPath: journal,
        otherJournals: resume ? folder.journals.filter { $0 != journal } : [],
        retriesFailures: retryFailed, stopsAtFailure: policy == .failFast, stop: flag,
        progress: isLive ? LiveProgress() : SilentProgress()))
    if shard == .whole, results.finishedPoints == results.totalPoints {
      try folder.write(
        results, to: folder.resultsPath, arguments: CommandLine.arguments,
        wallTime: Date().timeIntervalSince(start))
    }
    try SweepEnding(
      failures: results.failures, finishedPoints: results.finishedPoints,
      totalPoints: results.totalPoints, isInterrupted: results.isInterrupted,
      goingOn: "the same command goes on from here",
      retrying: "; finished ones are kept, --retry-failed tries the rest again"
    ).report(flag)
    if !quiet {
      Terminal.say(
        shard == .whole
          ? "wrote \(folder.resultsPath)"
          : "shard \(shard): \(results.finishedPoints) points are done; "
            + "simnet merge \(folder.path) -o all.csv puts the shards together")
    }
  }

  /// Reads and checks all points, and tells people how far that is.
  private func checkedRunner(_ folder: SweepFolder, comparing: Bool) throws -> SweepRunner {
    let isLive = !quiet && Terminal.isTalkingToPeople
    let progress: any ProgressReporter =
      isLive ? LiveProgress(of: "points checked") : SilentProgress()
    defer { progress.finish() }
    return try SweepRunner(
      folder.scenario, comparing: comparing, shard: shard, threads: threads
    ) { progress.update(done: $0, total: $1, resumed: 0) }
  }

  // MARK: - Listing

  private func list(_ folder: SweepFolder) throws {
    let runner = try checkedRunner(folder, comparing: false)
    let count = shards ?? 1
    var text = CSV.line(["point", "shard"] + runner.sweep.columns)
    for index in shard.points(of: runner.sweep.count) {
      text += CSV.line([String(index), String(index % count)] + runner.sweep.point(index).labels)
    }
    Terminal.print(text)
    let sizes = (0..<count).map { index in
      Array(Shard(index, of: count)!.points(of: runner.sweep.count)).count
    }
    var line = "\(runner.count) points, \(runner.runCount) runs without baselines"
    if runner.sweep.droppedCount > 0 {
      line += ", \(runner.sweep.droppedCount) combinations dropped by constraints"
    }
    if count > 1 {
      line += "; \(count) shards of \(sizes.min()!) to \(sizes.max()!) points"
    }
    Terminal.say(line + "; nothing was run")
  }
}

/// Asks for a stop once a time has passed.
final class Deadline {
  private let timer: any DispatchSourceTimer

  init(_ flag: StopFlag, after seconds: Double) {
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue.global(qos: .userInitiated))
    timer.schedule(deadline: .now() + seconds)
    timer.setEventHandler { flag.raise(SIGTERM) }
    timer.resume()
  }

  deinit { timer.cancel() }
}
