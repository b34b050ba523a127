import SimKernel

/// Ring algorithms: in every round each rank sends one chunk to the next rank.
///
/// Step `round * n + rank`. All-reduce is a reduce-scatter of n-1 rounds and an all-gather of n-1
/// rounds; every rank sends 2(n-1)/n of the payload (Patarasuk, Yuan, J. Parallel Distrib. Comput.
/// 69, 2009, doi:10.1016/j.jpdc.2008.09.002).
struct RingProgram: RankProgram {
  let ranks: Int
  let rounds: Int
  /// Rounds before this reduce, later ones store.
  let reducingRounds: Int
  /// The chunk that rank r sends in round k is r - k - shift.
  let shift: Int

  static func allReduce(_ ranks: Int) -> RingProgram {
    RingProgram(ranks: ranks, rounds: 2 * (ranks - 1), reducingRounds: ranks - 1, shift: 0)
  }
  /// Shifted by one, so that rank r ends with chunk r.
  static func reduceScatter(_ ranks: Int) -> RingProgram {
    RingProgram(ranks: ranks, rounds: ranks - 1, reducingRounds: ranks - 1, shift: 1)
  }
  static func allGather(_ ranks: Int) -> RingProgram {
    RingProgram(ranks: ranks, rounds: ranks - 1, reducingRounds: 0, shift: 0)
  }

  var stepCount: Int { rounds * ranks }

  func step(_ index: Int) -> PlanStep {
    let round = index / ranks
    let rank = index - round * ranks
    // Between -2n and n, since a round is below 2(n-1) and the shift is used with n-1 rounds.
    var chunk = rank - round - shift
    if chunk < 0 { chunk += ranks }
    if chunk < 0 { chunk += ranks }
    let next = rank + 1 == ranks ? 0 : rank + 1
    return PlanStep(rank, next, chunk, chunk + 1, round < reducingRounds ? .reduce : .store)
  }
  func arrivalCount(at rank: Int) -> Int { rounds }
  func arrival(_ position: Int, at rank: Int) -> Int {
    position * ranks + (rank == 0 ? ranks - 1 : rank - 1)
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { step / ranks }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    ordinal == 0 && position < rounds ? position * ranks + rank : -1
  }
}
