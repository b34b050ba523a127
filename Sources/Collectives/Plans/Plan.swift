import SimKernel

/// A transfer plan: the messages of one collective over rank slots, and what each waits for.
///
/// Every rank has a buffer of ``chunkCount`` chunks. A step sends chunks of its source's buffer and
/// reduces or stores them at its destination. It departs once its departure dependencies are
/// complete and its source is ready; what arrives is applied once its application dependencies are
/// complete and its destination is ready. Everything that one completion releases departs before
/// anything it releases is applied, so a rank may send a chunk and reduce into it in one round.
///
/// Plans are implicit - steps, dependencies and successors are computed from an index, so that a
/// ring of 4,096 ranks does not store its 33.5 million steps - or stored in flat arrays. In an
/// implicit plan a rank applies its messages in a fixed order, so a sum never depends on timing.
///
///     let plan = try CollectiveAlgorithm.named("ring")!
///       .makePlan(.allReduce, shape: GroupShape(rankCount: 4), size: .mebibytes(1)).get()
///     plan.stepCount  // 24
public struct Plan: Sendable {
  /// The algorithm that was used, as results name it; `auto` leaves the name of its choice.
  public private(set) var name: String
  public let operation: CollectiveOperation
  /// Rank slots, servers and summing switches included.
  public let rankCount: Int
  /// The slots that bring or receive a payload: all but the servers, which come last.
  public let workerCount: Int
  /// The rank a broadcast or scatter starts from, and a reduce or gather ends at.
  public let root: RankID
  public let chunkCount: Int
  /// How a payload is cut into chunks.
  public let cut: ChunkCut
  /// Every chunk is padded on the wire to the largest one: an all-gather of unequal sizes with a
  /// library that has only equal ones.
  public let pads: Bool
  /// Server slot `workerCount + s` shares the node of worker `s`.
  public let serversAreColocated: Bool
  /// The servers are switches, which sum at line rate.
  public let sumsInNetwork: Bool

  let program: PlanProgram
  let stored: StoredSteps

  init(
    name: String, operation: CollectiveOperation, rankCount: Int, workerCount: Int? = nil,
    root: RankID = RankID(0), chunkCount: Int, cut: ChunkCut, pads: Bool = false,
    serversAreColocated: Bool = false, sumsInNetwork: Bool = false, program: PlanProgram,
    stored: StoredSteps = StoredSteps()
  ) {
    self.name = name
    self.operation = operation
    self.rankCount = rankCount
    self.workerCount = workerCount ?? rankCount
    self.root = root
    self.chunkCount = chunkCount
    self.cut = cut
    self.pads = pads
    self.serversAreColocated = serversAreColocated
    self.sumsInNetwork = sumsInNetwork
    self.program = program
    self.stored = stored
  }

  /// The same plan under another name.
  func named(_ name: String) -> Plan {
    var copy = self
    copy.name = name
    return copy
  }

  /// Whether steps are computed rather than stored.
  public var isImplicit: Bool { !program.isStored }
  /// The number of messages.
  public var stepCount: Int { program.isStored ? stored.steps.count : program.stepCount }
  /// Step `index`.
  ///
  /// - Complexity: O(1), also for an implicit plan.
  public func step(_ index: Int) -> PlanStep {
    program.isStored ? stored.steps[index] : program.step(index)
  }
}

// MARK: - Chunks

/// How the payload of a rank is cut into the chunks of a plan.
public enum ChunkCut: Hashable, Sendable {
  /// Chunk i is part i..<i+1 of `chunkCount` equal ones.
  case equal
  /// Chunk i is the elements `offsets[i]..<offsets[i + 1]` of `offsets.last`.
  case offsets([Int64])
  /// Chunk i is the whole payload of rank i.
  case payloads
  /// Chunk i of rank r is part (r + i) mod `chunkCount` of as many equal ones: the block for the rank
  /// that is i places on.
  ///
  /// A block keeps its number wherever it travels, and at its destination d it is the one from
  /// rank d - i; so a rank of an all-to-all holds n blocks at any time, never n x n.
  case rotated
  /// As ``rotated``, with a size for every pair.
  case blocks(BlockSizes)
}

extension Plan {
  /// What the bounds of the chunks of `rank`'s own payload are shares of: the number of equal parts,
  /// or of elements.
  public func whole(at rank: RankID = RankID(0)) -> Int64 {
    switch cut {
    case .equal, .rotated: Int64(chunkCount)
    case .offsets(let offsets): offsets[offsets.count - 1]
    case .payloads: 1
    // A payload of nothing is cut into shares of one.
    case .blocks(let blocks): max(1, blocks.payload(of: rank.index).bytes)
    }
  }
  /// The share lower..<upper of 0..<``whole(at:)`` that chunk `chunk` is of `rank`'s own payload.
  ///
  /// Only ``ChunkCut/rotated`` and ``ChunkCut/blocks(_:)`` cut the payloads of ranks differently.
  public func bounds(ofChunk chunk: Int, at rank: RankID = RankID(0)) -> Range<Int64> {
    switch cut {
    case .equal: return Int64(chunk)..<Int64(chunk) + 1
    case .offsets(let offsets): return offsets[chunk]..<offsets[chunk + 1]
    case .payloads: return 0..<1
    case .rotated:
      let part = Int64((rank.index + chunk) % chunkCount)
      return part..<part + 1
    case .blocks(let blocks):
      return blocks.bounds(from: rank.index, to: (rank.index + chunk) % chunkCount)
    }
  }
  /// The bounds of all chunks of the payload of `rank`.
  public func chunkBounds(at rank: RankID = RankID(0)) -> [Range<Int64>] {
    (0..<chunkCount).map { bounds(ofChunk: $0, at: rank) }
  }

