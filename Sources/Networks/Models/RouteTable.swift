import SimKernel

/// The paths a run has used, by pair of endpoints, with what a transport makes of them.
///
/// Open addressing over packed pairs and one pool of link numbers: about 60 bytes a pair plus 4 a
/// link, and no allocation on a hit. Each run has its own, since failures change routes.
/// - Complexity: O(1) for a pair seen before, else one search of the topology.
public struct RouteTable {
  /// What a transfer between two endpoints meets.
  public struct Path: Sendable, BitwiseCopyable {
    /// Its first position in the pool of link numbers.
    @usableFromInline var start: Int32
    @usableFromInline var count: Int32
    /// Launch, links and hops.
    public var latency: SimDuration
    /// The transport's cap for one transfer, in bits per second; infinite if none.
    public var cap: Double
  }

  private let topology: Topology
  private let transport: Transport
  private var keys: [UInt64] = []
  private var slots: [Int32] = []
  private var used = 0
  /// The last pair and path of each source, by node.
  ///
  /// Nearly every transfer of a collective goes the way of the one before it. `keys` has the rest.
  private var recent: [(key: UInt64, path: Int32)]
  private var paths: [Path] = []
  private(set) var pool: [Int32] = []
  private var down: [Bool]
  private var downCount = 0
  private let isAdaptive: Bool
  /// The alternative ways found so far, by pair and draw; never iterated.
  private var alternatives: [Alternative: Int32] = [:]
  /// Middles that are drawn for a pair: as many alternatives are remembered.
  private static let draws: UInt64 = 64

  private struct Alternative: Hashable {
    var pair: UInt64
    var draw: UInt64
  }

  /// Numbers of links that stand for a host's cap follow those of the topology: out and in.
  let firstHostLink: Int
  let linkCount: Int

  /// An empty table.
  public init(_ topology: Topology, transport: Transport) {
    self.topology = topology
    self.transport = transport
    down = [Bool](repeating: false, count: topology.links.count)
    isAdaptive = topology.isAdaptive
    firstHostLink = topology.links.count
    linkCount = topology.links.count + (transport.hostCap == nil ? 0 : 2 * topology.hostCount)
    keys = [UInt64](repeating: .max, count: 64)
    slots = [Int32](repeating: -1, count: 64)
    recent = Array(repeating: (.max, -1), count: topology.nodeCount)
  }

  /// The number of the path from `source` to `destination`, or nil if there is no way at all.
  ///
  /// A way around links that are down is preferred; if there is none, the usual path is returned
  /// and stands still.
  mutating func find(from source: NodeID, to destination: NodeID) -> Int? {
    let key = Self.pair(source, destination)
    if recent[source.index].key == key, recent[source.index].path >= 0 {
      return Int(recent[source.index].path)
    }
    let path = search(key, from: source, to: destination)
    recent[source.index] = (key, path)
    return path < 0 ? nil : Int(path)
  }

  private static func pair(_ source: NodeID, _ destination: NodeID) -> UInt64 {
    UInt64(UInt32(bitPattern: source.rawValue)) << 32
      | UInt64(UInt32(bitPattern: destination.rawValue))
  }

  /// The number of another path that transfer `number` may take, by a middle drawn for it; nil if the
  /// topology leaves no choice, or the path has a link that is down.
  mutating func findAlternative(
    from source: NodeID, to destination: NodeID, for number: Int64
  ) -> Int? {
    if !isAdaptive { return nil }
    let pair = Self.pair(source, destination)
    let draw = RandomStream.mix(UInt64(bitPattern: number) ^ RandomStream.mix(pair)) % Self.draws
    let key = Alternative(pair: pair, draw: draw)
    if let known = alternatives[key] { return known < 0 ? nil : Int(known) }
    let route = topology.alternative(
      from: source, to: destination, key: RandomStream.mix(pair &+ draw &* 0x9E37_79B9_7F4A_7C15))
    var path: Int32 = -1
    if let route, !route.contains(where: { down[$0.index] }) {
      path = add(route, from: source, to: destination)
    }
    alternatives[key] = path
    return path < 0 ? nil : Int(path)
  }

