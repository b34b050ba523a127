import Foundation
import Testing

/// Every damaged scenario says what is wrong with it, and nothing else happens.
///
/// The expected messages are written anew by
/// `SIMNET_UPDATE_EXPECTED=1 swift test -c release --filter InvalidScenarioTests` and reviewed as a
/// diff.
@Suite struct InvalidScenarioTests {
  static let folder = Simnet.fixtures.appendingPathComponent("Invalid")
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".json") }.sorted()

  @Test func thereAreTwentyOfThemAtLeast() { #expect(Self.names.count >= 20) }

  @Test(arguments: names) func isRefusedWithItsMessageAndWithoutAResult(_ name: String) throws {
    let scratch = try Scratch()
    let path = Self.folder.appendingPathComponent(name).path
    let before = "old\n"
    try scratch.write("old.csv", before)
    let run = try Simnet.run(["run", path, "-o", scratch.path("old.csv")])
    let fresh = try Simnet.run(["run", path, "-o", scratch.path("new/results.csv")])
    let check = try Simnet.run(["validate", path])

    let said = run.errors.replacingOccurrences(of: Self.folder.path + "/", with: "")
    let expected = Self.folder.appendingPathComponent(
      String(name.dropLast(5)) + ".expected")
    if ProcessInfo.processInfo.environment["SIMNET_UPDATE_EXPECTED"] != nil {
      try Data(said.utf8).write(to: expected)
    }
    #expect(said == (try String(contentsOf: expected, encoding: .utf8)))
    #expect([run.status, fresh.status, check.status] == [65, 65, 65])
    #expect(run.output + fresh.output + check.output == "")
    #expect(fresh.errors == run.errors)
    #expect(check.errors == run.errors)
    #expect(scratch.names == ["old.csv"])
    #expect(try scratch.read("old.csv") == before)
    #expect(!said.contains("fatal") && !said.contains("crashed"))
  }

  @Test(arguments: names) func everyMessageNamesItsLine(_ name: String) throws {
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent(String(name.dropLast(5)) + ".expected"),
      encoding: .utf8)
    let lines = text.split(separator: "\n").filter { !$0.hasSuffix("nothing was run") }
    #expect(!lines.isEmpty)
    for line in lines {
      let place = line.dropFirst(name.count).prefix { $0 == ":" || $0.isNumber }
      #expect(line.hasPrefix(name + ":") && place.split(separator: ":").count == 2, "\(line)")
    }
    #expect(Set(lines).count == lines.count, "a message is repeated")
  }
}
