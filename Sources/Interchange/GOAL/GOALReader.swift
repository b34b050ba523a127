/// What takes a GOAL schedule as it is read; operations are numbered by the sink, rank by rank.
public protocol GOALSink {
  /// Comes first.
  mutating func begin(ranks: Int)
  /// Comes before the operations of a rank, once for each rank described.
  mutating func begin(rank: Int)
  /// - Returns: the number of the operation within its rank.
  mutating func calculate(nanoseconds: Int, cpu: UInt8, line: Int) -> Int
  mutating func send(
    bytes: Int, to destination: Int, tag: Int32, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int
  /// A nil source or tag stands for any.
  mutating func receive(
    bytes: Int, from source: Int?, tag: Int32?, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int
  /// `later` waits for the end of `earlier`, or for its start only.
  mutating func require(_ later: Int, after earlier: Int, onStart: Bool)
}

/// Reads schedules in GOAL's text form, as LogGOPSim's schedgen writes and txt2bin reads them.
///
///     num_ranks 2
///     rank 0 {
///     l1: calc 100                   // nanoseconds
///     l2: send 8b to 1 tag 3 cpu 0 nic 0
///     l2 requires l1                 // irequires: the start of l1 is enough
///     }
///     rank 1 { recv 8b from 0 tag 3
///     }
///
/// Labels belong to a rank and are defined before they are used. `tag`, `cpu` and `nic` default to 0
/// and come in any order; `from -1` and `tag -1` of a receive match anything. Ranks come in any
/// order, and those left out do nothing.
public enum GOALReader {
  /// The longest calculation and the largest message a schedule may hold.
  public static let longestCalculationNanoseconds = 1_000_000_000_000_000
  public static let largestMessage = 1 << 50

  /// Hands everything in the file at `path` to `sink`, in the order written.
  ///
  /// - Complexity: O(bytes); memory for one block and the labels of one rank.
  /// - Throws: `InterchangeError` with line and column, or if the file cannot be read.
  public static func read(
    path: String, into sink: inout some GOALSink
  ) throws(InterchangeError) {
    var grammar = GOALGrammar(scanner: try GOALScanner(path: path))
    try grammar.readFile(into: &sink)
  }
}

/// The grammar over a scanner.
private struct GOALGrammar: ~Copyable {
  private var scanner: GOALScanner
  private var labels = GOALLabels()
  private var ranks = 0
  private var isDescribed: [Bool] = []

  init(scanner: consuming GOALScanner) { self.scanner = scanner }

  private static let rank = Array("rank".utf8)
  private static let ranks = Array("num_ranks".utf8)
  private static let calc = Array("calc".utf8)
  private static let send = Array("send".utf8)
  private static let recv = Array("recv".utf8)
  private static let requires = Array("requires".utf8)
  private static let irequires = Array("irequires".utf8)
  private static let to = Array("to".utf8)
  private static let from = Array("from".utf8)
  private static let tag = Array("tag".utf8)
  private static let cpu = Array("cpu".utf8)
  private static let nic = Array("nic".utf8)
  private static let byte = Array("b".utf8)

  mutating func readFile(into sink: inout some GOALSink) throws(InterchangeError) {
    try scanner.skip(lines: true)
    try expect(Self.ranks, "num_ranks and the number of ranks")
    ranks = try number(upTo: (1 << 30) - 1, "the number of ranks, 1 to 2^30 - 1")
    if ranks == 0 {
      throw scanner.error(
        "a schedule of 0 ranks", expected: "at least 1", scanner.line, scanner.column - 1)
    }
    isDescribed = [Bool](repeating: false, count: ranks)
    sink.begin(ranks: ranks)
    while true {
      try scanner.skip(lines: true)
      if try scanner.next == nil { return }
      try expect(Self.rank, "rank, a number and {")
      try readRank(into: &sink)
    }
  }

  private mutating func readRank(into sink: inout some GOALSink) throws(InterchangeError) {
    try scanner.skip(lines: false)
    let (line, column) = (scanner.line, scanner.column)
    let rank = try number(upTo: ranks - 1, "a rank below num_ranks, which is \(ranks)")
    if isDescribed[rank] {
      throw scanner.error(
        "rank \(rank) again", expected: "one block for each rank", line, column)
    }
    isDescribed[rank] = true
    try scanner.skip(lines: true)
    if try !scanner.take("{") { throw try scanner.unexpected("{") }
    sink.begin(rank: rank)
    labels.removeAll()
    while true {
      try scanner.skip(lines: true)
      if try scanner.take("}") { return }
      try readStatement(into: &sink)
      try scanner.skip(lines: false)
      if let byte = try scanner.next, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "}") {
        throw try scanner.unexpected("the end of the line")
      }
    }
  }

  private mutating func readStatement(into sink: inout some GOALSink) throws(InterchangeError) {
    let (line, column) = (scanner.line, scanner.column)
    if try !scanner.takeWord() {
      throw try scanner.unexpected("calc, send, recv, a label or }")
    }
    if isOperation {
      _ = try readOperation(line, into: &sink)
      return
    }
    let (label, hash) = (scanner.word, scanner.hash)
    try scanner.skip(lines: false)
    if try scanner.take(":") {
      try scanner.skip(lines: false)
      guard try scanner.next != UInt8(ascii: "\n"), try scanner.takeWord(), isOperation else {
        throw try scanner.unexpected("calc, send or recv after a label")
      }
      let operation = try readOperation(line, into: &sink)
      if !labels.insert(label, hash: hash, operation: operation) {
        throw scanner.error(
          "the label \"\(String(decoding: label, as: UTF8.self))\" again",
          expected: "another label within a rank", line, column)
      }
      return
    }
    guard let later = labels.find(label, hash: hash) else {
      throw undefined(label, line, column)
    }
    let place = (line: scanner.line, column: scanner.column)
    guard try scanner.takeWord(), scanner.word == Self.requires || scanner.word == Self.irequires
    else {
      if scanner.word.isEmpty { throw try scanner.unexpected(":, requires or irequires") }
      throw scanner.error(
        "found \"\(String(decoding: scanner.word, as: UTF8.self))\"",
        expected: ":, requires or irequires", place.line, place.column)
    }
    let onStart = scanner.word == Self.irequires
    try scanner.skip(lines: false)
    let otherColumn = scanner.column
    if try !scanner.takeWord() { throw try scanner.unexpected("a label") }
    guard let earlier = labels.find(scanner.word, hash: scanner.hash) else {
      throw undefined(scanner.word, line, otherColumn)
    }
    sink.require(later, after: earlier, onStart: onStart)
  }

  /// Whether the word read last begins an operation.
  private var isOperation: Bool {
    scanner.word == Self.send || scanner.word == Self.recv || scanner.word == Self.calc
  }

  private func undefined(_ label: [UInt8], _ line: Int, _ column: Int) -> InterchangeError {
    scanner.error(
      "the label \"\(String(decoding: label, as: UTF8.self))\" is not defined",
      expected: "calc, send, recv, or a label of an earlier line of this rank", line, column)
  }

  private mutating func readOperation(
    _ line: Int, into sink: inout some GOALSink
  ) throws(InterchangeError) -> Int {
    if scanner.word == Self.calc {
      let length = try number(
        upTo: GOALReader.longestCalculationNanoseconds, "at most 10^15 nanoseconds")
      let places = try readPlaces(allowing: false)
      return sink.calculate(nanoseconds: length, cpu: places.cpu, line: line)
    }
    let isSend = scanner.word == Self.send
    let bytes = try number(upTo: GOALReader.largestMessage, "at most 2^50 bytes, such as 8b")
    try scanner.skip(lines: false)
    try expect(Self.byte, "b, for bytes")
    try scanner.skip(lines: false)
    try expect(isSend ? Self.to : Self.from, isSend ? "to" : "from")
    try scanner.skip(lines: false)
    var peer: Int?
    let isAny = isSend ? false : try takeAny()
    if !isAny {
      peer = try number(upTo: ranks - 1, "a rank below num_ranks, which is \(ranks)")
    }
    let places = try readPlaces(allowing: !isSend)
    if isSend, let peer {
      return sink.send(
        bytes: bytes, to: peer, tag: places.tag ?? 0, cpu: places.cpu, nic: places.nic, line: line)
    }
    return sink.receive(
      bytes: bytes, from: peer, tag: places.tag, cpu: places.cpu, nic: places.nic, line: line)
  }

  /// Takes -1, which stands for anything.
  private mutating func takeAny() throws(InterchangeError) -> Bool {
    if try !scanner.take("-") { return false }
    guard try scanner.takeNumber(upTo: 1, "-1 for any") == 1 else {
      throw try scanner.unexpected("-1 for any")
    }
    return true
  }

  /// `tag`, `cpu` and `nic` up to the end of the line.
  private mutating func readPlaces(
    allowing any: Bool
  ) throws(InterchangeError) -> (tag: Int32?, cpu: UInt8, nic: UInt8) {
    var tag: Int32? = 0
    var cpu: UInt8 = 0
    var nic: UInt8 = 0
    while true {
      try scanner.skip(lines: false)
      let (line, column) = (scanner.line, scanner.column)
      if try !scanner.takeWord() { return (tag, cpu, nic) }
      switch scanner.word {
      case Self.tag:
        try scanner.skip(lines: false)
        if any, try takeAny() {
          tag = nil
        } else {
          tag = Int32(try number(upTo: Int(Int32.max), "a tag below 2^31"))
        }
      case Self.cpu: cpu = UInt8(try number(upTo: 255, "a CPU, 0 to 255"))
      case Self.nic: nic = UInt8(try number(upTo: 255, "a NIC, 0 to 255"))
      default:
        throw scanner.error(
          "found \"\(String(decoding: scanner.word, as: UTF8.self))\"",
          expected: "tag, cpu, nic or the end of the line", line, column)
      }
    }
  }

  private mutating func number(upTo limit: Int, _ what: String) throws(InterchangeError) -> Int {
    try scanner.skip(lines: false)
    guard let value = try scanner.takeNumber(upTo: limit, what) else {
      throw try scanner.unexpected(what)
    }
    return value
  }

  private mutating func expect(_ word: [UInt8], _ what: String) throws(InterchangeError) {
    let (line, column) = (scanner.line, scanner.column)
    if try scanner.takeWord(), scanner.word == word { return }
    if scanner.word.isEmpty { throw try scanner.unexpected(what) }
    throw scanner.error(
      "found \"\(String(decoding: scanner.word, as: UTF8.self))\"", expected: what, line, column)
  }
}
