/// A pull parser over raw JSON bytes that knows its line and column: one reader for scenarios,
/// safetensors headers and traces alike.
///
/// The caller asks for what it expects (`beginObject`, `nextKey`, `string`, `number`, ...) or skips.
/// Nothing is allocated for what is skipped. Strict RFC 8259: no comments, no trailing commas; a
/// UTF-8 byte-order mark is tolerated.
///
/// - Complexity: one pass; memory only for the strings that are asked for.
public struct JSONReader {
  /// Valid for as long as the closure of ``read(_:origin:_:)`` runs.
  @usableFromInline let bytes: UnsafeRawBufferPointer
  /// The offset of the next byte.
  public private(set) var offset = 0
  private var line = 1
  private var lineStart = 0
  private let origin: String
  private var depth = 0
  /// Nesting beyond this is refused: it can only be an attack or an accident.
  private static let depthLimit = 512

  /// A reader over `bytes`, which must outlive it.
  public init(_ bytes: UnsafeRawBufferPointer, origin: String) {
    self.bytes = bytes
    self.origin = origin
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { offset = 3 }
    lineStart = offset
  }

  /// What the next value is.
  public enum Kind: Sendable { case object, array, string, number, bool, null }

  /// Where the reader stands.
  public var position: TextPosition {
    TextPosition(origin: origin, line: line, column: offset - lineStart + 1)
  }

  private func failure(_ message: String) -> JSONError {
    JSONError(position: position, message: message)
  }

  // MARK: - Structure

