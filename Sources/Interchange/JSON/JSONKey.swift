/// A key of a JSON object as four words, so that readers compare keys without making strings.
///
/// Exact up to 24 bytes; longer keys, and keys with escapes, equal no key that a reader names.
struct JSONKey: Equatable, BitwiseCopyable {
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt64 = 0
  private var count: Int

  static let longest = 24
  /// A key that equals none.
  static var none: JSONKey { JSONKey() }
  private init() { count = -1 }

  init(_ text: StaticString) {
    let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    precondition(bytes.count <= Self.longest, "keys that readers name have at most 24 bytes")
    self.init(bytes)
  }

  /// The key with these bytes; ``none`` if they are too many.
  init(_ bytes: UnsafeRawBufferPointer) {
    count = bytes.count
    if bytes.count > Self.longest {
      count = -1
      return
    }
    first = Self.word(bytes, 0)
    if count > 8 { second = Self.word(bytes, 8) }
    if count > 16 { third = Self.word(bytes, 16) }
  }

  /// The key with these bytes, behind which at least eight more may be loaded.
  @inline(__always)
  init(padded bytes: UnsafePointer<UInt8>, count: Int) {
    self.count = count <= Self.longest ? count : -1
    if count > Self.longest { return }
    // In bounds: a load begins within the key, or at its end.
    let raw = UnsafeRawPointer(bytes)
    first = raw.loadUnaligned(as: UInt64.self) & Self.mask(count)
    if count > 8 {
      second = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & Self.mask(count - 8)
    }
    if count > 16 {
      third = raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self) & Self.mask(count - 16)
    }
  }

  /// Ones in the first `count` bytes of a word.
  @inline(__always)
  private static func mask(_ count: Int) -> UInt64 {
    count >= 8 ? .max : (1 << UInt64(count * 8)) - 1
  }

  /// Up to eight bytes from `start` on.
  private static func word(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt64 {
    if start + 8 <= bytes.count {
      return bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
    }
    var word: UInt64 = 0
    var shift: UInt64 = 0
    for index in start..<bytes.count {
      word |= UInt64(bytes[index]) << shift
      shift += 8
    }
    return word
  }

  /// 0 to 63, by the first eight bytes; most different keys differ in it.
  @inline(__always)
  var mark: UInt64 { (first &* 0x9E37_79B9_7F4A_7C15) >> 58 }

  static func == (a: JSONKey, b: JSONKey) -> Bool {
    a.first == b.first && a.count == b.count && a.second == b.second && a.third == b.third
      && a.count >= 0
  }
}
