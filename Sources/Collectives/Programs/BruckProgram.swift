import SimKernel

/// Bruck's all-gather: ceil(log2 n) rounds for any n, without extra traffic.
///
/// In round k rank r sends all it has, at most what is still missing, to rank r - 2^k (Bruck, Ho,
/// Kipnis, Upfal, Weathersby, IEEE Trans. Parallel Distrib. Syst. 8, 1997, doi:10.1109/71.642949).
/// What it has begins at its own chunk and runs past the last one.
struct BruckProgram: RankProgram {
  let ranks: Int
  private var rounds: Int { Int.bitWidth - (ranks - 1).leadingZeroBitCount }

  init(ranks: Int) { self.ranks = ranks }

  var stepCount: Int { ranks * rounds }

  func step(_ index: Int) -> PlanStep {
    let round = index / ranks
    let rank = index - round * ranks
    let distance = 1 << round
    let destination = rank >= distance ? rank - distance : rank - distance + ranks
    return PlanStep(rank, destination, rank, rank + min(distance, ranks - distance), .store)
  }
  func arrivalCount(at rank: Int) -> Int { rounds }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let source = rank + 1 << position
    return position * ranks + (source >= ranks ? source - ranks : source)
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { step / ranks }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    ordinal == 0 && position < rounds ? position * ranks + rank : -1
  }
}
