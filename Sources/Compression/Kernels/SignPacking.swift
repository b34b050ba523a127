/// Signs as bits: bit j of word i is set where element 64 i + j is below zero.
///
/// Zero counts as positive, and so does minus zero: the sign family sends +1 for `x >= 0`.
enum SignPacking {
  /// Packs the signs of `count` elements; the last word's unused bits are 0.
  static func pack(
    _ values: UnsafePointer<Float>, _ count: Int, into words: UnsafeMutablePointer<UInt64>
  ) {
    let whole = count / 64
    for word in 0..<whole {
      let group = values + word * 64
      words[word] = UInt64(half(group)) | UInt64(half(group + 32)) << 32
    }
    if count > whole * 64 {
      var bits: UInt64 = 0
      for index in whole * 64..<count where values[index] < 0 {
        bits |= 1 << UInt64(index & 63)
      }
      words[whole] = bits
    }
  }

  /// The signs of 32 elements; an or-reduction that vectorises.
  @inline(__always)
  private static func half(_ values: UnsafePointer<Float>) -> UInt32 {
    var bits: UInt32 = 0
    for lane in 0..<32 {
      // Minus zero has a sign bit but is not below zero.
      bits |= (values[lane] < 0 ? 1 : 0) << UInt32(lane)
    }
    return bits
  }

  /// Writes `magnitude` with the signs of elements `range` to `target`, which begins at element 0.
  static func unpack(
    _ words: UnsafePointer<UInt64>, _ range: Range<Int>, magnitude: Float,
    into target: UnsafeMutablePointer<Float>
  ) {
    let positive = magnitude.bitPattern
    var index = range.lowerBound
    @inline(__always) func one(_ index: Int) {
      let sign = UInt32(truncatingIfNeeded: words[index >> 6] >> UInt64(index & 63)) << 31
      target[index] = Float(bitPattern: positive ^ sign)
    }
    while index < range.upperBound, index & 63 != 0 {
      one(index)
      index += 1
    }
    while index + 64 <= range.upperBound {
      let word = words[index >> 6]
      for (offset, part) in [(0, UInt32(truncatingIfNeeded: word)), (32, UInt32(word >> 32))] {
        let output = target + index + offset
        for lane in 0..<32 {
          output[lane] = Float(bitPattern: positive ^ (part >> UInt32(lane)) << 31)
        }
      }
      index += 64
    }
    while index < range.upperBound {
      one(index)
      index += 1
    }
  }
}
