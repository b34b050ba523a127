/// Scalar forms of the kernels, one element at a time, which define their bytes.
enum KernelReference {
  static func float16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16 & 0x8000)
    guard value.magnitude < 65520 else { return sign | 0x7C00 }
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude < 0x3880_0000 {
      // A subnormal is a multiple of 2^-24.
      return sign | UInt16((value.magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let scaled = Double(value.magnitude)
    let step = Double(sign: .plus, exponent: value.exponent - 10, significand: 1)
    let rounded = (scaled / step).rounded(.toNearestOrEven)
    // 1024 to 2048 steps; the last is the first of the next exponent.
    return sign | UInt16((value.exponent + 15) * 1024 + Int(rounded) - 1024)
  }

  static func widen(_ half: UInt16) -> UInt32 {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = Int(half >> 10 & 31)
    let fraction = UInt32(half & 0x3FF)
    if exponent == 31 { return sign | 0x7F80_0000 | fraction << 13 }
    if exponent == 0 { return sign | (Float(fraction) * 0x1p-24).bitPattern }
    return sign | UInt32(exponent + 112) << 23 | fraction << 13
  }

  static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let magnitude = bits & 0x7FFF_FFFF
    let rounded = (magnitude &+ 0x7FFF &+ (magnitude >> 16 & 1)) >> 16
    return UInt16(truncatingIfNeeded: rounded | (bits >> 16 & 0x8000))
  }

  /// The level of one element, and its sign.
  static func level(
    _ value: Float, counter: UInt32, key: UInt32, factor: Float, limit: UInt32
  ) -> (level: UInt32, sign: UInt32) {
    var hash = counter
    hash ^= hash >> 16
    hash = hash &* 0x7FEB_352D
    hash ^= hash >> 15
    hash = (hash &+ key) &* 0x846C_A68B
    let scaled = value.magnitude * (factor * 0x1p32) + Float(Int32(bitPattern: hash))
    let magic: Float = 12_582_912
    let rounded = scaled * 0x1p-32 + magic
    let top = magic + Float(limit)
    return ((rounded < top ? rounded : top).bitPattern & 0xFFFF, value.bitPattern >> 31)
  }

  static func quantize(_ value: Float, inverse: Float, offset: UInt8) -> UInt8 {
    UInt8(truncatingIfNeeded: (value * inverse + 12_582_912).bitPattern) &+ offset
  }

  static func sum(_ values: [Float], _ term: (Float) -> Float) -> Double {
    var total = 0.0
    let whole = values.count & ~15
    for start in stride(from: 0, to: whole, by: 4096) {
      var lanes = [Float](repeating: 0, count: 16)
      for index in start..<min(start + 4096, whole) { lanes[index & 15] += term(values[index]) }
      total += lanes.reduce(0) { $0 + Double($1) }
    }
    for index in whole..<values.count { total += Double(term(values[index])) }
    return total
  }
}
