import SimKernel

/// Algorithms that exchange with the rank whose number differs in one bit, for any number of ranks.
///
/// The largest power of two p <= n takes part in the rounds. The e = n - p others are folded first,
/// as MPICH does: of the first 2e ranks the even ones hand their payload to the odd ones and get
/// the result back at the end (Thakur, Rabenseifner, Gropp, Int. J. High Perf. Comput. Appl. 19,
/// 2005, doi:10.1177/1094342005051521). Steps: e folding ones, p a round, e unfolding ones.
struct HypercubeProgram: RankProgram {
  enum Exchange: UInt8, BitwiseCopyable, Sendable {
    /// Whole payloads, summed: log2 p rounds, distance 1, 2, 4, ...
    case doublingAllReduce
    /// Rabenseifner's: halves at distance 1, quarters at 2, ..., then back.
    case halvingAllReduce
    /// Halves at the largest distance first, so that a rank keeps its own chunk.
    case halvingReduceScatter
    /// Ever larger blocks of gathered chunks, distance 1, 2, 4, ...
    case doublingAllGather
  }
  let exchange: Exchange
  let ranks: Int
  let log: Int
  let rounds: Int

  init(_ exchange: Exchange, ranks: Int) {
    self.exchange = exchange
    self.ranks = ranks
    log = Int.bitWidth - 1 - ranks.leadingZeroBitCount
    rounds = exchange == .halvingAllReduce ? 2 * log : log
  }

  /// Whether every rank takes part in every round.
  var isFull: Bool { folded == 0 }

  private var power: Int { 1 << log }
  private var folded: Int { ranks - power }
  var stepCount: Int { 2 * folded + rounds * power }
  var chunkCount: Int {
    switch exchange {
    case .doublingAllReduce: 1
    case .halvingAllReduce: power
    case .halvingReduceScatter, .doublingAllGather: ranks
    }
  }

  /// The rank that plays number `core` of 0..<p.
  private func rank(ofCore core: Int) -> Int { core < folded ? 2 * core + 1 : core + folded }
  /// The number that `rank` plays; it must not be an even one that was folded.
  private func core(ofRank rank: Int) -> Int { rank < 2 * folded ? rank / 2 : rank - folded }
  private func isFoldedAway(_ rank: Int) -> Bool { rank < 2 * folded && rank & 1 == 0 }
  /// The first chunk that belongs to core number `core`, which holds two if it took in another.
  private func chunk(ofCore core: Int) -> Int { core < folded ? 2 * core : core + folded }
  private func mask(_ round: Int) -> Int {
    switch exchange {
    case .doublingAllReduce, .doublingAllGather: 1 << round
    case .halvingAllReduce: round < log ? 1 << round : 1 << (2 * log - 1 - round)
    case .halvingReduceScatter: power >> (round + 1)
    }
  }
  /// The low `log` bits of `core`, mirrored: halving at distance 1 first leaves a rank with this part.
  private func mirrored(_ core: Int) -> Int {
    var v = UInt32(truncatingIfNeeded: core)
    v = (v >> 1 & 0x5555_5555) | (v & 0x5555_5555) << 1
    v = (v >> 2 & 0x3333_3333) | (v & 0x3333_3333) << 2
    v = (v >> 4 & 0x0F0F_0F0F) | (v & 0x0F0F_0F0F) << 4
    return log == 0 ? 0 : Int(v.byteSwapped >> UInt32(32 - log))
  }

  func step(_ index: Int) -> PlanStep {
    if index < folded {
      let chunks = exchange == .doublingAllGather ? 2 * index..<2 * index + 1 : 0..<chunkCount
      return PlanStep(
        2 * index, 2 * index + 1, chunks.lowerBound, chunks.upperBound,
        exchange == .doublingAllGather ? .store : .reduce)
    }
    let position = index - folded
    if position >= rounds * power {
      let even = 2 * (position - rounds * power)
      switch exchange {
      case .doublingAllReduce, .halvingAllReduce:
        return PlanStep(even + 1, even, 0, chunkCount, .store)
      case .halvingReduceScatter: return PlanStep(even + 1, even, even, even + 1, .store)
      // All but the chunk it brought.
      case .doublingAllGather: return PlanStep(even + 1, even, even + 1, even + ranks, .store)
      }
    }
    let round = position >> log
    let core = position & (power - 1)
    let source = rank(ofCore: core)
    let destination = rank(ofCore: core ^ mask(round))
    switch exchange {
    case .doublingAllReduce: return PlanStep(source, destination, 0, 1, .reduce)
    case .halvingAllReduce:
      let own = mirrored(core)
      if round < log {
        let half = power >> (round + 1)
        let lower = (own ^ half) & ~(half - 1)
        return PlanStep(source, destination, lower, lower + half, .reduce)
      }
      let width = 1 << (round - log)
      let lower = own & ~(width - 1)
      return PlanStep(source, destination, lower, lower + width, .store)
    case .halvingReduceScatter:
      let half = power >> (round + 1)
      let lower = (core ^ half) & ~(half - 1)
      return PlanStep(
        source, destination, chunk(ofCore: lower), chunk(ofCore: lower + half), .reduce)
    case .doublingAllGather:
      let lower = core & ~((1 << round) - 1)
      return PlanStep(
        source, destination, chunk(ofCore: lower), chunk(ofCore: lower + 1 << round), .store)
    }
  }

  func arrivalCount(at rank: Int) -> Int {
    if isFoldedAway(rank) { return 1 }
    return rounds + (rank < 2 * folded ? 1 : 0)
  }
  func arrival(_ position: Int, at rank: Int) -> Int {
    if isFoldedAway(rank) { return folded + rounds * power + rank / 2 }
    var round = position
    if rank < 2 * folded {
      if position == 0 { return rank / 2 }
      round -= 1
    }
    return folded + round * power + (core(ofRank: rank) ^ mask(round))
  }
  func arrivalPosition(of step: Int) -> Int {
    if step < folded { return 0 }
    let position = step - folded
    if position >= rounds * power { return 0 }
    let round = position >> log
    let destination = (position & (power - 1)) ^ mask(round)
    return round + (destination < folded ? 1 : 0)
  }
  func departurePosition(of step: Int) -> Int {
    if step < folded { return 0 }
    let position = step - folded
    if position >= rounds * power { return rounds + 1 }
    return (position >> log) + (position & (power - 1) < folded ? 1 : 0)
  }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    if ordinal > 0 { return -1 }
    if isFoldedAway(rank) { return position == 0 ? rank / 2 : -1 }
    var round = position
    if rank < 2 * folded {
      round -= 1
      if round < 0 { return -1 }
      if round == rounds { return folded + rounds * power + rank / 2 }
    }
    return round < rounds ? folded + round * power + core(ofRank: rank) : -1
  }
}
