import SimKernel

/// Counter-based draws of single elements: a quantile function of a hashed index.
///
/// Once rows and columns are divided by their scales, what is left of the recorded gradients is near
/// normal or lighter (kurtosis 1.1 to 3.6): their heavy tails, kurtosis 349 and all, are the spread
/// of the scales. So one short odd polynomial of a uniform u in (-1, 1) is enough,
/// `z(u) = u + t (a u^3 + b u^17) + s sign(u)`, scaled to variance 1. With tail 0 it is uniform
/// (kurtosis 1.8), with 1 nearly normal (kurtosis 2.91, within 0.1 of the normal quantile for 99 % of
/// draws, never beyond 2.8), above that heavier; a negative tail moves it towards two points
/// (kurtosis 1), as nearly rank-one gradients are.
/// It needs no table look-up, so that it runs at vector speed on any instruction set, and only
/// products, sums and one square root, so that its bits are the same on all of them.
struct ElementDraw: Sendable {
  /// Coefficients of u, u^3, u^17 and sign(u), weight included.
  var linear: Float
  var cubic: Float
  var steep: Float
  var step: Float

  /// The cubic and the steep coefficient of the normal shape, relative to the linear one (fitted by
  /// Tools/fit_synthetic_gradients.py, which would also use u^5 and u^9 but finds them 0).
  private static let normal = (cubic: 0.375666, steep: 0.849935)

  /// Draws of variance `weight` squared.
  init(tail: Double, weight: Double) {
    let a = max(0, tail) * Self.normal.cubic
    let b = max(0, tail) * Self.normal.steep
    let s = max(0, -tail)
    // E z^2 over u in (0, 1), term by term: the integral of u^m u^n is 1 / (m + n + 1).
    let squares = 1.0 / 3 + a * a / 7 + b * b / 35 + s * s
    let products = a / 5 + b / 19 + s / 2 + a * b / 21 + a * s / 4 + b * s / 18
    let scale = weight / (squares + 2 * products).squareRoot()
    linear = Float(scale)
    cubic = Float(a * scale)
    steep = Float(b * scale)
    step = Float(s * scale)
  }

  /// The draw for hashed bits.
  @inline(__always) func callAsFunction(_ bits: UInt32) -> Float {
    let u = Float(Int32(bitPattern: bits)) * 0x1p-31
    let v = u * u
    let v2 = v * v
    let v4 = v2 * v2
    let odd = u * (linear + v * cubic + (v4 * v4) * steep)
    return odd + Float(bitPattern: step.bitPattern | (bits & 0x8000_0000))
  }

  /// 32 well-mixed bits of element `index` under a row's key.
  ///
  /// Wellons' lowbias32 multipliers; the second half of the key enters between the rounds, so that
  /// two rows whose counters overlap still differ.
  @inline(__always) static func hash(_ index: UInt32, _ low: UInt32, _ high: UInt32) -> UInt32 {
    // Wrapping is the definition of the hash.
    var x = index &* 0x9E37_79B9 &+ low
    x ^= x >> 16
    x = x &* 0x7FEB_352D
    x ^= (x >> 15) ^ high
    x = x &* 0x846C_A68B
    return x ^ (x >> 16)
  }
}
