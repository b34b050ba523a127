/// Conversions between float32 and the two 16-bit formats in integer arithmetic.
///
/// One form for every machine: vectorises with or without F16C, with the same bits. Rounding is to
/// nearest, ties to even, and subnormals are kept (after Giesen's `float_to_half_fast3_rtne`).
enum HalfPrecision {
  /// Converts to IEEE binary16 and returns the largest magnitude written: 0x7C00 or more says that
  /// an element was not finite or too large.
  static func toFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> UInt16 {
    var worst: Int32 = 0
    for index in 0..<count {
      let bits = source[index].bitPattern
      let sign = bits >> 16 & 0x8000
      let magnitude = bits & 0x7FFF_FFFF
      // Below 2^-14: adding 0.5 moves the bits that stay into place and rounds them, ties to even.
      let small = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
      // Otherwise re-bias the exponent and round; a carry into the exponent is the right one. No
      // wrap matters: magnitudes below 2^-14 take the other branch.
      let odd = magnitude >> 13 & 1
      let normal = (magnitude &- 0x3800_0000 &+ 0xFFF &+ odd) >> 13
      // Both are below 2^31, so that signed integers do, of which every machine finds the smaller.
      let half = Int32(truncatingIfNeeded: magnitude < 0x3880_0000 ? small : normal)
      let held = half < 0x7C00 ? half : 0x7C00
      worst = held > worst ? held : worst
      target[index] = UInt16(truncatingIfNeeded: UInt32(truncatingIfNeeded: held) | sign)
    }
    return UInt16(truncatingIfNeeded: worst)
  }

  /// Converts from IEEE binary16, exactly; infinities and NaNs of damaged bytes stay what they are.
  static func fromFloat16(
    _ source: UnsafePointer<UInt16>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    for index in 0..<count { target[index] = widen(source[index]) }
  }

  /// One binary16 number as float32.
  @inline(__always)
  static func widen(_ half: UInt16) -> Float {
    let bits = UInt32(half)
    let shifted = (bits & 0x7FFF) << 13
    let exponent = shifted & 0x0F80_0000
    let normal = shifted &+ 0x3800_0000
    // Subnormal: 2^-14 x 1.m minus 2^-14 leaves the number, exactly.
    let subnormal = (Float(bitPattern: shifted &+ 0x3880_0000) - 0x1p-14).bitPattern
    var magnitude = exponent == 0 ? subnormal : normal
    magnitude = exponent == 0x0F80_0000 ? shifted &+ 0x7000_0000 : magnitude
    return Float(bitPattern: magnitude | (bits & 0x8000) << 16)
  }

  /// Converts to bfloat16 and returns the largest magnitude written: 0x7F80 or more says that an
  /// element was not finite or would round to infinity.
  static func toBFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> UInt16 {
    var worst: UInt32 = 0
    for index in 0..<count {
      let bits = source[index].bitPattern
      let magnitude = bits & 0x7FFF_FFFF
      let odd = magnitude >> 16 & 1
      // No wrap: a magnitude is below 2^31.
      let rounded = (magnitude &+ 0x7FFF &+ odd) >> 16
      worst = rounded > worst ? rounded : worst
      target[index] = UInt16(truncatingIfNeeded: rounded | (bits >> 16 & 0x8000))
    }
    return UInt16(truncatingIfNeeded: min(worst, 0x7FFF))
  }

  /// Drops the lower 16 bits and returns the largest magnitude written, as ``toBFloat16(_:_:_:)``.
  static func truncateToBFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> UInt16 {
    var worst: UInt16 = 0
    for index in 0..<count {
      let upper = UInt16(truncatingIfNeeded: source[index].bitPattern >> 16)
      worst = max(worst, upper & 0x7FFF)
      target[index] = upper
    }
    return worst
  }

  /// Converts from bfloat16, exactly.
  static func fromBFloat16(
    _ source: UnsafePointer<UInt16>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    for index in 0..<count { target[index] = Float(bitPattern: UInt32(source[index]) << 16) }
  }
}