  /// The kind of the value that comes next, without consuming it.
  public mutating func peek() throws(JSONError) -> Kind {
    skipSpace()
    guard offset < bytes.count else { throw failure("the text ends where a value should begin") }
    switch bytes[offset] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "/"): throw failure("JSON has no comments; remove this one")
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      throw failure("a value is missing here; is there a trailing comma?")
    case let byte: throw failure("\(Self.show(byte)) does not begin a JSON value")
    }
  }

  /// Consumes `{`.
  public mutating func beginObject() throws(JSONError) { try open(UInt8(ascii: "{"), "an object") }
  /// Consumes `[`.
  public mutating func beginArray() throws(JSONError) { try open(UInt8(ascii: "["), "an array") }

  /// The next key of the current object, or nil after consuming its `}`.
  ///
  /// `first` is true for the first call after ``beginObject()``.
  public mutating func nextKey(first: inout Bool) throws(JSONError) -> String? {
    skipSpace()
    if try close(UInt8(ascii: "}")) { return nil }
    if !first { try comma("}") }
    first = false
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw noKey() }
    let key = try string()
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else {
      throw failure("expected ':' after the key \"\(key)\"")
    }
    offset += 1
    return key
  }

  /// Whether the current array has another element.
  ///
  /// Consumes the `]` when it has not. `first` is true for the first call after ``beginArray()``.
  public mutating func nextElement(first: inout Bool) throws(JSONError) -> Bool {
    skipSpace()
    if try close(UInt8(ascii: "]")) { return false }
    if !first {
      try comma("]")
      skipSpace()
      if offset < bytes.count, bytes[offset] == UInt8(ascii: "]") {
        throw failure("a trailing comma; remove it")
      }
    }
    first = false
    return true
  }

  /// Checks that nothing but white space follows.
  public mutating func end() throws(JSONError) {
    skipSpace()
    if offset < bytes.count {
      throw failure("\(Self.show(bytes[offset])) after the end of the JSON value")
    }
  }

  // MARK: - Scalars

  /// A string, unescaped.
  public mutating func string() throws(JSONError) -> String {
    let (lower, upper, escaped) = try rawString()
    let raw = UnsafeRawBufferPointer(rebasing: bytes[lower..<upper])
    if escaped { return try unescape(raw, at: lower) }
    // Nearly all are ASCII, which needs no validation; that of the library is generic and slow.
    var high: UInt8 = 0
    for byte in raw { high |= byte }
    if high < 0x80 {
      return String(unsafeUninitializedCapacity: raw.count) { target in
        UnsafeMutableRawBufferPointer(target).copyMemory(from: raw)
        return raw.count
      }
    }
    guard let text = String(validating: raw, as: UTF8.self) else {
      offset = lower - 1
      throw failure("a string that is not valid UTF-8")
    }
    return text
  }

  /// The source text of a number.
  public mutating func numberText() throws(JSONError) -> Substring {
    skipSpace()
    let start = offset
    if offset < bytes.count, bytes[offset] == UInt8(ascii: "-") { offset += 1 }
    let digits = offset
    skipDigits()
    if offset == digits { throw failure("a number needs digits") }
    if bytes[digits] == UInt8(ascii: "0"), offset - digits > 1 {
      throw failure("a number must not start with 0")
    }
    if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
      offset += 1
      let fraction = offset
      skipDigits()
      if offset == fraction { throw failure("digits must follow the decimal point") }
    }
    if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if offset < bytes.count,
        bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-")
      {
        offset += 1
      }
      let exponent = offset
      skipDigits()
      if offset == exponent { throw failure("digits must follow the exponent") }
    }
    return Substring(
      decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<offset]), as: UTF8.self)
  }

  /// A number as the nearest `Double`; infinite if it is out of range.
  public mutating func number() throws(JSONError) -> Double {
    let text = try numberText()
    guard let value = Double(text) else { throw failure("\(text) is not a number") }
    return value
  }

  /// `true` or `false`.
  public mutating func bool() throws(JSONError) -> Bool {
    if try literal("true") { return true }
    if try literal("false") { return false }
    throw failure("expected true or false")
  }
  /// `null`.
  public mutating func null() throws(JSONError) {
    if try !literal("null") { throw failure("expected null") }
  }

  /// Passes over one value of any kind; what its strings hold is not checked.
  public mutating func skip() throws(JSONError) {
    switch try peek() {
    case .object:
      try beginObject()
      var first = true
      while try nextKeyIsPresent(first: &first) { try skip() }
    case .array:
      try beginArray()
      var first = true
      while try nextElement(first: &first) { try skip() }
    case .string: _ = try rawString()
    case .number: _ = try numberText()
    case .bool: _ = try bool()
    case .null: try null()
    }
  }

  // MARK: - Bytes

  /// As ``nextKey(first:)``, without making the key a string.
  private mutating func nextKeyIsPresent(first: inout Bool) throws(JSONError) -> Bool {
    skipSpace()
    if try close(UInt8(ascii: "}")) { return false }
    if !first {
      try comma("}")
      skipSpace()
    }
    first = false
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw noKey() }
    _ = try rawString()
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else {
      throw failure("expected ':' after a key")
    }
    offset += 1
    return true
  }

  private func noKey() -> JSONError {
    failure(
      offset < bytes.count && bytes[offset] == UInt8(ascii: "}")
        ? "a trailing comma; remove it" : "expected a key in double quotes")
  }
  private mutating func open(_ byte: UInt8, _ what: String) throws(JSONError) {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == byte else { throw failure("expected \(what)") }
    guard depth < Self.depthLimit else {
      throw failure("nested deeper than \(Self.depthLimit) levels")
    }
    depth += 1
    offset += 1
  }
  private mutating func close(_ byte: UInt8) throws(JSONError) -> Bool {
    guard offset < bytes.count else { throw failure("the text ends inside an object or array") }
    guard bytes[offset] == byte else { return false }
    depth -= 1
    offset += 1
    return true
  }
  private mutating func comma(_ closing: String) throws(JSONError) {
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: ",") else {
      throw failure("expected ',' or '\(closing)'")
    }
    offset += 1
  }

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x0A:
        offset += 1
        line += 1
        lineStart = offset
      case 0x20, 0x09, 0x0D: offset += 1
      default: return
      }
    }
  }
  private mutating func skipDigits() {
    while offset < bytes.count, bytes[offset] &- 0x30 < 10 { offset += 1 }
  }

  /// The bounds of a string's content and whether it holds escapes; consumes both quotes.
  private mutating func rawString() throws(JSONError) -> (Int, Int, Bool) {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
      throw failure("expected a string in double quotes")
    }
    let start = offset + 1
    var cursor = start
    var escaped = false
    while cursor < bytes.count {
      let byte = bytes[cursor]
      if byte == UInt8(ascii: "\"") {
        offset = cursor + 1
        return (start, cursor, escaped)
      }
      if byte == UInt8(ascii: "\\") {
        escaped = true
        cursor += 1
        if cursor < bytes.count, bytes[cursor] < 0x20 {
          offset = cursor
          throw failure("a control character after a backslash")
        }
      } else if byte < 0x20 {
        offset = cursor
        throw failure("a control character inside a string; is a closing quote missing?")
      }
      cursor += 1
    }
    throw failure("a string that never ends")
  }

  private func unescape(_ raw: UnsafeRawBufferPointer, at start: Int) throws(JSONError) -> String {
    func failure(_ index: Int, _ message: String) -> JSONError {
      JSONError(
        position: TextPosition(origin: origin, line: line, column: start + index - lineStart + 1),
        message: message)
    }
    var out: [UInt8] = []
    out.reserveCapacity(raw.count)
    var index = 0
    func unit(_ at: Int) -> UInt32? {
      guard at + 4 <= raw.count else { return nil }
      var value: UInt32 = 0
      for byte in raw[at..<at + 4] {
        guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
        value = value << 4 | UInt32(digit)
      }
      return value
    }
    while index < raw.count {
      guard raw[index] == UInt8(ascii: "\\") else {
        out.append(raw[index])
        index += 1
        continue
      }
      let code = raw[index + 1]
      index += 2
      switch code {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(code)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        guard var scalar = unit(index) else {
          throw failure(index, "\\u needs four hexadecimal digits")
        }
        index += 4
        if scalar & 0xFC00 == 0xD800 {
          guard index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"),
            raw[index + 1] == UInt8(ascii: "u"), let low = unit(index + 2), low & 0xFC00 == 0xDC00
          else { throw failure(index, "a high surrogate without its low half") }
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
          index += 6
        }
        guard let value = UnicodeScalar(scalar) else {
          throw failure(index, "\\u names no character")
        }
        out.append(contentsOf: Array(String(value).utf8))
      case let byte: throw failure(index, "\\\(UnicodeScalar(byte)) is not a JSON escape")
      }
    }
    guard let text = String(validating: out, as: UTF8.self) else {
      throw failure(0, "a string that is not valid UTF-8")
    }
    return text
  }

  private mutating func literal(_ text: StaticString) throws(JSONError) -> Bool {
    skipSpace()
    let length = text.utf8CodeUnitCount
    guard offset + length <= bytes.count else { return false }
    for index in 0..<length where bytes[offset + index] != text.utf8Start[index] { return false }
    offset += length
    return true
  }

  private static func show(_ byte: UInt8) -> String {
    byte >= 0x20 && byte < 0x7F
      ? "'\(UnicodeScalar(byte))'" : "byte 0x" + String(byte, radix: 16, uppercase: true)
  }
}
