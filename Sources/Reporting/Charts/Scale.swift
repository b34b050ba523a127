import SimKernel

/// Where the values of an axis stand on paper.
///
/// Linear: `position = start + (value - low) / (high - low) * (end - start)`; logarithmic: the same of
/// the logarithms. A range without width is widened, so that a single value stands in the middle.
public struct Scale: Sendable, Equatable {
  /// The ends of the axis in values.
  public let low: Double
  public let high: Double
  /// The ends of the axis in coordinates; `end` may lie before `start`, as on a vertical axis.
  public let start: Double
  public let end: Double
  public let isLogarithmic: Bool

  /// A scale from `domain` to coordinates.
  ///
  /// - Precondition: the domain is finite, and positive if the scale is logarithmic.
  public init(
    _ domain: ClosedRange<Double>, from start: Double, to end: Double, isLogarithmic: Bool = false
  ) {
    precondition(
      domain.lowerBound.isFinite && domain.upperBound.isFinite, "an axis has finite ends")
    precondition(!isLogarithmic || domain.lowerBound > 0, "a logarithm needs a positive number")
    var (low, high) = (domain.lowerBound, domain.upperBound)
    if !(high - low > low.magnitude * 1e-12) {
      if isLogarithmic {
        low /= 2
        high *= 2
      } else {
        let margin = low == 0 ? 1 : low.magnitude / 2
        low -= margin
        high += margin
      }
    }
    self.low = low
    self.high = high
    self.start = start
    self.end = end
    self.isLogarithmic = isLogarithmic
  }

  /// The coordinate of `value`, which may lie outside the axis.
  ///
  /// - Precondition: `value` is finite, and positive if the scale is logarithmic.
  public func position(_ value: Double) -> Double {
    start + share(value) * (end - start)
  }
  /// Whether `value` stands on the axis.
  public func contains(_ value: Double) -> Bool {
    let slack = (high - low) * 1e-9
    return value >= low - slack && value <= high + slack
  }

  private func share(_ value: Double) -> Double {
    if !isLogarithmic { return (value - low) / (high - low) }
    let (a, b) = (DeterministicMath.log(low), DeterministicMath.log(high))
    return (DeterministicMath.log(value) - a) / (b - a)
  }

  /// Whether values rise by factors rather than by steps, so that a logarithmic axis suits them.
  ///
  /// That is so for positive values over a factor of ten, and for three or more whose ratios vary less
  /// than their differences do.
  public static func suitsLogarithm(_ values: [Double]) -> Bool {
    let sorted = values.filter(\.isFinite).sorted()
    guard let low = sorted.first, let high = sorted.last, low > 0, high > low else { return false }
    if high / low >= 10 { return true }
    var distinct: [Double] = []
    for value in sorted where distinct.last != value { distinct.append(value) }
    guard distinct.count >= 3 else { return false }
    let pairs = Array(zip(distinct, distinct.dropFirst()))
    func variation(_ steps: [Double]) -> Double {
      let statistics = RunningStatistics(steps)
      return statistics.standardDeviation / statistics.mean
    }
    return variation(pairs.map { DeterministicMath.log($1 / $0) })
      < 0.999 * variation(pairs.map { $1 - $0 })
  }
}
