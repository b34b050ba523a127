import ArgumentParser
import Dispatch
import Experiments
import Foundation
import SimKernel
import Synchronization

struct DataFuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Run scenarios that nobody wrote, drawn from the schema of scenarios.",
    discussion: """
      Every key, every member of every family, bounds included, small enough to run in \
      milliseconds. Each scenario runs twice: nothing may crash, times and bytes must be finite and \
      add up, and both runs must agree. A refusal is no failure, nor is a simulation that says what \
      it waits for. Exits with 4 if a scenario failed, which is printed.

      Example: simnet data fuzz -n 1000
      Example: simnet data fuzz -n 1000 --seed 7 --only 17
      Example: simnet schema > narrow.json; simnet data fuzz --schema narrow.json -n 100
      """)

  @Option(name: [.customShort("n"), .customLong("count")], help: "How many scenarios.")
  var count = 1000

  @Option(help: "Draws others; the same seed draws the same ones.")
  var seed: UInt64 = 1

  @Option(help: "Only this scenario, counted from 0, which is then printed.")
  var only: Int?

  @Option(
    help: "Draw from this JSON Schema instead: simnet schema's, narrowed to what is of interest.",
    completion: .file(extensions: ["json"]))
  var schema: String?

  @Option(help: "Seconds after which a scenario is stopped.")
  var limit = 10.0

  @Option(name: .shortAndLong, help: "Scenarios at a time; what is found does not depend on it.")
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "table or json.")
  var format = Format.table

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  func validate() throws {
    if count < 1 { throw ValidationError("-n must be at least 1") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if let only, only < 0 { throw ValidationError("--only counts from 0") }
    if !(limit > 0 && limit <= 86_400) {
      throw ValidationError("--limit is a number of seconds above 0")
    }
  }

  func run() throws {
    let fuzz = try ScenarioFuzz(
      schema: try schema.map { try ScenarioFile.read($0).root }, seed: seed, limit: limit)
    CrashReport.install(seed: seed)
    let indices = only.map { [$0] } ?? Array(0..<count)
    // Printed before it runs, so that it is there whatever happens then.
    let isShown = only != nil && format == .table
    let trials = Self.run(fuzz, indices, jobs: jobs) { scenario in
      if isShown { Terminal.print(scenario.prettyText + "\n") }
    }
    let summary = FuzzSummary(trials, seed: seed)
    switch format {
    case .table: Terminal.print(summary.text)
    case .json: Terminal.print(summary.node.prettyText + "\n")
    }
    if isShown, let trial = trials.first, trial.outcome == .refused {
      Terminal.print(trial.scenario.prettyText + "\n")
      for message in trial.problems { Terminal.say(message) }
    }
    for trial in trials {
      if trial.outcome == .stopped {
        Terminal.say("scenario \(trial.index): stopped after \(limit) s")
      }
      guard case .failed(let reasons) = trial.outcome else { continue }
      for reason in reasons { Terminal.say("scenario \(trial.index): \(reason)") }
      if only == nil, format == .table { Terminal.print(FuzzSummary.line(trial, seed: seed)) }
    }
    if summary.failed > 0 {
      let ones = summary.failed == 1 ? "1 scenario" : "\(summary.failed) scenarios"
      Terminal.say("\(ones) failed; again: simnet data fuzz --seed \(seed) --only \(summary.first)")
      throw ExitCode(ExitStatus.someFailed)
    }
  }

  private static func run(
    _ fuzz: ScenarioFuzz, _ indices: [Int], jobs: Int,
    announce: @Sendable (JSONNode) -> Void
  ) -> [ScenarioFuzz.Trial] {
    let trials = Mutex<[ScenarioFuzz.Trial]>([])
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, indices.count))) { worker in
      while true {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < indices.count else { return }
        CrashReport.begin(indices[place], worker: worker)
        let trial = fuzz.trial(indices[place], announce: announce)
        CrashReport.end(worker: worker)
        trials.withLock { $0.append(trial) }
      }
    }
    return trials.withLock { $0 }.sorted { $0.index < $1.index }
  }
}

/// What many trials came to.
struct FuzzSummary {
  private let trials: [ScenarioFuzz.Trial]
  private let seed: UInt64
  /// Messages with how often they occurred, the most frequent first.
  private let refusals: [(reason: String, count: Int)]
  private let blocks: [(reason: String, count: Int)]

  init(_ trials: [ScenarioFuzz.Trial], seed: UInt64) {
    self.trials = trials
    self.seed = seed
    refusals = Self.histogram(trials.flatMap(\.reasons))
    blocks = Self.histogram(
      trials.compactMap { if case .blocked(let reason) = $0.outcome { reason } else { nil } })
  }

  var failed: Int { count { if case .failed = $0 { true } else { false } } }
  var first: Int {
    trials.first { if case .failed = $0.outcome { true } else { false } }?.index ?? 0
  }
  private var passed: Int { count { $0 == .passed } }
  private var refused: Int { count { $0 == .refused } }
  private var stopped: Int { count { $0 == .stopped } }
  private var blocked: Int { count { if case .blocked = $0 { true } else { false } } }
  private var validAsDrawn: Int { trials.count { $0.repairs == 0 } }

  private func count(_ isCounted: (ScenarioFuzz.Outcome) -> Bool) -> Int {
    trials.count { isCounted($0.outcome) }
  }

  private static func histogram(_ texts: [String]) -> [(reason: String, count: Int)] {
    var counts: [String: Int] = [:]
    for text in texts { counts[text, default: 0] += 1 }
    return counts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
  }

