/// Writes small headers.
struct ByteWriter {
  private let target: UnsafeMutablePointer<UInt8>
  /// Bytes written.
  private(set) var count = 0

  /// A writer into memory that holds everything that will be written.
  init(_ target: UnsafeMutablePointer<UInt8>) { self.target = target }

  mutating func append(_ byte: UInt8) {
    target[count] = byte
    count += 1
  }
  /// Appends seven bits a byte, lowest first; at most ten bytes.
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 128 {
      append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}

/// Reads small headers; reading beyond the end gives nil.
struct ByteReader {
  private let source: UnsafePointer<UInt8>
  private let end: Int
  private(set) var position = 0

  init(_ source: UnsafePointer<UInt8>, _ count: Int) {
    self.source = source
    end = count
  }

  var isAtEnd: Bool { position == end }

  mutating func byte() -> UInt8? {
    if position >= end { return nil }
    position += 1
    return source[position - 1]
  }
  mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 63, by: 7) {
      guard let byte = byte() else { return nil }
      value |= UInt64(byte & 127) << shift
      if byte < 128 { return value }
    }
    return nil
  }
  /// A number in 0...`limit`.
  mutating func count(below limit: Int) -> Int? {
    guard let value = varint(), value <= UInt64(limit) else { return nil }
    return Int(value)
  }
}
