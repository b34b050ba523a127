/// Count, mean, variance, extremes and exact percentiles of a series of numbers.
///
/// Mean and variance follow Welford (Technometrics 4, 1962, doi:10.1080/00401706.1962.10490022);
/// the samples are kept, so percentiles are exact and not estimates.
public struct RunningStatistics: Sendable {
  private var samples: [Double] = []
  private var sorted = true
  /// The arithmetic mean; 0 of nothing.
  public private(set) var mean = 0.0
  private var squares = 0.0

  /// An empty series.
  public init() {}
  /// The series of `values`.
  public init(_ values: some Sequence<Double>) { for value in values { add(value) } }

  /// Appends `value`.
  public mutating func add(_ value: Double) {
    if let last = samples.last, value < last { sorted = false }
    samples.append(value)
    let delta = value - mean
    mean += delta / Double(samples.count)
    squares += delta * (value - mean)
  }

  /// The number of samples.
  public var count: Int { samples.count }
  /// The unbiased sample variance; 0 below two samples.
  public var variance: Double { count < 2 ? 0 : squares / Double(count - 1) }
  /// The sample standard deviation.
  public var standardDeviation: Double { variance.squareRoot() }
  /// The smallest sample, or NaN.
  public var minimum: Double { samples.min() ?? .nan }
  /// The largest sample, or NaN.
  public var maximum: Double { samples.max() ?? .nan }

  /// The `fraction`-quantile by linear interpolation between order statistics (Hyndman and Fan's
  /// type 7, what NumPy and R do); NaN of nothing.
  ///
  /// - Precondition: `fraction` is in 0...1.
  /// - Complexity: O(n log n) after new samples, O(1) when they came in order.
  public mutating func percentile(_ fraction: Double) -> Double {
    precondition(fraction >= 0 && fraction <= 1, "a percentile is a fraction in 0...1")
    if samples.isEmpty { return .nan }
    if !sorted {
      samples.sort()
      sorted = true
    }
    let position = fraction * Double(samples.count - 1)
    let lower = Int(position)
    let upper = min(lower + 1, samples.count - 1)
    return samples[lower] + (samples[upper] - samples[lower]) * (position - Double(lower))
  }

  /// Half the width of the two-sided confidence interval of the mean at `confidence`, by Student's
  /// t; nil below two samples.
  public func confidenceHalfWidth(_ confidence: Double = 0.95) -> Double? {
    guard count >= 2 else { return nil }
    let t = StudentT.quantile(1 - (1 - confidence) / 2, degreesOfFreedom: count - 1)
    return t * standardDeviation / Double(count).squareRoot()
  }
}
