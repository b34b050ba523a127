/// SipHash-2-4 with 128-bit output (Aumasson, Bernstein, 2012) under a fixed key: names scenarios,
/// points and journal records the same way on every machine.
///
/// It guards against accident, not malice.
public struct StableHash: Sendable {
  private var v0: UInt64 = 0x736F_6D65_7073_6575 ^ 0x0706_0504_0302_0100
  private var v1: UInt64 = 0x646F_7261_6E64_6F6D ^ 0x0F0E_0D0C_0B0A_0908 ^ 0xEE
  private var v2: UInt64 = 0x6C79_6765_6E65_7261 ^ 0x0706_0504_0302_0100
  private var v3: UInt64 = 0x7465_6462_7974_6573 ^ 0x0F0E_0D0C_0B0A_0908
  private var pending: UInt64 = 0
  private var pendingCount: UInt64 = 0
  private var length: UInt64 = 0

  public init() {}

  /// Appends the bytes of `text`, then a terminator, so that ("ab", "c") and ("a", "bc") differ.
  public mutating func combine(_ text: String) {
    var copy = text
    copy.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
    combine(byte: 0xFF)
  }
  /// Appends the eight bytes of `word`, lowest first.
  public mutating func combine(_ word: UInt64) {
    length &+= 8
    if pendingCount == 0 {
      compress(word)
    } else {
      compress(pending | word << (8 * pendingCount))
      pending = word >> (64 - 8 * pendingCount)
    }
  }
  /// Appends `bytes`.
  public mutating func combine(bytes: UnsafeRawBufferPointer) {
    var index = 0
    while index + 8 <= bytes.count {
      combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index += 8
    }
    while index < bytes.count {
      combine(byte: bytes[index])
      index += 1
    }
  }

  @inline(__always) private mutating func combine(byte: UInt8) {
    pending |= UInt64(byte) << (8 * pendingCount)
    pendingCount += 1
    length &+= 1
    if pendingCount == 8 {
      compress(pending)
      pending = 0
      pendingCount = 0
    }
  }

  @inline(__always) private mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }
  @inline(__always) private mutating func round() {
    v0 = v0 &+ v1
    v1 = (v1 << 13 | v1 >> 51) ^ v0
    v0 = v0 << 32 | v0 >> 32
    v2 = v2 &+ v3
    v3 = (v3 << 16 | v3 >> 48) ^ v2
    v0 = v0 &+ v3
    v3 = (v3 << 21 | v3 >> 43) ^ v0
    v2 = v2 &+ v1
    v1 = (v1 << 17 | v1 >> 47) ^ v2
    v2 = v2 << 32 | v2 >> 32
  }

  /// The 128-bit digest so far, as two words; the hash may go on afterwards.
  public var words: (UInt64, UInt64) {
    var copy = self
    copy.compress(pending | length << 56)
    copy.v2 ^= 0xEE
    for _ in 0..<4 { copy.round() }
    let first = copy.v0 ^ copy.v1 ^ copy.v2 ^ copy.v3
    copy.v1 ^= 0xDD
    for _ in 0..<4 { copy.round() }
    return (first, copy.v0 ^ copy.v1 ^ copy.v2 ^ copy.v3)
  }
  /// The digest as 32 lowercase hexadecimal digits, the canonical SipHash byte order.
  public var hexadecimal: String {
    let (first, second) = words
    return Self.hexadecimal(first.byteSwapped) + Self.hexadecimal(second.byteSwapped)
  }
  /// `word` as 16 lowercase hexadecimal digits.
  public static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
