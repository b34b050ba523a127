import ArgumentParser
import Experiments
import Foundation
import Networks
import Reporting
import SimKernel

struct TopologyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topology",
    abstract: "Say what a network is made of, or draw it with the loads of its links.",
    discussion: """
      Example: simnet topology scenario.json
      Example: simnet topology topology.json --svg -o network.svg
      Example: simnet topology scenario.json --svg --loads --point 3 -o loads.svg

      With --loads the point is run, and links have the colour of the share of the run in which they \
      carried something; the busiest are numbered and named.
      """)

  @Argument(
    help: """
      A scenario, a topology as cluster.topology takes it, or an htsim file (.topo); - reads standard \
      input.
      """, completion: .file(extensions: ["json", "topo"]))
  var file: String
  @Flag(help: "Draw it instead of saying what it is made of.")
  var svg = false
  @Flag(help: "Run the scenario and show how busy its links were.")
  var loads = false
  @Option(
    name: .shortAndLong, help: "The file to write; by default, or with -, standard output.",
    completion: .file())
  var output: String?
  @Option(help: "The point of the sweep, from 0; by default the first.")
  var point: Int?
  @Option(name: .long, help: "Override a key of a scenario: path=value. May be repeated.")
  var set: [String] = []
  @Option(help: "The width of the drawing: '85 mm', '170 mm', '3.3 in', '240 pt'.")
  var width: String?
  @Flag(name: .shortAndLong, help: "Nothing on standard error unless something is wrong.")
  var quiet = false

  func validate() throws {
    if loads, !svg { throw ValidationError("--loads needs --svg") }
    if width != nil, !svg { throw ValidationError("--width needs --svg") }
    if let point, point < 0 { throw ValidationError("--point counts from 0") }
    if let output, output != "-", file != "-", FileIdentity.isSame(output, file) {
      throw ValidationError("-o names the input itself; name another file")
    }
  }

  func run() throws {
    let width = try self.width.map { try PaperWidth.millimetres($0) } ?? 170
    if let output { try OutputCheck.check(output) }
    let text: String
    if file.hasSuffix(".topo") {
      if loads || point != nil || !set.isEmpty {
        throw ValidationError(
          "\(file) is a topology; --loads, --point and --set need a scenario")
      }
      text = try picture(of: try FlowScene.read(file), loads: nil, title: "", width)
    } else {
      text = try json(width)
    }
    try OutputCheck.write(to: output ?? "-") { try $0(Array(text.utf8)) }
    if let output, output != "-", !quiet { Terminal.say("wrote \(output)") }
  }

  private func json(_ width: Double) throws -> String {
    var scenario = try ScenarioFile.read(file)
    let isScenario = scenario.root["cluster"] != nil
    if !isScenario, loads || point != nil || !set.isEmpty {
      throw ValidationError("\(file) is a topology; --loads, --point and --set need a scenario")
    }
    for assignment in set { try scenario.set(assignment) }
    let (chosen, label) = isScenario ? try scenario.choosing(point: point) : (scenario, "")
    if !label.isEmpty, !quiet {
      Terminal.say(
        (point == nil ? "the first point" : "point \(point ?? 0)")
          + ": \(label) (choose with --point or --set)")
    }
    var scene = try FlowScene.read(chosen)
    guard loads else { return try picture(of: scene, loads: nil, title: "", width) }
    let flag = StopFlag()
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    do {
      let run = try RecordedRun(chosen, loads: true, stop: flag)
      if !quiet { for warning in run.warnings { Terminal.say("\(warning)") } }
      if let loads = run.loads { scene.topology = loads.topology }
      return try picture(of: scene, loads: run.loads, title: run.title, width)
    } catch RecordedRun.Stopped.interrupted {
      Terminal.say("interrupted; nothing was written")
      throw ExitCode(SweepEnding.code(of: flag.number))
    }
  }

  private func picture(
    of scene: FlowScene, loads: LinkLoads?, title: String, _ width: Double
  ) throws -> String {
    if !svg { return TopologySummary(scene.topology).text }
    let drawing = TopologyDrawing(
      scene.topology, from: scene.specification, loads: loads, title: title, millimetres: width)
    if !drawing.caveat.isEmpty, !quiet { Terminal.say(drawing.caveat) }
    return drawing.svg()
  }
}
