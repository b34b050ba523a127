import SimKernel

/// The implicit plans, and the mark of a stored one.
///
/// An enumeration of plain values: executing a step costs a switch, not a call through an existential.
enum PlanProgram: BitwiseCopyable, Sendable {
  case ring(RingProgram)
  case factoredRing(FactoredRingProgram)
  case hypercube(HypercubeProgram)
  case tree(TreeProgram)
  case bruck(BruckProgram)
  case direct(DirectProgram)
  case chain(ChainProgram)
  case pairwise(PairwiseProgram)
  case fan(FanProgram)
  case groupedBroadcast(GroupedBroadcastProgram)
  case stored

  var isStored: Bool {
    if case .stored = self { return true }
    return false
  }

  /// The program, for callers that are not in a hurry.
  private var any: any RankProgram {
    switch self {
    case .ring(let p): p
    case .factoredRing(let p): p
    case .hypercube(let p): p
    case .tree(let p): p
    case .bruck(let p): p
    case .direct(let p): p
    case .chain(let p): p
    case .pairwise(let p): p
    case .fan(let p): p
    case .groupedBroadcast(let p): p
    case .stored: preconditionFailure("a stored plan has no program")
    }
  }

  var stepCount: Int { any.stepCount }
  var appliesInOrder: Bool { any.appliesInOrder }

  func departureDependencies(of step: Int) -> [Int] {
    let program = any
    let pace = program.pacePredecessor(of: step)
    if pace >= 0 { return [pace] }
    let position = program.departurePosition(of: step)
    return position > 0
      ? [program.arrival(position - 1, at: program.step(step).source.index)] : []
  }
  func applicationDependencies(of step: Int) -> [Int] {
    let program = any
    let position = program.arrivalPosition(of: step)
    if position == 0 || !program.appliesInOrder { return [] }
    return [program.arrival(position - 1, at: program.step(step).destination.index)]
  }
  func successors(of step: Int) -> [Int] {
    let program = any
    let rank = program.step(step).destination.index
    let applied = program.arrivalPosition(of: step) + 1
    var result: [Int] = []
    var ordinal = 0
    while true {
      let next = program.departure(ordinal, after: applied, at: rank)
      if next < 0 { break }
      result.append(next)
      ordinal += 1
    }
    let pace = program.paceSuccessor(of: step)
    if pace >= 0 { result.append(pace) }
    if program.appliesInOrder, applied < program.arrivalCount(at: rank) {
      result.append(program.arrival(applied, at: rank))
    }
    return result
  }

  func step(_ index: Int) -> PlanStep {
    switch self {
    case .ring(let p): p.step(index)
    case .factoredRing(let p): p.step(index)
    case .hypercube(let p): p.step(index)
    case .tree(let p): p.step(index)
    case .bruck(let p): p.step(index)
    case .direct(let p): p.step(index)
    case .chain(let p): p.step(index)
    case .pairwise(let p): p.step(index)
    case .fan(let p): p.step(index)
    case .groupedBroadcast(let p): p.step(index)
    case .stored: preconditionFailure("a stored plan has no program")
    }
  }
  func departurePosition(of step: Int) -> Int { any.departurePosition(of: step) }
  func pacePredecessor(of step: Int) -> Int { any.pacePredecessor(of: step) }
  func arrival(_ position: Int, at rank: Int) -> Int { any.arrival(position, at: rank) }
  func arrivalPosition(of step: Int) -> Int { any.arrivalPosition(of: step) }
  func arrivalCount(at rank: Int) -> Int { any.arrivalCount(at: rank) }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    any.departure(ordinal, after: position, at: rank)
  }
}
