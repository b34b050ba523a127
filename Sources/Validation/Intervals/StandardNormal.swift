import SimKernel

/// The standard normal distribution.
public enum StandardNormal {
  /// P(Z <= `x`), to about 1e-15; 0 and 1 at the infinities.
  ///
  /// Near 0 by 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...) (Abramowitz and Stegun 26.2.11), whose terms
  /// have one sign; in the tails by the continued fraction 26.2.14, so that small probabilities keep
  /// their relative accuracy.
  public static func cumulative(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x.magnitude > 39 { return x < 0 ? 0 : 1 }
    // 1 / sqrt(2 pi).
    let density = 0.3989422804014327 * DeterministicMath.exp(-x * x / 2)
    if x.magnitude < 3 {
      var term = x
      var sum = x
      var k = 3.0
      while term.magnitude > sum.magnitude * 0x1p-56 {
        term *= x * x / k
        sum += term
        k += 2
      }
      return 0.5 + density * sum
    }
    let magnitude = x.magnitude
    var fraction = magnitude
    // From |x| = 3 on, 120 terms leave an error below the last place.
    for k in stride(from: 120, through: 1, by: -1) { fraction = magnitude + Double(k) / fraction }
    let tail = density / fraction
    return x < 0 ? tail : 1 - tail
  }

  /// The x with P(Z <= x) = `p`; infinite at 0 and 1.
  public static func quantile(_ p: Double) -> Double { DeterministicMath.normalQuantile(p) }
}
