import SimKernel

/// The ways that packets of one pair may take, as rows of a pool.
struct PathSet: BitwiseCopyable {
  /// First position of the first row, and the distance between rows.
  var start: Int32
  var stride: Int32
  var count: Int32
  /// The first link, the same for all ways.
  var first: Int32
  /// The link to take at a row's end, or -1 if that is the destination.
  var last: Int32
  static var none: PathSet { PathSet(start: 0, stride: 0, count: 0, first: -1, last: -1) }
}

/// Which way the next packet of a flow takes: all ways once, in an order drawn for each round.
struct SprayState: BitwiseCopyable {
  var position: Int32 = 0
  var offset: UInt32 = 0
  var factor: UInt32 = 1
}

/// The ways between pairs of endpoints that are open, found when first asked for.
///
/// Hosts that hang on one cable share the ways between their switches. The pool only grows, so that
/// packets under way keep their position in it when links change.
/// - Complexity: O(nodes + links) for a pair of switches not seen before.
struct PathCatalog: ~Copyable {
  /// At most so many ways of a pair are used.
  static var limit: Int { 256 }
  /// In place of a link: the packet is where it belongs.
  static var arrived: Int32 { -2 }
  /// In place of a link: take the last link of the flow.
  static var lastLink: Int32 { -1 }

  private struct Key: Hashable {
    var from: Int32
    var to: Int32
    /// Which interface of their hosts the ends use; -1 if the ends are these nodes themselves.
    var fromClass: Int32
    var toClass: Int32
  }

  private let topology: Topology
  private let spreads: Bool
  private var sets: [Key: PathSet] = [:]
  /// Rows of links; position 0 is a row that has ended.
  private(set) var pool = FlatBuffer<Int32>(repeating: Self.arrived, count: 1)
  private var isClosed: [Bool]
  private var distance: [Int32] = []

  init(_ topology: Topology, _ choice: PacketSettings.PathChoice) {
    self.topology = topology
    spreads = choice != .single && Self.hasChoice(topology)
    isClosed = topology.links.map { $0.bandwidth.bitsPerSecond == 0 }
  }

  /// Whether a topology leaves the choice among shortest ways open.
  private static func hasChoice(_ topology: Topology) -> Bool {
    switch topology.routing {
    case .shortest: true
    case .rule(let rule): rule.sharesShortestWays
    case .explicit, .pinned: false
    }
  }

  /// Opens or closes a link and forgets what was found.
  mutating func set(_ link: LinkID, closed: Bool) {
    isClosed[link.index] = closed
    sets.removeAll(keepingCapacity: true)
  }

  /// The link that keeps a pair without an open way waiting; nil if there never was a way.
  func closedLink(from: NodeID, to: NodeID) -> LinkID? {
    topology.route(from: from, to: to, key: Topology.routeKey(from: from, to: to))?
      .first { isClosed[$0.index] }
  }

  /// The open ways from one endpoint to another, or nil.
  mutating func find(from: NodeID, to: NodeID) -> PathSet? {
    if spreads, let up = hangingLink(from, topology.outgoing),
      let down = hangingLink(to, topology.incoming)
    {
      if isClosed[Int(up)] || isClosed[Int(down)] { return nil }
      let key = Key(
        from: topology.links[Int(up)].to.rawValue, to: topology.links[Int(down)].from.rawValue,
        fromClass: interfaceClass(from), toClass: interfaceClass(to))
      if sets[key] == nil {
        sets[key] = shortest(
          from: NodeID(rawValue: key.from), to: NodeID(rawValue: key.to), owners: (from, to),
          end: Self.lastLink)
      }
      guard var set = sets[key], set.count > 0 else { return nil }
      set.first = up
      set.last = down
      return set
    }
    let key = Key(from: from.rawValue, to: to.rawValue, fromClass: -1, toClass: -1)
    if sets[key] == nil {
      if spreads {
        // Two statements: the ways must be in the pool before it is looked at.
        let all = shortest(from: from, to: to, owners: (from, to), end: Self.arrived)
        sets[key] = withCommonFirst(all)
      } else {
        sets[key] = single(from: from, to: to)
      }
    }
    guard let set = sets[key], set.count > 0 else { return nil }
    return set
  }

  /// The only link of a node that hangs on one cable.
  private func hangingLink(_ node: NodeID, _ index: LinkIndex) -> Int32? {
    let (out, into) = (topology.outgoing(node.index), topology.incoming(node.index))
    guard out.count == 1, into.count == 1, let first = out.first, let last = into.first else {
      return nil
    }
    let neighbour = topology.links[Int(first)].to
    guard neighbour == topology.links[Int(last)].from,
      topology.outgoing(neighbour.index).count > 1
    else { return nil }
    return index(node.index).first
  }

