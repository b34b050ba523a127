import Collectives
import Networks
import SimKernel

/// Times one collective alone on a network, as nccl-tests does.
public struct CollectiveTiming: Sendable {
  public var topology: Topology
  public var network: NetworkSettings
  public var operation: CollectiveOperation
  public var algorithm: CollectiveAlgorithm
  /// How fast a rank sums payloads; nil costs nothing.
  public var reductionRate: Bandwidth?
  /// How an all-to-all-v is spread: what every rank has for every other, as shares of the largest sum
  /// of a rank, which is the size that is timed.
  public var shares: BlockSizes?

  public init(
    topology: Topology, network: NetworkSettings, operation: CollectiveOperation,
    algorithm: CollectiveAlgorithm, reductionRate: Bandwidth? = nil, shares: BlockSizes? = nil
  ) {
    self.topology = topology
    self.network = network
    self.operation = operation
    self.algorithm = algorithm
    self.reductionRate = reductionRate
    self.shares = shares
  }

  /// What one size took.
  public struct Result: Sendable {
    /// The size that nccl-tests reports: a rank's whole buffer, of a gather or scatter the root's; zero
    /// of a barrier.
    public var size: ByteCount
    public var time: SimDuration
    /// The algorithm that ran, which `auto` chose.
    public var algorithm: String
    /// `size / time`, in bytes a second.
    public var algorithmBandwidth: Double
    /// The algorithm bandwidth times the share of the data a link must carry at best: comparable
    /// between operations and group sizes (nccl-tests, doc/PERFORMANCE.md).
    public var busBandwidth: Double
  }

  /// Times `size` bytes among the first `ranks` accelerators.
  ///
  /// - Throws: `InvalidInput` if the algorithm cannot do it, ``SimulationError`` if it never ends.
  public func time(size: ByteCount, ranks: Int) throws -> Result {
    if let shares, shares.rankCount != ranks || operation != .allToAllV {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--blocks"]),
          problem: .conflict(
            operation == .allToAllV
              ? "\(shares.rankCount) lines of \(shares.rankCount) sizes do not fit \(ranks) ranks"
              : "only all_to_all_v has blocks of different sizes"))
      ])
    }
    guard ranks >= 1, ranks <= topology.accelerators.count else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--ranks"]),
          problem: .conflict(
            "\(ranks) ranks do not fit \(topology.name), which has "
              + "\(topology.accelerators.count) accelerators"))
      ])
    }
    var nodes = Array(topology.accelerators.prefix(ranks))
    var shape = GroupShape(hosts: Array(topology.hostOfAccelerator.prefix(ranks)))
    if algorithm.kind == .inNetwork {
      guard let (tree, switches) = topology.aggregation(of: nodes) else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--algorithm"]),
            problem: .conflict(
              "in_network needs a switch between the ranks; \(topology.name) has none"))
        ])
      }
      shape.aggregation = tree
      nodes += switches
    }
    // A gather moves one share a rank, so that the whole buffer has the given size.
    let blocks = shares.map { $0.scaled(largest: size) }
    let sizes = nodes.indices.map { rank -> ByteCount in
      if rank >= ranks { return .zero }
      if let blocks { return blocks.payload(of: rank) }
      if operation == .barrier { return .zero }
      return operation.isGather ? size.share(Int64(rank)..<Int64(rank) + 1, of: Int64(ranks)) : size
    }
    let plan: Plan
    switch algorithm.makePlan(
      operation, shape: shape, size: sizes.max() ?? .zero, blocks: blocks)
    {
    case .success(let made): plan = made
    case .failure(let refusal):
      throw InvalidInput([
        Issue(path: FieldPath(["--algorithm"]), problem: .conflict(refusal.reason))
      ])
    }
    var graph = JobGraph()
    graph.add(.exchange, on: .communication, exchange: 0)
    graph.finish()
    let job = JobPlan(
      name: operation.rawValue, graph: graph,
      exchanges: [
        PlannedExchange(
          plan: plan, sizes: sizes, combining: CombiningCost(rate: reductionRate))
      ], workers: ranks, nodes: nodes, stragglers: StragglerCatalog.none)
    let outcome = try NetworkRun.run(
      topology: topology, network: network, jobs: [job], faults: [], stop: NoStopSignal(),
      recorder: nil)
    let time = outcome.jobs[0].end - SimTime.zero
    return Result(operation, ranks: ranks, size: size, time: time, algorithm: plan.name)
  }
}

extension CollectiveTiming.Result {
  /// The figures of nccl-tests for an `operation` of `size` that took `time`.
  init(
    _ operation: CollectiveOperation, ranks: Int, size: ByteCount, time: SimDuration,
    algorithm: String
  ) {
    self.size = operation == .barrier ? .zero : size
    self.time = time
    self.algorithm = algorithm
    algorithmBandwidth = time == .zero ? 0 : Double(self.size.bytes) / time.seconds
    busBandwidth = algorithmBandwidth * operation.busFactor(ranks: ranks)
  }
}

extension CollectiveOperation {
  /// What nccl-tests multiplies the algorithm bandwidth with.
  func busFactor(ranks: Int) -> Double {
    let n = Double(ranks)
    switch self {
    case .allReduce: return 2 * (n - 1) / n
    case .reduceScatter, .allGather, .allToAll, .allToAllV, .scatter, .gather: return (n - 1) / n
    case .broadcast, .reduce, .barrier, .pushPull: return 1
    }
  }
}
