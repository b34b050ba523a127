import SimKernel

/// Implicit plans: a rank applies its arrivals in their fixed order, so its state is a count.
extension Progress {
  /// A rank that has become ready sends what needs nothing else, then takes what has arrived.
  mutating func join<P: RankProgram, C: PayloadCarrier, A: PayloadAlgebra>(
    _ rank: Int, _ program: P, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    departAll(rank, after: 0, program, plan, &carrier, &algebra, &actions)
    let count = program.arrivalCount(at: rank)
    if count == 0 { return finish(rank, plan, &carrier, &algebra, &actions) }
    if ranks[rank].held == 0 { return }
    if program.appliesInOrder {
      let first = program.arrival(0, at: rank)
      if heldSteps.remove(first) != nil {
        ranks[rank].held -= 1
        settle(first, rank, program, plan, &carrier, &algebra, &actions)
      }
    } else {
      for position in 0..<count {
        let step = program.arrival(position, at: rank)
        if heldSteps.remove(step) != nil {
          ranks[rank].held -= 1
          settle(step, rank, program, plan, &carrier, &algebra, &actions)
        }
      }
    }
  }

  mutating func arrive<P: RankProgram, C: PayloadCarrier, A: PayloadAlgebra>(
    _ index: Int, _ program: P, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    precondition(index >= 0 && index < program.stepCount, "a step of the plan")
    let rank = program.step(index).destination.index
    let state = ranks[rank]
    let position = program.arrivalPosition(of: index)
    let isNext = !program.appliesInOrder || position == Int(state.applied)
    precondition(
      isNext || position > Int(state.applied), "a step is delivered once")
    if isNext, state.isReady, !state.isCombining {
      settle(index, rank, program, plan, &carrier, &algebra, &actions)
    } else {
      heldSteps.insert(index, 0)
      ranks[rank].held += 1
    }
  }

  /// Applies step `index` and whatever has waited for it, until the rank must combine or wait.
  @inline(__always)
  private mutating func settle<P: RankProgram, C: PayloadCarrier, A: PayloadAlgebra>(
    _ index: Int, _ rank: Int, _ program: P, _ plan: Plan, _ carrier: inout C,
    _ algebra: inout A, _ actions: inout [Action]
  ) {
    let duration = carrier.apply(index, program.step(index), plan, &algebra)
    if duration > .zero {
      ranks[rank].isCombining = true
      actions.append(.combine(step: index, rank: RankID(rank), duration: duration))
      return
    }
    complete(index, rank, program, plan, &carrier, &algebra, &actions)
  }

  /// Step `index` has been applied at `rank`, and its time is over.
  @inline(__always)
  mutating func complete<P: RankProgram, C: PayloadCarrier, A: PayloadAlgebra>(
    _ index: Int, _ rank: Int, _ program: P, _ plan: Plan, _ carrier: inout C,
    _ algebra: inout A, _ actions: inout [Action]
  ) {
    var index = index
    while true {
      ranks[rank].applied += 1
      let applied = Int(ranks[rank].applied)
      departAll(rank, after: applied, program, plan, &carrier, &algebra, &actions)
      let paced = program.paceSuccessor(of: index)
      if paced >= 0 { depart(paced, program.step(paced), plan, &carrier, &algebra, &actions) }
      if applied == program.arrivalCount(at: rank) {
        return finish(rank, plan, &carrier, &algebra, &actions)
      }
      if ranks[rank].held == 0 || !program.appliesInOrder { return }
      index = program.arrival(applied, at: rank)
      if heldSteps.remove(index) == nil { return }
      ranks[rank].held -= 1
      let duration = carrier.apply(index, program.step(index), plan, &algebra)
      if duration > .zero {
        ranks[rank].isCombining = true
        actions.append(.combine(step: index, rank: RankID(rank), duration: duration))
        return
      }
    }
  }

  @inline(__always)
  private mutating func departAll<P: RankProgram, C: PayloadCarrier, A: PayloadAlgebra>(
    _ rank: Int, after position: Int, _ program: P, _ plan: Plan, _ carrier: inout C,
    _ algebra: inout A, _ actions: inout [Action]
  ) {
    var ordinal = 0
    while true {
      let index = program.departure(ordinal, after: position, at: rank)
      if index < 0 { return }
      depart(index, program.step(index), plan, &carrier, &algebra, &actions)
      ordinal += 1
    }
  }
}
