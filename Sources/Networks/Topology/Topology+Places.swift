import SimKernel

extension Topology {
  /// The links into and out of a node, by number: what fails with a switch.
  ///
  /// - Complexity: O(links of the node · log).
  public func links(of node: NodeID) -> [LinkID] {
    (outgoing(node.index) + incoming(node.index)).sorted().map { LinkID(rawValue: $0) }
  }

  /// The links inside, into and out of a host, by number: what fails with it.
  ///
  /// Its nodes are its accelerators and what they reach over inner links.
  /// - Precondition: `host` is in `0..<hostCount`.
  /// - Complexity: O(accelerators of the topology + links of the host · log).
  public func links(ofHost host: Int) -> [LinkID] {
    precondition((0..<hostCount).contains(host), "the topology has this host")
    var nodes = accelerators.indices.filter { hostOfAccelerator[$0] == host }
      .map { accelerators[$0].index }
    var known = Set(nodes)
    var found: Set<Int32> = []
    while let node = nodes.popLast() {
      for (index, isOut) in [(outgoing, true), (incoming, false)] {
        for id in index(node) {
          found.insert(id)
          let link = links[Int(id)]
          let other = (isOut ? link.to : link.from).index
          if link.isInner, known.insert(other).inserted { nodes.append(other) }
        }
      }
    }
    return found.sorted().map { LinkID(rawValue: $0) }
  }
}
