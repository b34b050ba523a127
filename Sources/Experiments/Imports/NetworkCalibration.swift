import Interchange
import SimKernel
import Validation

/// What a log of nccl-tests says about a network, in the parameters of a simulated one.
///
/// The laws of ``SegmentedFit`` are turned into those of the algorithm that sends as many bytes as
/// nccl-tests counts: of an all-reduce over n ranks a ring of 2(n-1) steps of S/n bytes, of
/// reduce-scatter, all-gather and all-to-all n-1 such steps, of broadcast and reduce a chain of n-1
/// steps through which S bytes are pipelined. A law `launch + slope S` then is a latency of
/// launch/steps for each step and a bandwidth of bus factor/slope. Libraries may run other algorithms:
/// the residuals say how well these two numbers stand for them.
public struct NetworkCalibration: Sendable {
  /// Which collective was timed, as far as its bytes tell.
  public enum Traffic: String, Sendable, CaseIterable {
    case allReduce = "all_reduce"
    /// Reduce-scatter, all-gather and all-to-all.
    case scattered
    /// Broadcast and reduce.
    case rooted

    /// The steps one after the other over `ranks`.
    public func steps(_ ranks: Int) -> Int { (self == .allReduce ? 2 : 1) * (ranks - 1) }
    /// What nccl-tests calls the bus factor: bytes over a rank's link for each byte of the size.
    public func busFactor(_ ranks: Int) -> Double {
      switch self {
      case .allReduce: 2 * Double(ranks - 1) / Double(ranks)
      case .scattered: Double(ranks - 1) / Double(ranks)
      case .rooted: 1
      }
    }
  }

  /// The parameters over a range of sizes.
  public struct Law: Sendable, Equatable {
    /// Bytes: the smallest and the largest size that were fitted.
    public var sizes: ClosedRange<Double>
    /// Of one step; L + 2o of LogGP.
    public var latency: SimDuration
    /// Of a rank's link, 1/G of LogGP; nil where the times do not grow with the size.
    public var bandwidth: Bandwidth?
  }

  /// A size and what is said of it.
  public struct Residual: Sendable, Equatable {
    public var size: Double
    /// Seconds.
    public var measured: Double
    /// Seconds by the law of its range.
    public var byRange: Double
    /// Seconds by the chosen law.
    public var byChoice: Double
  }

  public let ranks: Int
  public let traffic: Traffic
  /// In ascending order of sizes.
  public let laws: [Law]
  /// Index of the law that ``topology`` has.
  public let chosen: Int
  public let residuals: [Residual]

  /// Fits `points`, which are sorted by size, each size once.
  ///
  /// - Parameter chosen: index of the range whose law the network gets; by default the one with the
  ///   largest sizes.
  /// - Precondition: at least two ranks and one point.
  /// - Throws: `InvalidInput` if there is no such range, or its times do not grow with the size.
  public init(
    _ points: [SegmentedFit.Point], ranks: Int, traffic: Traffic, chosen: Int? = nil
  ) throws(InvalidInput) {
    precondition(ranks >= 2, "a collective has at least two ranks")
    let fit = SegmentedFit(points)
    self.ranks = ranks
    self.traffic = traffic
    let (steps, factor) = (Double(traffic.steps(ranks)), traffic.busFactor(ranks))
    let laws = fit.segments.map { segment in
      let rate = factor * 8 / segment.slope
      return Law(
        sizes: segment.sizes, latency: .seconds(segment.launch / steps),
        bandwidth: segment.slope > 0 && rate < 9e18
          ? .bitsPerSecond(Int64(max(1, rate.rounded()))) : nil)
    }
    self.laws = laws
    let number = chosen ?? laws.count - 1
    guard laws.indices.contains(number), let bandwidth = laws[number].bandwidth else {
      let ranges = laws.indices.filter { laws[$0].bandwidth != nil }.map(String.init)
      let found =
        laws.indices.contains(number) ? "range \(number) has no bandwidth" : "range \(number)"
      throw InvalidInput([
        Issue(
          path: FieldPath(["--range"]),
          problem: .outOfRange(
            found: found,
            expected: ranges.isEmpty
              ? "larger sizes: no range has times that grow with the size"
              : ranges.joined(separator: ", ")))
      ])
    }
    self.chosen = number
    let law = laws[number]
    let launch = Double(law.latency.picoseconds) / 1e12 * steps
    let slope = factor * 8 / Double(bandwidth.bitsPerSecond)
    residuals = points.map {
      Residual(
        size: $0.size, measured: $0.time, byRange: fit.time(of: $0.size),
        byChoice: launch + slope * $0.size)
    }
  }

