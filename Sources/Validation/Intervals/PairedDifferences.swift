import SimKernel

/// Why two series cannot be compared pair by pair.
public enum PairingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Different numbers of values.
  case unpaired(baseline: Int, candidate: Int)
  /// A pair whose difference is not finite, or so large that sums of such would not be: 2^900.
  case notFinite(index: Int, baseline: Double, candidate: Double)

  /// What was found and what was expected.
  public var description: String {
    switch self {
    case .unpaired(let baseline, let candidate):
      "\(baseline) values of the baseline and \(candidate) of the candidate; they must come in pairs"
    case .notFinite(let index, let baseline, let candidate):
      "pair \(index) is (\(baseline), \(candidate)); their difference must be finite and below 2^900"
    }
  }
}

/// Candidate less baseline, pair by pair.
///
/// Pairs share seed and scenario point, so what both builds have in common cancels. Every estimate
/// here is of the mean difference.
public struct PairedDifferences: Sendable {
  /// The differences, in the order of the pairs.
  public let values: [Double]
  /// Their mean; 0 of nothing.
  public let mean: Double
  /// Their standard deviation; 0 below two pairs.
  public let standardDeviation: Double

  /// The differences of two series of equal length.
  ///
  /// - Throws: `PairingError`.
  public init(baseline: [Double], candidate: [Double]) throws(PairingError) {
    guard baseline.count == candidate.count else {
      throw .unpaired(baseline: baseline.count, candidate: candidate.count)
    }
    var differences: [Double] = []
    differences.reserveCapacity(baseline.count)
    for index in baseline.indices {
      let difference = candidate[index] - baseline[index]
      guard difference.magnitude < 0x1p900 else {
        throw .notFinite(index: index, baseline: baseline[index], candidate: candidate[index])
      }
      differences.append(difference)
    }
    values = differences
    // Squares of very large or small numbers leave the doubles; times a power of two they do not,
    // and nothing is rounded.
    let largest = differences.reduce(0) { max($0, $1.magnitude) }
    let exponent = largest == 0 ? 0 : min(900, max(-900, Int(largest.exponent)))
    let down = Double(sign: .plus, exponent: -exponent, significand: 1)
    let up = Double(sign: .plus, exponent: exponent, significand: 1)
    let statistics = RunningStatistics(differences.map { $0 * down })
    mean = statistics.mean * up
    standardDeviation = statistics.standardDeviation * up
  }

  /// The number of pairs.
  public var count: Int { values.count }

  // MARK: - Student's t

  /// The interval that holds the expected difference with probability `confidence` if differences
  /// are normal; nil below two pairs.
  ///
  /// - Precondition: 0 < `confidence` < 1.
  public func studentInterval(confidence: Double = 0.95) -> ClosedRange<Double>? {
    precondition(confidence > 0 && confidence < 1, "a confidence lies inside 0...1")
    guard count >= 2 else { return nil }
    let t = StudentT.quantile(0.5 + confidence / 2, degreesOfFreedom: count - 1)
    let half = t * standardError
    return (mean - half)...(mean + half)
  }

  /// The probability of a mean at least as far from 0 if the expected difference is 0, by the
  /// two-sided t test; nil below two pairs.
  ///
  /// Differences that are all the same give 1 if they are 0 and 0 otherwise. The error is some
  /// 1e-16, absolute.
  public var studentProbability: Double? {
    guard count >= 2 else { return nil }
    if standardDeviation == 0 { return mean == 0 ? 1 : 0 }
    let t = (mean / standardError).magnitude
    return min(1, max(0, 2 * StudentT.cumulative(-t, degreesOfFreedom: count - 1)))
  }

  private var standardError: Double { standardDeviation / Double(count).squareRoot() }
}
