/// Reductions over float32 vectors, in an order that is written down.
///
/// Integer maxima may run in any order; sums run in sixteen lanes over blocks of 4096 elements, each
/// block added to a `Double`, so that every instruction set gives the same bits. Swift never
/// contracts a product and a sum.
enum Reductions {
  /// Elements whose lane sums stay in single precision.
  static let blockSize = 4096
  /// Bits of the magnitude of infinity; a NaN has more.
  static let infinityBits: Int32 = 0x7F80_0000

  /// The bits of the largest magnitude; at least ``infinityBits`` if an element is not finite.
  ///
  /// Magnitudes order like their bits. Signed integers, because SSE2 compares no others.
  static func largestMagnitudeBits(_ values: UnsafePointer<Float>, _ count: Int) -> Int32 {
    var largest: Int32 = 0
    for index in 0..<count {
      let bits = Int32(truncatingIfNeeded: values[index].bitPattern & 0x7FFF_FFFF)
      largest = bits > largest ? bits : largest
    }
    return largest
  }

  /// As ``largestMagnitudeBits(_:_:)``, copying the elements on the way.
  static func copy(
    _ values: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int
  ) -> Int32 {
    var largest: Int32 = 0
    for index in 0..<count {
      let value = values[index]
      target[index] = value
      let bits = Int32(truncatingIfNeeded: value.bitPattern & 0x7FFF_FFFF)
      largest = bits > largest ? bits : largest
    }
    return largest
  }

  /// The sum of magnitudes; not finite if an element is not.
  static func sumOfMagnitudes(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    let mask = SIMD16<UInt32>(repeating: 0x7FFF_FFFF)
    let total = blockSum(values, count) {
      unsafeBitCast(unsafeBitCast($0, to: SIMD16<UInt32>.self) & mask, to: SIMD16<Float>.self)
    } tail: {
      $0.magnitude
    }
    if total.isFinite { return total }
    // Lane sums of finite values near the largest float may overflow; a NaN or infinity stays one.
    var exact = 0.0
    for index in 0..<count { exact += Double(values[index].magnitude) }
    return exact
  }

  /// The sum of squares; not finite if an element is not.
  static func sumOfSquares(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    let total = blockSum(values, count) {
      $0 * $0
    } tail: {
      $0 * $0
    }
    // Outside this range a single-precision square may have overflowed or lost its bits.
    if total > 1e-20 && total < 1e30 { return total }
    var exact = 0.0
    for index in 0..<count {
      let value = Double(values[index])
      exact += value * value
    }
    return exact
  }

  /// The sum of the values.
  static func sum(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    blockSum(values, count) {
      $0
    } tail: {
      $0
    }
  }

  /// The sum of `body` in sixteen lanes a block and of `tail` over what is left.
  @inline(__always)
  private static func blockSum(
    _ values: UnsafePointer<Float>, _ count: Int, _ body: (SIMD16<Float>) -> SIMD16<Float>,
    tail: (Float) -> Float
  ) -> Double {
    var total = 0.0
    var index = 0
    let whole = count & ~15
    while index < whole {
      let end = min(index + blockSize, whole)
      var lanes = SIMD16<Float>(repeating: 0)
      while index < end {
        // In bounds: index + 16 <= whole <= count.
        lanes += body(
          UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self))
        index += 16
      }
      var block = 0.0
      for lane in 0..<16 { block += Double(lanes[lane]) }
      total += block
    }
    while index < count {
      total += Double(tail(values[index]))
      index += 1
    }
    return total
  }
}
