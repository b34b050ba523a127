import SimKernel

/// How short an execution could be under the best order of its receives: exact for small graphs, a
/// bound for large ones.
public enum OracleBound: Sendable, Equatable {
  /// No order is better, computation being first come first served: the order and its makespan.
  case optimal(TransferOrder, SimDuration)
  /// The search was given up; nothing is shorter than max(busiest resource, longest chain).
  case lowerBound(SimDuration)

  /// The makespan, reached or not.
  public var makespan: SimDuration {
    switch self {
    case .optimal(_, let makespan), .lowerBound(let makespan): makespan
    }
  }

  /// Searches all orders of the ``TransferOrder/candidates(_:)`` of `graph`, depth first, leaving out
  /// beginnings that cannot be better than what was found.
  ///
  /// A beginning is bounded from below by relaxing what follows: the transfers placed so far end
  /// when their channel has carried them, each other one could be next, and then no execution is
  /// shorter than its longest chain, nor than the load of a resource after the first and before the
  /// last that it could do. It starts from the orders of TAC and of the layers.
  ///
  /// - Parameter budget: how many beginnings and executions are looked at before giving up.
  /// - Complexity: O(budget (operations + edges)).
  public static func search(_ graph: OperationGraph, budget: Int = 20_000) -> OracleBound {
    var search = OracleSearch(graph, budget: budget)
    return search.run()
  }
}

private struct OracleSearch {
  let graph: OperationGraph
  let candidates: [OperationID]
  /// Whether all candidates may start at once, so that a beginning fixes when they end.
  let areRoots: Bool
  let floor: SimDuration
  var budget: Int
  var best: SimDuration = .unbounded
  var bestOrder = TransferOrder.none
  var ranking: [OperationID] = []
  var isPlaced: [Bool]
  /// When each resource has carried the placed transfers.
  var carried: [SimDuration]
  /// The longest chain after each operation.
  let tails: [SimDuration]

  init(_ graph: OperationGraph, budget: Int) {
    self.graph = graph
    self.budget = budget
    let candidates = TransferOrder.candidates(graph)
    self.candidates = candidates
    areRoots = candidates.allSatisfy { graph.predecessors(of: $0.index).isEmpty }
    floor = graph.makespanBound
    isPlaced = Array(repeating: false, count: graph.count)
    carried = Array(repeating: .zero, count: graph.resources.count)
    var tails = [SimDuration](repeating: .zero, count: graph.count)
    for index in graph.order.reversed() {
      for successor in graph.successors(of: Int(index)) {
        tails[Int(index)] = max(
          tails[Int(index)], tails[Int(successor)] + graph.operations[Int(successor)].duration)
      }
    }
    self.tails = tails
  }

  mutating func run() -> OracleBound {
    // Only the candidates get numbers, as in every order that is tried later.
    for seed in [TransferOrder.layer(graph), .tac(graph)] {
      var ranking = seed.ranking.filter { candidates.contains($0) }
      if ranking.count < candidates.count { ranking = candidates }
      attempt(ranking)
    }
    if best > floor { descend() }
    if budget <= 0, best > floor { return .lowerBound(floor) }
    return .optimal(bestOrder, best)
  }

  private mutating func attempt(_ ranking: [OperationID]) {
    budget -= 1
    let order = TransferOrder(ranking: ranking, of: graph)
    var run = GraphRun(graph, order: order)
    let makespan = run.run(GraphRun.stream(seed: 0)).makespan
    if makespan < best { (best, bestOrder) = (makespan, order) }
  }

  private mutating func descend() {
    if budget <= 0 || best == floor { return }
    if ranking.count == candidates.count {
      attempt(ranking)
      return
    }
    for candidate in candidates where !isPlaced[candidate.index] {
      let operation = graph.operations[candidate.index]
      isPlaced[candidate.index] = true
      carried[operation.resource.index] += operation.duration
      ranking.append(candidate)
      budget -= 1
      if !areRoots || bound() < best { descend() }
      ranking.removeLast()
      carried[operation.resource.index] -= operation.duration
      isPlaced[candidate.index] = false
      if budget <= 0 || best == floor { return }
    }
  }

  /// No execution that begins with `ranking` is shorter.
  private func bound() -> SimDuration {
    var ends = [SimDuration](repeating: .zero, count: graph.count)
    var isTransfer = [Bool](repeating: false, count: graph.count)
    var queued = [SimDuration](repeating: .zero, count: graph.resources.count)
    for candidate in candidates { isTransfer[candidate.index] = true }
    for candidate in ranking {
      let operation = graph.operations[candidate.index]
      queued[operation.resource.index] += operation.duration
      ends[candidate.index] = queued[operation.resource.index]
    }
    var first = [SimDuration](repeating: .unbounded, count: graph.resources.count)
    var after = [SimDuration](repeating: .unbounded, count: graph.resources.count)
    var load = [SimDuration](repeating: .zero, count: graph.resources.count)
    var longest = SimDuration.zero
    for index in graph.order {
      let i = Int(index)
      let operation = graph.operations[i]
      let resource = operation.resource.index
      var start = SimDuration.zero
      for predecessor in graph.predecessors(of: i) { start = max(start, ends[Int(predecessor)]) }
      if isTransfer[i] {
        if isPlaced[i] {
          start = ends[i] - operation.duration
        } else {
          start = max(start, carried[resource])
        }
      }
      ends[i] = start + operation.duration
      longest = max(longest, ends[i] + tails[i])
      first[resource] = min(first[resource], start)
      after[resource] = min(after[resource], tails[i])
      load[resource] += operation.duration
    }
    for resource in load.indices where load[resource] > .zero {
      longest = max(longest, first[resource] + load[resource] + after[resource])
    }
    return longest
  }
}
