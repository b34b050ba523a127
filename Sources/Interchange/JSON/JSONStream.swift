import SimKernel

/// A pull parser over the bytes of a JSON file of any size, which holds one chunk at a time.
///
/// The caller asks for what it expects or skips; nothing is allocated for what is skipped. It is the
/// streaming sibling of SimKernel's `JSONReader`, which reads texts that are in memory and counts
/// lines. Strict RFC 8259, except that a byte-order mark may come first and that what skipped strings
/// and numbers hold is not checked.
///
/// - Complexity: one pass; memory for one chunk, or for the longest string if that is longer.
struct JSONStream: ~Copyable {
  private var stream: ByteStream
  /// `end` bytes of the text from `base` on, then at least eight zeros.
  private var buffer: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var place = 0
  private var end = 0
  private var base = 0
  private var isAtEnd = false
  /// Whether nothing came yet in the object or array that is open.
  private var isFirst = false
  private var depth = 0
  /// What is open at each depth from 1 on.
  private var isArray = [Bool](repeating: false, count: depthLimit + 1)
  /// The string read last: its bounds in the buffer, and whether it holds escapes.
  private var token = 0..<0
  private var isEscaped = false

  private static let padding = 16
  private static let depthLimit = 512
  /// Longer strings are refused: they can only be an accident.
  private static let longestString = 1 << 28

  init(_ stream: consuming ByteStream) throws(InterchangeError) {
    capacity = stream.chunkSize
    buffer = .allocate(capacity: capacity + Self.padding)
    buffer.initialize(repeating: 0, count: capacity + Self.padding)
    self.stream = stream
    try skipMark()
  }

  deinit { buffer.deallocate() }

  var path: String { stream.path }
  /// The offset of the next byte in the unpacked text.
  var offset: Int { base + place }
  /// Bytes of the text; nil where it is packed.
  var size: Int? { stream.size }

  func failure(_ found: String, _ expected: String, at offset: Int? = nil) -> InterchangeError {
    InterchangeError(
      path: stream.isPacked ? path + " (unpacked)" : path, found: found, expected: expected,
      byteOffset: offset ?? self.offset)
  }

  // MARK: - Bytes

  /// Reads more, keeping everything from `kept` on, which moves to the front; ``isAtEnd`` if there is
  /// nothing more.
  ///
  /// - Returns: by how much places have moved down.
  private mutating func refill(keeping kept: Int) throws(InterchangeError) -> Int {
    if kept > 0 {
      // In bounds: both ranges lie within the buffer.
      buffer.update(from: buffer + kept, count: end - kept)
      place -= kept
      end -= kept
      base += kept
    }
    if end == capacity { try grow() }
    // In bounds: the buffer has `capacity` bytes and the padding.
    let count = try stream.read(
      into: UnsafeMutableRawBufferPointer(
        start: buffer + end, count: min(capacity - end, stream.chunkSize)))
    end += count
    (buffer + end).update(repeating: 0, count: Self.padding)
    isAtEnd = count == 0
    return kept
  }

