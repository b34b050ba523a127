import SimKernel

/// Every rank sends to every other at once: its payload (all-gather), or the chunk that the other one
/// sums (reduce-scatter).
///
/// Step k*n + r goes from r to r + 1 + k.
struct DirectProgram: RankProgram {
  let ranks: Int
  let reduces: Bool

  var stepCount: Int { ranks * (ranks - 1) }
  /// Sums are made in one order whatever arrives first; stored chunks need none.
  var appliesInOrder: Bool { reduces }

  func step(_ index: Int) -> PlanStep {
    let offset = index / ranks
    let rank = index - offset * ranks
    var destination = rank + 1 + offset
    if destination >= ranks { destination -= ranks }
    let chunk = reduces ? destination : rank
    return PlanStep(rank, destination, chunk, chunk + 1, reduces ? .reduce : .store)
  }
  func arrivalCount(at rank: Int) -> Int { ranks - 1 }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let source = rank - 1 - position
    return position * ranks + (source < 0 ? source + ranks : source)
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { 0 }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    position == 0 && ordinal < ranks - 1 ? ordinal * ranks + rank : -1
  }
}
