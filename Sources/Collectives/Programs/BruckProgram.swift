import SimKernel

/// Exchanges at distance 1, 2, 4, ...
///
/// around the ring: ceil(log2 n) rounds for any n.
///
/// Gathering, rank r sends all it has in round k, at most what is still missing, to rank r - 2^k; what
/// it has begins at its own chunk and runs past the last one. Exchanging blocks, it sends to rank
/// r + 2^k every block that has a distance with bit k still to go; with n a power of two that is half
/// of them (both: Bruck, Ho, Kipnis, Upfal, Weathersby, IEEE Trans. Parallel Distrib. Syst. 8, 1997,
/// doi:10.1109/71.642949). As a barrier it sends nothing but the message itself, so that after
/// round k it has heard from the 2^(k+1) ranks up to itself (Hensgen, Finkel, Manber, Int. J.
/// Parallel Program. 17, 1988, doi:10.1007/BF01379320). Step k*n + r is the message of r in round k.
struct BruckProgram: RankProgram {
  enum Exchange: UInt8, BitwiseCopyable, Sendable { case gather, blocks, barrier }
  let ranks: Int
  var exchange = Exchange.gather
  private var rounds: Int { Int.bitWidth - (ranks - 1).leadingZeroBitCount }

  init(ranks: Int, exchange: Exchange = .gather) {
    self.ranks = ranks
    self.exchange = exchange
  }

  var stepCount: Int { ranks * rounds }

  /// The rank `distance` places before `rank`; a distance is less than the number of ranks.
  private func before(_ rank: Int, _ distance: Int) -> Int {
    rank >= distance ? rank - distance : rank - distance + ranks
  }
  private func after(_ rank: Int, _ distance: Int) -> Int {
    rank + distance >= ranks ? rank + distance - ranks : rank + distance
  }

  func step(_ index: Int) -> PlanStep {
    let round = index / ranks
    let rank = index - round * ranks
    let distance = 1 << round
    switch exchange {
    case .gather:
      return PlanStep(
        rank, before(rank, distance), rank, rank + min(distance, ranks - distance), .store)
    case .blocks:
      return PlanStep(
        rank, after(rank, distance), distance, ranks, .store, selecting: round)
    case .barrier: return PlanStep(rank, after(rank, distance), 0, 0, .store)
    }
  }
  func arrivalCount(at rank: Int) -> Int { rounds }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let distance = 1 << position
    return position * ranks
      + (exchange == .gather ? after(rank, distance) : before(rank, distance))
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { step / ranks }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    ordinal == 0 && position < rounds ? position * ranks + rank : -1
  }
}
