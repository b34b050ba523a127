import ArgumentParser
import Experiments
import Foundation
import Networks
import Reporting
import SimKernel

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a scenario with its sweep and compare the answers.",
    discussion: """
      Example: simnet run scenario.json --set network.transport=ideal -o Results/ideal.csv
      Example: simnet run scenario.json --set workload.batch_per_worker=32,64 --format csv
      Example: simnet run scenario.json --network alpha_beta,flow
      Example: simnet run scenario.json --watch -o Results/ideal.csv
      Example: simnet run --row Results/ideal.csv:17
      """)

  @Argument(
    help: "The scenario file; - reads standard input.", completion: .file(extensions: ["json"]))
  var scenario: String?

  @Option(
    name: .long,
    help: "Override a key: path=value; path=a,b,c sweeps it. May be repeated.")
  var set: [String] = []

  @Option(
    name: .long,
    help: """
      The network model (\(NetworkModelKind.allCases.map(\.rawValue).joined(separator: ", "))); \
      several, separated by commas, are shown side by side with the difference from the last.
      """)
  var network: String?

  @Option(name: .shortAndLong, help: "Runs at a time; results do not depend on it.")
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(
    name: .shortAndLong,
    help: "Write results here (.csv, .json or .jsonl), resumable, with a .meta.json beside.",
    completion: .file())
  var output: String?

  @Option(
    name: .long,
    help: """
      Write what every link of every run carried here (.csv, .json or .jsonl); not with -o, which \
      does not repeat runs that are finished.
      """, completion: .file())
  var links: String?

  @Option(name: .long, help: "What standard output gets.")
  var format: OutputFormat = .table

  @Flag(name: .shortAndLong, help: "No progress, and no table when -o is given.")
  var quiet = false

  @Flag(
    name: .long,
    help: "Show the points on standard error as they finish: a table that grows, or lines.")
  var watch = false

  @Option(
    name: .long,
    help: "Re-run one row of an earlier result, counted from 1 after the header: results.csv:17.")
  var row: String?

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if (scenario == nil) == (row == nil) {
      throw ValidationError("give a scenario file, or --row results.csv:17")
    }
    if row != nil, !set.isEmpty || output != nil || network != nil || links != nil || watch {
      throw ValidationError(
        "--row repeats a row as it was; it takes neither --set, --network, --links, --watch nor -o")
    }
    if watch, quiet { throw ValidationError("--watch shows what --quiet hides; give one of them") }
    if links != nil, output != nil {
      throw ValidationError(
        "--links needs every run made now, but -o does not repeat finished ones; give one of them")
    }
  }

  func run() throws {
    if let row {
      try RowRepeat(row).run(format: format)
      return
    }
    var file = try ScenarioFile.read(scenario!)
    if file.root["simnet_graph"] != nil {
      try runGraph(scenario!)
      return
    }
    for assignment in set { try file.set(assignment) }
    if let network { try file.set("\(ModelComparison.axis)=\(network)") }
    let runner = try SweepRunner(file, threads: jobs)
    if !quiet { for warning in runner.warnings { Terminal.say("\(warning)") } }

    if let output, let scenario, scenario != "-", FileIdentity.isSame(output, scenario) {
      throw ValidationError("-o names the scenario itself; name another file")
    }
    if let links, let scenario, scenario != "-", FileIdentity.isSame(links, scenario) {
      throw ValidationError("--links names the scenario itself; name another file")
    }
    let accounts = links.map { _ in LinkAccounts() }
    let store = try output.map { try ResultStore(path: $0) }
    let flag = StopFlag()
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    // What is watched is read from the journal; without -o it is needed for no longer than that.
    let passing = watch && store == nil ? try PassingFile("simnet-watch.journal") : nil
    defer { withExtendedLifetime(passing) {} }
    let journal = store?.journalPath ?? passing?.path
    let sweepWatch = watch ? journal.map { SweepWatch(runner, journal: $0) } : nil
    let isLive = !quiet && Terminal.isTalkingToPeople
    var progress: any ProgressReporter = isLive ? LiveProgress() : SilentProgress()
    if let sweepWatch { progress = sweepWatch }
    let start = Date()
    let outcome = try runner.run(
      SweepOptions(
        jobs: jobs, journalPath: journal, stop: flag, progress: progress, links: accounts))
    sweepWatch?.conclude(outcome.table)
    let meta = RunMeta(
      file: file, outcome: outcome, wallTime: Date().timeIntervalSince(start),
      arguments: CommandLine.arguments)
    try store?.save(outcome, meta: meta)
    if let links, let accounts { try accounts.write(to: links, of: runner) }

    if !(quiet && output != nil) {
      Terminal.print(
        format.render(outcome.table, width: Terminal.width(), style: Terminal.style()))
    }
    try SweepEnding(
      failures: outcome.failures, finishedPoints: outcome.finishedPoints,
      totalPoints: outcome.totalPoints, isInterrupted: outcome.isInterrupted,
      goingOn: output == nil
        ? "with -o FILE the next run would go on from here"
        : "the same command goes on from here",
      retrying: output == nil
        ? "" : "; finished ones are kept, the same command tries the rest again"
    ).report(flag)
    if let output, !quiet { Terminal.say("wrote \(output)") }
  }
}

