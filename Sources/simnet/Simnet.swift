import ArgumentParser
import Experiments
import Foundation

@main
struct Simnet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simnet",
    abstract:
      "Would compressing, scheduling or splitting the gradient traffic make training faster?",
    discussion: """
      Simulates data-parallel training on a network, with real compressors on real gradient bytes.

      Example: simnet run Scenarios/quickstart.json -o Results/quickstart.csv
      """,
    version: "simnet \(SimnetVersion.current) (libzstd \(SimnetVersion.libzstd))",
    subcommands: [
      RunCommand.self, SweepCommand.self, MergeCommand.self, StatusCommand.self,
      ValidateCommand.self, ListCommand.self, ExplainCommand.self,
      SchemaCommand.self, CompressCommand.self, CollectiveCommand.self, FlowsCommand.self,
      CalibrateCommand.self,
      GateCommand.self, CompareCommand.self, ParetoCommand.self, ReportCommand.self,
      CrossoverCommand.self, WhatIfCommand.self, ReproduceCommand.self,
      DataCommand.self,
      GoalCommand.self, GraphCommand.self, InspectCommand.self, ImportCommand.self,
      ExportCommand.self, TraceCommand.self, TopologyCommand.self,
    ])

  static func main() {
    // A closed pipe shows as a failed write, which ends the program quietly.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure.exit(error)
    }
  }
}
