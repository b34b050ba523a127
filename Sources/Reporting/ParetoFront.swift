import Validation

/// The points that no other is better than.
///
/// A point dominates another if it is at least as good in every objective and better in one. Points
/// that are equal in all objectives do not dominate one another: ties are kept.
public enum ParetoFront {
  /// Whether `a` dominates `b`.
  public static func dominates(
    _ a: [Double], _ b: [Double], _ directions: [MetricDirection]
  ) -> Bool {
    var isBetter = false
    for index in directions.indices {
      let (own, other) =
        directions[index] == .lowerIsBetter ? (a[index], b[index]) : (b[index], a[index])
      if own > other { return false }
      if own < other { isBetter = true }
    }
    return isBetter
  }

  /// Whether each of `points` is on the front, in their order.
  ///
  /// - Precondition: every point has a finite number for every objective.
  /// - Complexity: O(n log n) for two objectives, O(n log n + n f) for more, f of them on the front.
  public static func isOptimal(
    _ points: [[Double]], _ directions: [MetricDirection]
  ) -> [Bool] {
    // Smaller is better from here on.
    let costs = points.map { point in
      zip(point, directions).map { $1 == .lowerIsBetter ? $0 : -$0 }
    }
    precondition(
      costs.allSatisfy { $0.count == directions.count && $0.allSatisfy(\.isFinite) },
      "a point has a finite number for every objective")
    // In this order nothing is dominated by what comes later.
    let order = costs.indices.sorted { a, b in
      for (own, other) in zip(costs[a], costs[b]) where own != other { return own < other }
      return a < b
    }
    var result = [Bool](repeating: false, count: points.count)
    if directions.count == 2 {
      var best: [Double]?
      for index in order {
        if let best, costs[index] != best, costs[index][1] >= best[1] { continue }
        result[index] = true
        best = costs[index]
      }
      return result
    }
    var front: [Int] = []
    let lower = [MetricDirection](repeating: .lowerIsBetter, count: directions.count)
    for index in order
    where !front.contains(where: { dominates(costs[$0], costs[index], lower) }) {
      front.append(index)
      result[index] = true
    }
    return result
  }
}
