/// Edges in compressed rows, both ways, with a topological order or the circle that forbids one.
struct GraphEdges {
  var predecessorOffsets: [Int32]
  var predecessors: [Int32]
  var successorOffsets: [Int32]
  var successors: [Int32]

  /// Rows of `count` nodes; within a row edges keep the order of `from` and `to`.
  ///
  /// - Complexity: O(nodes + edges).
  init(count: Int, from: [Int32], to: [Int32]) {
    (successorOffsets, successors) = Self.rows(count, keys: from, values: to)
    (predecessorOffsets, predecessors) = Self.rows(count, keys: to, values: from)
  }

  private static func rows(
    _ count: Int, keys: [Int32], values: [Int32]
  ) -> (offsets: [Int32], values: [Int32]) {
    var offsets = [Int32](repeating: 0, count: count + 1)
    for key in keys { offsets[Int(key) + 1] += 1 }
    for index in 0..<count { offsets[index + 1] += offsets[index] }
    var cursor = offsets
    var sorted = [Int32](repeating: 0, count: values.count)
    for (key, value) in zip(keys, values) {
      sorted[Int(cursor[Int(key)])] = value
      cursor[Int(key)] += 1
    }
    return (offsets, sorted)
  }

  private var count: Int { predecessorOffsets.count - 1 }

  private func predecessors(of node: Int) -> ArraySlice<Int32> {
    predecessors[Int(predecessorOffsets[node])..<Int(predecessorOffsets[node + 1])]
  }

  /// Each node after its predecessors.
  ///
  /// 0, 1, 2, ... if that is such an order, else first come first (Kahn, CACM 5, 1962); shorter
  /// than the number of nodes if some wait for one another.
  ///
  /// - Complexity: O(nodes + edges).
  func topologicalOrder() -> [Int32] {
    let isProgramOrder = (0..<count).allSatisfy { node in
      predecessors(of: node).allSatisfy { $0 < node }
    }
    if isProgramOrder { return (0..<Int32(count)).map { $0 } }
    var missing = (0..<count).map { predecessorOffsets[$0 + 1] - predecessorOffsets[$0] }
    var order: [Int32] = []
    order.reserveCapacity(count)
    for node in 0..<count where missing[node] == 0 { order.append(Int32(node)) }
    var next = 0
    while next < order.count {
      let node = Int(order[next])
      next += 1
      for edge in Int(successorOffsets[node])..<Int(successorOffsets[node + 1]) {
        let successor = Int(successors[edge])
        missing[successor] -= 1
        if missing[successor] == 0 { order.append(Int32(successor)) }
      }
    }
    return order
  }

  /// Nodes that wait for one another, each before the one it waits for; `order` has all others.
  func circle(outside order: [Int32]) -> [Int] {
    var isOrdered = [Bool](repeating: false, count: count)
    for node in order { isOrdered[Int(node)] = true }
    guard var node = isOrdered.firstIndex(of: false) else { return [] }
    var place = [Int](repeating: -1, count: count)
    var way: [Int] = []
    // Whatever was not ordered has a predecessor that was not either.
    while place[node] < 0 {
      place[node] = way.count
      way.append(node)
      guard let next = predecessors(of: node).first(where: { !isOrdered[Int($0)] }) else {
        preconditionFailure("a node outside the order waits for another")
      }
      node = Int(next)
    }
    return Array(way[place[node]...])
  }
}
