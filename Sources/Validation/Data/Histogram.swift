/// Masses over intervals of the real line, and what lies outside it.
public struct Histogram: Sendable, Equatable {
  /// The mass spread evenly over lower..<upper, or at one point if both are the same.
  public struct Bucket: Sendable, Equatable {
    /// Where the bucket begins.
    public var lower: Double
    /// Where it ends; not below `lower`.
    public var upper: Double
    /// The mass in it.
    public var mass: Double

    /// A bucket of `mass` from `lower` to `upper`, both finite.
    public init(_ lower: Double, _ upper: Double, _ mass: Double) {
      precondition(
        lower.isFinite && upper.isFinite && lower <= upper && mass >= 0,
        "a bucket has finite ends in their order and a mass that is not negative")
      self.lower = lower
      self.upper = upper
      self.mass = mass
    }
  }

  /// The buckets; they do not overlap.
  public var buckets: [Bucket]
  /// The masses of what is not finite: NaN, minus infinity and infinity.
  public var notFinite: [Double]

  /// The histogram of `buckets`.
  public init(_ buckets: [Bucket], notFinite: [Double] = []) {
    self.buckets = buckets
    self.notFinite = notFinite
  }

  /// The numbers of a column in `count` buckets of equal width, or in one point if they are all the
  /// same.
  ///
  /// - Complexity: O(n + count).
  public init(_ statistics: ColumnStatistics, buckets count: Int = 10) {
    precondition(count >= 1, "a histogram needs a bucket")
    notFinite = [
      statistics.notANumber, statistics.negativeInfinite, statistics.positiveInfinite,
    ].filter { $0 > 0 }.map(Double.init)
    buckets = []
    guard let extent = statistics.extent else { return }
    // Half the extent first: it is finite whatever the ends are.
    let half = extent.upperBound / 2 - extent.lowerBound / 2
    guard half > 0 else {
      buckets = [Bucket(extent.lowerBound, extent.lowerBound, Double(statistics.numbers.count))]
      return
    }
    var masses = [Double](repeating: 0, count: count)
    for number in statistics.numbers {
      let place = (number / 2 - extent.lowerBound / 2) / half * Double(count)
      masses[min(Int(place), count - 1)] += 1
    }
    /// The boundary below bucket `index`; the width is added in halves, which are finite.
    func boundary(_ index: Int) -> Double {
      let part = half / Double(count) * Double(index)
      return index == count
        ? extent.upperBound : min(extent.lowerBound + part + part, extent.upperBound)
    }
    for index in 0..<count {
      buckets.append(Bucket(boundary(index), boundary(index + 1), masses[index]))
    }
  }

  /// The whole mass.
  public var mass: Double {
    buckets.reduce(0) { $0 + $1.mass } + notFinite.reduce(0, +)
  }
}
