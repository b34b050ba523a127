import SimKernel

/// The lines of a text file that fits into memory, with their numbers.
struct TextLines {
  let path: String
  private let lines: [Substring]
  private var next = 0
  /// The number of the line read last, from 1.
  var number: Int { next }

  /// Larger files are no tables or configurations.
  static let largestFile = 1 << 28

  /// Reads the file at `path`, plain or gzip'd.
  ///
  /// - Throws: with the line of the first byte that is no text.
  init(path: String) throws(InterchangeError) {
    var stream = try ByteStream(path: path)
    try self.init(bytes: try stream.readAll(limit: Self.largestFile), path: path)
  }

  init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self.path = path
    var line = 1
    for byte in bytes {
      if byte == 0x0A { line += 1 }
      guard byte >= 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09, byte != 0x7F else {
        throw InterchangeError(
          path: "\(path):\(line)", found: "the control character \(byte)", expected: "plain text")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw InterchangeError(
        path: "\(path):1", found: "bytes that are not UTF-8", expected: "plain text")
    }
    lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
  }

  /// The next line without its end; nil at the end of the file.
  mutating func nextLine() -> Substring? {
    if next == lines.count { return nil }
    defer { next += 1 }
    return lines[next]
  }

  /// The words of the next line that has some, up to a `#`; nil at the end of the file.
  mutating func nextWords() -> [Substring]? {
    while let line = nextLine() {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      if !words.isEmpty { return words }
    }
    return nil
  }

  /// An error in the line read last.
  func failure(_ found: String, _ expected: String) -> InterchangeError {
    InterchangeError(path: "\(path):\(max(1, next))", found: found, expected: expected)
  }

  // MARK: - Numbers

  /// A whole number in a range.
  func integer(
    _ word: Substring, _ range: ClosedRange<Int64>, _ what: String
  ) throws(InterchangeError) -> Int64 {
    guard let value = Int64(word), range.contains(value) else {
      throw failure(
        "\(what) is \"\(word.prefix(40))\"",
        "expected a whole number, \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A decimal number, 0 or more, times `10^power`, to the nearest whole number.
  func decimal(
    _ word: Substring, timesTenTo power: Int, _ what: String
  ) throws(InterchangeError) -> Int64 {
    var number = DecimalNumber()
    let bytes = Array(word.utf8)
    let length = bytes.withUnsafeBufferPointer { bytes -> Int? in
      guard let start = bytes.baseAddress else { return nil }
      // In bounds: the end is that of the buffer.
      return number.read(start, end: start + bytes.count)
    }
    guard length == bytes.count, !number.isNegative,
      let value = number.scaled(byTenTo: power).flatMap({ Int64(exactly: $0) })
    else {
      throw failure("\(what) is \"\(word.prefix(40))\"", "expected a number, 0 or more")
    }
    return value
  }

  /// A time in a unit of `10^power` picoseconds.
  func duration(
    _ word: Substring, timesTenTo power: Int, _ what: String
  ) throws(InterchangeError) -> SimDuration {
    SimDuration(picoseconds: try decimal(word, timesTenTo: power, what))
  }
}
