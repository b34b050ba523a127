/// Five ternary digits a byte, and runs of the byte of five zeros in one byte.
enum Quartic {
  /// How digits are grouped.
  enum Layout {
    /// Byte i holds the digits i, m + i, ..., 4 m + i of m bytes: planes, which vectorise.
    case fifths
    /// Byte i holds the digits 5 i to 5 i + 4.
    case consecutive
  }

  /// The digit of zero; 0 is minus and 2 is plus.
  static let zero: UInt8 = 1
  /// The byte of five zeros: 81 + 27 + 9 + 3 + 1.
  static let zeros: UInt8 = 121
  /// The byte of the shortest run, of two; 255 is one of fourteen.
  static let shortestRun: UInt8 = 243
  static let longestRun = 14

  static func bytes(_ count: Int) -> Int { (count + 4) / 5 }

  /// Packs `count` digits; the memory of `digits` has four more, which become zeros.
  static func pack(
    _ digits: UnsafeMutablePointer<UInt8>, _ count: Int, _ layout: Layout,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    for padding in 0..<4 { digits[count + padding] = zero }
    let m = bytes(count)
    switch layout {
    case .fifths:
      let (p1, p2, p3, p4) = (digits + m, digits + 2 * m, digits + 3 * m, digits + 4 * m)
      for i in 0..<m {
        // At most 2 * (81 + 27 + 9 + 3 + 1) = 242.
        output[i] = digits[i] &* 81 &+ p1[i] &* 27 &+ p2[i] &* 9 &+ p3[i] &* 3 &+ p4[i]
      }
    case .consecutive:
      for i in 0..<m {
        let d = digits + 5 * i
        output[i] = d[0] &* 81 &+ d[1] &* 27 &+ d[2] &* 9 &+ d[3] &* 3 &+ d[4]
      }
    }
  }

  /// The digits of byte `value` from the lowest byte of the word on.
  private static func spread(_ value: Int) -> UInt64 {
    var word: UInt64 = 0
    var rest = value
    for place in 0..<5 {
      word |= UInt64(rest % 3) << UInt64(8 * (4 - place))
      rest /= 3
    }
    return word
  }

  /// Undoes ``pack(_:_:_:into:)``; the memory of `digits` has room for `bytes` x 5 + 3.
  ///
  /// - Precondition: every byte is below 243.
  static func unpack(
    _ source: UnsafePointer<UInt8>, _ bytes: Int, _ layout: Layout,
    table: UnsafeMutablePointer<UInt64>, into digits: UnsafeMutablePointer<UInt8>
  ) {
    switch layout {
    case .consecutive:
      for value in 0..<243 { table[value] = spread(value) }
      let target = UnsafeMutableRawPointer(digits)
      for i in 0..<bytes {
        // Three bytes too many, which the next group overwrites or the memory has room for.
        target.storeBytes(of: table[Int(source[i])], toByteOffset: 5 * i, as: UInt64.self)
      }
    case .fifths:
      // A block of the source stays in the first cache; a loop with five outputs would be scalar.
      for start in stride(from: 0, to: bytes, by: 4096) {
        let size = min(4096, bytes - start)
        for fifth in 0..<5 {
          unpack(
            source + start, size, thirds: 4 - fifth, into: digits + fifth * bytes + start)
        }
      }
    }
  }

  /// The digit that is left after `thirds` divisions by three, of every byte.
  @inline(__always)
  private static func unpack(
    _ source: UnsafePointer<UInt8>, _ count: Int, thirds: Int,
    into digits: UnsafeMutablePointer<UInt8>
  ) {
    switch thirds {
    case 0: for i in 0..<count { digits[i] = last(UInt16(source[i])) }
    case 1: for i in 0..<count { digits[i] = last(third(UInt16(source[i]))) }
    case 2: for i in 0..<count { digits[i] = last(third(third(UInt16(source[i])))) }
    case 3: for i in 0..<count { digits[i] = last(third(third(third(UInt16(source[i]))))) }
    default:
      // The highest digit of a value below 243 has nothing above it.
      for i in 0..<count {
        digits[i] = UInt8(truncatingIfNeeded: third(third(third(third(UInt16(source[i]))))))
      }
    }
  }
  /// A third, rounded down, of a value below 256: 171 / 512, exactly, without a wrap in 16 bits.
  @inline(__always)
  private static func third(_ value: UInt16) -> UInt16 { (value &* 171) &>> 9 }
  /// The remainder of a division by three; it does not wrap.
  @inline(__always)
  private static func last(_ value: UInt16) -> UInt8 {
    UInt8(truncatingIfNeeded: value &- 3 &* third(value))
  }

  /// Shortens runs of ``zeros``, longest first; returns the bytes written, at most `count`.
  static func shorten(
    _ source: UnsafePointer<UInt8>, _ count: Int, into output: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let words = UnsafeRawPointer(source)
    let eight = UInt64(zeros) &* 0x0101_0101_0101_0101
    var written = 0
    var index = 0
    while index < count {
      let byte = source[index]
      if byte != zeros {
        output[written] = byte
        written += 1
        index += 1
        continue
      }
      var end = index + 1
      while end + 8 <= count, words.loadUnaligned(fromByteOffset: end, as: UInt64.self) == eight {
        end += 8
      }
      while end < count, source[end] == zeros { end += 1 }
      var run = end - index
      while run >= longestRun {
        output[written] = 255
        written += 1
        run -= longestRun
      }
      if run >= 2 {
        output[written] = shortestRun + UInt8(run - 2)
        written += 1
      } else if run == 1 {
        output[written] = zeros
        written += 1
      }
      index = end
    }
    return written
  }

  /// Undoes ``shorten(_:_:into:)`` into exactly `total` bytes, or gives the place of the first byte
  /// that does not fit; nil is success.
  static func lengthen(
    _ source: UnsafePointer<UInt8>, _ count: Int, into output: UnsafeMutablePointer<UInt8>,
    total: Int
  ) -> Int? {
    var written = 0
    for index in 0..<count {
      let byte = source[index]
      let run = byte < shortestRun ? 1 : Int(byte - shortestRun) + 2
      if run > total - written { return index }
      if byte < shortestRun {
        output[written] = byte
      } else {
        for place in 0..<run { output[written + place] = zeros }
      }
      written += run
    }
    return written == total ? nil : count
  }
}
