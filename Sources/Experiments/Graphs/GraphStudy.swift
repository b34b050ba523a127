import SimKernel
import Training

/// A graph under several orders: what each makes of it, over many runs where chance decides.
public struct GraphStudy: Sendable {
  /// What one order did.
  public struct Entry: Sendable {
    public var order: GraphOrder
    /// In the order of the runs; one where every run is the same.
    public var makespans: [SimDuration]
    /// How long each resource was busy in the first run.
    public var loads: [SimDuration]
    /// Of the first run; nil if the makespan is but a lower bound that no run was found to reach.
    public var timeline: GraphTimeline?
    /// Whether the makespan is only a lower bound: the oracle's on a graph with too many orders.
    public var isBound: Bool { timeline == nil }

    /// The mean of the makespans in seconds.
    public var mean: Double {
      // Summed as integers, so that equal runs have their own mean.
      let total = makespans.reduce(SimDuration.zero, +)
      return (Double(total.picoseconds) / Double(max(1, makespans.count))).rounded() / 1e12
    }
    /// The makespan that a share of the runs does not exceed, in seconds: the nearest rank.
    public func percentile(_ share: Double) -> Double {
      let sorted = makespans.sorted()
      if sorted.isEmpty { return 0 }
      let rank = Int((share * Double(sorted.count)).rounded(.up))
      return sorted[min(sorted.count, max(1, rank)) - 1].seconds
    }
    /// U, L and E of the first run, with the mean of the makespans.
    public var metrics: ScheduleMetrics {
      ScheduleMetrics(
        loads: loads, makespan: .roundingUp(picoseconds: (mean * 1e12).rounded()))
    }
  }

  public let graph: OperationGraph
  public let entries: [Entry]

  /// Runs `graph` under each of `orders`.
  ///
  /// - Parameter runs: how often where runs differ: under random orders, with ties, or with noise.
  /// - Throws: `InvalidInput` naming `option` for orders that cannot be, with the reason.
  public init(
    _ graph: OperationGraph, orders: [GraphOrder], runs: Int, seed: UInt64,
    settings: GraphRun.Settings = .init(), mode: ExecutionMode = .staged(trace: .zero),
    option: String
  ) throws {
    let refusals = orders.compactMap { $0.refusal(of: graph, mode: mode) }
    if !refusals.isEmpty {
      throw InvalidInput(
        refusals.map { Issue(path: FieldPath([option]), problem: .conflict($0)) })
    }
    let executed: OperationGraph
    do {
      executed = try graph.executed(mode, isFirst: true)
    } catch {
      throw InvalidInput([error.issue(at: FieldPath([option]), nil)])
    }
    self.graph = executed
    entries = orders.map { order in
      Self.entry(executed, order, runs: runs, seed: seed, settings: settings)
    }
  }

  private static func entry(
    _ graph: OperationGraph, _ order: GraphOrder, runs: Int, seed: UInt64,
    settings: GraphRun.Settings
  ) -> Entry {
    var fixed = TransferOrder.none
    switch order {
    case .random: break
    case .oracle:
      switch OracleBound.search(graph) {
      case .optimal(let best, _): fixed = best
      case .lowerBound(let bound):
        return Entry(order: order, makespans: [bound], loads: graph.loads, timeline: nil)
      }
    case .fifo, .layer, .tic, .tac:
      fixed = order.order(graph, stream: GraphRun.stream(seed: seed))
    }
    let hasTies = order == .tic && fixed.hasTies
    let isDrawn = order == .random || hasTies
    let isRepeated = isDrawn || settings.noise > 0 || settings.discipline == .random
    var run = GraphRun(graph, order: fixed, settings: settings)
    var makespans: [SimDuration] = []
    var first: GraphTimeline?
    for iteration in 0..<(isRepeated ? max(1, runs) : 1) {
      let stream = GraphRun.stream(seed: seed, iteration: iteration)
      if isDrawn {
        let drawn =
          hasTies
          ? fixed.breakingTies(stream.split(2)) : order.order(graph, stream: stream.split(2))
        run = GraphRun(graph, order: drawn, settings: settings)
      }
      let timeline = run.run(stream)
      makespans.append(timeline.makespan)
      first = first ?? timeline
    }
    return Entry(
      order: order, makespans: makespans, loads: first?.loads ?? graph.loads, timeline: first)
  }
}
