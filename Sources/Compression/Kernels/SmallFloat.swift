/// A binary floating-point format of at most eight bits: the OCP formats E4M3, E5M2 and E2M1.
///
/// Conversion to it rounds to nearest, ties to even, keeps subnormals, and saturates at the largest
/// finite number. Everything is integer arithmetic and one addition, so that loops vectorise on
/// every instruction set with the same bits.
struct SmallFloat: Sendable {
  /// Bits of sign, exponent and mantissa.
  let width: Int
  let mantissaBits: Int
  /// What the exponent field exceeds the exponent by.
  let bias: Int
  /// The largest finite number.
  let largest: Float

  /// No infinities; 448 is the largest number (OCP OFP8, Micikevicius et al., arXiv:2209.05433).
  static let e4m3 = SmallFloat(width: 8, mantissaBits: 3, bias: 7, largest: 448)
  /// The upper byte of binary16.
  static let e5m2 = SmallFloat(width: 8, mantissaBits: 2, bias: 15, largest: 57344)
  /// 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives (OCP MX).
  static let e2m1 = SmallFloat(width: 4, mantissaBits: 1, bias: 1, largest: 6)

  /// The exponent of the largest number.
  var largestExponent: Int { Int(largest.exponent) }

  /// What a loop of roundings keeps in registers.
  struct Rounding {
    private let top: UInt32
    private let smallestNormal: UInt32
    /// Adding it moves the bits of a subnormal result to the end and rounds them.
    private let magic: Float
    private let rebias: UInt32
    private let shift: UInt32
    private let signShift: UInt32

    @inline(__always)
    init(_ format: SmallFloat) {
      top = format.largest.bitPattern
      smallestNormal = UInt32(128 - format.bias) << 23
      magic = Float(bitPattern: UInt32(151 - format.bias - format.mantissaBits) << 23)
      shift = UInt32(23 - format.mantissaBits)
      rebias = (1 << (shift - 1)) &- 1 &- UInt32(127 - format.bias) << 23
      signShift = UInt32(32 - format.width)
    }

    /// The code of `x`; NaN and infinity give the largest number.
    ///
    /// No wrap matters: magnitudes below the smallest normal number take the other branch.
    @inline(__always)
    func code(_ x: Float) -> UInt32 {
      let bits = x.bitPattern
      let unclamped = bits & 0x7FFF_FFFF
      let magnitude = unclamped < top ? unclamped : top
      let small = (Float(bitPattern: magnitude) + magic).bitPattern &- magic.bitPattern
      let normal = (magnitude &+ rebias &+ (magnitude &>> shift & 1)) &>> shift
      return (magnitude < smallestNormal ? small : normal) | (bits & 0x8000_0000) &>> signShift
    }
  }

  /// What a loop of conversions back keeps in registers.
  struct Widening {
    private let mask: UInt32
    private let shift: UInt32
    private let rebias: UInt32
    private let smallestNormal: Float
    private let signShift: UInt32

    @inline(__always)
    init(_ format: SmallFloat) {
      mask = 1 << UInt32(format.width - 1) - 1
      shift = UInt32(23 - format.mantissaBits)
      rebias = UInt32(127 - format.bias) << 23
      smallestNormal = Float(bitPattern: UInt32(128 - format.bias) << 23)
      signShift = UInt32(32 - format.width)
    }

    /// The number of `code`, exactly; codes that stand for NaN or infinity, which rounding never
    /// makes, continue the scale of the finite ones.
    @inline(__always)
    func value(_ code: UInt32) -> Float {
      let shifted = (code & mask) &<< shift
      let normal = shifted &+ rebias
      // Subnormal: 1.m of the smallest normal number minus that number leaves 0.m, exactly.
      let subnormal = (Float(bitPattern: shifted &+ smallestNormal.bitPattern) - smallestNormal)
        .bitPattern
      let magnitude = shifted < 1 << 23 ? subnormal : normal
      return Float(bitPattern: magnitude | code &<< signShift & 0x8000_0000)
    }
  }

  /// Codes of `source` times `factor`, which is not negative; returns the bits of the largest
  /// magnitude of `source`.
  func round(
    _ source: UnsafePointer<Float>, _ count: Int, factor: Float,
    into codes: UnsafeMutablePointer<UInt8>
  ) -> Int32 {
    let rounding = Rounding(self)
    var largest: Int32 = 0
    for index in 0..<count {
      let bits = Int32(truncatingIfNeeded: source[index].bitPattern & 0x7FFF_FFFF)
      largest = bits > largest ? bits : largest
      codes[index] = UInt8(truncatingIfNeeded: rounding.code(source[index] * factor))
    }
    return largest
  }

  /// Numbers of `codes` times `factor`.
  func widen(
    _ codes: UnsafePointer<UInt8>, _ count: Int, factor: Float,
    into target: UnsafeMutablePointer<Float>
  ) {
    let widening = Widening(self)
    for index in 0..<count { target[index] = widening.value(UInt32(codes[index])) * factor }
  }
}
