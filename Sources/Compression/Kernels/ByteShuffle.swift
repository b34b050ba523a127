/// Byte and bit transposition, which brings bytes of equal meaning together before an entropy coder.
enum ByteShuffle {
  /// Plane p of the output holds byte p of every element.
  static func shuffle(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int, width: Int
  ) {
    if width == 4 {
      let words = UnsafeRawPointer(source)
      for i in 0..<count {
        // In bounds: element i has its four bytes at 4 i.
        let word = words.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
        target[i] = UInt8(truncatingIfNeeded: word)
        target[count + i] = UInt8(truncatingIfNeeded: word >> 8)
        target[2 * count + i] = UInt8(truncatingIfNeeded: word >> 16)
        target[3 * count + i] = UInt8(truncatingIfNeeded: word >> 24)
      }
      return
    }
    for plane in 0..<width {
      let output = target + plane * count
      for i in 0..<count { output[i] = source[i * width + plane] }
    }
  }

  /// Undoes ``shuffle(_:_:count:width:)``.
  static func unshuffle(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int, width: Int
  ) {
    if width == 4 {
      let words = UnsafeMutableRawPointer(target)
      for i in 0..<count {
        let low = UInt32(source[i]) | UInt32(source[count + i]) << 8
        let high = UInt32(source[2 * count + i]) << 16 | UInt32(source[3 * count + i]) << 24
        words.storeBytes(of: low | high, toByteOffset: 4 * i, as: UInt32.self)
      }
      return
    }
    for plane in 0..<width {
      let input = source + plane * count
      for i in 0..<count { target[i * width + plane] = input[i] }
    }
  }

  /// Plane b of the output holds bit b of every element, eight elements a byte; the elements beyond
  /// the last multiple of eight follow byte-shuffled.
  static func bitShuffle(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int, width: Int
  ) {
    let groups = count / 8
    for group in 0..<groups {
      for byte in 0..<width {
        var matrix: UInt64 = 0
        for row in 0..<8 {
          matrix |= UInt64(source[(group * 8 + row) * width + byte]) << UInt64(8 * row)
        }
        matrix = transpose(matrix)
        for bit in 0..<8 {
          target[(byte * 8 + bit) * groups + group] =
            UInt8(truncatingIfNeeded: matrix >> UInt64(8 * bit))
        }
      }
    }
    shuffle(
      source + groups * 8 * width, target + groups * 8 * width, count: count - groups * 8,
      width: width)
  }

  /// Undoes ``bitShuffle(_:_:count:width:)``.
  static func bitUnshuffle(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int, width: Int
  ) {
    let groups = count / 8
    for group in 0..<groups {
      for byte in 0..<width {
        var matrix: UInt64 = 0
        for bit in 0..<8 {
          matrix |= UInt64(source[(byte * 8 + bit) * groups + group]) << UInt64(8 * bit)
        }
        matrix = transpose(matrix)
        for row in 0..<8 {
          target[(group * 8 + row) * width + byte] =
            UInt8(truncatingIfNeeded: matrix >> UInt64(8 * row))
        }
      }
    }
    unshuffle(
      source + groups * 8 * width, target + groups * 8 * width, count: count - groups * 8,
      width: width)
  }

  /// Transposes an 8 x 8 bit matrix (Warren, Hacker's Delight, section 7-3).
  @inline(__always)
  private static func transpose(_ matrix: UInt64) -> UInt64 {
    var x = matrix
    var t = (x ^ (x >> 7)) & 0x00AA_00AA_00AA_00AA
    x = x ^ t ^ (t << 7)
    t = (x ^ (x >> 14)) & 0x0000_CCCC_0000_CCCC
    x = x ^ t ^ (t << 14)
    t = (x ^ (x >> 28)) & 0x0000_0000_F0F0_F0F0
    return x ^ t ^ (t << 28)
  }
}