  /// A line of numbers, then the reasons.
  var text: String {
    let noun = trials.count == 1 ? "scenario" : "scenarios"
    var text =
      "\(trials.count) \(noun) of seed \(seed): \(passed) passed, \(blocked) cannot proceed, "
      + "\(refused) refused, \(stopped) stopped, \(failed) failed\n"
      + "\(validAsDrawn) were valid as drawn, \(trials.count - validAsDrawn - refused) after "
      + "repairs\n"
    if passed > 0 {
      let parts = Self.covered.map { "\(kinds(of: $0.column)) \($0.noun)" }
      text += "those that passed had \(parts.joined(separator: ", "))\n"
    }
    text += Self.lines("why the simulation cannot proceed", blocks)
    text += Self.lines("why scenarios were refused as drawn", refusals)
    return text
  }

  /// Columns that tell what was tried.
  private static let covered: [(column: String, noun: String)] = [
    ("strategy", "strategies"), ("compression", "compressions"), ("algorithm", "algorithms"),
    ("schedule", "schedules"), ("network_model", "network models"), ("transport", "transports"),
  ]

  /// The different cells of `column` among what passed.
  private func kinds(of column: String) -> Int {
    var kinds: Set<String> = []
    for trial in trials where trial.outcome == .passed {
      guard let table = trial.table else { continue }
      for row in table.rows { kinds.insert(table.cell(column, row)) }
    }
    return kinds.count
  }

  private static func lines(_ title: String, _ reasons: [(reason: String, count: Int)]) -> String {
    if reasons.isEmpty { return "" }
    let shown = reasons.prefix(40).map { entry in
      let digits = String(entry.count)
      let first = entry.reason.split(separator: "\n").first.map(String.init) ?? ""
      return String(repeating: " ", count: max(0, 6 - digits.count)) + "\(digits)  \(first)\n"
    }
    let rest = reasons.count > 40 ? "        and \(reasons.count - 40) more\n" : ""
    return "\(title):\n" + shown.joined() + rest
  }

  var node: JSONNode {
    func list(_ reasons: [(reason: String, count: Int)]) -> JSONNode {
      JSONNode(
        .object(reasons.map { JSONMember($0.reason, JSONNode(integerLiteral: $0.count)) }))
    }
    let failures = trials.filter { if case .failed = $0.outcome { true } else { false } }
    return JSONNode(
      .object([
        JSONMember("seed", JSONNode(.string(String(seed)))),
        JSONMember("scenarios", JSONNode(integerLiteral: trials.count)),
        JSONMember("passed", JSONNode(integerLiteral: passed)),
        JSONMember("cannot_proceed", JSONNode(integerLiteral: blocked)),
        JSONMember("refused", JSONNode(integerLiteral: refused)),
        JSONMember("stopped", JSONNode(integerLiteral: stopped)),
        JSONMember("failed", JSONNode(integerLiteral: failed)),
        JSONMember("valid_as_drawn", JSONNode(integerLiteral: validAsDrawn)),
        JSONMember("reasons_to_be_refused", list(refusals)),
        JSONMember("reasons_not_to_proceed", list(blocks)),
        JSONMember("failures", JSONNode(.array(failures.map { Self.node($0, seed: seed) }))),
      ]))
  }

  /// A failed scenario on one line, with what it takes to run it again.
  static func line(_ trial: ScenarioFuzz.Trial, seed: UInt64) -> String {
    node(trial, seed: seed).compactText + "\n"
  }

  private static func node(_ trial: ScenarioFuzz.Trial, seed: UInt64) -> JSONNode {
    var reasons: [String] = []
    if case .failed(let found) = trial.outcome { reasons = found }
    return JSONNode(
      .object([
        JSONMember("seed", JSONNode(.string(String(seed)))),
        JSONMember("only", JSONNode(integerLiteral: trial.index)),
        JSONMember("reasons", JSONNode(.array(reasons.map { JSONNode(.string($0)) }))),
        JSONMember("scenario", trial.scenario),
      ]))
  }
}

/// Says which scenarios were on their way when the program traps, and exits with 4.
///
/// The handler only reads atomic words, makes digits on its stack, and writes.
enum CrashReport {
  private static let workers = 64
  private static let running = (0..<workers).map { _ in Slot() }
  private static let seed = Slot()

  private final class Slot: Sendable {
    /// One above the scenario; 0 for none.
    let value = Atomic<UInt64>(0)
  }

  static func begin(_ index: Int, worker: Int) {
    running[worker % workers].value.store(UInt64(index) + 1, ordering: .relaxed)
  }

  static func end(worker: Int) { running[worker % workers].value.store(0, ordering: .relaxed) }

  static func install(seed: UInt64) {
    // Made here, since a handler may allocate nothing.
    _ = running.count
    self.seed.value.store(seed, ordering: .relaxed)
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
      signal(number) { _ in CrashReport.tell() }
    }
  }

  private static func tell() {
    for slot in running {
      let value = slot.value.load(ordering: .relaxed)
      if value == 0 { continue }
      say("crashed in scenario ")
      say(value - 1)
      say("; again: simnet data fuzz --seed ")
      say(seed.value.load(ordering: .relaxed))
      say(" --only ")
      say(value - 1)
      say("\n")
    }
    _exit(ExitStatus.someFailed)
  }

  private static func say(_ text: StaticString) {
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }

  private static func say(_ number: UInt64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var rest = number
      var place = 20
      // At most 20 digits, the most that 64 bits have.
      repeat {
        place -= 1
        digits[place] = UInt8(rest % 10) + 0x30
        rest /= 10
      } while rest > 0
      _ = write(STDERR_FILENO, digits.baseAddress! + place, 20 - place)
    }
  }
}
