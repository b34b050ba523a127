import CModelData

/// Texts that the binary carries and that are read as a whole.
enum EmbeddedText {
  /// The profile of `epyc-1core`; static storage, valid for the whole process and immutable.
  static var deviceEPYC: UnsafeBufferPointer<UInt8> {
    let text = simnet_device_epyc_1core()
    return UnsafeBufferPointer(start: text.bytes, count: text.count)
  }
}

/// Walks the lines of a text that the binary carries, without copying it.
///
/// - Complexity: one pass over the bytes it visits.
struct EmbeddedLines {
  /// Static storage of the C module: valid for the whole process, immutable.
  private let bytes: UnsafeBufferPointer<UInt8>
  private var offset = 0

  private init(_ text: simnet_text) {
    bytes = UnsafeBufferPointer(start: text.bytes, count: text.count)
  }

  /// The parameter tables.
  static var modelTables: EmbeddedLines { EmbeddedLines(simnet_model_tables()) }
  /// The measured and published times.
  static var deviceTimes: EmbeddedLines { EmbeddedLines(simnet_device_times()) }

  /// The bytes of the next line, without its line feed; nil at the end.
  mutating func next() -> Slice<UnsafeBufferPointer<UInt8>>? {
    guard offset < bytes.count else { return nil }
    let start = offset
    while offset < bytes.count, bytes[offset] != 0x0A { offset += 1 }
    defer { offset += 1 }
    return bytes[start..<min(offset, bytes.count)]
  }
}

/// The words of one line, separated by single spaces.
struct EmbeddedWords {
  private var rest: Slice<UnsafeBufferPointer<UInt8>>

  init(_ line: Slice<UnsafeBufferPointer<UInt8>>) { rest = line }

  /// The next word; empty at the end.
  mutating func word() -> String { String(decoding: bytes(), as: UTF8.self) }

  /// The rest of the line.
  mutating func remainder() -> String {
    defer { rest = rest.suffix(0) }
    return String(decoding: rest, as: UTF8.self)
  }

  /// The next word as a decimal number.
  ///
  /// The texts are generated, and tests read every line: a fault is a programmer's.
  mutating func integer() -> Int {
    guard let value = Self.integer(bytes()) else {
      preconditionFailure("a number is missing in the embedded data")
    }
    return value
  }

  /// The next word as extents, such as `64x3x7x7`.
  mutating func shape() -> [Int] {
    bytes().split(separator: UInt8(ascii: "x")).map { part in
      guard let value = Self.integer(part) else {
        preconditionFailure("an extent is missing in the embedded data")
      }
      return value
    }
  }

  private mutating func bytes() -> Slice<UnsafeBufferPointer<UInt8>> {
    let end = rest.firstIndex(of: 0x20) ?? rest.endIndex
    let word = rest[rest.startIndex..<end]
    rest = end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
    return word
  }

  private static func integer(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    if digits.isEmpty { return nil }
    var value = 0
    for digit in digits {
      guard digit &- 0x30 < 10 else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    return value
  }
}
