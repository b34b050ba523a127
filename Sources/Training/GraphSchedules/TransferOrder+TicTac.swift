import SimKernel

/// The orders of TicTac (Hashemi, Abdu Jyothi, Campbell, MLSys 2019, arXiv:1803.03288).
extension TransferOrder {
  /// TIC, timing-independent: receives by how few receives must be complete before some operation
  /// can use them together with others.
  ///
  /// The number of a receive is M+ under the general oracle - a receive takes 1, everything else 0 -
  /// as a rank: receives with the same M+ share the rank of the first. Receives that are never used
  /// together with another come last.
  ///
  /// - Complexity: that of the dependency sets, O((operations + edges) receives/64).
  public static func tic(_ graph: OperationGraph) -> TransferOrder {
    let loads = impendingLoads(of: graph)
    var numbers = [Int32](repeating: unnumbered, count: graph.count)
    let sorted = loads.sorted {
      ($0.load ?? .max, $0.receive) < ($1.load ?? .max, $1.receive)
    }
    var first = 0
    for (place, entry) in sorted.enumerated() {
      if entry.load != sorted[first].load { first = place }
      numbers[entry.receive.index] = Int32(first)
    }
    return TransferOrder(numbers: numbers)
  }

  /// M+ of every receive in numbers of receives, as ``tic(_:)`` sees it; nil where no operation uses
  /// it together with another.
  public static func impendingLoads(
    of graph: OperationGraph
  ) -> [(receive: OperationID, load: Int?)] {
    let properties = ReceiveProperties(graph) { $0.kind == .receive ? 1 : 0 }
    return zip(properties.receives, properties.impending).map { receive, load in
      (OperationID(rawValue: receive), load == .max ? nil : Int(load))
    }
  }

  /// TAC, timing-aware: greedily the receive that lets computation and communication overlap most,
  /// with the properties brought up to date after each choice.
  ///
  /// A comes before B if min(P_B, M_A) < min(P_A, M_B) (equation 6 of the paper and the authors'
  /// code; the listing as printed has the sign the other way round); if both are equal, if
  /// M+_A < M+_B; else the one added first. The minimum is found in one pass, as equal values make the
  /// comparison intransitive.
  ///
  /// - Complexity: O(receives x sets x receives/64); see ``ReceiveProperties``.
  public static func tac(_ graph: OperationGraph) -> TransferOrder {
    var properties = ReceiveProperties(graph) { $0.duration.picoseconds }
    var numbers = [Int32](repeating: unnumbered, count: graph.count)
    var left = Array(properties.receives.indices)
    for number in 0..<Int32(left.count) {
      var best = 0
      for place in left.indices.dropFirst()
      where properties.tacPrefers(left[place], to: left[best]) {
        best = place
      }
      let chosen = left.remove(at: best)
      numbers[Int(properties.receives[chosen])] = number
      properties.schedule(chosen)
    }
    return TransferOrder(numbers: numbers)
  }
}

extension ReceiveProperties {
  /// Whether receive `a` comes before `b`.
  fileprivate func tacPrefers(_ a: Int, to b: Int) -> Bool {
    let x = min(direct[b], times[a])
    let y = min(direct[a], times[b])
    return x != y ? x < y : impending[a] < impending[b]
  }
}
