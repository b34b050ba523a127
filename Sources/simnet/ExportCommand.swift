import ArgumentParser
import Experiments
import Foundation
import Interchange
import SimKernel

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write an iteration of a scenario for ASTRA-sim or LogGOPSim.",
    discussion: """
      Example: simnet export scenario.json -o traces --set workload.iterations=1
      Example: simnet export scenario.json --format goal -o iteration.goal

      Formats:
        chakra: a folder of NAME.0.et, NAME.1.et, ..., one a worker, collectives as one node each, for \
      ASTRA-sim; in whole microseconds
        goal: one schedule of all hosts, message by message, for LogGOPSim and simnet goal; in whole \
      nanoseconds

      It is one iteration as planned: without stragglers, with the compression of the last phase.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case chakra, goal }

  @Argument(
    help: "The scenario file; - reads standard input.", completion: .file(extensions: ["json"]))
  var scenario: String
  @Option(
    name: .shortAndLong, help: "The folder for chakra, the file for goal; - is standard output.",
    completion: .file())
  var output: String
  @Option(help: "chakra or goal.")
  var format: Format = .chakra
  @Option(help: "Workers to write, such as 0,3..5; by default all. For chakra.")
  var workers: String?
  @Option(help: "The point of the sweep, from 0; by default the first.")
  var point: Int?
  @Option(help: "The job, where there are several.")
  var job: String?
  @Option(name: .long, help: "Override a key: path=value. May be repeated.")
  var set: [String] = []
  @Flag(name: .shortAndLong, help: "Nothing on standard error unless something is wrong.")
  var quiet = false

  func validate() throws {
    if let point, point < 0 { throw ValidationError("--point counts from 0") }
    if output == "-", format == .chakra {
      throw ValidationError("chakra is a file a worker; give a folder with -o")
    }
    if workers != nil, format == .goal { throw ValidationError("--workers needs --format chakra") }
    if output != "-", scenario != "-", FileIdentity.isSame(output, scenario) {
      throw ValidationError("-o names the scenario itself; name another file")
    }
  }

  func run() throws {
    let wanted = try workers.map { try NumberRanges($0, option: "--workers") }
    try OutputCheck.check(output, isFolder: format == .chakra)
    var file = try ScenarioFile.read(scenario)
    for assignment in set { try file.set(assignment) }
    var export = try ScenarioExport(file, point: point, job: job)
    switch format {
    case .chakra:
      if let wanted, wanted.last >= export.workers {
        throw ValidationError("--workers: there are 0..\(export.workers - 1)")
      }
      let stem = scenario == "-" ? "scenario" : Self.stem(scenario)
      var count = 0
      for rank in 0..<export.workers where wanted?.contains(rank) ?? true {
        let name = "\(stem).\(rank).et"
        let bytes = try export.chakra(rank: rank, name: name)
        try OutputCheck.write(to: output + "/" + name) { try $0(bytes) }
        count += 1
      }
      say("wrote \(count) files \(output)/\(stem).*.et")
    case .goal:
      let bytes = try RecordedCommand.run(advice: "; choose a smaller scenario") {
        try export.goal(file, point: point, stop: $0)
      }
      try OutputCheck.write(to: output) { try $0(bytes) }
      if output != "-" { say("wrote \(output)") }
    }
    for sentence in export.notes { say("not kept: \(sentence)") }
  }

  /// The name of a file without folders and extension.
  private static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return name.hasSuffix(".json") && name.count > 5 ? String(name.dropLast(5)) : name
  }

  private func say(_ line: String) {
    if !quiet { Terminal.say(line) }
  }
}
