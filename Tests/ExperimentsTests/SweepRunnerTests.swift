import Experiments
import Foundation
import SimKernel
import Testing

@Suite struct SweepRunnerTests {
  private let variants = #"""
    , "replicates": 2, "sweep": {
      "cluster.topology.link.bandwidth": ["1 Gbps", "10 Gbps"],
      "communication": {
        "fp32": {}, "fp16": {"compression": "fp16"},
        "sign": {"strategy": "all_gather", "compression": "ef_sign", "error_feedback": true}}}
    """#

  private func run(_ text: String, _ options: SweepOptions = SweepOptions()) throws -> SweepOutcome
  {
    try SweepRunner(Scratch().scenario(text)).run(options)
  }

  @Test func rowsComeInPointOrderWhateverTheThreads() throws {
    let one = try run(quick(variants))
    let three = try run(quick(variants), SweepOptions(jobs: 3))
    #expect(one.table.csv == three.table.csv)
    #expect(one.finishedPoints == 6 && one.totalPoints == 6 && one.failures.isEmpty)
    #expect(!one.isInterrupted)
    let points = ["0", "1", "2", "3", "4", "5"]
    #expect(one.table.cells("point") == points.flatMap { [$0, $0] })
    #expect(one.table.cells("replicate") == points.flatMap { _ in ["0", "1"] })
    #expect(one.table.swept == ["cluster.topology.link.bandwidth", "communication"])
    #expect(one.table.header == ResultColumns.header(swept: one.table.swept))
    #expect(one.table.rows.allSatisfy { $0.count == one.table.header.count })
    #expect(Set(one.table.header).count == one.table.header.count)
  }

  @Test func aRowsTimeIsTheSumOfItsParts() throws {
    let table = try run(quick(variants)).table
    for row in table.rows {
      let parts = [
        "compute_time_s", "exposed_encode_s", "exposed_communication_s", "exposed_decode_s",
        "straggler_wait_s", "optimizer_time_s",
      ].map { table.number($0, row) ?? .nan }
      let time = try #require(table.number("iteration_time_s", row))
      // Each cell is exact to the picosecond; their sum as doubles is not.
      #expect((parts.reduce(0, +) - time).magnitude < 1e-12 * 8)
      #expect((table.number("compression_ratio", row) ?? 0) > 0)
    }
  }

  @Test func baselinesAreTheirOwnMeasure() throws {
    let table = try run(quick(variants)).table
    let names = table.cells("communication")
    for (index, row) in table.rows.enumerated() {
      let fp32 = try #require(table.number("speedup_over_fp32", row))
      let fp16 = try #require(table.number("speedup_over_fp16", row))
      let time = try #require(table.number("iteration_time_s", row))
      // The baselines of a point are the plain variants of the same bandwidth and replicate.
      func reference(_ name: String) -> Double {
        let other = table.rows.indices.first {
          names[$0] == name && table.rows[$0][7] == row[7] && table.rows[$0][2] == row[2]
        }!
        return table.number("iteration_time_s", table.rows[other])!
      }
      #expect(fp32 == reference("fp32") / time && fp16 == reference("fp16") / time)
      if names[index] == "fp32" { #expect(fp32 == 1) }
      if names[index] == "fp16" { #expect(fp16 == 1) }
    }
  }

  @Test func baselinesReduceEvenWhereTheBaseGathers() throws {
    let gathered = #", "communication": {"strategy": "all_gather", "compression": "ef_sign"}"#
    let table = try run(quick(gathered)).table
    let plain = try run(quick()).table
    let time = try #require(table.number("iteration_time_s", table.rows[0]))
    let reference = try #require(plain.number("iteration_time_s", plain.rows[0]))
    #expect(table.cells("strategy") == ["all_gather"])
    #expect(table.number("speedup_over_fp32", table.rows[0]) == reference / time)
  }

  @Test func chosenPointsAndReplicatesAreTheRowsOfTheWhole() throws {
    let whole = try run(quick(variants)).table
    let part = try run(quick(variants), SweepOptions(points: [4], replicates: [1])).table
    #expect(part.rows == [whole.rows[9]])
  }

  @Test func theTitleChangesNoNumber() throws {
    let a = try run(quick(title: "a")).table
    let b = try run(quick(title: "b")).table
    #expect(a.rows.map { Array($0.dropFirst()) } == b.rows.map { Array($0.dropFirst()) })
  }

  @Test func aStopBeforeTheStartFinishesNothing() throws {
    let stop = StopFlag()
    stop.raise(2)
    let outcome = try run(quick(variants), SweepOptions(jobs: 2, stop: stop))
    #expect(outcome.isInterrupted && outcome.finishedPoints == 0 && outcome.table.rows.isEmpty)
    #expect(outcome.failures.isEmpty && stop.number == 2)
  }

  @Test func aStopAfterTheEndInterruptsNothing() throws {
    let scratch = try Scratch()
    let file = try scratch.scenario(quick(variants))
    let runner = try SweepRunner(file)
    _ = try runner.run(SweepOptions(journalPath: scratch.path("j")))
    let stop = StopFlag()
    stop.raise(2)
    let again = try runner.run(SweepOptions(journalPath: scratch.path("j"), stop: stop))
    #expect(!again.isInterrupted && again.finishedPoints == 6)
  }

  @Test func aPointThatCannotProceedIsAFailureOfItsOwn() throws {
    let faults =
      #", "sweep": {"faults": {"none": [], "cut": [{"at": "1 us", "link": "h0->switch", "up": false}]}}"#
    let outcome = try run(quick(faults))
    #expect(outcome.finishedPoints == 1 && outcome.totalPoints == 2)
    #expect(outcome.failures.count == 1 && outcome.failures[0].point == 1)
    #expect(outcome.failures[0].cannotProceed)
    #expect(outcome.failures[0].reason.contains("waits"))
    #expect(outcome.table.cells("faults") == ["none"])
  }
}

/// The journal of finished runs.
@Suite struct JournalTests {
  private func id(_ name: String) -> RunID {
    RunID(configuration: name, seed: 1, replicate: 0)
  }
  /// The finished runs of `names` in the journal at `path`.
  private func finished(_ path: String, _ names: [String]) throws -> [String: [String]] {
    let index = try JournalIndex([path])
    return names.reduce(into: [:]) { $0[$1] = index.cells(id($1)) }
  }

  @Test func finishedRunsComeBack() throws {
    let scratch = try Scratch()
    let path = scratch.path("j")
    #expect(try JournalIndex([path]).finishedCount == 0)
    do {
      let journal = try Journal(path: path)
      try journal.append(id("a"), cells: ["1", "with, comma", "\"q\"\n"])
      try journal.append(id("b"), cells: [])
      try journal.flush()
    }
    #expect(try finished(path, ["a", "b"]) == ["a": ["1", "with, comma", "\"q\"\n"], "b": []])
    #expect(try JournalIndex([path]).builds == [.current])
  }

  @Test func aFailureCountsUntilTheRunIsFinished() throws {
    let scratch = try Scratch()
    let path = scratch.path("j")
    let journal = try Journal(path: path)
    try journal.append(id("a"), failure: "because of \"this\"\nand that")
    try journal.append(id("b"), failure: "once")
    try journal.append(id("b"), cells: ["1"])
    try journal.append(id("c"), cells: ["1"])
    try journal.append(id("c"), failure: "of a second writer")
    try journal.flush()
    let index = try JournalIndex([path])
    #expect(index.hasFailed(id("a")) && !index.isFinished(id("a")) && index.cells(id("a")) == nil)
    #expect(index.failure(id("a")) == "because of \"this\"\nand that")
    for name in ["b", "c"] {
      #expect(index.isFinished(id(name)) && !index.hasFailed(id(name)))
      #expect(index.failure(id(name)) == nil)
    }
    #expect(index.finishedCount == 2)
  }

  @Test func damagedAndTornLinesAreSkippedAndTheNextOneIsWhole() throws {
    let scratch = try Scratch()
    let path = scratch.path("j")
    let names = ["a", "b", "c"]
    do {
      let journal = try Journal(path: path)
      for name in names { try journal.append(id(name), cells: [name + name]) }
      try journal.flush()
    }
    let bytes = Array(try scratch.read("j").utf8)
    for cut in 0...bytes.count {
      try Data(bytes.prefix(cut)).write(to: URL(fileURLWithPath: path))
      // The first line names the build.
      let whole = max(0, bytes.prefix(cut).count { $0 == 0x0A } - 1)
      let count = try JournalIndex([path]).finishedCount
      // A line that lacks nothing but its end counts.
      #expect([whole, whole + 1].contains(count))
      let journal = try Journal(path: path)
      try journal.append(id("z"), cells: ["9"])
      try journal.flush()
      #expect(try finished(path, ["z"]) == ["z": ["9"]])
    }
    let start = bytes.firstIndex(of: 0x0A)! + 1
    for index in bytes.indices {
      var flipped = bytes
      flipped[index] ^= 1
      try Data(flipped).write(to: URL(fileURLWithPath: path))
      let found = try finished(path, names)
      for (name, cells) in found { #expect(cells == [name + name]) }
      #expect(found.count >= (index < start ? 2 : 1) && found.count <= (index < start ? 3 : 2))
    }
  }

  @Test func linesLongerThanTheReadersStepAreWhole() throws {
    let scratch = try Scratch()
    let path = scratch.path("j")
    let long = String(repeating: "x", count: 3 << 20)
    let journal = try Journal(path: path)
    for (name, cells) in [("a", ["1"]), ("b", [long, "2"]), ("c", ["3"])] {
      try journal.append(id(name), cells: cells)
    }
    try journal.flush()
    #expect(try finished(path, ["a", "b", "c"]) == ["a": ["1"], "b": [long, "2"], "c": ["3"]])
  }

  @Test func aLineMayOccurTwiceAndInSeveralFiles() throws {
    let scratch = try Scratch()
    do {
      let journal = try Journal(path: scratch.path("j"))
      try journal.append(id("a"), cells: ["1"])
      try journal.flush()
    }
    let text = try scratch.read("j")
    try scratch.write("j", text + text + "\n\n")
    try scratch.write("k", text)
    let index = try JournalIndex([scratch.path("j"), scratch.path("none"), scratch.path("k")])
    #expect(index.finishedCount == 1 && index.cells(id("a")) == ["1"])
  }

  @Test func aSweepTakesFromItWhatIsItsOwn() throws {
    let scratch = try Scratch()
    let more = #", "sweep": {"workload.batch_per_worker": [16, 32]}"#
    let runner = try SweepRunner(scratch.scenario(quick(more)))
    let options = SweepOptions(journalPath: scratch.path("j"))
    let first = try runner.run(options).table.csv
    let lines = try scratch.read("j").split(separator: "\n")
    // The build, two points and the fp16 baselines of both; fp32 is the points themselves.
    #expect(lines.count == 5)
    // Half of it, damage, and lines of another scenario or seed change nothing.
    let journal = try Journal(path: scratch.path("other"))
    try journal.append(id("strange"), cells: ["strange"])
    try journal.flush()
    try scratch.write("j", lines[1] + "\n" + (try scratch.read("other")) + lines[2].dropLast(9))
    #expect(try runner.run(options).table.csv == first)
    let otherSeed = try SweepRunner(scratch.scenario(quick(more), set: ["seed=6"])).run(options)
    #expect(otherSeed.table.csv != first)
    #expect(try runner.run(options).table.csv == first)
  }

  @Test func aJournalThatCannotBeOpenedIsAnInputError() throws {
    let scratch = try Scratch()
    #expect(throws: InputError.self) { try Journal(path: scratch.path("no/such/folder")) }
  }
}
