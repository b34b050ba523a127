import ArgumentParser
import Experiments
import Reporting
import SimKernel
import Training

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say what a key of a scenario means.",
    discussion: """
      Example: simnet explain communication.schedule
      Example: simnet explain communication.compression.top_k.ratio
      Example: simnet explain cluster.device.codecs
      """)

  @Argument(help: "A path such as workload.batch_per_worker; without one, the top-level keys.")
  var path: String = ""

  func run() throws {
    let description = Scenario.description
    let width = Terminal.width(fallback: .max)
    let parts = FieldPath(parsing: path).parts
    if parts.isEmpty {
      Terminal.print(Documentation.fields(of: description, width: width))
      return
    }
    // A device profile is a file of its own; its keys are explained where a scenario names it.
    if parts.starts(with: Self.device), parts.count > Self.device.count {
      let inner = Array(parts.dropFirst(Self.device.count))
      guard let (field, trail) = DeviceFile.description.find(inner) else {
        throw unknown(inner, DeviceFile.description)
      }
      Terminal.print(
        "in a device profile: "
          + Documentation.explain(field, at: trail.joined(separator: "."), width: width))
      return
    }
    guard let (field, trail) = description.find(parts) else {
      throw unknown(parts, description)
    }
    Terminal.print(Documentation.explain(field, at: trail.joined(separator: "."), width: width))
    if parts == Self.device {
      Terminal.print(
        "\nA device profile is a JSON file with:\n"
          + Documentation.fields(of: DeviceFile.description, width: width))
    }
  }

  private static let device = ["cluster", "device"]

  /// Points at the first part of the path that leads nowhere.
  private func unknown(_ parts: [String], _ root: RecordDescription) -> InvalidInput {
    var known = root.fields.map(\.key)
    var trail: [String] = []
    for part in parts {
      guard let (field, _) = root.find(trail + [part]) else {
        return InvalidInput([
          Issue(
            path: FieldPath(trail),
            problem: .unknownKey(
              found: part, suggestion: Spelling.suggestion(for: part, among: known), known: known))
        ])
      }
      trail.append(part)
      known = Documentation.keys(below: field.shape)
    }
    return InvalidInput([])
  }
}
