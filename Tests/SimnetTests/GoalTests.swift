import Foundation
import Testing

/// `simnet goal`, on schedules of LogGOPSim's tools and on its own.
@Suite struct GoalTests {
  /// LogGOPSim's schedules and results, kept outside the repository.
  private static let traces: URL? = {
    let folder = Simnet.root.deletingLastPathComponent()
      .appendingPathComponent("shared/traces/goal-loggopsim")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// The finish times of one schedule of a CSV.
  private func finish(_ csv: String, of schedule: String) -> [String] {
    csv.split(separator: "\n").dropFirst().compactMap { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return cells[0] == schedule ? cells[2] : nil
    }
  }

  @Test(
    "every host of every schedule ends when LogGOPSim says, to the nanosecond",
    .enabled(if: traces != nil, "../shared/traces/goal-loggopsim is not there"))
  func golden() throws {
    let folder = Self.traces!
    let text = try String(
      contentsOf: folder.appendingPathComponent("loggopsim-results.csv"), encoding: .utf8)
    let rows = text.split(separator: "\n").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(rows.count == 152)
    var groups: [String: [[String]]] = [:]
    for row in rows { groups[row[4...9].joined(separator: ","), default: []].append(row) }
    #expect(groups.count == 3)
    for key in groups.keys.sorted() {
      let values = key.split(separator: ",")
      let parameters = zip(["L", "o", "g", "G", "O", "S"], values).map { "\($0)=\($1)" }
      let group = groups[key]!
      let paths = group.map { row in
        folder.appendingPathComponent(
          row[1] == "binary_tree" ? row[0] : "schedules/" + row[0]
        ).path
      }
      let done = try Simnet.run(
        ["goal", "--format", "csv", "--loggp", parameters.joined(separator: ",")] + paths)
      #expect(done.status == 0, "\(done.errors)")
      for (row, path) in zip(group, paths) {
        let times = finish(done.output, of: path)
        if row[1] == "binary_tree" {
          // More than 16 hosts: LogGOPSim prints only the latest, and the file keeps of its
          // "(2.75e-05 s)" the exponent. Five levels of L + 2o are 27,500 ns.
          #expect(row[10] == "05" && times.compactMap { Double($0) }.max() == 27_500)
        } else {
          #expect(times == row[12].split(separator: ";").map(String.init), "\(row[0]) \(key)")
        }
      }
    }
  }

  @Test("a written pattern runs as the pattern does, and as LogGOPSim runs it")
  func written() throws {
    let scratch = try Scratch()
    let pattern = ["--pattern", "ring", "--ranks", "4", "--bytes", "8"]
    let write = try Simnet.run(["goal"] + pattern + ["--write", scratch.path("ring.goal")])
    #expect(write.status == 0 && write.output == "")
    let stored = try Simnet.run(["goal", "ring.goal", "--format", "csv"], in: scratch.folder)
    let implicit = try Simnet.run(["goal"] + pattern + ["--format", "csv"])
    #expect(
      implicit.output
        == "schedule,host,finish_ns\nring,0,33036\nring,1,33036\nring,2,33036\nring,3,33036\n")
    let times = ["33036", "33036", "33036", "33036"]
    #expect(finish(stored.output, of: "ring.goal") == times)
    #expect(implicit.errors.contains("M messages/s"))
  }

  @Test("units, single hosts, summaries and formats")
  func options() throws {
    // Two ranks: L + 2o, twice.
    let pattern = ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2B"]
    let parameters = ["--loggp", "L=2.5us, o=1500,g=1 us,G=8Gbps,S=none"]
    let plain = try Simnet.run(pattern + parameters + ["--summary", "--format", "csv"])
    #expect(
      plain.output
        == "schedule,hosts,messages,bytes,first_finish_ns,makespan_ns\nring,2,4,4,11000,11000\n")
    // Host 1 sends until 5.5 us, receives until 11, sends until 16.5, receives until 22.
    let slow = try Simnet.run(
      pattern + parameters + ["--host", "1-1:o=5.5us", "--format", "csv"])
    #expect(finish(slow.output, of: "ring") == ["20500", "22000"])
    let json = try Simnet.run(pattern + parameters + ["--format", "json"])
    #expect(json.status == 0 && json.output.contains("11000"))
    let table = try Simnet.run(pattern)
    #expect(table.status == 0 && table.output.contains("finish_ns"))
  }

  @Test("what cannot end says who waits, with exit code 5")
  func stuck() throws {
    let scratch = try Scratch()
    try scratch.write(
      "wait.goal", "num_ranks 2\nrank 0 {\nl1: recv 8b from 1 tag 3\n}\nrank 1 {\n}\n")
    let done = try Simnet.run(["goal", "wait.goal"], in: scratch.folder)
    #expect(done.status == 5 && done.output == "")
    #expect(
      done.errors.contains("rank 0, line 3: receive of 8 B from rank 1 with tag 3 waits"),
      "\(done.errors)")
  }

  @Test(
    "wrong input is refused with its place",
    arguments: [
      (["goal"], 64, "give GOAL schedules"),
      (["goal", "--pattern", "ring"], 64, "needs --ranks"),
      (
        ["goal", "--pattern", "rings", "--ranks", "2", "--bytes", "2"], 64, "did you mean \"ring\""
      ),
      (
        ["goal", "--pattern", "halving_doubling", "--ranks", "6", "--bytes", "2"], 64,
        "needs a power of two of ranks"
      ),
      (
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2", "--loggp", "Q=1"], 64,
        "unknown LogGOPS parameter \"Q\""
      ),
      (
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2", "--loggp", "L=1 parsec"], 64,
        "does not end in a known unit"
      ),
      (
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2", "--host", "2:o=1"], 64,
        "host 2 of 2"
      ),
      (
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2", "--loggp", "L=1,o=2,L=2"], 64,
        "L is given twice in \"L=1,o=2,L=2\""
      ),
      (
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2", "--loggp", "L=1e30"], 64,
        "1e30 ns; write 0 to 2.5e14 ns"
      ),
      (
        ["goal", "--pattern", "ring", "--ranks", "2", "--bytes", "2", "--loggp", "S=-1"], 64,
        "S=-1; write a size of at least 0 B"
      ),
      (["goal", "/no/such/schedule.goal"], 74, "cannot be opened"),
    ] as [([String], Int32, String)])
  func refused(arguments: [String], status: Int32, message: String) throws {
    let done = try Simnet.run(arguments)
    #expect(done.status == status && done.errors.contains(message), "\(done.errors)")
  }

  @Test("a chain is cut into segments of 128 KiB unless told") func segments() throws {
    let done = try Simnet.run([
      "goal", "--pattern", "pipelined_chain", "--ranks", "4", "--bytes", "1 MiB", "--summary",
      "--format", "csv",
    ])
    // 8 segments over 3 hops.
    #expect(done.output.contains("pipelined_chain,4,24,"), "\(done.output)")
  }
}
