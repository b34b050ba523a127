import SimKernel

extension CollectiveAlgorithm {
  /// The plan of `operation` for a group, or the reason why there is none.
  ///
  /// - Parameter size: the payload of one rank, or about that: it decides what `auto` picks and how
  ///   finely a broadcast is cut, nothing else.
  /// - Parameter root: where a broadcast or scatter starts, and a reduce or gather ends.
  /// - Parameter equalSizes: whether all ranks gather payloads of one size, so that an all-gather
  ///   needs no ``variableSize``.
  /// - Parameter blocks: what every rank has for every other; an all-to-all-v needs it, no other
  ///   operation looks at it.
  /// - Complexity: O(1) for an implicit plan; those of uneven hosts and of trees in chunks are stored.
  public func makePlan(
    _ operation: CollectiveOperation, shape: GroupShape, size: ByteCount,
    root: RankID = RankID(0), equalSizes: Bool = true, blocks: BlockSizes? = nil
  ) -> Result<Plan, PlanRefusal> {
    if shape.rankCount < 1 || shape.rankCount > Self.mostRanks {
      return .failure(
        PlanRefusal("a collective has 1 to \(Self.mostRanks) ranks, not \(shape.rankCount)"))
    }
    if operation.hasRoot, !(0..<shape.rankCount).contains(root.index) {
      return .failure(
        PlanRefusal(
          "root \(root.index) is not a rank of a group of \(shape.rankCount); "
            + "ranks count from 0"))
    }
    if operation == .pushPull {
      return .failure(
        PlanRefusal("push_pull needs parameter servers, not an all-reduce algorithm"))
    }
    if kind == .auto, let tuning, NCCLTuning.covers(operation) {
      return tuned(tuning, operation, shape: shape, size: size, root: root, equalSizes: equalSizes)
    }
    if kind == .auto {
      let choice = automatic(operation, shape: shape, size: size, equalSizes: equalSizes)
      return choice.makePlan(
        operation, shape: shape, size: size, root: root, equalSizes: equalSizes, blocks: blocks)
    }
    guard operations.contains(operation) else {
      let able = Kind.allCases.filter { CollectiveAlgorithm($0).operations.contains(operation) }
      return .failure(
        PlanRefusal(
          "\(kind.rawValue) cannot carry out \(operation.rawValue); "
            + "these can: \(able.map(\.rawValue).joined(separator: ", "))"))
    }
    if operation == .allToAllV {
      guard let blocks, blocks.rankCount == shape.rankCount else {
        return .failure(
          PlanRefusal(
            "all_to_all_v needs the size of every block: \(shape.rankCount) x \(shape.rankCount), "
              + "found \(blocks.map { "\($0.rankCount) x \($0.rankCount)" } ?? "none")"))
      }
      return .success(
        allToAll(operation, ranks: shape.rankCount, cut: .blocks(blocks)))
    }
    if operation == .allToAll {
      return .success(allToAll(operation, ranks: shape.rankCount, cut: .rotated))
    }
    if kind == .hierarchical { return hierarchical(shape) }
    if kind == .inNetwork { return inNetwork(shape, size: size) }
    if kind == .torusRing { return torusRing(ranks: shape.rankCount) }
    if kind == .doubleBinaryTree || kind == .kAryTree {
      return .success(pipelinedTrees(operation, ranks: shape.rankCount, size: size, root: root))
    }
    return .success(plan(operation, shape: shape, size: size, root: root, equalSizes: equalSizes))
  }

  /// Chunks and ranks are counted in 32 bits, with room for cyclic ranges.
  static let mostRanks = 1 << 24

