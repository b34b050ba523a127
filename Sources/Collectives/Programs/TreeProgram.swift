import SimKernel

/// Binomial trees: a reduce to the root, a broadcast from it, or one after the other; or, in blocks, a
/// gather or a scatter.
///
/// Ranks are numbered from the root; the parent of v is v without its lowest set bit. A rank sums its
/// children smallest subtree first, and forwards to one after the other, the largest first, as MPICH
/// does (Thakur, Rabenseifner, Gropp, Int. J. High Perf. Comput. Appl. 19, 2005,
/// doi:10.1177/1094342005051521): the next message departs when the one before has reached its
/// child, so that they never share the rank's link and a broadcast takes ceil(log2 n) (alpha + S/B).
/// Messages that rise are not held back: in a full tree a child is ready when the one before has been
/// taken in. Step v - 1 is the message of v to its parent; the message to v follows all of these.
struct TreeProgram: RankProgram {
  let ranks: Int
  let root: Int
  let reduces: Bool
  let broadcasts: Bool
  /// A message carries the chunks of the ranks below its lower end instead of one chunk for all.
  var movesBlocks = false

  private var upSteps: Int { reduces ? ranks - 1 : 0 }
  var stepCount: Int { (reduces ? ranks - 1 : 0) + (broadcasts ? ranks - 1 : 0) }

  private func number(of rank: Int) -> Int { rank >= root ? rank - root : rank - root + ranks }
  private func rank(of number: Int) -> Int {
    let rank = number + root
    return rank >= ranks ? rank - ranks : rank
  }
  private func parent(of number: Int) -> Int { number & (number - 1) }
  /// Child i of `number` is `number + 2^i`.
  private func childCount(of number: Int) -> Int {
    let room = number == 0 ? Int.bitWidth - 1 : number.trailingZeroBitCount
    let above = ranks - number - 1
    if above <= 0 { return 0 }
    return min(room, Int.bitWidth - above.leadingZeroBitCount)
  }
  private func ups(_ number: Int) -> Int { reduces ? childCount(of: number) : 0 }

  func step(_ index: Int) -> PlanStep {
    if index < upSteps {
      let number = index + 1
      let (lower, upper) = chunks(below: number)
      return PlanStep(
        rank(of: number), rank(of: parent(of: number)), lower, upper,
        movesBlocks ? .store : .reduce)
    }
    let number = index - upSteps + 1
    let (lower, upper) = chunks(below: number)
    return PlanStep(rank(of: parent(of: number)), rank(of: number), lower, upper, .store)
  }
  /// Ranks below `number` follow it, so that their chunks are one range, perhaps past the last one.
  private func chunks(below number: Int) -> (Int, Int) {
    if !movesBlocks { return (0, 1) }
    let rank = rank(of: number)
    return (rank, rank + min(number & -number, ranks - number))
  }
  func arrivalCount(at rank: Int) -> Int {
    let number = number(of: rank)
    return ups(number) + (broadcasts && number != 0 ? 1 : 0)
  }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let number = number(of: rank)
    return position < ups(number) ? number + 1 << position - 1 : upSteps + number - 1
  }
  func arrivalPosition(of step: Int) -> Int {
    if step < upSteps { return (step + 1).trailingZeroBitCount }
    return ups(step - upSteps + 1)
  }
  func departurePosition(of step: Int) -> Int {
    if step < upSteps { return ups(step + 1) }
    let parent = parent(of: step - upSteps + 1)
    return ups(parent) + (parent == 0 ? 0 : 1)
  }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    let number = number(of: rank)
    let ups = ups(number)
    if number != 0, reduces, position == ups { return ordinal == 0 ? number - 1 : -1 }
    guard broadcasts, ordinal == 0, position == ups + (number == 0 ? 0 : 1) else { return -1 }
    let child = childCount(of: number) - 1
    return child < 0 ? -1 : fall(to: child, of: number)
  }
  /// The message from `number` down to its child `child`.
  private func fall(to child: Int, of number: Int) -> Int { upSteps + number + 1 << child - 1 }
  func pacePredecessor(of step: Int) -> Int {
    if step < upSteps { return -1 }
    let number = step - upSteps + 1
    let parent = parent(of: number)
    let before = number.trailingZeroBitCount + 1
    return before < childCount(of: parent) ? fall(to: before, of: parent) : -1
  }
  func paceSuccessor(of step: Int) -> Int {
    if step < upSteps { return -1 }
    let number = step - upSteps + 1
    let next = number.trailingZeroBitCount - 1
    return next >= 0 ? fall(to: next, of: parent(of: number)) : -1
  }
}
