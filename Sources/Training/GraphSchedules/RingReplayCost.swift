import SimKernel

/// Times at a few sizes, with straight lines between them.
public struct InterpolatedTimes: Sendable, Equatable {
  /// Ascending by size.
  public let points: [(size: Double, seconds: Double)]

  /// - Precondition: there is a point, and sizes ascend.
  public init(_ points: [(size: Double, seconds: Double)]) {
    precondition(!points.isEmpty, "a table has a line")
    precondition(
      zip(points, points.dropFirst()).allSatisfy { $0.size < $1.size }, "sizes ascend")
    self.points = points
  }

  /// The time at `size`; beyond the ends that of the nearest point.
  ///
  /// - Complexity: O(log points).
  public func seconds(at size: Double) -> Double {
    if size <= points[0].size { return points[0].seconds }
    if size >= points[points.count - 1].size { return points[points.count - 1].seconds }
    var (low, high) = (0, points.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if points[middle].size <= size { low = middle } else { high = middle }
    }
    let (a, b) = (points[low], points[high])
    return a.seconds + (b.seconds - a.seconds) * ((size - a.size) / (b.size - a.size))
  }

  public static func == (a: Self, b: Self) -> Bool {
    a.points.elementsEqual(b.points) { $0 == $1 }
  }
}

/// A ring all-reduce as Zhang et al.
///
/// replay it ("Is network the bottleneck of distributed training?", NetAI 2020,
/// doi:10.1145/3405671.3405810): reduce-scatter with measured vector additions, then all-gather.
///
/// T(s) = 2 · 8 s (N-1)/N / bandwidth / compression + (N-1) add(s/N). Latency, and the cost of
/// compression itself, are not modelled.
public struct RingReplayCost: Sendable, Equatable {
  public var workers: Int
  public var bandwidth: Bandwidth
  /// How many times fewer bytes travel; 1 for none.
  public var compression: Double
  /// How long adding a vector of so many bytes takes.
  public var addition: InterpolatedTimes

  public init(
    workers: Int, bandwidth: Bandwidth, compression: Double = 1, addition: InterpolatedTimes
  ) {
    precondition(
      workers > 0 && bandwidth.bitsPerSecond > 0 && compression > 0, "a ring that can carry data")
    self.workers = workers
    self.bandwidth = bandwidth
    self.compression = compression
    self.addition = addition
  }

  /// The time of one message, rounded up to a picosecond.
  public func time(_ size: ByteCount) -> SimDuration {
    let n = Double(workers)
    let wire =
      8 * Double(size.bytes) * (n - 1) / n / Double(bandwidth.bitsPerSecond) / compression
    let adds = (n - 1) * addition.seconds(at: Double(size.bytes) / n)
    return .roundingUp(picoseconds: (2 * wire + adds) * 1e12)
  }

  /// The share of linear speed-up that is left when communication outlasts a batch by `exposed`.
  public static func scalingFactor(batch: SimDuration, exposed: SimDuration) -> Double {
    Double(batch.picoseconds) / Double((batch + exposed).picoseconds)
  }
}
