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
