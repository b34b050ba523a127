/// Byte and bit transposition, which brings bytes of equal meaning together before an entropy coder.
enum ByteShuffle {
  /// Plane p of the output holds byte p of every element; `source` is aligned to the elements.
  static func shuffle(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int, width: Int
  ) {
    if width == 4 {
      let words = UnsafeRawPointer(source).assumingMemoryBound(to: UInt32.self)
      var index = 0
      while index + 16 <= count {
        // In bounds: index + 16 <= count, for the words and in each plane.
        let lanes = UnsafeRawPointer(words + index).loadUnaligned(as: SIMD16<UInt32>.self)
        let output = UnsafeMutableRawPointer(target + index)
        for plane in 0..<4 {
          // A plain loop with four outputs stays scalar.
          output.storeBytes(
            of: SIMD16<UInt8>(truncatingIfNeeded: lanes &>> UInt32(8 * plane)),
            toByteOffset: plane * count, as: SIMD16<UInt8>.self)
        }
        index += 16
      }
      while index < count {
        for plane in 0..<4 {
          target[plane * count + index] = UInt8(
            truncatingIfNeeded: words[index] &>> UInt32(8 * plane))
        }
        index += 1
      }
      return
    }
    for plane in 0..<width {
      let output = target + plane * count
      for i in 0..<count { output[i] = source[i * width + plane] }
    }
  }

  /// Words from their four bytes, the lowest first; a loop of its own, so that it vectorises.
  @inline(never)
  private static func join(
    _ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ c: UnsafePointer<UInt8>,
    _ d: UnsafePointer<UInt8>, _ words: UnsafeMutablePointer<UInt32>, _ count: Int
  ) {
    for index in 0..<count {
      let low = UInt32(a[index]) | UInt32(b[index]) << 8
      let high = UInt32(c[index]) << 16 | UInt32(d[index]) << 24
      words[index] = low | high
    }
  }

  /// Undoes ``shuffle(_:_:count:width:)``.
  ///
  /// `target` is aligned to the elements.
  static func unshuffle(
    _ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, count: Int, width: Int
  ) {
    if width == 4 {
      let words = UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt32.self)
      let b = source + count
      join(source, b, b + count, b + 2 * count, words, count)
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