  private mutating func grow() throws(InterchangeError) {
    guard capacity < Self.longestString else {
      throw failure(
        "a string or number of more than \(Self.longestString) bytes", "an undamaged trace")
    }
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2 + Self.padding)
    larger.initialize(repeating: 0, count: capacity * 2 + Self.padding)
    larger.update(from: buffer, count: end)
    buffer.deallocate()
    buffer = larger
    capacity *= 2
  }

  private mutating func skipMark() throws(InterchangeError) {
    while end < 3, !isAtEnd { _ = try refill(keeping: 0) }
    if end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { place = 3 }
  }

  /// The next byte that is no white space, which stays; 0 at the end of the text.
  @inline(__always)
  private mutating func next() throws(InterchangeError) -> UInt8 {
    // In bounds: a zero follows the text.
    let byte = buffer[place]
    return byte > 0x20 ? byte : try nextAfterSpace()
  }

  private mutating func nextAfterSpace() throws(InterchangeError) -> UInt8 {
    while true {
      // In bounds: the padding holds zeros, which end the loop.
      while true {
        let byte = buffer[place]
        if byte > 0x20 { return byte }
        guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
        place &+= 1
      }
      if place < end { return buffer[place] }
      if isAtEnd { return 0 }
      _ = try refill(keeping: place)
    }
  }

  private func show(_ byte: UInt8) -> String {
    if byte == 0, place >= end { return "the end of the text" }
    return byte > 0x20 && byte < 0x7F ? "'\(UnicodeScalar(byte))'" : "byte \(byte)"
  }

  // MARK: - Structure

  enum Kind { case object, array, string, number, bool, null }

  /// What comes next, which stays.
  mutating func peek() throws(InterchangeError) -> Kind {
    let byte = try next()
    switch byte {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    default: throw failure("found \(show(byte))", "expected a JSON value")
    }
  }

  mutating func beginObject() throws(InterchangeError) {
    try open(UInt8(ascii: "{"), "an object")
  }
  mutating func beginArray() throws(InterchangeError) { try open(UInt8(ascii: "["), "an array") }

  private mutating func open(_ byte: UInt8, _ what: String) throws(InterchangeError) {
    let found = try next()
    guard found == byte else { throw failure("found \(show(found))", "expected \(what)") }
    guard depth < Self.depthLimit else {
      throw failure("nested deeper than \(Self.depthLimit) levels", "an undamaged trace")
    }
    depth += 1
    isArray[depth] = byte == UInt8(ascii: "[")
    place += 1
    isFirst = true
  }

  private mutating func close() {
    depth -= 1
    place += 1
    isFirst = false
  }

  /// The next key of the object, or nil after its end; the value comes next.
  mutating func nextKey() throws(InterchangeError) -> JSONKey? {
    guard try nextMember() else { return nil }
    return isEscaped
      ? JSONKey.none
      : JSONKey(padded: buffer + token.lowerBound, count: token.count)
  }

  /// As ``nextKey()``, with the key as a string.
  mutating func nextName() throws(InterchangeError) -> String? {
    guard try nextMember() else { return nil }
    // The colon was passed already, and the token is still in the buffer.
    return try tokenText()
  }

  /// Whether a key comes, which is then the token; its colon is passed.
  private mutating func nextMember() throws(InterchangeError) -> Bool {
    var byte = try next()
    if byte == UInt8(ascii: "}") {
      close()
      return false
    }
    if !isFirst {
      guard byte == UInt8(ascii: ",") else {
        throw failure("found \(show(byte))", "expected ',' or '}'")
      }
      place += 1
      byte = try next()
    }
    guard byte == UInt8(ascii: "\"") else {
      throw failure("found \(show(byte))", "expected a key in double quotes")
    }
    try scanString()
    // The colon nearly always follows at once; else the token must survive a refill.
    if buffer[place] == UInt8(ascii: ":") {
      place += 1
    } else {
      try passColon()
    }
    isFirst = false
    return true
  }

  private mutating func passColon() throws(InterchangeError) {
    while true {
      while place < end, buffer[place] <= 0x20 { place += 1 }
      if place < end { break }
      if isAtEnd { throw failure("the text ends", "expected ':' after a key") }
      let moved = try refill(keeping: token.lowerBound)
      token = token.lowerBound - moved..<token.upperBound - moved
    }
    guard buffer[place] == UInt8(ascii: ":") else {
      throw failure("found \(show(buffer[place]))", "expected ':' after a key")
    }
    place += 1
  }

  /// Whether the array has another element; passes its end if not.
  mutating func nextElement() throws(InterchangeError) -> Bool {
    var byte = try next()
    if byte == UInt8(ascii: "]") {
      close()
      return false
    }
    if !isFirst {
      guard byte == UInt8(ascii: ",") else {
        throw failure("found \(show(byte))", "expected ',' or ']'")
      }
      place += 1
      byte = try next()
      guard byte != UInt8(ascii: "]") else {
        throw failure("found a trailing comma", "expected a value")
      }
    }
    isFirst = false
    return true
  }

  /// Checks that nothing follows.
  mutating func finish() throws(InterchangeError) {
    let byte = try next()
    if byte != 0 || place < end {
      throw failure("found \(show(byte)) after the end", "expected nothing more")
    }
  }
}

// MARK: - Values