  /// The sizes with which an execution starts when every contributing payload has `size`, cut between
  /// multiples of `unit`: one a chunk.
  ///
  /// Of an all-to-all, the size of the block for every rank; where sizes differ by pair, the plan
  /// knows all of them and returns them source by source, whatever `size` is.
  public func chunkSizes(of size: ByteCount, unit: Int64 = 1) -> [ByteCount] {
    switch cut {
    case .payloads: return Array(repeating: size, count: chunkCount)
    case .blocks(let blocks): return blocks.sizes
    case .equal, .offsets, .rotated:
      if chunkCount == 1 { return [size] }
      let whole = whole()
      return (0..<chunkCount).map { size.share(bounds(ofChunk: $0), of: whole, unit: unit) }
    }
  }
  /// How many sizes ``chunkSizes(of:unit:)`` has.
  var sizeCount: Int {
    if case .blocks = cut { return chunkCount * chunkCount }
    return chunkCount
  }

  /// The chunks that `rank`'s own payload is cut into; empty if it brings none.
  public func initialChunks(of rank: RankID) -> Range<Int32> {
    let all = 0..<Int32(chunkCount)
    switch operation {
    case .allReduce, .reduceScatter, .reduce, .allToAll, .allToAllV:
      return rank.index < workerCount ? all : 0..<0
    case .allGather, .gather: return rank.rawValue..<rank.rawValue + 1
    case .broadcast, .scatter: return rank == root ? all : 0..<0
    case .barrier: return 0..<0
    case .pushPull: return rank.index < workerCount ? all : 0..<0
    }
  }
  /// The chunks that `rank` holds the result of in the end; empty for servers, which only pass on.
  public func finalChunks(of rank: RankID) -> Range<Int32> {
    let all = 0..<Int32(chunkCount)
    switch operation {
    case .allReduce, .allGather, .broadcast, .allToAll, .allToAllV:
      return rank.index < workerCount ? all : 0..<0
    case .reduceScatter, .scatter: return rank.rawValue..<rank.rawValue + 1
    case .reduce, .gather: return rank == root ? all : 0..<0
    case .barrier: return 0..<0
    case .pushPull: return rank.index < workerCount ? all : 0..<0
    }
  }
  /// Whether `rank` brings a payload, so that it takes no part before that payload is ready.
  public func contributes(_ rank: RankID) -> Bool {
    switch operation {
    case .allReduce, .reduceScatter, .reduce, .allGather, .allToAll, .allToAllV, .gather, .barrier:
      rank.index < workerCount
    case .broadcast, .scatter: rank == root
    case .pushPull: rank.index < workerCount
    }
  }
  /// Whether `rank` is a switch, which sums without losing time.
  func isFree(at rank: RankID) -> Bool { sumsInNetwork && rank.index >= workerCount }

  /// The worker on whose node `rank` lives: itself, or that of a co-located server; nil for a
  /// dedicated server, which has a node of its own.
  public func home(of rank: RankID) -> RankID? {
    if rank.index < workerCount { return rank }
    return serversAreColocated ? RankID(rank.index - workerCount) : nil
  }
}

// MARK: - Dependencies

extension Plan {
  /// The steps that must be complete before step `index` may depart: they end at its source, or left
  /// it and pace it.
  public func departureDependencies(of index: Int) -> [Int] {
    if program.isStored { return stored.members(of: stored.departureJoin[index]) }
    return program.departureDependencies(of: index)
  }
  /// The steps that must be complete before what step `index` brings is applied: they end at its
  /// destination.
  public func applicationDependencies(of index: Int) -> [Int] {
    if program.isStored { return stored.members(of: stored.applicationJoin[index]) }
    return program.applicationDependencies(of: index)
  }
  /// All steps that step `index` waits for, in ascending order.
  public func dependencies(of index: Int) -> [Int] {
    (departureDependencies(of: index) + applicationDependencies(of: index)).sorted()
  }
  /// All steps that wait for step `index`, in ascending order.
  public func successors(of index: Int) -> [Int] {
    (program.isStored ? stored.successors(of: index) : program.successors(of: index)).sorted()
  }

  /// The same plan with every step and dependency stored.
  ///
  /// - Complexity: O(steps) time and memory.
  public func stored(name: String? = nil) -> Plan {
    var builder = PlanBuilder()
    for index in 0..<stepCount {
      builder.append(
        step(index), departsAfter: departureDependencies(of: index),
        appliesAfter: applicationDependencies(of: index))
    }
    return Plan(
      name: name ?? self.name, operation: operation, rankCount: rankCount,
      workerCount: workerCount, root: root, chunkCount: chunkCount, cut: cut, pads: pads,
      serversAreColocated: serversAreColocated, sumsInNetwork: sumsInNetwork, program: .stored,
      stored: builder.finish(rankCount: rankCount))
  }
}
