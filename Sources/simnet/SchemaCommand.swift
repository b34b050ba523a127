import ArgumentParser
import Experiments
import Training
import Validation

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract:
      "Print the JSON Schema of scenario files, device profiles or data schemas, for editors.",
    discussion: """
      Example: simnet schema > simnet.schema.json
      Example: simnet schema device > simnet-device.schema.json
      Example: simnet schema data > simnet-data.schema.json
      """)

  /// The formats that have a schema.
  enum Format: String, ExpressibleByArgument, CaseIterable { case scenario, device, data }

  @Argument(
    help: """
      scenario, device for the profiles that cluster.device may name, or data for what simnet \
      data infer writes.
      """)
  var format = Format.scenario

  func run() throws {
    switch format {
    case .scenario:
      Terminal.print(Scenario.description.schemaDocument(id: "simnet scenario, format 1") + "\n")
    case .device:
      Terminal.print(
        DeviceFile.description.schemaDocument(id: "simnet device profile, format 1") + "\n")
    case .data:
      Terminal.print(
        DataSchema.description.schemaDocument(id: "simnet data schema, format 1") + "\n")
    }
  }
}
