import SimKernel

/// How many independent samples an average needs to be near its expectation.
///
/// Counts are returned as reals, so that callers can take their maximum before rounding up once.
public enum ConcentrationBound {
  /// The samples after which an average of values spread over `width` exceeds its expectation by
  /// `tolerance` with a probability of at most exp(-`logOdds`), whatever the distribution.
  ///
  /// N = logOdds width^2 / (2 tolerance^2), one-sided (Hoeffding, JASA 58, 1963,
  /// doi:10.1080/01621459.1963.10500830).
  public static func hoeffding(logOdds: Double, width: Double, tolerance: Double) -> Double {
    let ratio = width / tolerance
    return logOdds * ratio * ratio / 2
  }

  /// The samples after which an average of values in -1...1 whose second moment is at most
  /// `secondMoment` is off by `tolerance` or more with a probability of at most
  /// 2 exp(-N secondMoment h(tolerance / secondMoment)) = exp(-`logOdds`).
  ///
  /// Both sides are covered (Bennett, JASA 57, 1962, doi:10.1080/01621459.1962.10482149; for second
  /// moments Boucheron, Lugosi, Massart, Concentration Inequalities, 2013, theorem 2.9).
  ///
  /// - Precondition: `secondMoment` and `tolerance` are above 0.
  public static func bennett(
    logOdds: Double, secondMoment: Double, tolerance: Double
  ) -> Double {
    precondition(secondMoment > 0 && tolerance > 0, "Bennett's bound needs positive arguments")
    let exponent = secondMoment * bennettExponent(tolerance / secondMoment)
    return (logOdds + DeterministicMath.log(2)) / exponent
  }

  /// Bennett's h(u) = (1 + u) ln(1 + u) - u for u >= 0.
  ///
  /// Below 1/8, where the two terms nearly cancel, by its series, the sum of
  /// (-u)^k / (k (k - 1)) from k = 2.
  public static func bennettExponent(_ u: Double) -> Double {
    if u >= 0.125 { return (1 + u) * DeterministicMath.log(1 + u) - u }
    var sum = 0.0
    // The first term left out is below 2^-57 of the sum.
    for k in stride(from: 19, through: 2, by: -1) {
      sum = 1 / Double(k * (k - 1)) - u * sum
    }
    return u * u * sum
  }
}
