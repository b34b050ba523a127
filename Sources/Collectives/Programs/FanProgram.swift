import SimKernel

/// The root sends every rank its chunk at once, or receives one from every rank.
///
/// Step v - 1 is the message from or to the rank v places after the root. On a network whose links
/// are shared these messages share the root's.
struct FanProgram: RankProgram {
  let ranks: Int
  let root: Int
  /// Towards the root.
  let gathers: Bool

  var stepCount: Int { ranks - 1 }
  /// Chunks are only stored, and nothing follows from them.
  var appliesInOrder: Bool { false }

  private func number(of rank: Int) -> Int { rank >= root ? rank - root : rank - root + ranks }

  func step(_ index: Int) -> PlanStep {
    let number = index + 1
    let rank = number + root >= ranks ? number + root - ranks : number + root
    return gathers
      ? PlanStep(rank, root, rank, rank + 1, .store)
      : PlanStep(root, rank, rank, rank + 1, .store)
  }
  func arrivalCount(at rank: Int) -> Int {
    if gathers { return rank == root ? ranks - 1 : 0 }
    return rank == root ? 0 : 1
  }
  func arrival(_ position: Int, at rank: Int) -> Int {
    gathers ? position : number(of: rank) - 1
  }
  func arrivalPosition(of step: Int) -> Int { gathers ? step : 0 }
  func departurePosition(of step: Int) -> Int { 0 }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    if position > 0 { return -1 }
    if gathers { return rank != root && ordinal == 0 ? number(of: rank) - 1 : -1 }
    return rank == root && ordinal < ranks - 1 ? ordinal : -1
  }
}
