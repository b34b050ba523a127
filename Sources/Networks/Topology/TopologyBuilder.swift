import SimKernel

/// Collects nodes and links, then makes a ``Topology``.
///
///     var builder = TopologyBuilder(name: "pair")
///     let a = builder.addHost("a"), b = builder.addHost("b")
///     builder.join(a, b, LinkSpecification(bandwidth: .gigabitsPerSecond(10)))
///     let topology = builder.build()
public struct TopologyBuilder {
  private let name: String
  /// Names of the nodes so far.
  public private(set) var nodeNames: [String] = []
  /// Links so far.
  public private(set) var links: [Link] = []
  private var accelerators: [NodeID] = []
  private var hosts: [Int] = []
  private var hostCount = 0
  private var routes: [(from: NodeID, to: NodeID, links: [LinkID])] = []

  public init(name: String) { self.name = name }

  /// A node that holds no rank.
  public mutating func addSwitch(_ name: String) -> NodeID {
    nodeNames.append(name)
    return NodeID(nodeNames.count - 1)
  }
  /// A host with one accelerator, which are one node.
  public mutating func addHost(_ name: String) -> NodeID {
    addAccelerator(name, host: hostCount)
  }
  /// An accelerator of `host`; hosts are numbered from 0 without gaps.
  public mutating func addAccelerator(_ name: String, host: Int) -> NodeID {
    precondition(host <= hostCount, "hosts are numbered without gaps")
    let node = addSwitch(name)
    accelerators.append(node)
    hosts.append(host)
    hostCount = max(hostCount, host + 1)
    return node
  }

  /// A directed link.
  @discardableResult
  public mutating func link(
    from: NodeID, to: NodeID, _ link: LinkSpecification, name: String? = nil, inner: Bool = false
  ) -> LinkID {
    links.append(
      Link(
        from: from, to: to, bandwidth: link.bandwidth, latency: link.latency,
        name: name ?? "\(nodeNames[from.index])->\(nodeNames[to.index])", isInner: inner))
    return LinkID(links.count - 1)
  }
  /// A cable: one link each way, of which the first is returned and the second has the next number.
  ///
  /// `cable` numbers the cables between two nodes, or two groups of nodes: names from the second one
  /// on end in `#1`, `#2` and so on, so that each can be named.
  @discardableResult
  public mutating func join(
    _ a: NodeID, _ b: NodeID, _ link: LinkSpecification, back: LinkSpecification? = nil,
    inner: Bool = false, cable: Int = 0
  ) -> LinkID {
    let (first, second) = (nodeNames[a.index], nodeNames[b.index])
    let suffix = cable == 0 ? "" : "#\(cable)"
    let there = self.link(
      from: a, to: b, link, name: "\(first)->\(second)\(suffix)", inner: inner)
    self.link(
      from: b, to: a, back ?? link, name: "\(second)->\(first)\(suffix)", inner: inner)
    return there
  }
  /// Fixes the route of one pair, whatever is shortest.
  ///
  /// - Precondition: the links exist, and none is used twice.
  public mutating func route(from: NodeID, to: NodeID, over path: [LinkID]) {
    precondition(path.allSatisfy { $0.index < links.count }, "a route uses existing links")
    precondition(Set(path).count == path.count, "a route uses a link once")
    routes.append((from, to, path))
  }

  /// The topology, with tables of shortest paths.
  public func build() -> Topology {
    build { outgoing, incoming in
      let paths = ShortestPaths(
        nodes: nodeNames.count, links: links, endpoints: accelerators, outgoing: outgoing,
        incoming: incoming)
      return routes.isEmpty ? .shortest(paths) : .explicit(ExplicitRoutes(routes), paths)
    }
  }

  func build(_ routing: (LinkIndex, LinkIndex) -> Topology.Routing) -> Topology {
    Topology(
      name: name, nodeNames: nodeNames, links: links, accelerators: accelerators,
      hostOfAccelerator: hosts, routing: routing)
  }
}
