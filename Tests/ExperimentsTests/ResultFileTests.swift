import Experiments
import Foundation
import SimKernel
import Testing

@Suite struct CSVTests {
  private static let fields = [
    "", "plain", "with, comma", "\"", "\"\"", "a\"b", "two\nlines", "cr\r\nlf", " spaces ", "ä, ö",
    "1.5e-7", ",", "\n",
  ]

  @Test func whateverIsWrittenIsRead() throws {
    for a in Self.fields {
      for b in Self.fields {
        let rows = [["x", a, b], [b, a, "y"]]
        let read = try CSV.parse(rows.map(CSV.line).joined())
        #expect(read == rows)
      }
    }
  }

  @Test func plainFieldsAreNotQuoted() {
    #expect(CSV.line(["a", "1 Gbps", ""]) == "a,1 Gbps,\n")
    #expect(CSV.line(["a,b", "c\"d"]) == "\"a,b\",\"c\"\"d\"\n")
  }

  private func parsed(_ text: String) throws -> [[String]] { try CSV.parse(text) }

  @Test func otherLineEndsAreTolerated() throws {
    try #expect(parsed("a,b\r\n1,2\r\n") == [["a", "b"], ["1", "2"]])
    try #expect(parsed("a,b\n1,2") == [["a", "b"], ["1", "2"]])
    try #expect(parsed("a,\n") == [["a", ""]])
    try #expect(parsed("") == [])
  }

  @Test func aQuoteThatIsNeverClosedIsFoundWhereItOpens() {
    for (text, line) in [("\"", 1), ("a,b\n1,\"x\n3,4\n", 2), ("\"a\"\n\"b\"\"", 2)] {
      #expect(throws: CSV.Damage.openQuote(line: line)) { try CSV.parse(text) }
    }
  }
}

@Suite struct ResultTableTests {
  private func table(_ rows: [[String]]) -> ResultTable {
    ResultTable(header: ["title", "scenario_hash", "x", "y"], sweptCount: 0, rows: rows)
  }

  @Test func numbersAreNumbersAndNamesAreText() throws {
    let node = try json(
      table([["12", "0123456789012345", "1.5e-7", ""], ["a\"b", "1e5", "-3", "10 Gbps"]]).json)
    let rows = try #require(node.elements)
    #expect(
      rows[0]["title"]?.string == "12" && rows[0]["scenario_hash"]?.string == "0123456789012345")
    #expect(rows[0]["x"]?.number == 1.5e-7)
    if case .null? = rows[0]["y"]?.value {} else { Testing.Issue.record("an empty cell is null") }
    #expect(rows[1]["x"]?.number == -3 && rows[1]["y"]?.string == "10 Gbps")
  }

  @Test func noRowsAreAnEmptyArray() throws {
    #expect(try json(table([]).json).elements?.count == 0)
    #expect(table([]).jsonLines == "")
    #expect(table([]).csv == "title,scenario_hash,x,y\n")
  }

  @Test func linesOfJSONAreTheObjectsOfTheArray() throws {
    let table = table([["a", "b", "-", "--5"], ["c\n", "d", "007", "nan"]])
    let lines = table.jsonLines.split(separator: "\n")
    let array = try #require(try json(table.json).elements)
    #expect(lines.count == 2)
    for (line, node) in zip(lines, array) {
      #expect(try json(String(line)).canonicalText == node.canonicalText)
    }
    #expect(array[1]["x"]?.string == "007")
  }
}

@Suite struct ResultStoreTests {
  @Test func aFileIsReplacedWholeOrNotAtAll() throws {
    let scratch = try Scratch()
    try AtomicFile.write("one", to: scratch.path("f"))
    try AtomicFile.write("two", to: scratch.path("f"))
    #expect(try scratch.read("f") == "two" && scratch.names == ["f"])
    #expect(throws: InputError.self) {
      // A file where a folder would have to be.
      try AtomicFile.write("x", to: scratch.path("f/none"))
    }
    // A folder in the way: the rename fails after the writing.
    try FileManager.default.createDirectory(
      atPath: scratch.path("d/inner"), withIntermediateDirectories: true)
    #expect(throws: InputError.self) { try AtomicFile.write("x", to: scratch.path("d")) }
    #expect(scratch.names == ["d", "f"])
  }

  @Test func placesThatCannotHoldAResultAreRefused() throws {
    let scratch = try Scratch()
    try scratch.write("file", "")
    for path in [scratch.folder, scratch.path("file/r.csv"), "/dev/null"] {
      #expect(throws: InputError.self) { try ResultStore(path: path) }
    }
    _ = try ResultStore(path: scratch.path("new/deep/r.csv"))
    #expect(scratch.names == ["file", "new"])
  }

  @Test func anInterruptedRunReplacesOnlyWhatIsUnfinished() throws {
    let scratch = try Scratch()
    let file = try scratch.scenario(quick(#", "sweep": {"workload.batch_per_worker": [16, 32]}"#))
    let runner = try SweepRunner(file)
    let whole = try runner.run(SweepOptions())
    var partial = whole
    partial.isInterrupted = true
    partial.finishedPoints = 1
    partial.table.rows.removeLast()
    let store = try ResultStore(path: scratch.path("r.csv"))
    func save(_ outcome: SweepOutcome) throws -> String {
      let meta = RunMeta(file: file, outcome: outcome, wallTime: 1.5, arguments: ["simnet", "run"])
      try store.save(outcome, meta: meta)
      return try scratch.read("r.csv")
    }
    _ = try Journal(path: store.journalPath)
    #expect(try save(partial) == partial.table.csv)
    #expect(scratch.names.contains("r.csv.journal"))
    var less = partial
    less.table.rows = []
    #expect(try save(less) == less.table.csv)
    #expect(try save(whole) == whole.table.csv)
    #expect(!scratch.names.contains("r.csv.journal"))
    let meta = try json(try scratch.read("r.csv.meta.json"))
    #expect(meta["seed"]?.number == 5 && meta["wall_time_s"]?.number == 1.5)
    #expect(meta["command"]?.elements?.compactMap(\.string) == ["simnet", "run"])
    // Now it is finished: neither an interrupted nor a failed run may take it away.
    #expect(try save(partial) == whole.table.csv)
    // A table without a meta file is somebody's: it is kept as well.
    try FileManager.default.removeItem(atPath: store.metaPath)
    #expect(try save(partial) == whole.table.csv)
  }

  @Test func aStoredResultComesBackWithItsScenario() throws {
    let scratch = try Scratch()
    let file = try scratch.scenario(
      quick(#", "sweep": {"communication": {"a, b": {}, "\"c\"": {"compression": "fp16"}}}"#),
      set: ["workload.batch_per_worker=8,16"])
    let outcome = try SweepRunner(file).run(SweepOptions())
    let meta = RunMeta(file: file, outcome: outcome, wallTime: 0, arguments: [])
    try ResultStore(path: scratch.path("r.csv")).save(outcome, meta: meta)
    let stored = try StoredResult.read(scratch.path("r.csv"))
    #expect(stored.table.rows == outcome.table.rows)
    #expect(stored.table.swept == ["communication", "workload.batch_per_worker"])
    let again = try SweepRunner(stored.scenario).run(SweepOptions(points: [3]))
    #expect(again.table.rows == [outcome.table.rows[3]])
    #expect(throws: InputError.self) { try StoredResult.read(scratch.path("none.csv")) }
    try scratch.write("r.csv", "a,b\n1,2\n")
    #expect(throws: InputError.self) { try StoredResult.read(scratch.path("r.csv")) }
  }
}
