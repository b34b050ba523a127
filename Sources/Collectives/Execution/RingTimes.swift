import SimKernel

/// When each rank of a ring is finished, if ranks are ready at given times: without events.
///
/// In round k rank r sends chunk r - k to the next rank. It may once it has what round k - 1 brought,
/// and once its last message has left; so with d(r, k) for "has what round k brought",
///
///     s(r, k) = max(d(r, k-1), s(r, k-1) + leaving(r, k-1))        d(r, -1) = ready(r)
///     d(r, k) = max(s(r-1, k) + arriving(r-1, k), d(r, k-1)) + sum(r, k)
///
/// which is what an execution does event by event, to the picosecond. All of it takes O(ranks x
/// rounds); where chunks have at most two sizes ``LongestChains`` gives the ends alone, in O(ranks)
/// times the few neighbours that a late rank can hold up.
///
/// Messages of one rank leave in order, and a rank's links carry nothing else.
public struct RingTimes: Sendable {
  let ranks: Int
  let rounds: Int
  /// Rounds before this one sum what they bring.
  let reducingRounds: Int
  /// The chunk that rank r sends in round k is r - k - shift.
  let shift: Int
  /// What the message of each chunk takes, and its sum, in picoseconds.
  let leaving: [Int64]
  let arriving: [Int64]
  let sums: [Int64]
  private let sizes: [Int64]
  private let chains: LongestChains?

  /// The times of `plan`; nil if it is no ring that all ranks go around once or twice.
  ///
  /// - Parameter chunkSizes: those of an execution of which only sizes matter.
  /// - Parameter message: what a message of a size takes between neighbours; asked once for every
  ///   size.
  public init?(
    _ plan: Plan, chunkSizes: [ByteCount], reductionRate: Bandwidth?,
    message: (ByteCount) -> MessageTime
  ) {
    guard case .ring(let ring) = plan.program, plan.rankCount > 1, !plan.pads,
      plan.operation == .allReduce || plan.operation == .allGather
    else { return nil }
    precondition(chunkSizes.count == plan.rankCount, "a ring has a chunk for every rank")
    ranks = ring.ranks
    rounds = ring.rounds
    reducingRounds = ring.reducingRounds
    shift = ring.shift
    sizes = chunkSizes.map(\.bytes)
    var kinds: [Kind] = []
    var kindOfChunk: [Int] = []
    kindOfChunk.reserveCapacity(ranks)
    // Found by size, never walked: chunks of a gather may all differ.
    var known: [Int64: Int] = [:]
    var last = -1
    for size in chunkSizes {
      if last < 0 || kinds[last].size != size.bytes {
        if let found = known[size.bytes] {
          last = found
        } else {
          let time = message(size)
          let sum = reducingRounds == 0 ? .zero : reductionRate?.time(toSend: size) ?? .zero
          if time.arriving == .unbounded || sum == .unbounded { return nil }
          last = kinds.count
          known[size.bytes] = last
          kinds.append(
            Kind(
              size: size.bytes, leaving: time.leaving.picoseconds,
              arriving: time.arriving.picoseconds, sum: sum.picoseconds))
        }
      }
      kindOfChunk.append(last)
    }
    leaving = kindOfChunk.map { kinds[$0].leaving }
    arriving = kindOfChunk.map { kinds[$0].arriving }
    sums = kindOfChunk.map { kinds[$0].sum }
    chains = LongestChains(
      kinds, of: kindOfChunk, rounds: rounds, reducingRounds: reducingRounds)
  }

  /// One of the sizes that chunks have.
  struct Kind {
    var size: Int64
    var leaving: Int64
    var arriving: Int64
    var sum: Int64
  }

  /// What all ranks send together.
  public var sentBytes: ByteCount { ByteCount(sizes.reduce(0, +) * Int64(rounds)) }

  /// What `rank` sends, and for how long its way out is taken.
  ///
  /// - Complexity: O(1) after O(ranks) once for all of them: see ``loads``.
  public var loads: [(bytes: ByteCount, busy: SimDuration)] {
    // A rank sends every chunk, all-reduce twice, but for those that it would send in the rounds that
    // are left of the last time around.
    let times = Int64((rounds + ranks - 1) / ranks)
    let left = Int(times) * ranks - rounds
    let bytes = sizes.reduce(0, +) * times
    let busy = leaving.reduce(0, +) * times
    return (0..<ranks).map { rank in
      var own = (bytes, busy)
      for round in rounds..<rounds + left {
        let chunk = chunk(of: rank, in: round)
        own.0 -= sizes[chunk]
        own.1 -= leaving[chunk]
      }
      return (ByteCount(own.0), .picoseconds(own.1))
    }
  }

  /// The chunk that `rank` sends in `round`.
  private func chunk(of rank: Int, in round: Int) -> Int {
    let chunk = (rank - round - shift) % ranks
    return chunk < 0 ? chunk + ranks : chunk
  }

  /// Turns the times at which ranks are ready into those at which they are finished.
  ///
  /// `free` is since when the way from each rank to the next carries nothing, before and after.
  /// - Returns: false if time left its range.
  public func solve(_ times: inout [SimTime], free: inout [SimTime]) -> Bool {
    precondition(times.count == ranks && free.count == ranks, "a time for every rank")
    var ready = times.map(\.picoseconds)
    var open = free.map(\.picoseconds)
    let latest = max(ready.max() ?? 0, open.max() ?? 0)
    let longest = Int64(rounds) * ((arriving.max() ?? 0) + (sums.max() ?? 0) + (leaving.max() ?? 0))
    if latest > Int64.max / 4 || longest > Int64.max / 4 || longest < 0 { return false }
    if chains?.solve(&ready, &open, shift: shift) != true { follow(&ready, &open) }
    for rank in 0..<ranks {
      times[rank] = SimTime(picoseconds: ready[rank])
      free[rank] = SimTime(picoseconds: open[rank])
    }
    return true
  }

  /// Round after round.
  private func follow(_ done: inout [Int64], _ open: inout [Int64]) {
    var arrival = [Int64](repeating: 0, count: ranks)
    for round in 0..<rounds {
      let isSum = round < reducingRounds
      var chunk = chunk(of: 0, in: round)
      for rank in 0..<ranks {
        let start = max(done[rank], open[rank])
        open[rank] = start + leaving[chunk]
        arrival[rank] = start + arriving[chunk]
        chunk = chunk + 1 == ranks ? 0 : chunk + 1
      }
      chunk = self.chunk(of: ranks - 1, in: round)
      var previous = arrival[ranks - 1]
      for rank in 0..<ranks {
        done[rank] = max(previous, done[rank]) + (isSum ? sums[chunk] : 0)
        previous = arrival[rank]
        chunk = chunk + 1 == ranks ? 0 : chunk + 1
      }
    }
  }
}
