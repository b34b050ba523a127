import ArgumentParser
import Experiments
import Foundation
import Interchange
import Networks
import Reporting
import SimKernel

struct GoalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "goal",
    abstract: "Run GOAL schedules, or generated patterns, on the LogGOPS machine of LogGOPSim.",
    discussion: """
      Prints when every host is done. Bare numbers are nanoseconds (G and O: nanoseconds a byte) and \
      bytes (S), as in LogGOPSim; units are understood too.

      Example: simnet goal schedule.goal --loggp L=2500,o=1500,g=1000,G=6,O=0,S=65535
      Example: simnet goal --pattern ring --ranks 1024 --bytes '100 MB' --summary \
      --loggp L=1us,o=500ns,G=100Gbps,S=none
      Example: simnet goal --pattern dissemination --ranks 8 --bytes 8B --write barrier.goal

      Patterns:
      \(LogGPPattern.Kind.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
      """)

  @Argument(help: "GOAL schedules in text form.", completion: .file(extensions: ["goal"]))
  var schedules: [String] = []

  @Option(
    help: "Parameters of all hosts; what is not given is as in LogGOPSim.")
  var loggp = "L=2500,o=1500,g=1000,G=6,O=0,S=65535"
  @Option(
    name: .customLong("host"),
    help: "Parameters of some hosts that differ: 3:o=5us or 4-7:o=5us,G=1. May be repeated.")
  var hosts: [String] = []
  @Option(help: "Generate a schedule, computed step by step, instead of reading one.")
  var pattern: String?
  @Option(help: "Ranks of the pattern.")
  var ranks: Int?
  @Option(help: "Payload of a rank; of gather, scatter and all_to_all the size of one message.")
  var bytes: String?
  @Option(help: "Message size of pipelined_chain; by default that of Open MPI's pipelines.")
  var segment = "128 KiB"
  @Option(help: "Write the pattern as a GOAL schedule instead of running it.", completion: .file())
  var write: String?
  @Flag(help: "One line a schedule instead of one a host.")
  var summary = false
  @Option(help: "What standard output gets.")
  var format: OutputFormat = .table

  func validate() throws {
    if schedules.isEmpty == (pattern == nil) {
      throw ValidationError("give GOAL schedules, or --pattern with --ranks and --bytes")
    }
    if pattern != nil, ranks == nil || bytes == nil {
      throw ValidationError("--pattern needs --ranks and --bytes")
    }
    if pattern == nil, ranks != nil || bytes != nil || write != nil {
      throw ValidationError("--ranks, --bytes and --write belong to --pattern")
    }
    if let ranks, ranks < 1 || ranks >= 1 << 30 {
      throw ValidationError("--ranks must be in 1..<2^30")
    }
  }

  func run() throws {
    let flag = StopFlag()
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    let uniform = try LogGPText.parse(loggp, from: .logGOPSim, option: "--loggp")
    var runs: [(name: String, outcome: LogGPOutcome)] = []
    if let made = try makePattern() {
      if let write {
        try writeFile(GOALText.text(of: made), to: write)
        Terminal.say("wrote \(write)")
        return
      }
      let parameters = try parameters(uniform, count: made.ranks)
      try play(made.kind.rawValue, flag, into: &runs) { stop throws(LogGPError) in
        try LogGP.run(made, on: parameters, stop: stop)
      }
    }
    for path in schedules {
      var sink = ScheduleSink()
      try GOALReader.read(path: path, into: &sink)
      let schedule = sink.builder.finish()
      let parameters = try parameters(uniform, count: schedule.hostCount)
      try play(path, flag, into: &runs) { stop throws(LogGPError) in
        try LogGP.run(schedule, on: parameters, stop: stop)
      }
    }
    Terminal.print(summary ? summaryText(runs) : hostText(runs))
  }

  private func play(
    _ name: String, _ flag: StopFlag, into runs: inout [(name: String, outcome: LogGPOutcome)],
    _ body: (() -> Bool) throws(LogGPError) -> LogGPOutcome
  ) throws {
    let start = Date()
    do {
      runs.append((name, try body { flag.isRaised }))
    } catch LogGPError.interrupted(let time) {
      Terminal.say("\(name): \(LogGPError.interrupted(at: time))")
      throw ExitCode(128 + flag.number)
    } catch {
      Terminal.say("\(name): \(error)")
      throw ExitCode(ExitStatus.cannotProceed)
    }
    let outcome = runs[runs.count - 1].outcome
    let rate = Double(outcome.messages) / max(Date().timeIntervalSince(start), 1e-9)
    Terminal.say(
      "\(name): \(outcome.finish.count) hosts done after \(nanoseconds(outcome.makespan)) ns, "
        + "\(outcome.messages) messages, \(Numbers.significant(rate / 1e6, 3)) M messages/s")
  }

  private func parameters(_ uniform: LogGPParameters, count: Int) throws -> LogGPHosts {
    if hosts.isEmpty { return .uniform(uniform) }
    var each = [LogGPParameters](repeating: uniform, count: count)
    for text in hosts {
      let named = try LogGPText.parseHosts(text, count: count)
      for host in named.hosts {
        each[host] = try LogGPText.parse(named.parameters, from: each[host], option: "--host")
      }
    }
    return .each(each)
  }

  private func makePattern() throws -> LogGPPattern? {
    guard let pattern, let ranks, let bytes else { return nil }
    let names = LogGPPattern.Kind.allCases.map(\.rawValue)
    guard let kind = LogGPPattern.Kind(rawValue: pattern) else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--pattern"]),
          problem: .unknownName(
            noun: "pattern", found: pattern,
            suggestion: Spelling.suggestion(for: pattern, among: names), known: names))
      ])
    }
    let size = try quantity(bytes, "--bytes")
    let segment = try quantity(segment, "--segment")
    if segment == .zero {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--segment"]),
          problem: .outOfRange(found: "0 B", expected: "at least 1 B"))
      ])
    }
    guard let made = LogGPPattern(kind, ranks: ranks, bytes: size, segment: segment) else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--pattern"]),
          problem: .conflict(
            kind == .pipelinedChain
              ? "\(bytes) in segments of \(self.segment) are too many messages"
              : "\(pattern) needs a power of two of ranks, found \(ranks)"))
      ])
    }
    return made
  }

  private func quantity(_ text: String, _ option: String) throws -> ByteCount {
    let size =
      if let bare = Int64(text), bare >= 0 {
        ByteCount(bare)
      } else {
        try QuantityText.parse(text, as: .size, option: option)
      }
    if size > LogGPScheduleBuilder.largestMessage {
      throw InvalidInput([
        Issue(
          path: FieldPath([option]),
          problem: .outOfRange(found: text, expected: "at most 1024 TiB"))
      ])
    }
    return size
  }

  private func writeFile(_ text: String, to path: String) throws {
    try AtomicFile.write(text, to: path)
  }

  // MARK: - Tables

  /// Nanoseconds as an exact decimal, as far as they are needed: LogGOPSim's unit.
  private func nanoseconds(_ time: SimTime) -> String {
    let (whole, part) = time.picoseconds.quotientAndRemainder(dividingBy: 1000)
    if part == 0 { return String(whole) }
    var fraction = String(String(1000 + part).dropFirst())
    while fraction.last == "0" { fraction.removeLast() }
    return "\(whole).\(fraction)"
  }

  private func hostText(_ runs: [(name: String, outcome: LogGPOutcome)]) -> String {
    var rows: [[String]] = []
    for run in runs {
      for (host, time) in run.outcome.finish.enumerated() {
        rows.append([run.name, String(host), nanoseconds(time)])
      }
    }
    return render(["schedule", "host", "finish_ns"], rows)
  }

  private func summaryText(_ runs: [(name: String, outcome: LogGPOutcome)]) -> String {
    let rows = runs.map { name, outcome in
      [
        name, String(outcome.finish.count), String(outcome.messages),
        String(outcome.bytes.bytes), nanoseconds(outcome.finish.min() ?? .zero),
        nanoseconds(outcome.makespan),
      ]
    }
    return render(
      ["schedule", "hosts", "messages", "bytes", "first_finish_ns", "makespan_ns"], rows)
  }

  private func render(_ header: [String], _ rows: [[String]]) -> String {
    guard format == .table else {
      return format.render(
        ResultTable(header: header, sweptCount: 0, rows: rows), width: .max)
    }
    var table = TextTable(
      header.map { (title: $0, alignment: $0 == "schedule" ? .left : .right) })
    for row in rows { table.add(row) }
    return table.text()
  }
}
