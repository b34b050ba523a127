import SimKernel

/// How far apart two distributions are; 0 is the same, 1 the farthest.
public enum DistributionDistance {
  /// A distance and the value that causes it.
  public struct Largest: Sendable, Equatable {
    /// The distance.
    public var distance: Double
    /// The value with the largest difference, the last one of those that tie; nil of nothing.
    public var value: String?
  }

  /// max over v of |p(v) - q(v)|, of the fractions of each value.
  ///
  /// Something against nothing is the largest fraction. Both arguments are in ascending order of
  /// values, as `ColumnStatistics` has them.
  public static func lInfinity(
    _ p: [ColumnStatistics.ValueCount], _ q: [ColumnStatistics.ValueCount]
  ) -> Largest {
    largest(p, q, scales: (inverse(total(p)), inverse(total(q))))
  }

  /// max over v of |count_p(v) - count_q(v)| over the sum of all counts: unlike L-infinity it
  /// notices that one data set is larger.
  public static func normalizedAbsoluteDifference(
    _ p: [ColumnStatistics.ValueCount], _ q: [ColumnStatistics.ValueCount]
  ) -> Largest {
    let scale = inverse(total(p) + total(q))
    return largest(p, q, scales: (scale, scale))
  }

  /// The Jensen-Shannon divergence to base 2 of the fractions of each value.
  ///
  /// Something is at distance 1 from nothing.
  public static func jensenShannon(
    _ p: [ColumnStatistics.ValueCount], _ q: [ColumnStatistics.ValueCount]
  ) -> Double {
    let totals = (total(p), total(q))
    guard totals.0 > 0, totals.1 > 0 else { return totals.0 == totals.1 ? 0 : 1 }
    let scales = (1 / totals.0, 1 / totals.1)
    var sum = 0.0
    forEachValue(p, q) { _, left, right in
      sum += term(Double(left) * scales.0, Double(right) * scales.1)
    }
    return min(1, max(0, sum))
  }

  /// The Jensen-Shannon divergence to base 2 of two histograms.
  ///
  /// The histograms are cut at the boundaries of both, a bucket's mass spread evenly over its
  /// pieces; points stay points. NaN and the infinities of one side match nothing of the other
  /// (as in TensorFlow Data Validation), so that they show as a distance. Something is at distance 1
  /// from nothing.
  ///
  /// - Complexity: O(b^2) in the number of buckets.
  public static func jensenShannon(_ p: Histogram, _ q: Histogram) -> Double {
    let masses = (p.mass, q.mass)
    guard masses.0 > 0, masses.1 > 0 else { return masses.0 == masses.1 ? 0 : 1 }
    let scales = (1 / masses.0, 1 / masses.1)
    var sum = 0.0
    for mass in p.notFinite { sum += term(mass * scales.0, 0) }
    for mass in q.notFinite { sum += term(0, mass * scales.1) }
    let both = p.buckets + q.buckets
    let boundaries = distinct(both.flatMap { [$0.lower, $0.upper] })
    for (lower, upper) in zip(boundaries, boundaries.dropFirst()) {
      sum += term(
        p.mass(from: lower, to: upper) * scales.0, q.mass(from: lower, to: upper) * scales.1)
    }
    for point in distinct(both.filter { $0.lower == $0.upper }.map(\.lower)) {
      sum += term(p.mass(at: point) * scales.0, q.mass(at: point) * scales.1)
    }
    return min(1, max(0, sum))
  }

  /// The part that one value of probabilities p and q has in the divergence:
  /// (p log2(p/m) + q log2(q/m)) / 2 with m = (p + q) / 2, where terms of 0 are 0.
  private static func term(_ p: Double, _ q: Double) -> Double {
    let middle = (p + q) / 2
    let left = p > 0 ? p * DeterministicMath.log2(p / middle) : 0
    let right = q > 0 ? q * DeterministicMath.log2(q / middle) : 0
    return (left + right) / 2
  }

  // MARK: - Counts

  private static func total(_ counts: [ColumnStatistics.ValueCount]) -> Double {
    Double(counts.reduce(0) { $0 + $1.count })
  }

  private static func inverse(_ total: Double) -> Double { total > 0 ? 1 / total : 0 }

  private static func largest(
    _ p: [ColumnStatistics.ValueCount], _ q: [ColumnStatistics.ValueCount],
    scales: (Double, Double)
  ) -> Largest {
    var result = Largest(distance: 0, value: nil)
    forEachValue(p, q) { value, left, right in
      let distance = (Double(left) * scales.0 - Double(right) * scales.1).magnitude
      if distance >= result.distance { result = Largest(distance: distance, value: value) }
    }
    return result
  }

  /// Calls `body` with each value of either side, in ascending order, and its two counts.
  private static func forEachValue(
    _ p: [ColumnStatistics.ValueCount], _ q: [ColumnStatistics.ValueCount],
    _ body: (String, Int, Int) -> Void
  ) {
    var i = 0
    var j = 0
    while i < p.count || j < q.count {
      if j == q.count || i < p.count && p[i].value < q[j].value {
        body(p[i].value, p[i].count, 0)
        i += 1
      } else if i == p.count || q[j].value < p[i].value {
        body(q[j].value, 0, q[j].count)
        j += 1
      } else {
        body(p[i].value, p[i].count, q[j].count)
        i += 1
        j += 1
      }
    }
  }

  /// `values` in ascending order, each once.
  private static func distinct(_ values: [Double]) -> [Double] {
    var result: [Double] = []
    for value in values.sorted() where result.last != value { result.append(value) }
    return result
  }
}

extension Histogram {
  /// The mass of `lower`..<`upper`, which no boundary of a bucket divides, without points.
  fileprivate func mass(from lower: Double, to upper: Double) -> Double {
    guard
      let bucket = buckets.first(where: {
        $0.lower < $0.upper && $0.lower <= lower && upper <= $0.upper
      })
    else { return 0 }
    let width = bucket.upper - bucket.lower
    if width.isFinite { return bucket.mass * ((upper - lower) / width) }
    return bucket.mass * ((upper / 2 - lower / 2) / (bucket.upper / 2 - bucket.lower / 2))
  }

  fileprivate func mass(at point: Double) -> Double {
    buckets.reduce(0) { $1.lower == point && $1.upper == point ? $0 + $1.mass : $0 }
  }
}
