import ArgumentParser
import Experiments
import Training
import Validation

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract:
      "Print the JSON Schema of scenarios, device profiles, data schemas or paper files, for editors.",
    discussion: """
      Example: simnet schema > simnet.schema.json
      Example: simnet schema device > simnet-device.schema.json
      Example: simnet schema data > simnet-data.schema.json
      Example: simnet schema paper > simnet-paper.schema.json
      """)

  /// The formats that have a schema.
  enum Format: String, ExpressibleByArgument, CaseIterable { case scenario, device, data, paper }

  @Argument(
    help: """
      scenario, device for the profiles that cluster.device may name, data for what simnet data \
      infer writes, or paper for what simnet reproduce runs.
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
    case .paper:
      Terminal.print(
        PaperFile.description.schemaDocument(id: "simnet paper file, format 1") + "\n")
    }
  }
}
