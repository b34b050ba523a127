import SimKernel

/// Collects the operations and edges of a ``TraceGraph`` under the names that a file gives them, and
/// checks them once all are there.
///
///     var builder = TraceGraphBuilder(origin: path)
///     builder.add(.init(id: 7, rank: 0, work: .compute))
///     builder.add(.init(id: 9, rank: 0, work: .compute), after: [7])
///     let graph = try builder.build()
public struct TraceGraphBuilder {
  private let origin: String
  private var nodes: [TraceGraph.Node] = []
  private var waits: [Wait] = []
  /// Where a node's waits begin.
  private var starts: [Int] = []
  private var places: [Int] = []
  public var names = NameTable()
  public var groups: [TraceGraph.Group] = []
  public var rankCount = 0

  private struct Wait {
    var id: UInt64
    var onStart: Bool
  }
  private struct Key: Hashable {
    var rank: Int32
    var id: UInt64
  }

  /// - Parameter origin: what messages call the trace.
  public init(origin: String) { self.origin = origin }

  public var count: Int { nodes.count }

  /// Adds an operation that waits for the operations `after` of its rank.
  ///
  /// They may come later in the file. `place` is where it stands: a byte, or -1.
  public mutating func add(
    _ node: TraceGraph.Node, after: [UInt64] = [], afterStart: [UInt64] = [], place: Int = -1
  ) {
    nodes.append(node)
    starts.append(waits.count)
    places.append(place)
    for id in after { waits.append(Wait(id: id, onStart: false)) }
    for id in afterStart { waits.append(Wait(id: id, onStart: true)) }
    rankCount = max(rankCount, Int(node.rank) + 1)
  }

  /// The group called `name`, which is added if there is none that is equal.
  public mutating func group(_ group: TraceGraph.Group) -> Int32 {
    if let index = groups.firstIndex(of: group) { return Int32(index) }
    groups.append(group)
    return Int32(groups.count - 1)
  }

  /// The graph, if every operation is named once and waits for others that are there.
  ///
  /// - Parameters:
  ///   - droppingMissingParents: go on without parents that are not there; the graph then lists them.
  ///   - droppingCycles: of every cycle drop an edge that leads against the order of the file, until
  ///     none is left; the graph then lists them.
  /// - Complexity: O(operations + edges), plus the operations for every edge dropped.
  /// - Throws: `InterchangeError` that names up to five operations that are missing or named twice,
  ///   or the operations of one cycle.
  public consuming func build(
    droppingMissingParents: Bool = false, droppingCycles: Bool = false
  ) throws(InterchangeError) -> TraceGraph {
    var indices: [Key: Int32] = [:]
    indices.reserveCapacity(nodes.count)
    for (index, node) in nodes.enumerated() {
      let key = Key(rank: node.rank, id: node.id)
      if let before = indices.updateValue(Int32(index), forKey: key) {
        throw failure(
          "node \(node.id) of rank \(node.rank) is given twice, as node number \(before) and "
            + "\(index) of the file", "an id for each node", index)
      }
    }
    var edges: [TraceGraph.Edge] = []
    edges.reserveCapacity(waits.count)
    var edgeStarts: [Int32] = [0]
    edgeStarts.reserveCapacity(nodes.count + 1)
    var missing: [TraceGraph.MissingParent] = []
    for index in nodes.indices {
      let end = index + 1 < starts.count ? starts[index + 1] : waits.count
      for wait in waits[starts[index]..<end] {
        let key = Key(rank: nodes[index].rank, id: wait.id)
        if let earlier = indices[key] {
          edges.append(TraceGraph.Edge(node: earlier, onStart: wait.onStart))
        } else {
          missing.append(TraceGraph.MissingParent(node: Int32(index), parent: wait.id))
        }
      }
      edgeStarts.append(Int32(edges.count))
    }
    if let first = missing.first, !droppingMissingParents {
      let list = missing.prefix(5).map { "node \(nodes[Int($0.node)].id) waits for \($0.parent)" }
      let more = missing.count > 5 ? " and \(missing.count - 5) more" : ""
      throw failure(
        "\(missing.count) missing \(missing.count == 1 ? "parent" : "parents"): "
          + list.joined(separator: ", ") + more,
        "every parent is a node of the file; was the trace cut?", Int(first.node))
    }
    var dropped: [TraceGraph.DroppedEdge] = []
    let order = try order(edges, edgeStarts, droppingCycles ? { dropped.append($0) } : nil)
    if !dropped.isEmpty { Self.remove(dropped, from: &edges, &edgeStarts) }
    return TraceGraph(
      nodes: nodes, names: names, groups: groups, rankCount: rankCount, edges: edges,
      edgeStarts: edgeStarts, order: order, missingParents: missing, droppedEdges: dropped)
  }

