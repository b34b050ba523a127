/// Times as launch + size / bandwidth, with different constants over different ranges of sizes.
///
/// Collective libraries change algorithm and protocol with the size, each with a latency and a
/// bandwidth of its own; this finds the ranges. The ranges and constants are those with the least
/// sum of squared *relative* errors, by dynamic programming (Bellman, *CACM* 4(6), 1961); as many
/// ranges are taken as predict points best that were left out.
public struct SegmentedFit: Sendable, Equatable {
  /// A measured time.
  public struct Point: Sendable, Equatable {
    /// Bytes, more than 0.
    public var size: Double
    /// Seconds, more than 0.
    public var time: Double
    public init(size: Double, time: Double) {
      self.size = size
      self.time = time
    }
  }

  /// A range of sizes with one law.
  public struct Segment: Sendable, Equatable {
    /// The smallest and the largest size fitted.
    public var sizes: ClosedRange<Double>
    /// Seconds for nothing; at least 0.
    public var launch: Double
    /// Seconds a byte; at least 0.
    public var slope: Double

    func time(of size: Double) -> Double { launch + slope * size }
  }

  /// In ascending order of sizes.
  public let segments: [Segment]
  /// More ranges are not tried: three protocols of two algorithms.
  public static let mostSegments = 6
  /// A law has two constants.
  private static let fewestPoints = 2

  /// Fits `points`, which are sorted by size, each size once.
  ///
  /// - Precondition: there is a point. With fewer than six there is one range.
  /// - Complexity: O(n³) for n points.
  public init(_ points: [Point]) {
    precondition(!points.isEmpty, "a fit needs a point")
    precondition(
      zip(points, points.dropFirst()).allSatisfy { $0.size < $1.size }, "points are sorted by size")
    var best = Self.fit(points, count: 1)!
    var least = Double.infinity
    if points.count >= 6 {
      for count in 1...Self.mostSegments {
        guard let error = Self.errorLeftOut(points, count: count) else { break }
        // More ranges must earn their place, by more than rounding can give.
        if error < min(least * 0.999, least - 1e-5), let found = Self.fit(points, count: count) {
          (best, least) = (found, error)
        }
      }
    }
    segments = best
  }

  /// Seconds for `size` bytes.
  ///
  /// Between two ranges it is the geometric mean of both laws, as nothing says where the change is;
  /// outside all of them the nearest law is carried on.
  public func time(of size: Double) -> Double { Self.time(of: size, segments) }

  private static func time(of size: Double, _ segments: [Segment]) -> Double {
    for (index, segment) in segments.enumerated() where size <= segment.sizes.upperBound {
      if index == 0 || size >= segment.sizes.lowerBound { return segment.time(of: size) }
      return (segment.time(of: size) * segments[index - 1].time(of: size)).squareRoot()
    }
    return segments[segments.count - 1].time(of: size)
  }

  /// The mean relative error at points that were left out, one at a time and neither end; nil if so
  /// many ranges need more points.
  private static func errorLeftOut(_ points: [Point], count: Int) -> Double? {
    var sum = 0.0
    for index in 1..<points.count - 1 {
      var others = points
      others.remove(at: index)
      guard let found = fit(others, count: count) else { return nil }
      sum += (time(of: points[index].size, found) / points[index].time - 1).magnitude
    }
    return sum / Double(points.count - 2)
  }

  /// The best `count` ranges; nil if there are too few points.
  private static func fit(_ points: [Point], count: Int) -> [Segment]? {
    let total = points.count
    if count > 1, total < count * fewestPoints { return nil }
    // least[k][j]: the smallest error of the first j points in k ranges.
    var least = [[Double]](
      repeating: [Double](repeating: .infinity, count: total + 1), count: count + 1)
    var starts = [[Int]](repeating: [Int](repeating: 0, count: total + 1), count: count + 1)
    least[0][0] = 0
    let shortest = min(fewestPoints, total)
    for end in shortest...total {
      for start in 0...end - shortest {
        let error = law(points[start..<end]).error
        for used in 1...count where least[used - 1][start] + error < least[used][end] {
          least[used][end] = least[used - 1][start] + error
          starts[used][end] = start
        }
      }
    }
    guard least[count][total] < .infinity else { return nil }
    var segments: [Segment] = []
    var end = total
    for used in stride(from: count, through: 1, by: -1) {
      let start = starts[used][end]
      let found = law(points[start..<end])
      segments.append(
        Segment(
          sizes: points[start].size...points[end - 1].size, launch: found.launch,
          slope: found.slope))
      end = start
    }
    return segments.reversed()
  }

  /// Weighted least squares with weights 1/time², neither constant negative.
  private static func law(
    _ points: ArraySlice<Point>
  ) -> (launch: Double, slope: Double, error: Double) {
    var (ones, sizes, times, squares, products) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for point in points {
      let weight = 1 / (point.time * point.time)
      ones += weight
      sizes += weight * point.size
      times += weight * point.time
      squares += weight * point.size * point.size
      products += weight * point.size * point.time
    }
    let determinant = ones * squares - sizes * sizes
    var slope =
      determinant > 1e-12 * ones * squares
      ? (ones * products - sizes * times) / determinant : 0
    var launch = (times - slope * sizes) / ones
    if slope < 0 { (launch, slope) = (times / ones, 0) }
    if launch < 0 { (launch, slope) = (0, products / squares) }
    var error = 0.0
    for point in points {
      let relative = (launch + slope * point.size) / point.time - 1
      error += relative * relative
    }
    return (launch, slope, error)
  }
}
