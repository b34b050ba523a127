import Collectives
import Networks
import SimKernel

extension Topology {
  /// The switches that sum for ranks on `nodes`, and where they are; nil if there is none on the way
  /// from the first to the last.
  ///
  /// The root is the switch in the middle of that way. A rank's payload goes up its own way to the
  /// root; where ways meet, their switch sums, and they go on as one.
  /// - Complexity: O(ranks x links on the way).
  func aggregation(of nodes: [NodeID]) -> (tree: AggregationTree, switches: [NodeID])? {
    func switches(from: NodeID, to: NodeID) -> [NodeID] {
      let key = Self.routeKey(from: from, to: to)
      let way = route(from: from, to: to, key: key) ?? []
      return way.map { links[$0.index].to }.filter { host(of: $0) == nil }
    }
    let between: [NodeID]
    if nodes.count > 1 {
      between = switches(from: nodes[0], to: nodes[nodes.count - 1])
    } else {
      let link = links.first { $0.from == nodes[0] && host(of: $0.to) == nil }
      between = link.map { [$0.to] } ?? []
    }
    if between.isEmpty { return nil }
    let root = between[between.count / 2]
    var number = [Int](repeating: -1, count: nodeCount)
    var found = [root]
    number[root.index] = nodes.count
    var parents = [Int](repeating: -1, count: nodes.count + 1)
    for (rank, node) in nodes.enumerated() {
      var below = rank
      for place in switches(from: node, to: root) {
        let isKnown = number[place.index] >= 0
        if !isKnown {
          number[place.index] = parents.count
          parents.append(-1)
          found.append(place)
        }
        parents[below] = number[place.index]
        below = number[place.index]
        // From a switch that is known the way is, too.
        if isKnown { break }
      }
    }
    // A rank without a way to the root leaves no tree.
    return AggregationTree(workers: nodes.count, parents: parents).map { ($0, found) }
  }
}
