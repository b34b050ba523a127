import SimKernel

/// An all-to-all in rounds: in round k every rank sends to the one k + 1 places on.
///
/// A rank goes on when it has what was sent to it, so that it never sends or receives two messages at
/// once: n - 1 rounds of alpha + S/(n B). Step k*n + r is the message of r in round k.
struct PairwiseProgram: RankProgram {
  let ranks: Int

  var stepCount: Int { ranks * (ranks - 1) }

  func step(_ index: Int) -> PlanStep {
    let round = index / ranks
    let rank = index - round * ranks
    let distance = round + 1
    let destination = rank + distance >= ranks ? rank + distance - ranks : rank + distance
    return PlanStep(rank, destination, distance, distance + 1, .store)
  }
  func arrivalCount(at rank: Int) -> Int { ranks - 1 }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let source = rank - position - 1
    return position * ranks + (source < 0 ? source + ranks : source)
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { step / ranks }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    ordinal == 0 && position < ranks - 1 ? position * ranks + rank : -1
  }
}
