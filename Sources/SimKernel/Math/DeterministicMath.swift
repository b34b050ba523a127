/// Elementary functions whose every bit is the same on any machine.
///
/// The C library's `exp` and `log` differ between versions and instruction sets; these use only
/// IEEE-754 addition, multiplication, division and square root, which do not. Accuracy is within a
/// few units in the last place, which is far below anything a simulation can resolve.
public enum DeterministicMath {
  /// The natural logarithm: NaN below 0, -infinity at 0.
  public static func log(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    if x == 0 { return -.infinity }
    if x == .infinity { return x }
    let (exponent, mantissa) = reduced(x)
    let small = logNearOne(mantissa)
    return exponent * 6.93147180369123816490e-01 + (exponent * 1.90821492927058770002e-10 + small)
  }

  /// The base-2 logarithm, exact for powers of two; NaN below 0, -infinity at 0.
  public static func log2(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    if x == 0 { return -.infinity }
    if x == .infinity { return x }
    let (exponent, mantissa) = reduced(x)
    return exponent + logNearOne(mantissa) * 1.4426950408889634
  }

  /// x = 2^exponent * mantissa with the mantissa between the square roots of 1/2 and 2.
  private static func reduced(_ x: Double) -> (exponent: Double, mantissa: Double) {
    let exponent = Double(x.exponent)
    let mantissa = x.significand
    return mantissa > 1.4142135623730951 ? (exponent + 1, mantissa * 0.5) : (exponent, mantissa)
  }

  /// log m = 2 artanh(s), s = (m - 1)/(m + 1), |s| < 0.1716, by Taylor's series.
  ///
  /// Written as m - 1 less a small correction, so that only the correction is rounded.
  private static func logNearOne(_ m: Double) -> Double {
    let f = m - 1
    let s = f / (2 + f)
    let z = s * s
    var series = 2.0 / 23
    series = series * z + 2.0 / 21
    series = series * z + 2.0 / 19
    series = series * z + 2.0 / 17
    series = series * z + 2.0 / 15
    series = series * z + 2.0 / 13
    series = series * z + 2.0 / 11
    series = series * z + 2.0 / 9
    series = series * z + 2.0 / 7
    series = series * z + 2.0 / 5
    series = series * z + 2.0 / 3
    // 2s = f - s f, and s f = f^2/2 - s f^2/2.
    let half = 0.5 * f * f
    return f - (half - s * (half + z * series))
  }

  /// The exponential function: 0 below -745, infinity above 709.78.
  public static func exp(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x > 709.782712893384 { return .infinity }
    if x < -745.2 { return 0 }
    let k = (x * 1.4426950408889634).rounded()
    // The first product is exact; what the second subtraction loses is kept as `rest`.
    let high = x - k * 6.93147180369123816490e-01
    let low = k * 1.90821492927058770002e-10
    let r = high - low
    let rest = (high - r) - low
    // Taylor's series to r^14/14!, |r| < 0.3466; the coefficients are the nearest doubles.
    var tail = 1.1470745597729725e-11
    tail = tail * r + 1.6059043836821613e-10
    tail = tail * r + 2.08767569878681e-09
    tail = tail * r + 2.505210838544172e-08
    tail = tail * r + 2.755731922398589e-07
    tail = tail * r + 2.7557319223985893e-06
    tail = tail * r + 2.48015873015873e-05
    tail = tail * r + 0.0001984126984126984
    tail = tail * r + 0.001388888888888889
    tail = tail * r + 0.008333333333333333
    tail = tail * r + 0.041666666666666664
    tail = tail * r + 0.16666666666666666
    tail = tail * r + 0.5
    let series = 1 + (r + (r * r * tail + rest))
    let power = Int(k)
    let half = power / 2
    return series * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: power - half, significand: 1)
  }

  /// `base` to the power `exponent`, for a positive base.
  ///
  /// The relative error grows with the logarithm of the result: some 700 units in the last place
  /// at the ends of the range, one near 1.
  public static func pow(_ base: Double, _ exponent: Double) -> Double {
    exp(exponent * log(base))
  }

  /// The standard normal quantile: Wichura's algorithm AS 241 (Applied Statistics 37, 1988), about
  /// 1e-16 relative; infinite at 0 and 1.
  public static func normalQuantile(_ p: Double) -> Double {
    if p <= 0 { return -.infinity }
    if p >= 1 { return .infinity }
    let q = p - 0.5
    if q.magnitude <= 0.425 {
      let r = 0.180625 - q * q
      let numerator = polynomial(
        r, 2509.0809287301226727, 33430.575583588128105, 67265.770927008700853,
        45921.953931549871457, 13731.693765509461125, 1971.5909503065514427, 133.14166789178437745,
        3.387132872796366608)
      let denominator = polynomial(
        r, 5226.495278852545925, 28729.085735721942674, 39307.89580009271061,
        21213.794301586595867, 5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1
      )
      return q * numerator / denominator
    }
    var r = (-log(q < 0 ? p : 1 - p)).squareRoot()
    let value: Double
    if r <= 5 {
      r -= 1.6
      value =
        polynomial(
          r, 7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177,
          1.27045825245236838258, 3.64784832476320460504, 5.7694972214606914055,
          4.6303378461565452959, 1.42343711074968357734)
        / polynomial(
          r, 1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966,
          0.14810397642748007459, 0.68976733498510000455, 1.6763848301838038494,
          2.05319162663775882187, 1)
    } else {
      r -= 5
      value =
        polynomial(
          r, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
          0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358,
          5.4637849111641143699, 6.6579046435011037772)
        / polynomial(
          r, 2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
          7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531,
          0.59983220655588793769, 1)
    }
    return q < 0 ? -value : value
  }

  /// Horner's rule over eight coefficients, the highest power first.
  private static func polynomial(
    _ x: Double, _ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double,
    _ g: Double, _ h: Double
  ) -> Double {
    ((((((a * x + b) * x + c) * x + d) * x + e) * x + f) * x + g) * x + h
  }
}
