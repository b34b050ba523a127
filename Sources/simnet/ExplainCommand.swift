import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel
import Training

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say what a key of a scenario means, or what is known of a device.",
    discussion: """
      Example: simnet explain communication.schedule
      Example: simnet explain communication.compression.top_k.ratio
      Example: simnet explain cluster.device.codecs
      Example: simnet explain device v100
      """)

  @Argument(help: "A path such as workload.batch_per_worker; without one, the top-level keys.")
  var path: String = ""

  @Argument(help: "After the word device: a listed device, or a profile such as my-host.json.")
  var device: String?

  func validate() throws {
    if let device, path != "device" {
      throw ValidationError(
        "one key is explained at a time, not \(path) and \(device); a device: simnet explain device "
          + DeviceCatalog.names[0])
    }
  }

  func run() throws {
    if let device {
      try explain(device: device)
      return
    }
    let description = Scenario.description
    let width = Terminal.width(fallback: .max)
    let parts = FieldPath(parsing: path).parts
    if parts.isEmpty {
      Terminal.print(Documentation.fields(of: description, width: width))
      return
    }
    // A device profile is a file of its own; its keys are explained where a scenario names it.
    if parts.starts(with: Self.place), parts.count > Self.place.count {
      let inner = Array(parts.dropFirst(Self.place.count))
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
    if parts == Self.place {
      Terminal.print(
        "\nA device profile is a JSON file with:\n"
          + Documentation.fields(of: DeviceFile.description, width: width))
    }
  }

  /// Prints all that is known of a listed device or a profile.
  private func explain(device text: String) throws {
    let issues = IssueCollector()
    let path = FieldPath(["device"])
    var found: DeviceProfile?
    switch FieldKind<DeviceReference>.device.read(JSONNode(.string(text))) {
    case .success(let reference):
      found = DeviceProfileFiles.read(
        reference,
        directory: URL(fileURLWithPath: FileManager.default.currentDirectoryPath), path: path,
        position: nil, issues: issues)
    case .failure(let problem):
      issues.report(Issue(path: path, problem: problem.problem))
    }
    try issues.throwIfInvalid()
    guard let found else { return }
    let width = Terminal.width(fallback: .max)
    Terminal.print(
      DeviceNotes.text(of: found, width: width) + "\n"
        + DeviceReport.tables(of: found, width: width))
  }

  private static let place = ["cluster", "device"]

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
