import SimKernel

/// Times by symmetry: ranks that are alike in every round need not be followed one by one.
///
/// A ring of a million ranks has 2^41 messages, but all ranks do the same in every round.
extension Plan {
  /// The time from the start, when all ranks are ready, until the last is finished, if every message
  /// takes `message` of its size and a rank has its sums at `reductionRate`; nil if the plan has no
  /// such symmetry.
  ///
  /// It is to the picosecond what an execution takes event by event:
  /// - In a plan of rounds, in which every rank sends one message and receives one and all chunks are
  ///   alike, all ranks end a round at the same instant.
  /// - A ring may have chunks of two sizes. Chunk c moves from rank to rank, and is never held up by
  ///   more than one that is larger, so that the largest decides: every message or sum on any chain of
  ///   waits is at most its, and its own chain has nothing else.
  /// - In a binomial tree the ranks below the root are full trees, all alike, and a rest: what is
  ///   different is one rank a level.
  ///
  /// - Parameter chunks: the smallest and the largest chunk.
  /// - Parameter isShared: links are shared, so that messages on one link at a time slow one another
  ///   down. Then only plans whose messages never meet, on a switch with one link a rank, have a time
  ///   by symmetry.
  /// - Complexity: O(rounds), times the chunks a message of Bruck's all-to-all is chosen from; O(log² n)
  ///   for a tree.
  public func symmetricTime(
    chunks: ClosedRange<ByteCount>, isShared: Bool, reductionRate: Bandwidth? = nil,
    message: (ByteCount) throws -> SimDuration
  ) rethrows -> SimDuration? {
    let isEven = chunks.lowerBound == chunks.upperBound
    let largest = chunks.upperBound
    let sum = reductionRate?.time(toSend: largest) ?? .zero
    switch program {
    case .ring(let ring):
      if isShared && !isEven { return nil }
      return try rankCount == 1
        ? .zero : message(largest) * ring.rounds + sum * ring.reducingRounds
    case .tree(let tree):
      if isShared || tree.movesBlocks { return nil }
      return try tree.symmetricTime(message: message(largest), sum: sum)
    case .bruck, .pairwise, .factoredRing:
      return try isEven ? timeOfRounds(of: largest, sum: sum, message: message) : nil
    case .hypercube(let cube):
      return try isEven && cube.isFull
        ? timeOfRounds(of: largest, sum: sum, message: message) : nil
    case .direct, .chain, .fan, .groupedBroadcast, .stored: return nil
    }
  }

  /// The rounds of rank 0 one after the other.
  private func timeOfRounds(
    of chunk: ByteCount, sum: SimDuration, message: (ByteCount) throws -> SimDuration
  ) rethrows -> SimDuration {
    var time = SimDuration.zero
    for index in 0..<program.arrivalCount(at: 0) {
      let step = program.step(program.departure(0, after: index, at: 0))
      let count =
        step.selectedBit == nil
        ? step.chunks.count : step.chunks.count { step.carries(Int($0)) }
      time += try message(ByteCount(chunk.bytes * Int64(count)))
      if step.action == .reduce { time += sum * count }
    }
    return time
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

  /// When the last below a rank has what that rank has at the start: it sends to all children at once.
  private func falling(below size: Int, _ message: SimDuration) -> SimDuration {
    var time = SimDuration.zero
    var first = 1
    while first < size {
      let below = min(first, size - first)
      let isFull = below & (below - 1) == 0
      let rest = isFull ? message * below.trailingZeroBitCount : falling(below: below, message)
      time = max(time, message + rest)
      first *= 2
    }
    return time
  }
}
