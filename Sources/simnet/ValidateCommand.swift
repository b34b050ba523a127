import ArgumentParser
import Experiments
import Foundation

struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check a scenario and every point of its sweep; run nothing.",
    discussion: "Example: simnet validate scenario.json --set cluster.device=a100")

  @Argument(
    help: "The scenario file; - reads standard input.", completion: .file(extensions: ["json"]))
  var scenario: String

  @Option(name: .long, help: "Override a key as simnet run does.")
  var set: [String] = []

  func run() throws {
    var file = try ScenarioFile.read(scenario)
    for assignment in set { try file.set(assignment) }
    let runner = try SweepRunner(
      file, comparing: false, threads: ProcessInfo.processInfo.activeProcessorCount)
    for warning in runner.warnings { Terminal.say("\(warning)") }
    Terminal.print(
      "\(file.origin): valid; \(runner.count) \(runner.count == 1 ? "point" : "points"), "
        + "\(runner.runCount) runs\n")
  }
}