  /// The collective and the ranks that a log's bus bandwidths stand for; nil for what it does not say.
  ///
  /// Factors above 1 are an all-reduce's and below 1 those of scattered operations, both of which
  /// give the ranks; 1 is that of rooted ones, and of an all-reduce over two ranks, and gives none.
  public static func guess(_ log: NCCLTestsLog) -> (traffic: Traffic?, ranks: Int?) {
    // Small bandwidths are printed with two digits; the largest sizes say it best.
    guard let factor = log.rows.last(where: { $0.busFactor != nil })?.busFactor else {
      return (nil, log.ranks)
    }
    if (factor - 1).magnitude < 0.01 { return (log.ranks == 2 ? nil : .rooted, log.ranks) }
    if factor > 1 {
      return (.allReduce, log.ranks ?? (factor < 1.999 ? Int((2 / (2 - factor)).rounded()) : nil))
    }
    return (.scattered, log.ranks ?? (factor < 0.999 ? Int((1 / (1 - factor)).rounded()) : nil))
  }

  /// What `log` at `path` says, and the arguments say where it does not.
  ///
  /// - Parameter operation: what was timed, by the names of ``Traffic``.
  /// - Throws: `InvalidInput` for what neither says, for fewer than two sizes, and as above.
  public init(
    _ log: NCCLTestsLog, path: String, ranks: Int? = nil, operation: String? = nil,
    inPlace: Bool = false, range: Int? = nil
  ) throws(InvalidInput) {
    let guess = Self.guess(log)
    var traffic = guess.traffic
    if let operation {
      let names = Traffic.allCases.map(\.rawValue)
      guard let named = Traffic(rawValue: operation) else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--operation"]),
            problem: .unknownName(
              noun: "operation", found: operation,
              suggestion: Spelling.suggestion(for: operation, among: names), known: names))
        ])
      }
      traffic = named
    }
    guard let traffic, let count = ranks ?? guess.ranks, count >= 2 else {
      throw InvalidInput([
        Issue(
          path: FieldPath([traffic == nil ? "--operation" : "--ranks"]),
          problem: .missingKey(
            expected: "what \(path) does not say", example: traffic == nil ? "all_reduce" : "8"))
      ])
    }
    let points = try Self.points(
      of: log, path: path, inPlace: inPlace, least: 2, reason: "a law needs 2, and ranges need 6")
    try self.init(points, ranks: count, traffic: traffic, chosen: range)
  }

  /// One point for each size of `log`: the median of its times, out of place or in place.
  ///
  /// - Throws: `InvalidInput` with `reason` if there are fewer than `least`.
  public static func points(
    of log: NCCLTestsLog, path: String, inPlace: Bool, least: Int, reason: String
  ) throws(InvalidInput) -> [SegmentedFit.Point] {
    let column = inPlace ? 1 : 0
    var times: [Int64: [Double]] = [:]
    for row in log.rows where row.size > .zero && column < row.times.count {
      times[row.size.bytes, default: []].append(row.times[column])
    }
    guard times.count >= least else {
      throw InvalidInput([
        Issue(
          path: FieldPath([path]),
          problem: .conflict(
            "\(times.count) sizes with \(inPlace ? "in-place" : "out-of-place") times; \(reason); "
              + "measure from -b 8 to -e 128M with -f 2"))
      ])
    }
    return times.sorted { $0.key < $1.key }.map { size, times in
      SegmentedFit.Point(size: Double(size), time: times.sorted()[times.count / 2])
    }
  }

  /// The network as `cluster.topology` takes it: a switch with a link for each rank, of which a step
  /// takes two.
  ///
  /// It is meant for the transport `ideal`: what messages cost is in the latency already.
  public var topology: JSONNode {
    let law = laws[chosen]
    let half = SimDuration(picoseconds: (law.latency.picoseconds + 1) / 2)
    return ImportedTopology.star(
      hosts: ranks, bandwidth: law.bandwidth ?? .gigabitsPerSecond(1), latency: half)
  }
}
