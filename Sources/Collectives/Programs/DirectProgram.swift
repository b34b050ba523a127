import SimKernel

/// Every rank sends to every other at once: its payload (all-gather), the chunk that the other one
/// sums (reduce-scatter), first these chunks and then the sums (all-reduce), or the block that it has
/// for the other one (all-to-all).
///
/// As an all-reduce of sparse payloads this is SparCML's split and all-gather (Renggli et al., SC'19,
/// doi:10.1145/3295500.3356222). Step k*n + r of a round goes from r to r + 1 + k.
struct DirectProgram: RankProgram {
  enum Exchange: UInt8, BitwiseCopyable, Sendable { case gather, scatter, both, blocks }
  let ranks: Int
  let exchange: Exchange

  private var roundSteps: Int { ranks * (ranks - 1) }
  var stepCount: Int { exchange == .both ? 2 * roundSteps : roundSteps }
  /// Sums are made in one order whatever arrives first; stored chunks need none.
  var appliesInOrder: Bool { exchange == .scatter || exchange == .both }

  func step(_ index: Int) -> PlanStep {
    let isSecond = index >= roundSteps
    let position = isSecond ? index - roundSteps : index
    let offset = position / ranks
    let rank = position - offset * ranks
    var destination = rank + 1 + offset
    if destination >= ranks { destination -= ranks }
    if exchange == .blocks {
      return PlanStep(rank, destination, offset + 1, offset + 2, .store)
    }
    let reduces = exchange != .gather && !isSecond
    let chunk = reduces ? destination : rank
    return PlanStep(rank, destination, chunk, chunk + 1, reduces ? .reduce : .store)
  }
  func arrivalCount(at rank: Int) -> Int { exchange == .both ? 2 * (ranks - 1) : ranks - 1 }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let isSecond = position >= ranks - 1
    let offset = isSecond ? position - (ranks - 1) : position
    let source = rank - 1 - offset
    return (isSecond ? roundSteps : 0) + offset * ranks + (source < 0 ? source + ranks : source)
  }
  func arrivalPosition(of step: Int) -> Int {
    step < roundSteps ? step / ranks : ranks - 1 + (step - roundSteps) / ranks
  }
  func departurePosition(of step: Int) -> Int { step < roundSteps ? 0 : ranks - 1 }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    if ordinal >= ranks - 1 { return -1 }
    if position == 0 { return ordinal * ranks + rank }
    return exchange == .both && position == ranks - 1 ? roundSteps + ordinal * ranks + rank : -1
  }
}
