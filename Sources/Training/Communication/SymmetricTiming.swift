import Collectives
import Networks
import SimKernel

/// Times a collective around one switch by symmetry, without following every message.
///
/// It answers where ranks are alike and messages do not meet (``Plan/symmetricTime(size:isShared:reductionRate:message:)``),
/// under `alpha_beta` and, for plans whose every round is a permutation, under `flow`; and it is to the
/// picosecond what ``CollectiveTiming`` finds event by event. What one message takes is asked of the
/// network model itself, on a star of two hosts.
///
///     var timing = SymmetricTiming(link: link, network: settings, operation: .allReduce, algorithm: ring)
///     try timing.time(size: .gigabytes(1), ranks: 1 << 20)
public struct SymmetricTiming {
  private let operation: CollectiveOperation
  private let algorithm: CollectiveAlgorithm
  private let reductionRate: Bandwidth?
  private let model: NetworkModelKind
  private let pair: CollectiveTiming
  /// What messages took so far, by size; a collective has few.
  private var known: [(size: ByteCount, time: SimDuration)] = []

  public init(
    link: LinkSpecification, network: NetworkSettings, operation: CollectiveOperation,
    algorithm: CollectiveAlgorithm, reductionRate: Bandwidth? = nil
  ) {
    self.operation = operation
    self.algorithm = algorithm
    self.reductionRate = reductionRate
    model = network.model
    pair = CollectiveTiming(
      topology: StarTopology(hosts: 2, link: link).makeTopology(), network: network,
      operation: .broadcast, algorithm: CollectiveAlgorithm(.tree))
  }

  /// Times `size` bytes among `ranks` hosts; nil if that takes a run event by event.
  ///
  /// - Throws: `InvalidInput` if the algorithm cannot do it, ``SimulationError`` if a message never
  ///   arrives.
  /// - Complexity: a run of one message for every new size of a message.
  public mutating func time(
    size: ByteCount, ranks: Int
  ) throws -> CollectiveTiming.Result? {
    guard model == .alphaBeta || model == .flow, operation != .allToAllV else { return nil }
    if algorithm.tuning != nil { return nil }
    switch algorithm.kind {
    // Their plans are stored: nothing is gained by making them twice.
    case .doubleBinaryTree, .kAryTree, .torusRing, .inNetwork: return nil
    case .auto, .ring, .recursiveDoubling, .halvingDoubling, .tree, .hierarchical, .bruck, .direct,
      .pairwise, .dissemination:
      break
    }
    let parts = Int64(ranks)
    let largestShare = size.bytes / parts + (size.bytes % parts == 0 ? 0 : 1)
    let plan: Plan
    switch algorithm.makePlan(
      operation, shape: GroupShape(rankCount: ranks, ranksPerHost: 1),
      size: operation.isGather ? ByteCount(largestShare) : operation == .barrier ? .zero : size)
    {
    case .success(let made): plan = made
    case .failure(let refusal):
      throw InvalidInput([
        Issue(path: FieldPath(["--algorithm"]), problem: .conflict(refusal.reason))
      ])
    }
    var known = known
    defer { self.known = known }
    let time = try plan.symmetricTime(
      size: size, isShared: model == .flow, reductionRate: reductionRate
    ) { size in
      if let found = known.first(where: { $0.size == size }) { return found.time }
      let time = try pair.time(size: size, ranks: 2).time
      known.append((size, time))
      return time
    }
    return time.map {
      CollectiveTiming.Result(
        operation, ranks: ranks, size: size, time: $0, algorithm: plan.name)
    }
  }
}
