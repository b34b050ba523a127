import ArgumentParser
import Experiments

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of scenario files, for editors.",
    discussion: "Example: simnet schema > simnet.schema.json")

  func run() throws {
    Terminal.print(Scenario.description.schemaDocument(id: "simnet scenario, format 1") + "\n")
  }
}
