import SimKernel

/// Nodes, directed links and the routes between them: built once, immutable, shared by runs.
///
/// Rank r of a job is placed on `accelerators[r]` unless a placement says otherwise. Accelerators of
/// one host share its network interfaces.
///
///     let topology = StarTopology(hosts: 4, link: LinkSpecification(.gigabitsPerSecond(10))).makeTopology()
///     topology.route(from: topology.accelerators[0], to: topology.accelerators[1], key: 0)  // [up, down]
///
/// Unless a topology says otherwise, routes have the fewest links, and among equally short ones a
/// hash of the key decides at every node (ECMP). A route is a function of its ends and key alone.
public struct Topology: Sendable {
  /// What messages and reports call it, such as `fat_tree(k=8)`.
  public let name: String
  /// Names of the nodes, by ``NodeID``.
  public let nodeNames: [String]
  /// All directed links, by ``LinkID``.
  public private(set) var links: [Link]
  /// Where ranks are placed, in natural order.
  public let accelerators: [NodeID]
  /// The host of each accelerator, in the order of ``accelerators``.
  public let hostOfAccelerator: [Int]
  /// The number of hosts that hold accelerators.
  public let hostCount: Int
  /// How many accelerators every host holds; nil if they differ.
  public let acceleratorsPerHost: Int?

  let outgoing: LinkIndex
  let incoming: LinkIndex
  private(set) var routing: Routing
  /// Position of a node in ``accelerators``, or -1.
  let acceleratorOfNode: [Int32]
  /// Position of an accelerator among those of its host.
  let indexInHost: [Int32]
  let acceleratorsOfHost: [Int32]

  /// How routes are found.
  enum Routing: Sendable {
    /// Distance tables over the switches.
    case shortest(ShortestPaths)
    /// A rule of the topology for its accelerators; other pairs are searched for.
    case rule(any RoutingRule)
    /// Routes given one by one; others are searched for.
    case explicit(ExplicitRoutes, ShortestPaths)
    /// Routes given one by one over a topology that finds the others in its own way.
    indirect case pinned(ExplicitRoutes, Routing)
  }

  init(
    name: String, nodeNames: [String], links: [Link], accelerators: [NodeID],
    hostOfAccelerator: [Int], routing: (LinkIndex, LinkIndex) -> Routing
  ) {
    precondition(accelerators.count == hostOfAccelerator.count, "every accelerator has a host")
    self.name = name
    self.nodeNames = nodeNames
    self.links = links
    self.accelerators = accelerators
    self.hostOfAccelerator = hostOfAccelerator
    hostCount = (hostOfAccelerator.max() ?? -1) + 1
    var ofHost = [Int32](repeating: 0, count: hostCount)
    var inHost: [Int32] = []
    for host in hostOfAccelerator {
      inHost.append(ofHost[host])
      ofHost[host] += 1
    }
    indexInHost = inHost
    acceleratorsOfHost = ofHost
    acceleratorsPerHost = Set(ofHost).count == 1 ? Int(ofHost[0]) : nil
    var ofNode = [Int32](repeating: -1, count: nodeNames.count)
    for (index, node) in accelerators.enumerated() { ofNode[node.index] = Int32(index) }
    acceleratorOfNode = ofNode
    outgoing = LinkIndex(nodes: nodeNames.count, links: links) { $0.from }
    incoming = LinkIndex(nodes: nodeNames.count, links: links) { $0.to }
    self.routing = routing(outgoing, incoming)
  }

  /// The same topology after `change` of every link's bandwidth and latency; routes stay.
  ///
  /// - Precondition: `change` leaves the ends of a link as they are.
  public func mapLinks(_ change: (inout Link) -> Void) -> Topology {
    var copy = self
    for index in copy.links.indices {
      change(&copy.links[index])
      precondition(
        copy.links[index].from == links[index].from && copy.links[index].to == links[index].to,
        "a link keeps its ends")
    }
    return copy
  }

  /// The number of nodes, switches included.
  public var nodeCount: Int { nodeNames.count }

  /// The host of `node`, or nil for a switch.
  public func host(of node: NodeID) -> Int? {
    let accelerator = acceleratorOfNode[node.index]
    return accelerator < 0 ? nil : hostOfAccelerator[Int(accelerator)]
  }

  /// Whether both nodes are accelerators of one host.
  public func shareHost(_ a: NodeID, _ b: NodeID) -> Bool {
    guard let host = host(of: a) else { return false }
    return host == self.host(of: b)
  }

  // MARK: - Routes

  /// The links from `from` to `to`, or nil if there is no way; empty when both are the same node.
  ///
  /// `key` picks among equally short ways; network models use one key for a pair of endpoints, as a
  /// connection keeps its path.
  /// - Complexity: O(links on the way × choices at each node); ``RouteTable`` remembers the result.
  public func route(from: NodeID, to: NodeID, key: UInt64) -> [LinkID]? {
    if from == to { return [] }
    return route(from: from, to: to, key: key, by: routing)
  }

  /// Whether a transfer may choose between its route and another way when it starts.
  public var isAdaptive: Bool {
    if case .rule(let rule) = routing { return rule.isAdaptive }
    return false
  }

  /// A way by a middle that `key` draws, in a topology whose routes are adaptive.
  func alternative(from: NodeID, to: NodeID, key: UInt64) -> [LinkID]? {
    guard case .rule(let rule) = routing else { return nil }
    let (source, target) = (acceleratorOfNode[from.index], acceleratorOfNode[to.index])
    guard source >= 0, target >= 0 else { return nil }
    return rule.alternative(from: Int(source), to: Int(target), key: key)
  }

  private func route(
    from: NodeID, to: NodeID, key: UInt64, by routing: Routing
  ) -> [LinkID]? {
    switch routing {
    case .shortest(let paths):
      return paths.route(from: from, to: to, key: key, in: self)
    case .rule(let rule):
      let (source, target) = (acceleratorOfNode[from.index], acceleratorOfNode[to.index])
      guard source >= 0, target >= 0 else {
        return detour(from: from, to: to, key: key) { _ in false }
      }
      return rule.route(from: Int(source), to: Int(target), key: key)
    case .explicit(let routes, let paths):
      return routes[from, to] ?? paths.route(from: from, to: to, key: key, in: self)
    case .pinned(let routes, let others):
      return routes[from, to] ?? route(from: from, to: to, key: key, by: others)
    }
  }

  /// The same topology with the routes of some pairs fixed; other pairs keep theirs.
  ///
  /// - Precondition: the links of a route exist, and none is used twice.
  public func pinning(_ routes: [(from: NodeID, to: NodeID, links: [LinkID])]) -> Topology {
    for route in routes {
      precondition(
        route.links.allSatisfy { links.indices.contains($0.index) }
          && Set(route.links).count == route.links.count,
        "a route uses links of its topology, each once")
    }
    var copy = self
    copy.routing = .pinned(ExplicitRoutes(routes), routing)
    return copy
  }

  /// The key that models give a pair of endpoints: all their transfers take one path.
  public static func routeKey(from: NodeID, to: NodeID) -> UInt64 {
    RandomStream.mix(
      UInt64(UInt32(bitPattern: from.rawValue)) << 32 | UInt64(UInt32(bitPattern: to.rawValue)))
  }

  /// Chooses one of `count` equal ways at `node` by hash.
  static func choice(of count: Int, at node: Int, key: UInt64) -> Int {
    let hash = RandomStream.mix(key ^ UInt64(truncatingIfNeeded: node) &* 0x9E37_79B9_7F4A_7C15)
    return Int(hash.multipliedFullWidth(by: UInt64(count)).high)
  }
}
