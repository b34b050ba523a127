/// The characters of a GOAL schedule with their places, read a block at a time.
struct GOALScanner: ~Copyable {
  private let file: InputFile
  private var block: [UInt8] = []
  /// Where the next byte stands in the block, and where the block begins in the file.
  private var place = 0
  private var blockOffset = 0
  private(set) var line = 1
  /// Where the current line begins in the file.
  private var lineOffset = 0
  /// The word read last, and its hash.
  private(set) var word: [UInt8] = []
  private(set) var hash: UInt64 = 0

  /// Bytes read together.
  private static let blockSize = 1 << 18

  init(path: String) throws(InterchangeError) {
    file = try InputFile(path: path)
  }

  /// The column of the next byte, from 1.
  var column: Int { blockOffset + place - lineOffset + 1 }

  private mutating func refill() throws(InterchangeError) {
    blockOffset += block.count
    place = 0
    block = try file.bytes(
      at: blockOffset, count: min(Self.blockSize, file.size - blockOffset))
  }

  /// The next byte, which stays; nil at the end of the file.
  var next: UInt8? {
    mutating get throws(InterchangeError) {
      if place < block.count { return block[place] }
      if blockOffset + block.count >= file.size { return nil }
      try refill()
      return block.isEmpty ? nil : block[0]
    }
  }

  private mutating func advance() {
    if block[place] == UInt8(ascii: "\n") {
      line += 1
      lineOffset = blockOffset + place + 1
    }
    place += 1
  }

  /// Moves past spaces and comments, and past ends of lines if asked to.
  mutating func skip(lines: Bool) throws(InterchangeError) {
    while let byte = try next {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): advance()
      case UInt8(ascii: "\n"):
        if !lines { return }
        advance()
      case UInt8(ascii: "/"): try skipComment()
      default: return
      }
    }
  }

  private mutating func skipComment() throws(InterchangeError) {
    let (line, column) = (line, column)
    advance()
    switch try next {
    case UInt8(ascii: "/"):
      while let byte = try next, byte != UInt8(ascii: "\n") { advance() }
    case UInt8(ascii: "*"):
      advance()
      var previous: UInt8 = 0
      while let byte = try next {
        advance()
        if previous == UInt8(ascii: "*"), byte == UInt8(ascii: "/") { return }
        previous = byte
      }
      throw error("a comment that does not end", expected: "*/", line, column)
    default: throw error("a lone /", expected: "// or /* begins a comment", line, column)
    }
  }

  /// Takes `byte` if it is next.
  mutating func take(_ byte: Character) throws(InterchangeError) -> Bool {
    guard try next == byte.asciiValue else { return false }
    advance()
    return true
  }

  /// Reads a word of letters, digits and underscores into ``word``; false if none begins here.
  mutating func takeWord() throws(InterchangeError) -> Bool {
    word.removeAll(keepingCapacity: true)
    guard let first = try next, Self.isLetter(first) else { return false }
    // FNV-1a (Fowler, Noll, Vo), good enough for labels.
    hash = 0xCBF2_9CE4_8422_2325
    while let byte = try next, Self.isLetter(byte) || Self.isDigit(byte) {
      word.append(byte)
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      place += 1
      if word.count > 255 {
        throw error("a word of more than 255 characters", expected: "a shorter label", line, column)
      }
    }
    return true
  }

  /// Reads a whole number; nil if none begins here.
  mutating func takeNumber(upTo limit: Int, _ what: String) throws(InterchangeError) -> Int? {
    let start = column
    guard let first = try next, Self.isDigit(first) else { return nil }
    var value = 0
    while let byte = try next, Self.isDigit(byte) {
      // Limits are below 2^60, so ten times as much does not overflow.
      value = value * 10 + Int(byte &- 48)
      if value > limit { throw error("a number above \(limit)", expected: what, line, start) }
      place += 1
    }
    return value
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
      || byte == UInt8(ascii: "_")
  }
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  // MARK: - Errors

  /// What stands here, for messages.
  mutating func found() throws(InterchangeError) -> String {
    guard let byte = try next else { return "the end of the file" }
    if byte == UInt8(ascii: "\n") { return "the end of the line" }
    var text: [UInt8] = []
    while let byte = try next, byte > 32, byte != 127, text.count < 24 {
      text.append(byte)
      place += 1
    }
    if text.isEmpty { return "byte \(byte)" }
    return "\"" + String(decoding: text, as: UTF8.self) + "\""
  }

  /// An error at a place.
  func error(
    _ found: String, expected: String, _ line: Int, _ column: Int
  ) -> InterchangeError {
    InterchangeError(
      path: "\(file.path):\(line):\(column)", found: found, expected: "expected " + expected)
  }
  /// An error at the next byte: what stands there is not what was expected.
  mutating func unexpected(_ expected: String) throws(InterchangeError) -> InterchangeError {
    let (line, column) = (line, column)
    return error("found " + (try found()), expected: expected, line, column)
  }
}
