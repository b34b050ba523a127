import Interchange
import Testing

/// Writes down what it is given.
private struct Recorder: GOALSink {
  var lines: [String] = []
  var count = 0

  mutating func begin(ranks: Int) { lines.append("ranks \(ranks)") }
  mutating func begin(rank: Int) {
    lines.append("rank \(rank)")
    count = 0
  }
  private mutating func take(_ text: String) -> Int {
    lines.append(text)
    count += 1
    return count - 1
  }
  mutating func calculate(nanoseconds: Int, cpu: UInt8, line: Int) -> Int {
    take("\(line) calc \(nanoseconds) \(cpu)")
  }
  mutating func send(
    bytes: Int, to destination: Int, tag: Int32, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int { take("\(line) send \(bytes) \(destination) \(tag) \(cpu) \(nic)") }
  mutating func receive(
    bytes: Int, from source: Int?, tag: Int32?, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int { take("\(line) recv \(bytes) \(source ?? -1) \(tag ?? -1) \(cpu) \(nic)") }
  mutating func require(_ later: Int, after earlier: Int, onStart: Bool) {
    lines.append("\(later) \(onStart ? "irequires" : "requires") \(earlier)")
  }
}

@Suite struct GOALReaderTests {
  private func read(_ text: String) throws -> [String] {
    let folder = try ScratchFolder()
    var recorder = Recorder()
    try GOALReader.read(path: try folder.file("a.goal", Array(text.utf8)), into: &recorder)
    return recorder.lines
  }

  @Test func everyConstructIsRead() throws {
    let text = """
      // a comment
      num_ranks 3
      /* two
         lines */ rank 1 {
      l1: calc 100 cpu 2\r
        l2: send 8b to 2 tag 7 cpu 1 nic 3   // why
      send 0b to 0 nic 1 tag 2
      l_3: recv 8b from -1 tag -1
      recv 16b from 2
      l2 requires l1
      l_3 irequires l2
      }
      rank 0
      { }
      rank 2 { calc 0 }
      """
    #expect(
      try read(text) == [
        "ranks 3", "rank 1", "5 calc 100 2", "6 send 8 2 7 1 3", "7 send 0 0 2 0 1",
        "8 recv 8 -1 -1 0 0", "9 recv 16 2 0 0 0", "1 requires 0", "3 irequires 1", "rank 0",
        "rank 2", "15 calc 0 0",
      ])
  }

  @Test func aScheduleOfManyBlocksIsReadAsOfOne() throws {
    var text = "num_ranks 1\nrank 0 {\n"
    var expected = ["ranks 1", "rank 0"]
    for index in 1...40_000 {
      text += "label_\(index): calc \(index)\n"
      expected.append("\(index + 2) calc \(index) 0")
      if index > 1 {
        text += "label_\(index) requires label_\(index - 1)\n"
      } else {
        text += "\n"
      }
    }
    text += "}\n"
    let lines = try read(text)
    #expect(lines.count == 2 + 40_000 + 39_999)
    #expect(lines[2] == "3 calc 1 0" && lines[3] == "5 calc 2 0" && lines[4] == "1 requires 0")
    #expect(lines.last == "39999 requires 39998")
  }

  @Test(arguments: [
    ("", ":1:1: found the end of the file; expected num_ranks"),
    ("rank 0 {\n}", ":1:1: found \"rank\"; expected num_ranks"),
    ("num_ranks x", ":1:11: found \"x\"; expected the number of ranks"),
    ("num_ranks 0\n", ": a schedule of 0 ranks; expected at least 1"),
    ("num_ranks 2\nrank 2 {\n}", ":2:6: a number above 1; expected a rank below num_ranks"),
    ("num_ranks 2\nrank 1 {\n}\nrank 1 {\n}", ":4:6: rank 1 again"),
    ("num_ranks 2\nrank 1 [", ":2:8: found \"[\"; expected {"),
    ("num_ranks 2\nrank 1 {\nsend 8 to 0\n}", ":3:8: found \"to\"; expected b"),
    ("num_ranks 2\nrank 1 {\nsend 8b from 0\n}", ":3:9: found \"from\"; expected to"),
    ("num_ranks 2\nrank 1 {\nrecv 8b from 5\n}", ":3:14: a number above 1; expected a rank"),
    ("num_ranks 2\nrank 1 {\nsend 8b to -1\n}", ":3:12: found \"-1\"; expected a rank"),
    ("num_ranks 2\nrank 1 {\ncalc\n}", ":3:5: found the end of the line; expected at most"),
    ("num_ranks 2\nrank 1 {\na: calc 1\na: calc 2\n}", ":4:1: the label \"a\" again"),
    ("num_ranks 2\nrank 1 {\na: calc 1\na requires b\n}", ":4:12: the label \"b\" is not defined"),
    ("num_ranks 2\nrank 1 {\nb requires a\n}", ":3:1: the label \"b\" is not defined"),
    (
      "num_ranks 2\nrank 1 {\na: calc 1\na needs a\n}",
      ":4:3: found \"needs\"; expected :, requires"
    ),
    ("num_ranks 2\nrank 1 {\ncalc 1 calc 2\n}", ":3:8: found \"calc\"; expected tag, cpu, nic"),
    ("num_ranks 2\nrank 1 {\ncalc 1 ;\n}", ":3:8: found \";\"; expected the end of the line"),
    ("num_ranks 2\nrank 1 {\ncalc 1 cpu 256\n}", ":3:12: a number above 255; expected a CPU"),
    ("num_ranks 2\nrank 1 {\ncalc 1\n", ":4:1: found the end of the file; expected calc"),
    ("num_ranks 2 /* no end", ":1:13: a comment that does not end; expected */"),
    ("num_ranks 2 / 3", ":1:13: a lone /"),
    ("num_ranks 99999999999999999999", ":1:11: a number above"),
  ])
  func errorsSayWhereAndWhatWasExpected(text: String, message: String) throws {
    do {
      _ = try read(text)
      Issue.record("it was read")
    } catch let error as InterchangeError {
      #expect(error.description.contains(message), "\(error)")
      #expect(error.kind == .content)
    }
  }

  @Test func aFileThatIsNotThereIsASystemError() {
    var recorder = Recorder()
    do throws(InterchangeError) {
      try GOALReader.read(path: "/no/such/file.goal", into: &recorder)
      Issue.record("it was read")
    } catch { #expect(error.kind == .system) }
  }
}
