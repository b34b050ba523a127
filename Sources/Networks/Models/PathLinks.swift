import SimKernel

/// The links of a network on which transfers do not share: their rates, which are open, and what
/// they have carried; with the paths over them.
///
/// It is what ``AlphaBetaNetwork`` and ``LogGPNetwork`` have in common.
struct PathLinks {
  /// What a change of a link means for a transfer whose bytes are on their way.
  enum Effect {
    /// It keeps its path and goes on at the path's present rate, which may be none.
    case retimed
    /// It goes on over this path.
    case rerouted(Int32)
  }

  private let topology: Topology
  private let transport: Transport
  private var routes: RouteTable
  private var bandwidth: [Bandwidth]
  private var meters: [LinkMeter]

  init(_ topology: Topology, transport: Transport) {
    self.topology = topology
    self.transport = transport
    routes = RouteTable(topology, transport: transport)
    bandwidth = topology.links.map(\.bandwidth)
    meters = [LinkMeter](repeating: LinkMeter(), count: routes.linkCount)
  }

  // MARK: - Paths

  /// The number of the path of a transfer; nil if there is no way at all.
  mutating func find(_ transfer: Transfer) -> Int32? {
    routes.find(from: transfer.source, to: transfer.destination).map { Int32($0) }
  }
  func latency(of path: Int32) -> SimDuration { routes[Int(path)].latency }

  /// The rate of a path's links and hosts.
  func rate(of path: Int32) -> Bandwidth {
    var rate = Bandwidth(bitsPerSecond: 1 << 62)
    for position in routes.links(of: routes[Int(path)]) {
      let link = Int(routes.pool[position])
      rate = min(
        rate,
        link < bandwidth.count
          ? transport.payloadRate(of: topology.links[link], at: bandwidth[link])
          : transport.hostCap ?? rate)
    }
    return rate
  }
  /// `rate`, or the transport's cap for one transfer if that is less.
  func capped(_ rate: Bandwidth, on path: Int32) -> Bandwidth {
    let cap = routes[Int(path)].cap
    return cap < 0x1p62 ? min(rate, Bandwidth(bitsPerSecond: Int64(cap))) : rate
  }

  /// The first link of a path that is down or carries nothing.
  func firstClosed(_ path: Int32) -> LinkID? {
    for position in routes.links(of: routes[Int(path)]) {
      let link = Int(routes.pool[position])
      if routes.isDown(link) || (link < bandwidth.count && bandwidth[link].bitsPerSecond == 0) {
        return LinkID(link)
      }
    }
    return nil
  }
  func contains(_ link: LinkID, _ path: Int32) -> Bool {
    routes.links(of: routes[Int(path)]).contains { routes.pool[$0] == link.rawValue }
  }

  /// Why a transfer on `path` stands still: a closed link, or a finish past the end of time; nil
  /// stands for no path.
  func cause(_ path: Int32?) -> WaitingTransfer.Cause {
    guard let path else { return .noRoute }
    guard let link = firstClosed(path) else { return .tooSlow }
    return routes.isDown(link.index) ? .linkDown(link) : .zeroBandwidth(link)
  }

  // MARK: - Changes

  /// Changes a link's line rate, or takes it down or up; nil leaves a property as it is.
  mutating func change(_ link: LinkID, bandwidth next: Bandwidth?, up: Bool?) {
    if let next { bandwidth[link.index] = next }
    if let up { routes.setLink(link, up: up) }
  }

  /// What the change of `link` means for a transfer that is on its way over `path`; nil if nothing.
  ///
  /// As in ``FlowNetwork``: a link that goes down sends what is on it another way where there is one,
  /// and one that comes back may be the other way for what stands still on a link that is down.
  mutating func effect(of link: LinkID, on transfer: Transfer, _ path: Int32) -> Effect? {
    let range = routes.links(of: routes[Int(path)])
    if range.contains(where: { routes.isDown(Int(routes.pool[$0])) }),
      let other = find(transfer), routes.firstDown(of: routes[Int(other)]) == nil
    {
      return .rerouted(other)
    }
    return contains(link, path) ? .retimed : nil
  }

  // MARK: - Accounts

  /// A transfer begins to cross the links of `path`.
  mutating func enter(_ path: Int32, at now: SimTime) {
    for position in routes.links(of: routes[Int(path)]) {
      meters[Int(routes.pool[position])].enter(at: now)
    }
  }
  /// A transfer no longer crosses them, after it carried so many bytes.
  mutating func leave(_ path: Int32, at now: SimTime, carrying bytes: Double) {
    for position in routes.links(of: routes[Int(path)]) {
      meters[Int(routes.pool[position])].leave(at: now, carrying: bytes)
    }
  }
  /// What `link` has carried when transfers that still cross it have carried `bytes` so far.
  func usage(of link: LinkID, at now: SimTime, including bytes: Double) -> LinkUsage {
    meters[link.index].usage(at: now, including: bytes)
  }
}

/// The bytes of a transfer that has the rate of its path to itself.
struct MovingBytes: BitwiseCopyable {
  let size: ByteCount
  let start: SimTime
  /// Bytes left at `since`, and bits per second from then on.
  private var left: Double
  private var since: SimTime
  private var rate: Double
  /// Bytes left when they took their present path.
  private var joined: Double

  /// Bytes that begin to move at `start`.
  init(_ size: ByteCount, at rate: Bandwidth, from start: SimTime) {
    self.size = size
    self.start = start
    left = Double(size.bytes)
    joined = left
    since = start
    self.rate = Double(rate.bitsPerSecond)
  }

  /// When the last byte is through; ``SimTime/never`` if it is not, or past the end of time.
  var end: SimTime {
    if left <= 0 { return since }
    let delay = FluidArithmetic.delay(remaining: left, of: size, at: rate)
    return delay == .max ? .never : since + SimDuration(picoseconds: delay)
  }
  /// From the start to the end.
  var duration: SimDuration {
    let end = end
    return end == .never ? .unbounded : end - start
  }
  var stands: Bool { rate == 0 }

  private func left(at now: SimTime) -> Double {
    if now <= since { return left }
    return max(
      0, left - FluidArithmetic.volume(at: rate, for: now.picoseconds - since.picoseconds))
  }
  /// Bytes that have gone over the present path by `now`.
  func carried(at now: SimTime) -> Double { joined - left(at: now) }
  /// Bytes that have gone over it once all are through.
  var carriedInAll: Double { joined }

  /// Goes on at another rate.
  mutating func change(to rate: Bandwidth, at now: SimTime) {
    left = left(at: now)
    since = max(since, now)
    self.rate = Double(rate.bitsPerSecond)
  }
  /// Goes on over another path.
  mutating func takePath(at now: SimTime) {
    left = left(at: now)
    since = max(since, now)
    joined = left
  }
}
