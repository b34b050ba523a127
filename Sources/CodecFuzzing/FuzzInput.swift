/// The bytes of one fuzzing case, taken from the front; beyond their end every draw is 0.
///
/// Each decision takes a byte of its own, so that changing one byte changes one decision.
struct FuzzInput {
  private let bytes: [UInt8]
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Bytes not yet drawn.
  var remaining: Int { bytes.count - next }

  mutating func byte() -> UInt8 {
    guard next < bytes.count else { return 0 }
    next += 1
    return bytes[next - 1]
  }
  mutating func bool() -> Bool { byte() & 1 == 1 }
  /// A number in `0..<bound`, which is at most 256.
  mutating func index(below bound: Int) -> Int { Int(byte()) % max(1, bound) }
  /// Two bytes, the lowest first.
  mutating func word() -> Int { Int(byte()) | Int(byte()) << 8 }
  /// The pattern of a float32: anything, NaN and infinities too.
  mutating func float() -> Float {
    var bits: UInt32 = 0
    for shift in stride(from: UInt32(0), to: 32, by: 8) { bits |= UInt32(byte()) << shift }
    return Float(bitPattern: bits)
  }
  /// At most `limit` bytes of what is left.
  mutating func take(_ limit: Int) -> [UInt8] {
    let end = next + min(limit, remaining)
    defer { next = end }
    return Array(bytes[next..<end])
  }
}
