import SimKernel

/// Times by symmetry: ranks that are alike in every round need not be followed one by one.
///
/// A ring of a million ranks has 2^41 messages, but all ranks do the same in every round.
extension Plan {
  /// The time from the start, when all ranks are ready, until the last is finished, if every message
  /// takes `message` of its size and a rank has its sums at `reductionRate`; nil if the plan has no
  /// such symmetry.
  ///
  /// It is to the picosecond what an execution takes event by event, provided that messages from one
  /// rank to another leave in order. In a plan of rounds a rank begins a round when it has what the
  /// round before brought, and a message may wait for the one before it on its way to leave. So the
  /// last message ends when the longest chain of waits does, no chain is longer than one of the
  /// longest message of every round, each of which the one before brought to its sender, and if
  /// there is such a chain its length is the time. Where all chunks are alike every chain is one.
  /// Chunks whose sizes differ by a byte (``ByteCount/share(_:of:unit:)``) make w neighbours
  /// ⌊w S/n⌋ or ⌈w S/n⌉ bytes, and still there is one
  /// - in a ring: a largest chunk on its way through all hops;
  /// - in halving and doubling, and in rings over several levels: a rank passes on a part of the range
  ///   that came to it, or later one around it, and the largest of p parts of a range of ⌈S/m⌉ has
  ///   ⌈S/(m p)⌉ bytes; follow these down to one chunk and back up;
  /// - in Bruck's all-gather among 2^k ranks: the ranges that end with the last chunk, since
  ///   S - ⌊S - w S/n⌋ = ⌈w S/n⌉.
  ///
  /// In a chain of H hops the chunks follow one another: the sum over all chunks, and H - 1 times the
  /// largest. In a binomial tree the ranks below the root are full trees, all alike, and a rest: what
  /// is different is one rank a level.
  ///
  /// - Parameter size: what all chunks have together, cut between bytes.
  /// - Parameter isShared: links are shared, so that messages on one link at a time slow one another
  ///   down. Then only plans whose messages never meet, on a switch with one link a rank, have a time
  ///   by symmetry. Where neighbours change from round to round, messages of two rounds meet if
  ///   unequal chunks have set ranks apart by more than the latency of a message.
  /// - Complexity: O(rounds), times the chunks a message of Bruck's all-to-all is chosen from; O(log² n)
  ///   for a tree.
  public func symmetricTime(
    size: ByteCount, isShared: Bool, reductionRate: Bandwidth? = nil,
    message: (ByteCount) throws -> SimDuration
  ) rethrows -> SimDuration? {
    let parts = EqualParts(size, count: chunkCount, reductionRate: reductionRate)
    switch program {
    case .ring(let ring):
      return try rankCount == 1
        ? .zero
        : message(parts.largest(1)) * ring.rounds + parts.longestSum(1) * ring.reducingRounds
    case .chain(let chain):
      return try rankCount == 1 ? .zero : timeOfChain(chain, parts, message: message)
    case .tree(let tree):
      if tree.movesBlocks || isShared && !tree.neverMeets { return nil }
      return try tree.symmetricTime(message: message(size), sum: parts.longestSum(1))
    case .bruck(let bruck):
      let isNested = bruck.exchange == .gather && rankCount & (rankCount - 1) == 0
      if !isNested && !parts.areAlike { return nil }
      return try timeOfRounds(parts, at: 0, isShared: isShared, message: message)
    case .factoredRing:
      return try timeOfRounds(parts, at: 0, isShared: isShared, message: message)
    case .pairwise:
      if !parts.areAlike { return nil }
      return try timeOfRounds(parts, at: 0, isShared: isShared, message: message)
    case .hypercube(let cube):
      if cube.isFull { return try timeOfRounds(parts, at: 0, isShared: isShared, message: message) }
      // Messages of ranks that are folded meet those of the first round. The rounds of halving and
      // doubling lead a chain back to the core that it began at, which was folded into; others do not.
      guard !isShared, parts.areAlike, cube.exchange == .halvingAllReduce else { return nil }
      let folding = try message(size) + parts.longestSum(chunkCount)
      return try timeOfRounds(parts, at: 1, isShared: false, message: message).map { $0 + folding }
    case .direct, .fan, .groupedBroadcast, .stored: return nil
    }
  }

