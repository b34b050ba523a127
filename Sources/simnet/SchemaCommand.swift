import ArgumentParser
import Experiments
import Training

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of scenario files or device profiles, for editors.",
    discussion: """
      Example: simnet schema > simnet.schema.json
      Example: simnet schema device > simnet-device.schema.json
      """)

  /// The formats that have a schema.
  enum Format: String, ExpressibleByArgument, CaseIterable { case scenario, device }

  @Argument(help: "scenario, or device for the profiles that cluster.device may name.")
  var format = Format.scenario

  func run() throws {
    switch format {
    case .scenario:
      Terminal.print(Scenario.description.schemaDocument(id: "simnet scenario, format 1") + "\n")
    case .device:
      Terminal.print(
        DeviceFile.description.schemaDocument(id: "simnet device profile, format 1") + "\n")
    }
  }
}