extension RunCommand {
  /// A graph by itself: every order that fits it, its bounds and its critical path.
  private func runGraph(_ path: String) throws {
    if !set.isEmpty || output != nil || network != nil || links != nil {
      throw ValidationError(
        "\(path) is a graph by itself, which has no network and no sweep; see simnet graph --help, or "
          + "name it in a scenario: \"workload\": {\"model\": {\"graph\": \"\(path)\"}}")
    }
    if path == "-" {
      throw ValidationError("a graph on standard input is run by simnet graph -")
    }
    let command = try GraphCommand.parse(
      [path, "--critical-path", "--format", format.rawValue])
    try command.run()
  }
}

/// What standard output may get.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json, jsonl

  func render(_ table: ResultTable, width: Int, style: TextStyle = .plain) -> String {
    switch self {
    case .table: SweepReport(table, width: width, style: style).text
    case .csv: table.csv
    case .json: table.json
    case .jsonl: table.jsonLines
    }
  }
}

/// Repeats one row of an earlier result and says whether it came out the same.
struct RowRepeat {
  private let path: String
  private let number: Int

  init(_ text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let number = Int(text[text.index(after: colon)...]),
      number >= 1
    else { throw ValidationError("--row needs results.csv:17, found \"\(text)\"") }
    path = String(text[..<colon])
    self.number = number
  }

  func run(format: OutputFormat) throws {
    let stored = try StoredResult.read(path)
    guard number <= stored.table.rows.count else {
      throw ValidationError("\(path) has \(stored.table.rows.count) rows, so no row \(number)")
    }
    let row = stored.table.rows[number - 1]
    let runner = try SweepRunner(stored.scenario)
    guard let point = Int(stored.table.cell("point", row)), point < runner.count,
      let replicate = Int(stored.table.cell("replicate", row))
    else {
      throw InputError(
        path: path, reason: "row \(number) does not name a point of the scenario beside it",
        advice: "run the whole scenario again", kind: .content)
    }
    let outcome = try runner.run(
      SweepOptions(jobs: 1, points: [point], replicates: [replicate]))
    if let failure = outcome.failures.first { throw failure.error }
    Terminal.print(format.render(outcome.table, width: Terminal.width(), style: Terminal.style()))
    let job = stored.table.cell("job", row)
    let again = outcome.table.rows.first { outcome.table.cell("job", $0) == job }
    if again == row {
      Terminal.say("row \(number) of \(path) came out the same")
    } else {
      let header = zip(stored.table.header, zip(row, again ?? []))
      let changed = header.filter { $0.1.0 != $0.1.1 }.map(\.0)
      Terminal.say("row \(number) of \(path) differs in \(changed.joined(separator: ", "))")
      throw ExitCode(ExitStatus.someFailed)
    }
  }
}
