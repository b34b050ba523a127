import SimKernel

/// A cost a byte, in femtoseconds: fine enough for a link of many terabits a second.
public struct TimePerByte: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Femtoseconds a byte; not negative.
  public var femtoseconds: Int64

  public init(femtoseconds: Int64) {
    precondition(femtoseconds >= 0, "a byte takes no negative time")
    self.femtoseconds = femtoseconds
  }

  public static var zero: TimePerByte { TimePerByte(femtoseconds: 0) }
  public static func nanoseconds(_ n: Double) -> TimePerByte {
    TimePerByte(femtoseconds: Int64((n * 1e6).rounded()))
  }
  public static func < (a: TimePerByte, b: TimePerByte) -> Bool {
    a.femtoseconds < b.femtoseconds
  }

  /// What no sum of costs within a run may reach: 2^61 ps, 26 days.
  static var limit: Int64 { 1 << 61 }

  /// Picoseconds for `bytes`, which are not negative, rounded up; at most ``limit``.
  @inline(__always)
  func picoseconds(for bytes: Int64) -> Int64 {
    let (product, overflow) = femtoseconds.multipliedReportingOverflow(by: bytes)
    // Wide products are rare and leave the range of a run or come close to it.
    if overflow || product > Int64.max - 999 { return wide(bytes) }
    return (product &+ 999) / 1000
  }

  @inline(never)
  private func wide(_ bytes: Int64) -> Int64 {
    let product = femtoseconds.multipliedFullWidth(by: bytes)
    if product.high >= 500 { return Self.limit }
    let (quotient, remainder) = Int64(1000).dividingFullWidth(product)
    return min(quotient + (remainder == 0 ? 0 : 1), Self.limit)
  }
}

/// The parameters of LogGOPS, for one host or for all of them.
///
/// LogGP (Alexandrov, Ionescu, Schauser, Scheiman, J. Parallel Distrib. Comput. 44, 1997,
/// doi:10.1006/jpdc.1997.1346) with O and S of LogGOPSim (Hoefler, Schneider, Lumsdaine, HPDC 2010,
/// doi:10.1145/1851476.1851564). A message of s bytes that meets nobody takes L + 2o + (s-1) max(G, O),
/// and occupies the sender's CPU for o + (s-1) O.
public struct LogGPParameters: Sendable, Equatable {
  /// L: from the sender's CPU to the receiver's NIC, for messages this host sends.
  public var latency: SimDuration
  /// The overhead o: what a message occupies the CPU for, on either side.
  public var overhead: SimDuration
  /// The gap g: the least time between two messages of one NIC in one direction.
  public var gap: SimDuration
  /// G: what each byte but the first adds to the gap.
  public var gapPerByte: TimePerByte
  /// O: what each byte but the first adds to the overhead.
  public var overheadPerByte: TimePerByte
  /// S: a send of more bytes is over when its receive has begun; nil if none waits.
  public var rendezvousAbove: ByteCount?

  public init(
    latency: SimDuration, overhead: SimDuration, gap: SimDuration = .zero,
    gapPerByte: TimePerByte = .zero, overheadPerByte: TimePerByte = .zero,
    rendezvousAbove: ByteCount? = nil
  ) {
    let bounds = SimDuration.zero...SimDuration.picoseconds(1 << 58)
    precondition(
      [latency, overhead, gap].allSatisfy(bounds.contains), "parameters last from 0 to 3 days")
    self.latency = latency
    self.overhead = overhead
    self.gap = gap
    self.gapPerByte = gapPerByte
    self.overheadPerByte = overheadPerByte
    self.rendezvousAbove = rendezvousAbove
  }

  /// The defaults of LogGOPSim: a cluster with InfiniBand of about 2009.
  public static let logGOPSim = LogGPParameters(
    latency: .nanoseconds(2500), overhead: .nanoseconds(1500), gap: .nanoseconds(1000),
    gapPerByte: .nanoseconds(6), rendezvousAbove: .bytes(65535))
}

/// The parameters of every host of a run.
public enum LogGPHosts: Sendable, Equatable {
  /// All hosts are alike.
  case uniform(LogGPParameters)
  /// One entry a host.
  case each([LogGPParameters])
}

/// Parameters as the machine adds them up: picoseconds, and one entry a host or one for all.
struct LogGPCosts: ~Copyable {
  struct Cost: BitwiseCopyable {
    var latency: Int64
    var overhead: Int64
    var gap: Int64
    var gapPerByte: TimePerByte
    var overheadPerByte: TimePerByte
    /// The largest eager message.
    var eager: Int64

    init(_ parameters: LogGPParameters) {
      latency = parameters.latency.picoseconds
      overhead = parameters.overhead.picoseconds
      gap = parameters.gap.picoseconds
      gapPerByte = parameters.gapPerByte
      overheadPerByte = parameters.overheadPerByte
      eager = parameters.rendezvousAbove?.bytes ?? .max
    }
  }
  private var costs: FlatBuffer<Cost>
  /// All ones, or zero where every host has the entry 0.
  private let mask: Int

  init(_ hosts: LogGPHosts, count: Int) {
    switch hosts {
    case .uniform(let parameters):
      costs = FlatBuffer(repeating: Cost(parameters), count: 1)
      mask = 0
    case .each(let list):
      precondition(list.count == count, "one entry for every host")
      costs = FlatBuffer(capacity: count)
      for parameters in list { costs.append(Cost(parameters)) }
      mask = -1
    }
  }

  subscript(host: Int) -> Cost {
    @inline(__always) get { costs[host & mask] }
  }
}
