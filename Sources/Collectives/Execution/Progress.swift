import SimKernel

/// The state machine behind a collective: who is ready, what has arrived, what may depart.
///
/// An implicit plan needs one ``RankProgress`` a rank; a stored one also a byte and two integers a
/// step. Work caused by one event is done in a loop, never by recursion.
struct Progress: Sendable {
  /// Where one rank is.
  struct RankProgress: Sendable, BitwiseCopyable {
    /// Arrivals applied; a stored plan counts down what is left instead.
    var applied: Int32 = 0
    /// Delivered messages that wait.
    var held: Int32 = 0
    /// The first and last step of the queue of a stored plan.
    var head: Int32 = -1
    var tail: Int32 = -1
    var isReady = false
    var isFinished = false
    var isCombining = false
  }

  var ranks: [RankProgress]
  /// Ranks that are not finished.
  var unfinished: Int
  /// Delivered steps of an implicit plan that wait for their turn.
  var heldSteps = StepTable()
  var steps: StoredProgress

  init(_ plan: Plan) {
    ranks = Array(repeating: RankProgress(), count: plan.rankCount)
    unfinished = plan.rankCount
    steps = StoredProgress(plan)
    for rank in 0..<plan.rankCount where !plan.contributes(RankID(rank)) {
      ranks[rank].isReady = true
      // A server without a shard has nothing to do, and nobody is told.
      if plan.arrivalCount(at: rank) == 0 {
        ranks[rank].isFinished = true
        unfinished -= 1
      }
    }
  }

  typealias Action = CollectiveExecution.Action

  // MARK: - One switch an event, so that each program has its own specialised loop

  @inline(__always)
  mutating func ready<C: PayloadCarrier, A: PayloadAlgebra>(
    _ rank: RankID, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    if !plan.contributes(rank) { return }
    precondition(!ranks[rank.index].isReady, "a rank becomes ready once")
    ranks[rank.index].isReady = true
    switch plan.program {
    case .ring(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .factoredRing(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .hypercube(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .tree(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .bruck(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .direct(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .chain(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .pairwise(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .fan(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .groupedBroadcast(let p): join(rank.index, p, plan, &carrier, &algebra, &actions)
    case .stored: joinStored(rank.index, plan, &carrier, &algebra, &actions)
    }
  }

  @inline(__always)
  mutating func delivered<C: PayloadCarrier, A: PayloadAlgebra>(
    _ step: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    switch plan.program {
    case .ring(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .factoredRing(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .hypercube(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .tree(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .bruck(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .direct(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .chain(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .pairwise(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .fan(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .groupedBroadcast(let p): arrive(step, p, plan, &carrier, &algebra, &actions)
    case .stored: arriveStored(step, plan, &carrier, &algebra, &actions)
    }
  }

  @inline(__always)
  mutating func combined<C: PayloadCarrier, A: PayloadAlgebra>(
    _ step: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    let rank = plan.step(step).destination.index
    precondition(ranks[rank].isCombining, "a combine ends at a rank that began one")
    ranks[rank].isCombining = false
    switch plan.program {
    case .ring(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .factoredRing(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .hypercube(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .tree(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .bruck(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .direct(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .chain(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .pairwise(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .fan(let p): complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .groupedBroadcast(let p):
      complete(step, rank, p, plan, &carrier, &algebra, &actions)
    case .stored: completeStored(step, plan, &carrier, &algebra, &actions)
    }
  }

  // MARK: - Shared by both kinds of plan

  @inline(__always)
  mutating func finish<C: PayloadCarrier, A: PayloadAlgebra>(
    _ rank: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    carrier.finish(rank, plan, &algebra)
    ranks[rank].isFinished = true
    unfinished -= 1
    actions.append(.finished(RankID(rank)))
  }

  @inline(__always)
  mutating func depart<C: PayloadCarrier, A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    let size = carrier.depart(index, step, plan, &algebra)
    actions.append(
      .send(step: index, source: step.source, destination: step.destination, size: size))
  }
}