extension JSONStream {
  /// Passes a string, which becomes the token.
  ///
  /// The bytes between the quotes are at ``tokenBytes`` until the next call.
  private mutating func scanString() throws(InterchangeError) {
    guard try next() == UInt8(ascii: "\"") else {
      let byte = try next()
      throw failure("found \(show(byte))", "expected a string")
    }
    var start = place + 1
    var cursor = start
    isEscaped = false
    while true {
      cursor = stop(from: cursor)
      let byte = buffer[cursor]
      if byte == UInt8(ascii: "\""), cursor < end { break }
      if byte == UInt8(ascii: "\\"), cursor + 1 < end {
        isEscaped = true
        guard buffer[cursor + 1] >= 0x20 else {
          throw failure(
            "a control character after a backslash", "an escape", at: base + cursor + 1)
        }
        cursor += 2
        continue
      }
      guard cursor >= end || byte == UInt8(ascii: "\\") else {
        throw failure(
          "a control character in a string", "a closing quote before it", at: base + cursor)
      }
      if isAtEnd {
        throw failure("the text ends in a string", "expected a whole file", at: base + start - 1)
      }
      let moved = try refill(keeping: start - 1)
      start -= moved
      cursor -= moved
    }
    token = start..<cursor
    place = cursor + 1
  }

  /// The first place from `start` on with a quote, a backslash or a control character, such as the
  /// zeros behind the text.
  private func stop(from start: Int) -> Int {
    var place = start
    while true {
      // In bounds: a load begins at the latest at the zeros, of which there are more than eight.
      let word = UnsafeRawPointer(buffer + place).loadUnaligned(as: UInt64.self)
      let ones: UInt64 = 0x0101_0101_0101_0101
      let high: UInt64 = 0x8080_8080_8080_8080
      let quote = word ^ (ones &* 0x22)
      let slash = word ^ (ones &* 0x5C)
      // The lowest mark of each is exact; above it there may be false ones.
      let marks =
        ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | ((word &- ones &* 0x20) & ~word)
      if marks & high != 0 { return place + (marks & high).trailingZeroBitCount / 8 }
      place += 8
    }
  }

  private var tokenBytes: Slice<UnsafeRawBufferPointer> {
    // In bounds: the token lies within the buffer until the next refill.
    UnsafeRawBufferPointer(start: buffer, count: end)[token]
  }

  private mutating func tokenText() throws(InterchangeError) -> String {
    let raw = UnsafeRawBufferPointer(rebasing: tokenBytes)
    let text =
      isEscaped ? try unescaped(raw) : String(validating: raw, as: UTF8.self)
    guard let text else {
      throw failure("a string that is not UTF-8", "UTF-8", at: base + token.lowerBound)
    }
    return text
  }

  private func unescaped(_ raw: UnsafeRawBufferPointer) throws(InterchangeError) -> String? {
    // One reader knows the escapes: SimKernel's, over the string with its quotes.
    let quoted = UnsafeRawBufferPointer(start: raw.baseAddress! - 1, count: raw.count + 2)
    return try JSONEscapes.text(of: quoted, path: path, offset: base + token.lowerBound - 1)
  }

  /// A string.
  mutating func string() throws(InterchangeError) -> String {
    try scanString()
    return try tokenText()
  }

  /// Adds a string to `names`, or a number as it is written; what is in `known` is not looked up.
  mutating func name(
    in names: inout NameTable, _ known: inout NameCache
  ) throws(InterchangeError) -> Int32 {
    if try peek() == .string {
      try scanString()
      if isEscaped { return names.index(of: try tokenText()) }
    } else {
      _ = try number()
    }
    let key = JSONKey(padded: buffer + token.lowerBound, count: token.count)
    if let index = known.find(key) { return index }
    let index = names.index(of: UnsafeRawBufferPointer(rebasing: tokenBytes))
    known.keep(key, index)
    return index
  }

  /// A string that is compared and not kept.
  mutating func word() throws(InterchangeError) -> JSONKey {
    try scanString()
    return JSONKey(padded: buffer + token.lowerBound, count: token.count)
  }

  /// A number, whose text is then the token.
  mutating func number() throws(InterchangeError) -> DecimalNumber {
    let byte = try next()
    guard byte &- 48 < 10 || byte == UInt8(ascii: "-") else {
      throw failure("found \(show(byte))", "expected a number")
    }
    var number = DecimalNumber()
    while true {
      let length = number.read(buffer + place, end: buffer + end)
      if let length, place + length < end || isAtEnd {
        token = place..<place + length
        place += length
        return number
      }
      // A number that ends where the chunk does may go on.
      let stop = numberEnd(from: place)
      guard length != nil || (stop == end && !isAtEnd) else {
        let text = String(
          decoding: UnsafeRawBufferPointer(start: buffer + place, count: min(stop - place, 40)),
          as: UTF8.self)
        throw failure("\"\(text)\" is no JSON number", "expected a number such as 12 or 1.5e3")
      }
      _ = try refill(keeping: place)
    }
  }