  private func plan(
    _ operation: CollectiveOperation, shape: GroupShape, size: ByteCount, root: RankID,
    equalSizes: Bool
  ) -> Plan {
    let n = shape.rankCount
    var name = kind.rawValue
    var chunkCount = n
    var pads = false
    let program: PlanProgram
    switch (operation, kind) {
    case (.allReduce, .ring): program = .ring(.allReduce(n))
    case (.reduceScatter, .ring): program = .ring(.reduceScatter(n))
    case (.allGather, .ring): program = .ring(.allGather(n))
    case (.broadcast, .ring), (.reduce, .ring):
      let slices = size.bytes / slice.bytes + (size.bytes % slice.bytes == 0 ? 0 : 1)
      chunkCount = n == 1 ? 1 : Int(max(1, min(slices, Self.mostSlices)))
      program = .chain(
        ChainProgram(
          ranks: n, root: root.index, chunks: chunkCount, reduces: operation == .reduce))
    case (.allReduce, .recursiveDoubling):
      program = .hypercube(HypercubeProgram(.doublingAllReduce, ranks: n))
    case (.allGather, .recursiveDoubling):
      program = .hypercube(HypercubeProgram(.doublingAllGather, ranks: n))
    case (.allReduce, .halvingDoubling):
      program = .hypercube(HypercubeProgram(.halvingAllReduce, ranks: n))
    case (.reduceScatter, .halvingDoubling):
      program = .hypercube(HypercubeProgram(.halvingReduceScatter, ranks: n))
    case (.allReduce, .tree):
      program = .tree(TreeProgram(ranks: n, root: 0, reduces: true, broadcasts: true))
    case (.broadcast, .tree):
      program = .tree(TreeProgram(ranks: n, root: root.index, reduces: false, broadcasts: true))
    case (.reduce, .tree):
      program = .tree(TreeProgram(ranks: n, root: root.index, reduces: true, broadcasts: false))
    case (.scatter, .tree):
      program = .tree(
        TreeProgram(
          ranks: n, root: root.index, reduces: false, broadcasts: true, movesBlocks: true))
    case (.gather, .tree):
      program = .tree(
        TreeProgram(
          ranks: n, root: root.index, reduces: true, broadcasts: false, movesBlocks: true))
    case (.scatter, .direct):
      program = .fan(FanProgram(ranks: n, root: root.index, gathers: false))
    case (.gather, .direct):
      program = .fan(FanProgram(ranks: n, root: root.index, gathers: true))
    case (.barrier, .dissemination):
      program = .bruck(BruckProgram(ranks: n, exchange: .barrier))
      chunkCount = 0
    case (.allGather, .bruck): program = .bruck(BruckProgram(ranks: n))
    case (.allReduce, .direct): program = .direct(DirectProgram(ranks: n, exchange: .both))
    case (.allGather, .direct): program = .direct(DirectProgram(ranks: n, exchange: .gather))
    case (.reduceScatter, .direct): program = .direct(DirectProgram(ranks: n, exchange: .scatter))
    default: preconditionFailure("an operation was checked against what the algorithm can do")
    }
    if case .hypercube(let p) = program { chunkCount = p.chunkCount }
    if case .tree(let p) = program, !p.movesBlocks { chunkCount = 1 }
    var chosen = program
    if operation == .allGather, !equalSizes {
      switch variableSize {
      case .padded:
        name += "+padded"
        pads = true
      case .groupedBroadcast:
        name = "grouped_broadcast"
        chosen = .groupedBroadcast(GroupedBroadcastProgram(ranks: n))
      case .ideal: name += "+ideal"
      }
    }
    return Plan(
      name: name, operation: operation, rankCount: n, root: root, chunkCount: chunkCount,
      cut: operation == .allGather || operation == .gather ? .payloads : .equal, pads: pads,
      program: chosen)
  }

  private func allToAll(_ operation: CollectiveOperation, ranks: Int, cut: ChunkCut) -> Plan {
    let program: PlanProgram =
      switch kind {
      case .bruck: .bruck(BruckProgram(ranks: ranks, exchange: .blocks))
      case .direct: .direct(DirectProgram(ranks: ranks, exchange: .blocks))
      default: .pairwise(PairwiseProgram(ranks: ranks))
      }
    return Plan(
      name: kind.rawValue, operation: operation, rankCount: ranks, chunkCount: ranks, cut: cut,
      program: program)
  }

  // MARK: - Hosts