  private func interfaceClass(_ node: NodeID) -> Int32 {
    let accelerator = Int(topology.acceleratorOfNode[node.index])
    guard accelerator >= 0 else { return 0 }
    return topology.acceleratorsOfHost[topology.hostOfAccelerator[accelerator]] > 1
      ? topology.indexInHost[accelerator] : 0
  }

  /// The way that the fluid models give the pair, or around what is closed.
  private mutating func single(from: NodeID, to: NodeID) -> PathSet {
    let key = Topology.routeKey(from: from, to: to)
    guard var route = topology.route(from: from, to: to, key: key), !route.isEmpty else {
      return .none
    }
    if route.contains(where: { isClosed[$0.index] }) {
      let closed = isClosed
      guard
        let detour = topology.detour(
          from: from, to: to, key: key, isDown: { closed[$0.index] })
      else { return .none }
      route = detour
    }
    let start = pool.count
    for link in route.dropFirst() { pool.append(link.rawValue) }
    pool.append(Self.arrived)
    return PathSet(
      start: Int32(start), stride: Int32(route.count), count: 1, first: route[0].rawValue, last: -1)
  }

  /// All shortest open ways between two nodes; rows hold every link and then `end`.
  private mutating func shortest(
    from: NodeID, to: NodeID, owners: (NodeID, NodeID), end: Int32
  ) -> PathSet {
    let start = pool.count
    if from == to {
      pool.append(end)
      return PathSet(start: Int32(start), stride: 1, count: 1, first: -1, last: -1)
    }
    measure(to: to, from: from)
    let length = Int(distance[from.index])
    guard length > 0 else { return .none }
    var path: [Int32] = []
    var count = 0
    walk(from.index, from: from, to: to, owners: owners, &path, &count, end: end)
    return PathSet(
      start: Int32(start), stride: Int32(length + 1), count: Int32(count), first: -1, last: -1)
  }

  /// Fills `distance` with links to `to`, or -1, at least for nodes as near as `from`.
  private mutating func measure(to: NodeID, from: NodeID) {
    distance = [Int32](repeating: -1, count: topology.nodeCount)
    distance[to.index] = 0
    var frontier = [to.index]
    var head = 0
    while head < frontier.count, distance[from.index] < 0 {
      let node = frontier[head]
      head += 1
      for id in topology.incoming(node) where !isClosed[Int(id)] {
        let previous = topology.links[Int(id)].from.index
        if distance[previous] < 0 {
          distance[previous] = distance[node] + 1
          frontier.append(previous)
        }
      }
    }
  }

  private mutating func walk(
    _ node: Int, from: NodeID, to: NodeID, owners: (NodeID, NodeID), _ path: inout [Int32],
    _ count: inout Int, end: Int32
  ) {
    if count == Self.limit { return }
    if node == to.index {
      for link in path { pool.append(link) }
      pool.append(end)
      count += 1
      return
    }
    var ways: [Int32] = []
    for id in topology.outgoing(node) where !isClosed[Int(id)] {
      let next = topology.links[Int(id)].to.index
      if distance[next] == distance[node] - 1 { ways.append(id) }
    }
    let next = topology.links[Int(ways[0])].to
    if ways.count > 1, ways.allSatisfy({ topology.links[Int($0)].to == next }) {
      // Parallel cables at a host are its network interfaces: each accelerator keeps to its own.
      let owner = node == from.index ? owners.0 : next == to ? owners.1 : nil
      if let owner, let own = topology.interface(of: owner, among: ways.count) {
        ways = [ways[own]]
      }
    }
    for way in ways {
      path.append(way)
      walk(
        topology.links[Int(way)].to.index, from: from, to: to, owners: owners, &path, &count,
        end: end)
      path.removeLast()
    }
  }

  /// Keeps the ways that begin with the first one's first link, which leaves the rows.
  ///
  /// A flow sends through one port of its host.
  private func withCommonFirst(_ set: PathSet) -> PathSet {
    guard set.count > 0, set.stride > 1 else { return .none }
    let first = pool[Int(set.start)]
    var kept: Int32 = 1
    // Ways are found in the order of their links, so those with the first one's are in front.
    while kept < set.count, pool[Int(set.start + kept * set.stride)] == first { kept += 1 }
    return PathSet(
      start: set.start + 1, stride: set.stride, count: kept, first: first, last: -1)
  }
}
