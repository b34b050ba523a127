import SimKernel

/// Finds how finely transfers should be cut: fine parts let urgent ones pass early, but each costs a
/// start-up (PACE: Bao, Peng, Chen, Wu, INFOCOM 2020).
///
/// The paper computes sizes by dynamic programming; here the simulator itself is asked.
public struct SegmentSearch: Sendable, Equatable {
  /// One size that was tried.
  public struct Trial: Sendable, Equatable {
    public var segment: ByteCount
    public var makespan: SimDuration
  }
  /// In the order of `candidates`.
  public let trials: [Trial]

  /// Cuts `graph` by each of `candidates` and runs it under `order`, whose numbers the parts inherit.
  ///
  /// - Complexity: a slicing and a run for each candidate.
  public init(
    _ graph: OperationGraph, order: TransferOrder, candidates: [ByteCount],
    overhead: SimDuration = .zero
  ) throws(OperationGraphError) {
    var trials: [Trial] = []
    for segment in candidates {
      let sliced = try graph.sliced(by: segment, overhead: overhead)
      var run = GraphRun(sliced.graph, order: sliced.inherited(order))
      trials.append(
        Trial(segment: segment, makespan: run.run(GraphRun.stream(seed: 0)).makespan))
    }
    self.trials = trials
  }

  /// The shortest; of several the largest segment, which sends the fewest messages.
  public var best: Trial? {
    trials.min { ($0.makespan, $1.segment) < ($1.makespan, $0.segment) }
  }
}
