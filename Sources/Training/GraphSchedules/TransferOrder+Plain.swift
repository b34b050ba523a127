import SimKernel

/// Orders that need no analysis of the graph.
extension TransferOrder {
  /// What ``random(_:stream:)`` and ``OracleBound`` permute: the receives; of a graph without any,
  /// the collectives, or else the sends.
  public static func candidates(_ graph: OperationGraph) -> [OperationID] {
    for kind in [OperationGraph.Kind.receive, .collective, .send] {
      let ids = graph.operations(of: kind)
      if !ids.isEmpty { return ids }
    }
    return []
  }

  /// A uniformly random order of the ``candidates(_:)`` (Fisher and Yates), TicTac's baseline: give
  /// every worker and iteration a stream of its own.
  public static func random(_ graph: OperationGraph, stream: RandomStream) -> TransferOrder {
    var stream = stream
    var ranking = candidates(graph)
    for place in stride(from: ranking.count - 1, to: 0, by: -1) {
      ranking.swapAt(place, stream.index(below: place + 1))
    }
    return TransferOrder(ranking: ranking, of: graph)
  }

  /// All transfers in the order of the forward pass, layer 0 first (P3: Jayarajan et al., MLSys 2019).
  ///
  /// Transfers of one tensor share its number. Where a transfer has no tensor, all are ranked instead
  /// by the place of the first operation that waits for each; one that nobody waits for is last.
  ///
  /// - Complexity: O(operations + edges + n log n) for n transfers.
  public static func layer(_ graph: OperationGraph) -> TransferOrder {
    var numbers = [Int32](repeating: unnumbered, count: graph.count)
    let transfers = graph.operations.indices.filter { graph.operations[$0].kind.isTransfer }
    if transfers.allSatisfy({ graph.operations[$0].tensor >= 0 }) {
      for index in transfers { numbers[index] = graph.operations[index].tensor }
      return TransferOrder(numbers: numbers)
    }
    var place = [Int32](repeating: 0, count: graph.count)
    for (position, index) in graph.order.enumerated() { place[Int(index)] = Int32(position) }
    func firstUse(_ index: Int) -> Int32 {
      graph.successors(of: index).map { place[Int($0)] }.min() ?? .max
    }
    let ranked = transfers.map { (use: firstUse($0), index: $0) }.sorted { $0 < $1 }
    for (rank, entry) in ranked.enumerated() { numbers[entry.index] = Int32(rank) }
    return TransferOrder(numbers: numbers)
  }
}
