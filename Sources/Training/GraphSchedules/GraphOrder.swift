import SimKernel

/// The orders of transfers in a graph by name.
public enum GraphOrder: String, CaseIterable, Sendable {
  case fifo, random, layer, tic, tac, oracle

  /// One sentence, for lists.
  public var summary: String {
    switch self {
    case .fifo: "transfers go as they become ready"
    case .random: "a random order for every worker and iteration, TicTac's baseline"
    case .layer: "the order of the forward pass, layer 0 first, as in P3"
    case .tic: "TicTac's timing-independent order: what is needed soonest by count of receives"
    case .tac: "TicTac's timing-aware order: what lets computation overlap most"
    case .oracle: "the best order of all, or a lower bound where there are too many"
    }
  }

  /// Whether it looks at operations that a program has not reached yet.
  public var needsWholeGraph: Bool {
    switch self {
    case .fifo, .random, .layer: false
    case .tic, .tac, .oracle: true
    }
  }

  /// Why it cannot order `graph` under `mode`, with what to do; nil if it can.
  public func refusal(of graph: OperationGraph, mode: ExecutionMode) -> String? {
    if needsWholeGraph, case .eager = mode {
      return "\(rawValue) needs the whole graph, which eager execution never has; use staged "
        + "execution, or fifo, random or layer"
    }
    switch self {
    case .fifo, .random, .layer, .oracle: return nil
    case .tic, .tac:
      let receives = graph.operations.filter { $0.kind == .receive }
      if receives.isEmpty {
        return "\(rawValue) orders receives, and the graph has none; use layer"
      }
      if self == .tac, graph.operations.allSatisfy({ $0.duration == .zero }) {
        return "tac needs durations, and all are 0; use tic, which does not"
      }
      return nil
    }
  }

  /// The order for one worker and iteration; `stream` is theirs.
  ///
  /// ``oracle`` gives the best order found by ``OracleBound/search(_:budget:)``, or TAC's where that gave
  /// up.
  public func order(_ graph: OperationGraph, stream: RandomStream) -> TransferOrder {
    switch self {
    case .fifo: return .none
    case .random: return .random(graph, stream: stream)
    case .layer: return .layer(graph)
    case .tic: return .tic(graph)
    case .tac: return .tac(graph)
    case .oracle:
      if case .optimal(let order, _) = OracleBound.search(graph) { return order }
      return .tac(graph)
    }
  }
}
