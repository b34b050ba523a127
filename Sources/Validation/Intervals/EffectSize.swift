/// How large a difference is, measured by its own spread.
public enum EffectSize {
  /// The factor J(m) that makes Cohen's d of m degrees of freedom unbiased for normal values.
  ///
  /// J(m) = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), not the usual approximation 1 - 3/(4m - 1)
  /// (Hedges, Journal of Educational Statistics 6, 1981, doi:10.3102/10769986006002107).
  ///
  /// - Precondition: `m` is at least 2; with one degree of freedom d has no expectation.
  /// - Complexity: O(m).
  public static func hedgesCorrection(degreesOfFreedom m: Int) -> Double {
    precondition(m >= 2, "Hedges' correction needs two degrees of freedom")
    // r(m) = Gamma(m/2) / Gamma((m-1)/2) obeys r(m) r(m-1) = (m-2)/2 from r(2) = 1/sqrt(pi). A
    // rounding error of one step enters the next with the opposite sign and does not grow.
    var ratio = 1 / Double.pi.squareRoot()
    for k in stride(from: 3, through: m, by: 1) { ratio = Double(k - 2) / 2 / ratio }
    return ratio / (Double(m) / 2).squareRoot()
  }
}

extension PairedDifferences {
  /// Cohen's d for pairs, d_z: the mean difference in standard deviations of the differences; nil
  /// below two pairs or when all differences are the same.
  public var cohensD: Double? {
    guard count >= 2, standardDeviation > 0 else { return nil }
    return mean / standardDeviation
  }

  /// Cohen's d for pairs without its bias at few pairs; nil below three pairs or when all
  /// differences are the same.
  public var hedgesG: Double? {
    guard count >= 3, let d = cohensD else { return nil }
    return d * EffectSize.hedgesCorrection(degreesOfFreedom: count - 1)
  }
}
