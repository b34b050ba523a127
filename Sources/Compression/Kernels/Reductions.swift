import CKernels

/// Reductions over float32 vectors, in an order that is written down.
///
/// Integer maxima may run in any order; sums run in sixteen lanes over blocks of 4096 elements, each
/// block added to a `Double`, so that every instruction set gives the same bits. No product is
/// contracted with a sum.
enum Reductions {
  /// Elements whose lane sums stay in single precision.
  static let blockSize = 4096
  /// Bits of the magnitude of infinity; a NaN has more.
  static let infinityBits: Int32 = 0x7F80_0000

  /// The bits of the largest magnitude; at least ``infinityBits`` if an element is not finite.
  ///
  /// Magnitudes order like their bits.
  static func largestMagnitudeBits(_ values: UnsafePointer<Float>, _ count: Int) -> Int32 {
    ck_largest_magnitude_bits(values, count)
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
    let total = ck_sum_of_magnitudes(values, count)
    if total.isFinite { return total }
    // Lane sums of finite values near the largest float may overflow; a NaN or infinity stays one.
    var exact = 0.0
    for index in 0..<count { exact += Double(values[index].magnitude) }
    return exact
  }

  /// The sum of squares; not finite if an element is not.
  static func sumOfSquares(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
    sumOfSquares(values, count, inLanes: ck_sum_of_squares(values, count))
  }

  /// As above, where `total` is what sixteen lanes gave.
  static func sumOfSquares(
    _ values: UnsafePointer<Float>, _ count: Int, inLanes total: Double
  ) -> Double {
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
    ck_sum_of_values(values, count)
  }
}