  /// Where the characters that numbers are made of end.
  private func numberEnd(from start: Int) -> Int {
    var stop = start
    // In bounds: the zeros behind the text end the loop.
    while Self.belongsToNumber(buffer[stop]) { stop &+= 1 }
    return stop
  }

  private mutating func skipNumber() throws(InterchangeError) {
    place = numberEnd(from: place)
    while place == end, !isAtEnd {
      _ = try refill(keeping: place)
      place = numberEnd(from: place)
    }
  }

  @inline(__always)
  private static func belongsToNumber(_ byte: UInt8) -> Bool {
    byte &- 48 < 10 || byte == 0x2E || byte == 0x2D || byte == 0x2B || byte | 0x20 == 0x65
  }

  /// A number as the nearest `Double`.
  mutating func double() throws(InterchangeError) -> Double {
    _ = try number()
    let text = String(decoding: tokenBytes, as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw failure("\(text) is out of range", "a number", at: base + token.lowerBound)
    }
    return value
  }

  /// A whole number.
  mutating func integer() throws(InterchangeError) -> Int64 {
    let number = try number()
    guard let value = number.integer else {
      throw failure(
        "\(String(decoding: tokenBytes, as: UTF8.self))", "expected a whole number below 2^63",
        at: base + token.lowerBound)
    }
    return value
  }

  /// A whole number from 0 to 2^64 - 1.
  mutating func unsigned() throws(InterchangeError) -> UInt64 {
    let number = try number()
    guard !number.isCut, let value = number.scaled(byTenTo: 0).flatMap({ UInt64(exactly: $0) }),
      number.exponent >= 0 || number.integer != nil
    else {
      throw failure(
        "\(String(decoding: tokenBytes, as: UTF8.self))",
        "expected a whole number from 0 to 2^64 - 1", at: base + token.lowerBound)
    }
    return value
  }

  mutating func bool() throws(InterchangeError) -> Bool {
    if try next() == UInt8(ascii: "t") {
      try literal("true")
      return true
    }
    try literal("false")
    return false
  }

  private mutating func literal(_ text: StaticString) throws(InterchangeError) {
    let count = text.utf8CodeUnitCount
    while end - place < count, !isAtEnd { _ = try refill(keeping: place) }
    var matches = end - place >= count
    for index in 0..<count where matches {
      // In bounds: `count` bytes are there.
      if buffer[place + index] != text.utf8Start[index] { matches = false }
    }
    guard matches else {
      throw failure("found \(show(buffer[place]))", "expected \(text)")
    }
    place += count
  }

  /// Passes a value of any kind.
  mutating func skip() throws(InterchangeError) {
    let outer = depth
    while true {
      let byte = try next()
      switch byte {
      case UInt8(ascii: "\""): try scanString()
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        try open(byte, "a value")
        if try enterNext() { continue }
      case UInt8(ascii: "t"): try literal("true")
      case UInt8(ascii: "f"): try literal("false")
      case UInt8(ascii: "n"): try literal("null")
      default: throw failure("found \(show(byte))", "expected a JSON value")
      }
      // Up, and on to the next value, unless this was the outermost.
      while depth > outer, try !enterNext() {}
      if depth == outer { return }
    }
  }

  /// Moves to the next value of what is open, past its key; false after the end of it.
  private mutating func enterNext() throws(InterchangeError) -> Bool {
    isArray[depth] ? try nextElement() : try nextMember()
  }

  /// Passes a null if one comes.
  mutating func passNull() throws(InterchangeError) -> Bool {
    guard try peek() == .null else { return false }
    try literal("null")
    return true
  }
}

/// What a string with escapes says: the rules are those of SimKernel's reader.
private enum JSONEscapes {
  static func text(
    of quoted: UnsafeRawBufferPointer, path: String, offset: Int
  ) throws(InterchangeError) -> String {
    var reader = JSONReader(quoted, origin: path)
    do throws(JSONError) { return try reader.string() } catch {
      throw InterchangeError(
        path: path, found: error.message, expected: "expected a JSON string", byteOffset: offset)
    }
  }
}
