extension SignPacking {
  /// Writes `positive` or `negative` by the signs of elements `range` to `target`, which begins at
  /// element 0.
  static func unpack(
    _ words: UnsafePointer<UInt64>, _ range: Range<Int>, positive: Float, negative: Float,
    into target: UnsafeMutablePointer<Float>
  ) {
    let base = positive.bitPattern
    let change = base ^ negative.bitPattern
    var index = range.lowerBound
    @inline(__always) func one(_ index: Int) {
      let sign = UInt32(truncatingIfNeeded: words[index >> 6] >> UInt64(index & 63)) & 1
      target[index] = Float(bitPattern: base ^ (change & (0 &- sign)))
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
          let sign = part >> UInt32(lane) & 1
          output[lane] = Float(bitPattern: base ^ (change & (0 &- sign)))
        }
      }
      index += 64
    }
    while index < range.upperBound {
      one(index)
      index += 1
    }
  }

  /// The stream's bits as whole words, which ``unpack`` reads: copied, since the last bytes of a
  /// frame need not fill one.
  static func words(
    of stream: PayloadStream, scratch: inout CodecScratch
  ) -> UnsafePointer<UInt64> {
    let words = scratch.temporary(of: UInt64.self, (stream.count + 63) / 64)
    if stream.count > 0 { words[(stream.count - 1) / 64] = 0 }
    UnsafeMutableRawPointer(words).copyMemory(from: stream.base, byteCount: stream.byteCount)
    return UnsafePointer(words)
  }
}

extension Reductions {
  /// The sum of the elements below zero, the sum of the others, and how many are below zero.
  struct SignedSums {
    var negative = 0.0
    var positive = 0.0
    var negatives = 0
    /// False if an element is NaN or infinite.
    var isFinite: Bool { negative.isFinite && positive.isFinite }
  }

  /// Adds elements of at most one block, in sixteen lanes, to `sums`.
  static func addSigned(
    _ values: UnsafePointer<Float>, _ count: Int, to sums: inout SignedSums
  ) {
    let mask = SIMD16<UInt32>(repeating: 0x7FFF_FFFF)
    // x - |x| and x + |x| are 2x or 0, exactly: no masks of lanes, which stay scalar.
    var below = SIMD16<Float>(repeating: 0)
    var above = SIMD16<Float>(repeating: 0)
    let whole = count & ~15
    var index = 0
    while index < whole {
      // In bounds: index + 16 <= whole <= count.
      let x = UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self)
      let magnitude = unsafeBitCast(
        unsafeBitCast(x, to: SIMD16<UInt32>.self) & mask, to: SIMD16<Float>.self)
      below += x - magnitude
      above += x + magnitude
      index += 16
    }
    var part = (negative: 0.0, positive: 0.0)
    for lane in 0..<16 {
      part.negative += Double(below[lane]) / 2
      part.positive += Double(above[lane]) / 2
    }
    while index < count {
      let value = Double(values[index])
      if value < 0 { part.negative += value } else { part.positive += value }
      index += 1
    }
    if !part.negative.isFinite || !part.positive.isFinite {
      // Lanes of finite values near the largest float may overflow; NaN and infinity stay.
      part = (0, 0)
      for index in 0..<count {
        let value = Double(values[index])
        if value < 0 { part.negative += value } else { part.positive += value }
      }
    }
    sums.negative += part.negative
    sums.positive += part.positive
    // The sign bit where the magnitude is not 0, in integers: counting comparisons becomes a branch.
    var negatives: UInt32 = 0
    for index in 0..<count {
      let bits = values[index].bitPattern
      negatives &+= (bits & (0 &- (bits & 0x7FFF_FFFF))) >> 31
    }
    sums.negatives += Int(negatives)
  }
}