  private mutating func search(
    _ key: UInt64, from source: NodeID, to destination: NodeID
  ) -> Int32 {
    let mask = keys.count - 1
    var position = Int(truncatingIfNeeded: RandomStream.mix(key)) & mask
    while keys[position] != .max {
      if keys[position] == key { return slots[position] }
      position = (position + 1) & mask
    }
    let path = make(from: source, to: destination)
    keys[position] = key
    slots[position] = path
    used += 1
    if used * 2 > keys.count { grow() }
    return path
  }

  /// The path with this number.
  subscript(path: Int) -> Path { paths[path] }
  /// The links of a path, hosts' caps included.
  func links(of path: Path) -> Range<Int> { Int(path.start)..<Int(path.start + path.count) }

  /// Takes a link down or up; paths found earlier keep their numbers, new searches see the change.
  mutating func setLink(_ link: LinkID, up: Bool) {
    if down[link.index] == !up { return }
    down[link.index] = !up
    downCount += up ? -1 : 1
    for index in keys.indices { keys[index] = .max }
    for index in recent.indices { recent[index].key = .max }
    alternatives.removeAll(keepingCapacity: true)
    used = 0
  }
  /// Whether a link is down.
  func isDown(_ link: Int) -> Bool { link < down.count && down[link] }
  /// The lowest link of a path that is down.
  func firstDown(of path: Path) -> LinkID? {
    for position in links(of: path) where isDown(Int(pool[position])) {
      return LinkID(rawValue: pool[position])
    }
    return nil
  }

  private mutating func make(from source: NodeID, to destination: NodeID) -> Int32 {
    let key = Topology.routeKey(from: source, to: destination)
    guard var route = topology.route(from: source, to: destination, key: key) else { return -1 }
    if downCount > 0, route.contains(where: { down[$0.index] }) {
      let blocked = down
      route =
        topology.detour(from: source, to: destination, key: key) { blocked[$0.index] } ?? route
    }
    return add(route, from: source, to: destination)
  }

  private mutating func add(
    _ route: [LinkID], from source: NodeID, to destination: NodeID
  ) -> Int32 {
    let inner = topology.shareHost(source, destination)
    let start = pool.count
    var latency = inner ? transport.innerLaunch : transport.launch
    for id in route {
      pool.append(id.rawValue)
      latency += topology.links[id.index].latency + transport.perHop
    }
    if source == destination { latency = .zero }
    if !inner, transport.hostCap != nil {
      if let host = topology.host(of: source) { pool.append(Int32(firstHostLink + 2 * host)) }
      if let host = topology.host(of: destination) {
        pool.append(Int32(firstHostLink + 2 * host + 1))
      }
    }
    // Ascending numbers: solvers let the lowest link win ties without comparing numbers.
    pool[start...].sort()
    let cap = inner ? nil : transport.transferCap
    paths.append(
      Path(
        start: Int32(start), count: Int32(pool.count - start), latency: latency,
        cap: cap.map { Double($0.bitsPerSecond) } ?? .infinity))
    return Int32(paths.count - 1)
  }

  private mutating func grow() {
    let (oldKeys, oldSlots) = (keys, slots)
    keys = [UInt64](repeating: .max, count: oldKeys.count * 2)
    slots = [Int32](repeating: -1, count: oldKeys.count * 2)
    let mask = keys.count - 1
    for (key, slot) in zip(oldKeys, oldSlots) where key != .max {
      var position = Int(truncatingIfNeeded: RandomStream.mix(key)) & mask
      while keys[position] != .max { position = (position + 1) & mask }
      keys[position] = key
      slots[position] = slot
    }
  }
}