  /// The rounds of `rank` one after the other, each with the longest message of any rank; nil if links
  /// are shared and messages may meet on one.
  private func timeOfRounds(
    _ parts: EqualParts, at rank: Int, isShared: Bool,
    message: (ByteCount) throws -> SimDuration
  ) rethrows -> SimDuration? {
    var longest = SimDuration.zero
    var shortest = SimDuration.zero
    for position in 0...program.arrivalCount(at: rank) {
      let index = program.departure(0, after: position, at: rank)
      if index < 0 { continue }
      let step = program.step(index)
      let count =
        step.selectedBit == nil
        ? step.chunks.count : step.chunks.count { step.carries(Int($0)) }
      longest += try message(parts.largest(count))
      shortest += try message(parts.smallest(count))
      if step.action == .reduce {
        longest += parts.longestSum(count)
        shortest += parts.shortestSum(count)
      }
    }
    if isShared, longest - shortest > .zero, try longest - shortest > message(.zero) { return nil }
    return longest
  }

  private func timeOfChain(
    _ chain: ChainProgram, _ parts: EqualParts, message: (ByteCount) throws -> SimDuration
  ) rethrows -> SimDuration {
    func sum(_ time: SimDuration) -> SimDuration { chain.reduces ? time : .zero }
    let large = try message(parts.largest(1)) + sum(parts.longestSum(1))
    let small = try message(parts.smallest(1)) + sum(parts.shortestSum(1))
    return large * (parts.largeCount + rankCount - 2) + small * (chunkCount - parts.largeCount)
  }
}

/// A size in parts that differ by a byte at most.
private struct EqualParts {
  private let size: ByteCount
  private let count: Int
  private let rate: Bandwidth?

  init(_ size: ByteCount, count: Int, reductionRate: Bandwidth?) {
    self.size = count == 0 ? .zero : size
    self.count = max(1, count)
    rate = reductionRate
  }

  /// The parts that have a byte more than the others.
  var largeCount: Int { Int(size.bytes % Int64(count)) }
  var areAlike: Bool { largeCount == 0 }
  /// The least that `parts` neighbours have together: ⌊parts S/n⌋.
  func smallest(_ parts: Int) -> ByteCount { size.share(0..<Int64(parts), of: Int64(count)) }
  /// The most: ⌈parts S/n⌉, which is what the others leave if they have their least.
  func largest(_ parts: Int) -> ByteCount {
    ByteCount(size.bytes - size.share(0..<Int64(count - parts), of: Int64(count)).bytes)
  }
  func longestSum(_ parts: Int) -> SimDuration { sum(parts, bytes: largest(parts)) }
  func shortestSum(_ parts: Int) -> SimDuration { sum(parts, bytes: smallest(parts)) }

  /// Every part is summed on its own, and its time rounded.
  private func sum(_ parts: Int, bytes: ByteCount) -> SimDuration {
    guard let rate else { return .zero }
    let small = size.bytes / Int64(count)
    let large = Int(bytes.bytes - small * Int64(parts))
    let time = rate.time(toSend: ByteCount(small)) * (parts - large)
    return large == 0 ? time : time + rate.time(toSend: ByteCount(small + 1)) * large
  }
}

extension TreeProgram {
  /// The time of a tree whose messages all take `message` and whose sums take `sum`.
  func symmetricTime(message: SimDuration, sum: SimDuration) -> SimDuration {
    (reduces ? rising(below: ranks, message, sum) : .zero)
      + (broadcasts ? falling(below: ranks, message) : .zero)
  }

  /// When a rank with `size` ranks below it, itself counted, has its sum.
  ///
  /// Child i has the ranks from 2^i on, at most 2^i of them. Of full trees, that of 2^i ranks has i
  /// children, each of which arrives one message and one sum after the one before.
  private func rising(below size: Int, _ message: SimDuration, _ sum: SimDuration) -> SimDuration {
    var time = SimDuration.zero
    var first = 1
    while first < size {
      let below = min(first, size - first)
      let isFull = below & (below - 1) == 0
      let ready =
        isFull
        ? (message + sum) * below.trailingZeroBitCount : rising(below: below, message, sum)
      time = max(time, ready + message) + sum
      first *= 2
    }
    return time
  }

  /// When the last below a rank has what that rank has at the start: it sends to one child after the
  /// other, that of most ranks first.
  private func falling(below size: Int, _ message: SimDuration) -> SimDuration {
    var time = SimDuration.zero
    var sent = SimDuration.zero
    var first = 1 << (Int.bitWidth - (size - 1).leadingZeroBitCount)
    while first > 1 {
      first /= 2
      let below = min(first, size - first)
      let isFull = below & (below - 1) == 0
      sent += message
      let rest = isFull ? message * below.trailingZeroBitCount : falling(below: below, message)
      time = max(time, sent + rest)
    }
    return time
  }

  /// Whether no two messages use one link of a star together: what falls never does; what rises does
  /// unless all subtrees are full, so that each child is ready when the one before has arrived.
  var neverMeets: Bool { !reduces || ranks & (ranks - 1) == 0 }
}
