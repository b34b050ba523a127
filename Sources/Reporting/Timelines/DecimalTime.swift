import SimKernel

/// Times as exact decimals, written without passing through binary fractions.
enum DecimalTime {
  /// Microseconds: `1250000.000001` for a picosecond more than 1.25 s.
  static func appendMicroseconds(_ picoseconds: Int64, to out: inout [UInt8]) {
    let magnitude = picoseconds.magnitude
    if picoseconds < 0 { out.append(0x2D) }
    append(magnitude / 1_000_000, to: &out)
    var fraction = magnitude % 1_000_000
    if fraction == 0 { return }
    out.append(0x2E)
    var scale: UInt64 = 100_000
    while fraction > 0 {
      out.append(0x30 + UInt8(truncatingIfNeeded: fraction / scale))
      fraction %= scale
      scale /= 10
    }
  }

  /// A whole number.
  static func append(_ number: UInt64, to out: inout [UInt8]) {
    var divisor: UInt64 = 1
    while number / divisor >= 10 { divisor *= 10 }
    var rest = number
    while divisor > 0 {
      out.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
      rest %= divisor
      divisor /= 10
    }
  }
}

/// Collects the bytes of a JSON file and passes them on in pieces.
struct JSONText {
  private var bytes: [UInt8] = []
  private let emit: ([UInt8]) throws -> Void

  init(_ emit: @escaping ([UInt8]) throws -> Void) { self.emit = emit }

  /// Appends `text` as it is.
  mutating func add(_ text: StaticString) {
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
  /// Appends `text` as it is.
  mutating func add(raw text: String) { bytes.append(contentsOf: text.utf8) }
  /// Appends a string literal.
  mutating func add(quoted text: String) { JSONNode.append(quoted: text, to: &bytes) }
  mutating func add(_ number: Int) {
    if number < 0 { bytes.append(0x2D) }
    DecimalTime.append(UInt64(number.magnitude), to: &bytes)
  }
  mutating func add(_ number: Int64) { add(Int(number)) }
  mutating func add(_ number: Int32) { add(Int(number)) }
  /// Appends microseconds since the start of the run.
  mutating func add(_ time: SimTime) {
    DecimalTime.appendMicroseconds(time.picoseconds, to: &bytes)
  }
  /// Appends microseconds.
  mutating func add(_ length: SimDuration) {
    DecimalTime.appendMicroseconds(length.picoseconds, to: &bytes)
  }
  /// Passes what is there on, once it is worth a call.
  mutating func flush(all: Bool = false) throws {
    if bytes.isEmpty || (!all && bytes.count < 1 << 18) { return }
    try emit(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
