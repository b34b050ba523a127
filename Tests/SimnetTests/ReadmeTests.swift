import Foundation
import Testing

/// The README is true: its commands run, its scenario is valid, its table lists what is there.
@Suite struct ReadmeTests {
  private static let readme = try! String(
    contentsOf: Simnet.root.appendingPathComponent("README.md"), encoding: .utf8)

  /// The lines of fenced blocks that begin with one of `fences`.
  private static func blocks(_ fence: String) -> [String] {
    var blocks: [String] = []
    var open: String?
    for line in readme.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let text = open {
          blocks.append(text)
          open = nil
        } else if line == "```" + fence {
          open = ""
        }
      } else if open != nil {
        open! += line + "\n"
      }
    }
    return blocks
  }

  /// Every command line of the shell blocks, comments removed.
  static let commands: [String] = blocks("sh").flatMap { block in
    block.split(separator: "\n").compactMap { line -> String? in
      let command = line.prefix { $0 != "#" }
      let text = String(command).trimmingCharacters(in: .whitespaces)
      return text.isEmpty ? nil : text
    }
  }

  @Test func everyCommandStartsWithMakeOrSimnet() {
    #expect(Self.commands.count > 10)
    for command in Self.commands {
      #expect(command.hasPrefix("make ") || command.hasPrefix("simnet "), "\(command)")
    }
  }

  /// In the README's order, since later lines read what earlier ones wrote.
  @Test func everySimnetCommandRuns() throws {
    let scratch = try Scratch()
    for name in ["Scenarios", "Tests"] {
      try FileManager.default.createSymbolicLink(
        atPath: scratch.path(name),
        withDestinationPath: Simnet.root.appendingPathComponent(name).path)
    }
    for command in Self.commands where command.hasPrefix("simnet ") {
      let done = try Simnet.shell("\"$SIMNET\" " + command.dropFirst(7), in: scratch.folder)
      #expect(done.status == 0, "\(command): \(done.errors)")
      #expect(!done.output.isEmpty || !done.errors.isEmpty, "\(command)")
    }
    #expect(scratch.names.contains("Results"))
  }

  /// What `make` would do is not done again inside a test, but its rules must exist.
  @Test func everyMakeTargetExists() throws {
    for command in Self.commands where command.hasPrefix("make ") {
      let done = try Simnet.shell("make -n " + command.dropFirst(5), in: Simnet.root.path)
      #expect(done.status == 0, "\(command): \(done.errors)")
    }
  }

  @Test func theScenarioIsValid() throws {
    let scenarios = Self.blocks("json")
    #expect(scenarios.count == 1)
    let done = try Simnet.run(["validate", "-"], input: scenarios[0])
    #expect(done.status == 0, "\(done.errors)")
    #expect(done.output.contains("6 points"))
  }

  @Test func everyScenarioIsListedAndValid() throws {
    let folder = Simnet.root.appendingPathComponent("Scenarios")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".json") }.sorted()
    #expect(names.count >= 6)
    for name in names {
      #expect(Self.readme.contains("| `\(name.dropLast(5))` |"), "\(name) is not in the README")
      let done = try Simnet.run(["validate", folder.appendingPathComponent(name).path])
      #expect(done.status == 0, "\(name): \(done.errors)")
    }
  }
}