  /// Takes all edges between the ends of each of `dropped` out of the lists.
  private static func remove(
    _ dropped: [TraceGraph.DroppedEdge], from edges: inout [TraceGraph.Edge],
    _ edgeStarts: inout [Int32]
  ) {
    var parents: [Int32: [Int32]] = [:]
    for edge in dropped { parents[edge.node, default: []].append(edge.parent) }
    var kept: [TraceGraph.Edge] = []
    kept.reserveCapacity(edges.count)
    var starts: [Int32] = [0]
    starts.reserveCapacity(edgeStarts.count)
    for node in 0..<edgeStarts.count - 1 {
      let gone = parents[Int32(node)] ?? []
      for edge in edges[Int(edgeStarts[node])..<Int(edgeStarts[node + 1])]
      where !gone.contains(edge.node) {
        kept.append(edge)
      }
      starts.append(Int32(kept.count))
    }
    edges = kept
    edgeStarts = starts
  }

  private func failure(_ found: String, _ expected: String, _ node: Int) -> InterchangeError {
    InterchangeError(
      path: origin, found: found, expected: expected,
      byteOffset: places[node] >= 0 ? places[node] : nil)
  }

  /// Every node after what it waits for (Kahn 1962), as many as possible in the order of the file.
  ///
  /// Where only cycles are left, `drop` is told of an edge that is given up, or the order fails.
  private func order(
    _ edges: [TraceGraph.Edge], _ edgeStarts: [Int32],
    _ drop: ((TraceGraph.DroppedEdge) -> Void)?
  ) throws(InterchangeError) -> [Int32] {
    let count = nodes.count
    var waiting = [Int32](repeating: 0, count: count)
    var followerStarts = [Int32](repeating: 0, count: count + 1)
    for edge in edges { followerStarts[Int(edge.node) + 1] += 1 }
    for index in 0..<count {
      followerStarts[index + 1] += followerStarts[index]
      waiting[index] = edgeStarts[index + 1] - edgeStarts[index]
    }
    var next = followerStarts
    var followers = [Int32](repeating: 0, count: edges.count)
    for index in 0..<count {
      for edge in edges[Int(edgeStarts[index])..<Int(edgeStarts[index + 1])] {
        followers[Int(next[Int(edge.node)])] = Int32(index)
        next[Int(edge.node)] += 1
      }
    }
    var order: [Int32] = []
    order.reserveCapacity(count)
    for index in 0..<count where waiting[index] == 0 { order.append(Int32(index)) }
    var gone: Set<UInt64> = []
    var done = 0
    while true {
      while done < order.count {
        let node = Int(order[done])
        done += 1
        for follower in followers[Int(followerStarts[node])..<Int(followerStarts[node + 1])] {
          if !gone.isEmpty, gone.contains(Self.pair(follower, Int32(node))) { continue }
          waiting[Int(follower)] -= 1
          if waiting[Int(follower)] == 0 { order.append(follower) }
        }
      }
      if order.count == count { return order }
      let ring = cycle(waiting, edges, edgeStarts, gone)
      guard let drop else { throw failure(of: ring) }
      let edge = backward(ring)
      drop(edge)
      gone.insert(Self.pair(edge.node, edge.parent))
      // What it waits for is not done, so that none of these edges was counted yet.
      for other in edges[Int(edgeStarts[Int(edge.node)])..<Int(edgeStarts[Int(edge.node) + 1])]
      where other.node == edge.parent {
        waiting[Int(edge.node)] -= 1
      }
      if waiting[Int(edge.node)] == 0 { order.append(edge.node) }
    }
  }

  private static func pair(_ node: Int32, _ parent: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: node)) << 32 | UInt64(UInt32(bitPattern: parent))
  }

  /// The edge of a cycle that leads furthest against the order of the file.
  private func backward(_ ring: [Int]) -> TraceGraph.DroppedEdge {
    var best = (distance: Int.min, edge: TraceGraph.DroppedEdge(node: 0, parent: 0))
    for (place, node) in ring.enumerated() {
      let parent = ring[(place + 1) % ring.count]
      if parent - node > best.distance {
        best = (
          parent - node, TraceGraph.DroppedEdge(node: Int32(node), parent: Int32(parent))
        )
      }
    }
    return best.edge
  }

  /// Nodes of which each waits for the next and the last for the first: a node that still waits has a
  /// parent that does, and following them must come round.
  private func cycle(
    _ waiting: [Int32], _ edges: [TraceGraph.Edge], _ edgeStarts: [Int32], _ gone: Set<UInt64>
  ) -> [Int] {
    var seen = [Int32](repeating: -1, count: nodes.count)
    var path: [Int] = []
    var node = waiting.firstIndex { $0 > 0 }!
    while seen[node] < 0 {
      seen[node] = Int32(path.count)
      path.append(node)
      let parents = edges[Int(edgeStarts[node])..<Int(edgeStarts[node + 1])]
      let next = parents.first {
        waiting[Int($0.node)] > 0
          && (gone.isEmpty || !gone.contains(Self.pair(Int32(node), $0.node)))
      }
      node = Int(next!.node)
    }
    return Array(path[Int(seen[node])...])
  }

  private func failure(of ring: [Int]) -> InterchangeError {
    let node = ring[0]
    let shown = ring.prefix(8).map { "\(nodes[$0].id)" }.joined(separator: " waits for ")
    let rest = ring.count > 8 ? " waits for \(ring.count - 8) more" : ""
    return failure(
      "a cycle of \(ring.count): node \(shown)\(rest) waits for \(nodes[node].id)",
      "a graph without cycles; simnet import --drop-cycles goes on without an edge of each", node)
  }
}
