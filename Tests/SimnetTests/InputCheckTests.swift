import Foundation
import Testing

/// Input that used to be taken, or refused with the wrong words.
@Suite struct InputCheckTests {
  private func topology(_ json: String, in scratch: borrowing Scratch) throws -> Finished {
    try scratch.write("t.json", json)
    return try Simnet.run(
      ["collective", "all_reduce", "--ranks", "2", "--max", "8B", "--topology", "t.json"],
      in: scratch.folder)
  }

  @Test(arguments: [
    (
      #"{"kind":"leaf_spine","leaves":2,"spines":1,"hosts_per_leaf":[4],"host_link":{"bandwidth":"1 Gbps"},"fabric_link":{"bandwidth":"1 Gbps"}}"#,
      "a list of 1"
    ),
    (
      #"{"kind":"wan","sites":[{"name":"","hosts":[{"count":2,"bandwidth":"1 Gbps"}]}],"links":[]}"#,
      "a site is called"
    ),
    (
      #"{"kind":"wan","sites":[{"name":"a\nb","hosts":[{"count":2,"bandwidth":"1 Gbps"}]}],"links":[]}"#,
      "a?b"
    ),
    (
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true}],"links":[{"from":"a","to":"b","bandwidth":"1 Gbps"}],"routes":[{"from":"a","to":"b","via":[]}]}"#,
      "the route a->b has no links"
    ),
  ]) func topologiesAreChecked(json: String, part: String) throws {
    let scratch = try Scratch()
    let run = try topology(json, in: scratch)
    #expect(run.status == 65 && run.errors.contains(part), "\(run.errors)")
    #expect(run.errors.hasSuffix("1 problem; nothing was run\n"), "\(run.errors)")
  }

  @Test func oneNumberOfHostsIsForAllLeaves() throws {
    let scratch = try Scratch()
    let run = try topology(
      #"{"kind":"leaf_spine","leaves":2,"spines":1,"hosts_per_leaf":4,"host_link":{"bandwidth":"1 Gbps"},"fabric_link":{"bandwidth":"1 Gbps"}}"#,
      in: scratch)
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test(arguments: [
    ["collective", "all_reduce", "--network", "flo"],
    ["collective", "all_reduce", "--transport", "tpc"],
    ["collective", "all_reduce", "--algorithm", "rings"],
    ["collective", "all_reduce", "--format", "tabel"], ["collective", "all_reduces"],
  ]) func unknownNamesOfOptionsAreWrongUsage(arguments: [String]) throws {
    let run = try Simnet.run(arguments)
    #expect(run.status == 64 && run.output == "", "\(run.errors)")
  }

  @Test func theKeyThatNamesAMemberIsExplained() throws {
    let run = try Simnet.run(["explain", "cluster.topology.kind"])
    #expect(run.status == 0 && run.output.contains("leaf_spine"), "\(run.errors)")
  }

  @Test func outputsFollowSymbolicLinksAndMakeFolders() throws {
    let scratch = try Scratch()
    let files = FileManager.default
    try scratch.write("real.goal", "old")
    try files.createSymbolicLink(
      atPath: scratch.path("link.goal"), withDestinationPath: "real.goal")
    func write(_ path: String) throws -> Finished {
      try Simnet.run(
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "8", "--write", path],
        in: scratch.folder)
    }
    #expect(try write("link.goal").status == 0)
    #expect(try files.destinationOfSymbolicLink(atPath: scratch.path("link.goal")) == "real.goal")
    #expect(try String(contentsOfFile: scratch.path("real.goal"), encoding: .utf8) != "old")
    #expect(try write("new/folder/x.goal").status == 0)
    #expect(files.fileExists(atPath: scratch.path("new/folder/x.goal")))
  }

  @Test func aStepBeyondTheLastIsRefusedAlsoByAPlan() throws {
    let run = try Simnet.run([
      "gate", "--condition", "n - o > -0.02 +/- 0.01", "--plan", "--step", "99",
    ])
    #expect(run.status == 64 && run.errors.contains("none of the 32 steps"), "\(run.errors)")
  }

  @Test func aMergeOfNothingWritesNothing() throws {
    let scratch = try Scratch()
    let small = Simnet.scenarios.appendingPathComponent("small.json").path
    let emitted = try Simnet.run(
      ["sweep", small, "--out", "d", "--emit", "parallel"], in: scratch.folder)
    #expect(emitted.status == 0, "\(emitted.errors)")
    let merged = try Simnet.run(
      ["merge", "d", "-o", "all.csv", "--allow-partial"], in: scratch.folder)
    #expect(merged.status == 4 && merged.errors.contains("none of 6 points is finished"))
    #expect(!scratch.names.contains("all.csv"))
  }
}
