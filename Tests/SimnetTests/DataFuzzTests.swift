import SimKernel
import Testing

/// `simnet data fuzz`: reports, replays and exit codes.
@Suite struct DataFuzzTests {
  @Test func `nothing fails, and the report does not depend on threads`() throws {
    let one = try Simnet.run(["data", "fuzz", "-n", "60", "--seed", "4", "-j", "1"])
    #expect(one.status == 0, "\(one.output) \(one.errors)")
    #expect(one.output.hasPrefix("60 scenarios of seed 4: "))
    #expect(one.output.contains(", 0 failed\n"))
    #expect(one.output.contains("\nwhy scenarios were refused as drawn:\n"))
    let two = try Simnet.run(["data", "fuzz", "-n", "60", "--seed", "4", "-j", "2"])
    #expect(two.output == one.output)
    let json = try Simnet.run(
      ["data", "fuzz", "-n", "60", "--seed", "4", "--format", "json"])
    let report = try JSONNode.parse(json.output, origin: "report")
    #expect(report["scenarios"]?.number == 60 && report["failed"]?.number == 0)
    #expect(report["failures"]?.elements?.isEmpty == true)
    // Of the others, many have hosts that crash faster than they start.
    #expect((report["passed"]?.number ?? 0) > 20)
  }

  @Test func `one scenario is printed, and is one that simnet reads`() throws {
    let only = try Simnet.run(["data", "fuzz", "--seed", "4", "--only", "3"])
    #expect(only.status == 0 && only.errors == "")
    let parts = only.output.split(separator: "\n1 scenario of seed 4: ")
    #expect(parts.count == 2)
    let scenario = try JSONNode.parse(String(parts[0]), origin: "scenario")
    #expect(scenario["simnet"]?.number == 1 && scenario["cluster"] != nil)
    let again = try Simnet.run(["data", "fuzz", "--seed", "4", "--only", "3"])
    #expect(again.output == only.output)
  }

  @Test func `a schema narrows what is drawn, and must be one`() throws {
    let scratch = try Scratch()
    let schema = try Simnet.run(["schema"]).output
    try scratch.write("s.json", schema)
    let plain = try Simnet.run(
      ["data", "fuzz", "-n", "10", "--schema", "s.json"], in: scratch.folder)
    let usual = try Simnet.run(["data", "fuzz", "-n", "10"])
    #expect(plain.status == 0 && plain.output == usual.output, "\(plain.errors)")
    try scratch.write("bad.json", "[1]")
    let bad = try Simnet.run(["data", "fuzz", "--schema", "bad.json"], in: scratch.folder)
    #expect(bad.status == 65 && bad.output == "")
    #expect(bad.errors.hasPrefix("bad.json:1:1: --schema: no JSON Schema of an object"))
  }
}
