import SimKernel

extension Topology {
  /// The shortest way that avoids the links for which `isDown` holds, or nil.
  ///
  /// Searched afresh: this serves detours around failures, and graphs too large for tables.
  /// - Complexity: O(nodes + links).
  public func detour(
    from: NodeID, to: NodeID, key: UInt64, isDown: (LinkID) -> Bool
  ) -> [LinkID]? {
    if from == to { return [] }
    var distance = [Int32](repeating: -1, count: nodeCount)
    distance[to.index] = 0
    var frontier = [to.index]
    var head = 0
    while head < frontier.count, distance[from.index] < 0 {
      let node = frontier[head]
      head += 1
      for id in incoming(node) where !isDown(LinkID(rawValue: id)) {
        let previous = links[Int(id)].from.index
        if distance[previous] < 0 {
          distance[previous] = distance[node] + 1
          frontier.append(previous)
        }
      }
    }
    guard distance[from.index] > 0 else { return nil }
    var path: [LinkID] = []
    var node = from.index
    while node != to.index {
      let wanted = distance[node] - 1
      let ways = outgoing(node).filter {
        distance[links[Int($0)].to.index] == wanted && !isDown(LinkID(rawValue: $0))
      }
      let id = ways[Self.choice(of: ways.count, at: node, key: key)]
      path.append(LinkID(rawValue: id))
      node = links[Int(id)].to.index
    }
    return path
  }

  /// The first pair of accelerators without a way from the first to the second; nil if all are
  /// joined both ways.
  ///
  /// - Complexity: O(nodes + links): every accelerator must reach and be reached by the first one.
  public func checkReachability() -> (NodeID, NodeID)? {
    guard let first = accelerators.first else { return nil }
    let reached = closure(from: first.index, outgoing) { $0.to }
    if let lost = accelerators.first(where: { !reached[$0.index] }) { return (first, lost) }
    let reaching = closure(from: first.index, incoming) { $0.from }
    if let lost = accelerators.first(where: { !reaching[$0.index] }) { return (lost, first) }
    return nil
  }

  private func closure(from start: Int, _ index: LinkIndex, _ end: (Link) -> NodeID) -> [Bool] {
    var seen = [Bool](repeating: false, count: nodeCount)
    seen[start] = true
    var frontier = [start]
    while let node = frontier.popLast() {
      for id in index(node) {
        let next = end(links[Int(id)]).index
        if !seen[next] {
          seen[next] = true
          frontier.append(next)
        }
      }
    }
    return seen
  }
}