  private func hierarchical(_ shape: GroupShape) -> Result<Plan, PlanRefusal> {
    let n = shape.rankCount
    if !factors.isEmpty {
      if let refusal = refusal(of: factors, as: "factors", ranks: n) { return .failure(refusal) }
      return .success(factored(factors))
    }
    var sizes = shape.hostSizes
    if let group {
      guard n % group == 0 else {
        return .failure(
          PlanRefusal("\(n) ranks do not fall into groups of \(group); choose a divisor"))
      }
      sizes = Array(repeating: group, count: n / group)
    }
    guard let sizes, let first = sizes.first else {
      return .failure(
        PlanRefusal(
          "hierarchical needs consecutive ranks on every host; place the ranks host by host, "
            + "or set \"group\" or \"factors\""))
    }
    if sizes.allSatisfy({ $0 == first }) {
      return .success(factored([first, sizes.count]))
    }
    return .success(Plan.leaders(hostSizes: sizes))
  }

  private func factored(_ factors: [Int]) -> Plan {
    let n = factors.reduce(1, *)
    // A level of one rank has no rounds.
    let levels = factors.filter { $0 > 1 }
    return Plan(
      name: kind.rawValue, operation: .allReduce, rankCount: n, chunkCount: n, cut: .equal,
      program: .factoredRing(FactoredRingProgram(levels)))
  }

  private func inNetwork(_ shape: GroupShape, size: ByteCount) -> Result<Plan, PlanRefusal> {
    let tree = shape.aggregation ?? AggregationTree(workers: shape.rankCount)
    guard tree.workers == shape.rankCount else {
      return .failure(
        PlanRefusal("a tree of switches for \(tree.workers) ranks has \(shape.rankCount) of them"))
    }
    return Plan.inNetwork(
      tree, size: size, slots: slots, slotSize: slotSize, mostSteps: Self.mostStoredSteps)
  }

  private func torusRing(ranks: Int) -> Result<Plan, PlanRefusal> {
    let dimensions = factors.isEmpty ? [ranks] : factors
    if let refusal = refusal(of: dimensions, as: "dimensions", ranks: ranks) {
      return .failure(refusal)
    }
    let steps = Plan.torusRingSteps(dimensions: dimensions)
    if steps > Self.mostStoredSteps {
      return .failure(
        PlanRefusal(
          "torus_ring over \(ranks) ranks has \(steps) messages, more than the "
            + "\(Self.mostStoredSteps) it can keep; use hierarchical with \"factors\""))
    }
    return .success(Plan.torusRings(dimensions: dimensions))
  }

  /// Steps that are stored at most, some gigabyte.
  private static let mostStoredSteps = 1 << 24

  private func refusal(of factors: [Int], as name: String, ranks: Int) -> PlanRefusal? {
    let product = factors.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    let text = factors.map(String.init).joined(separator: " x ")
    let levels = factors.count { $0 > 1 }
    if factors.contains(where: { $0 < 1 }) || product != ranks || levels > 24 {
      return PlanRefusal(
        "\"\(name)\" \(text) do not multiply to \(ranks) ranks; choose numbers that do")
    }
    if levels > FactoredRingProgram.mostFactors {
      return PlanRefusal(
        "\"\(name)\" \(text) are \(levels) levels above one; at most "
          + "\(FactoredRingProgram.mostFactors) are carried out, so multiply some")
    }
    return nil
  }
}

extension Plan {
  /// The eight-byte all-gather by which ranks learn the sizes of payloads that vary.
  ///
  /// Run it with `CollectiveExecution(plan:size:)` and ``sizeExchangeBytes``.
  public static func sizeExchange(rankCount: Int) -> Plan {
    precondition(rankCount > 0, "a collective has a rank")
    return Plan(
      name: "size_exchange", operation: .allGather, rankCount: rankCount, chunkCount: rankCount,
      cut: .payloads, program: .bruck(BruckProgram(ranks: rankCount)))
  }
  /// One size as a 64-bit integer.
  public static var sizeExchangeBytes: ByteCount { .bytes(8) }
}
