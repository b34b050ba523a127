import SimKernel

/// Nodes that are alike to the network: each hangs on one switch by a cable of its own.
public struct StarCables: Sendable, Equatable {
  /// The link from each node to the switch, in the order of the nodes.
  public var up: [LinkID]
  /// The link from the switch to each node.
  public var down: [LinkID]
  /// Two such nodes around such a switch.
  public var pair: Pair

  /// What all cables are made of.
  public struct Pair: Sendable, Equatable {
    public var up: LinkSpecification
    public var down: LinkSpecification

    /// Two hosts on a switch with these cables.
    public func makeTopology() -> Topology {
      var builder = TopologyBuilder(name: "pair")
      let nodes = [builder.addHost("a"), builder.addHost("b")]
      let hub = builder.addSwitch("switch")
      for node in nodes { builder.join(node, hub, up, back: down) }
      return builder.build()
    }
  }
}

extension Topology {
  /// The cables of `nodes` if each is a host of its own on one switch and all cables are alike; nil
  /// otherwise.
  ///
  /// Any permutation of these nodes then leaves the network as it is, and messages meet only where
  /// they have a sender or a receiver in common. Other nodes may hang on the switch as well.
  /// - Complexity: O(nodes).
  public func starCables(of nodes: [NodeID]) -> StarCables? {
    guard case .shortest = routing, let first = nodes.first, let way = outgoing(first.index).first,
      let back = incoming(first.index).first
    else { return nil }
    let (there, here) = (links[Int(way)], links[Int(back)])
    let hub = there.to
    if host(of: hub) != nil || nodes.count < 2 { return nil }
    var up: [LinkID] = []
    var down: [LinkID] = []
    up.reserveCapacity(nodes.count)
    down.reserveCapacity(nodes.count)
    var isTaken = [Bool](repeating: false, count: hostCount)
    for node in nodes {
      let (out, into) = (outgoing(node.index), incoming(node.index))
      guard out.count == 1, into.count == 1, let first = out.first, let last = into.first,
        let host = host(of: node), !isTaken[host]
      else { return nil }
      isTaken[host] = true
      let (to, from) = (links[Int(first)], links[Int(last)])
      guard to.to == hub, from.from == hub, Self.areAlike(to, there), Self.areAlike(from, here),
        to.bandwidth.bitsPerSecond > 0, from.bandwidth.bitsPerSecond > 0
      else { return nil }
      up.append(LinkID(rawValue: first))
      down.append(LinkID(rawValue: last))
    }
    return StarCables(
      up: up, down: down,
      pair: StarCables.Pair(
        up: LinkSpecification(bandwidth: there.bandwidth, latency: there.latency),
        down: LinkSpecification(bandwidth: here.bandwidth, latency: here.latency)))
  }

  private static func areAlike(_ a: Link, _ b: Link) -> Bool {
    a.bandwidth == b.bandwidth && a.latency == b.latency && !a.isInner && !b.isInner
  }
}
