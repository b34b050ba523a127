import SimKernel

/// A pipelined broadcast or reduce: the payload travels around the ring in chunks, from the root or to
/// it.
///
/// The first rank sends a chunk when the one before has reached the next rank, the others forward at
/// once - reducing, what they have summed with their own - so n ranks and K chunks take
/// (n - 2 + K)(alpha + S/(K B)). Step k*(n-1) + h is hop h of chunk k.
struct ChainProgram: RankProgram {
  let ranks: Int
  let root: Int
  let chunks: Int
  /// Towards the root, against the ring, summing on the way.
  var reduces = false

  private var hops: Int { ranks - 1 }
  var stepCount: Int { chunks * hops }

  /// How many hops from the first rank `rank` is.
  private func number(of rank: Int) -> Int {
    let fromRoot = rank >= root ? rank - root : rank - root + ranks
    return reduces ? hops - fromRoot : fromRoot
  }
  private func rank(of number: Int) -> Int {
    let rank = (reduces ? hops - number : number) + root
    return rank >= ranks ? rank - ranks : rank
  }

  func step(_ index: Int) -> PlanStep {
    let chunk = index / hops
    let hop = index - chunk * hops
    return PlanStep(
      rank(of: hop), rank(of: hop + 1), chunk, chunk + 1, reduces ? .reduce : .store)
  }
  func arrivalCount(at rank: Int) -> Int { number(of: rank) == 0 ? 0 : chunks }
  func arrival(_ position: Int, at rank: Int) -> Int { position * hops + number(of: rank) - 1 }
  func arrivalPosition(of step: Int) -> Int { step / hops }
  func departurePosition(of step: Int) -> Int { step % hops == 0 ? 0 : step / hops + 1 }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    let number = number(of: rank)
    if ordinal > 0 || number == hops { return -1 }
    if number == 0 { return position == 0 ? 0 : -1 }
    return position == 0 ? -1 : (position - 1) * hops + number
  }
  func pacePredecessor(of step: Int) -> Int {
    step >= hops && step % hops == 0 ? step - hops : -1
  }
  func paceSuccessor(of step: Int) -> Int {
    step % hops == 0 && step + hops < stepCount ? step + hops : -1
  }
}
