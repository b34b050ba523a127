import ArgumentParser
import Dispatch
import Experiments
import Foundation
import Networks
import Reporting
import SimKernel

struct FlowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flows", abstract: "Play a list of flows on a network: when does each end?",
    discussion: """
      Example: simnet flows --topology star.json flows.csv -o fct.csv
      Example: simnet flows --topology fat_tree_1024.topo perm_1024n.cm --links links.csv
      Example: simnet flows --topology scenario.json flows.csv --network alpha_beta --routes r.csv

      flows.csv has a header and the columns id, source, destination, bytes, and if needed start_s \
      and after, in any order. Sources and destinations are names of accelerators or positions from \
      0; a flow with ids in after (separated by blanks) starts start_s after the last of them has \
      ended. Files that end in .cm are htsim's connection matrices, topologies that end in .topo \
      htsim's. A routes file has the columns source, destination and links (names separated by \
      blanks).
      """)

  @Argument(
    help: "The flows: CSV, or an htsim matrix (.cm); - reads CSV from standard input.",
    completion: .file(extensions: ["csv", "cm"]))
  var flows: String

  @Option(
    help: "A topology as cluster.topology takes it, a whole scenario, or an htsim file (.topo).",
    completion: .file(extensions: ["json", "topo"]))
  var topology: String
  @Option(
    name: .shortAndLong,
    help: "Write every flow here (.csv, .json or .jsonl); - writes CSV to standard output.",
    completion: .file())
  var output: String?
  @Option(help: "Write what every link carried here.", completion: .file())
  var links: String?
  @Option(help: "Pin the routes in this file.", completion: .file(extensions: ["csv"]))
  var routes: String?
  @Option(
    help: """
      The model: \(NetworkModelKind.allCases.map(\.rawValue).joined(separator: ", ")). By default \
      that of the scenario, or flow.
      """)
  var network: String?
  @Option(help: "See simnet list transports; by default that of the scenario, or ideal.")
  var transport: String?
  @Option(help: "What standard output gets of the summary.")
  var format: OutputFormat = .table
  @Flag(name: .shortAndLong, help: "Nothing on standard error unless something is wrong.")
  var quiet = false

  /// Refuses outputs that would take the place of an input, or of what is no file.
  private func checkOutputs() throws {
    for (option, path) in [("-o", output), ("--links", links)] {
      guard let path, path != "-" else { continue }
      if [topology, flows, routes ?? ""].contains(where: { FileIdentity.isSame($0, path) }) {
        throw ValidationError("\(option) names an input, \(path); name another file")
      }
      var status = stat()
      if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        throw InputError(
          path: path, reason: "is not a regular file", advice: "name another with \(option)")
      }
    }
  }

  func run() throws {
    try checkOutputs()
    let begin = DispatchTime.now().uptimeNanoseconds
    var scene = try FlowScene.read(topology, model: network, transport: transport)
    if let routes { scene.topology = try RouteFile.apply(routes, to: scene.topology) }
    let table = try FlowFile.read(flows, topology: scene.topology)
    if !quiet { for note in scene.notes { Terminal.say(note) } }
    let readDone = DispatchTime.now().uptimeNanoseconds

    let flag = StopFlag()
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    let outcome = FlowSimulation(table, scene: scene, stop: flag).run()
    let simulated = DispatchTime.now().uptimeNanoseconds
    if let failure = outcome.failure {
      Terminal.say("\(outcome.delivered) of \(table.count) flows have ended")
      if case .interrupted(let time) = failure {
        Terminal.say("interrupted after \(time) of simulated time; nothing was written")
        throw ExitCode(SweepEnding.code(of: flag.number))
      }
      throw failure
    }

    let result = FlowResult(table, scene: scene, outcome: outcome)
    if let output, output != "-" { try result.writeFlows(to: output) }
    if let links { try result.writeLinks(to: links) }
    let report = FlowReport(result)
    if output == "-" {
      Terminal.print(result.flowsAsCSV)
    } else {
      Terminal.print(
        format == .table ? report.text : format.render(report.table, width: Terminal.width()))
    }
    if !quiet {
      let seconds = Double(simulated - readDone) / 1e9
      Terminal.say(
        "\(table.count) flows in \(Numbers.seconds(seconds)) "
          + "(\(Numbers.significant(Double(table.count) / max(seconds, 1e-9), 3)) flows/s), "
          + "read in \(Numbers.seconds(Double(readDone - begin) / 1e9))")
    }
    if outcome.lost > 0 {
      Terminal.say("\(outcome.lost) of \(table.count) flows were lost")
      throw ExitCode(ExitStatus.someFailed)
    }
  }
}
