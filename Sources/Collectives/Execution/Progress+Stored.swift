import SimKernel

/// What a stored plan remembers about its steps and joins.
struct StoredProgress: Sendable {
  struct Flags: OptionSet, Sendable {
    var rawValue: UInt8
    static let departed = Flags(rawValue: 1)
    static let arrived = Flags(rawValue: 2)
    static let applied = Flags(rawValue: 4)
    static let complete = Flags(rawValue: 8)
    /// In the queue of its destination, which will offer it again.
    static let queued = Flags(rawValue: 16)
  }
  var flags: [Flags]
  /// The next step in the queue of its destination.
  var next: [Int32]
  /// The members that a join still waits for.
  var pending: [Int32]
  /// Completed steps whose successors are not released yet; empty between events.
  var completed: [Int32] = []

  init(_ plan: Plan) {
    let stored = plan.stored
    flags = Array(repeating: [], count: stored.steps.count)
    next = Array(repeating: -1, count: stored.steps.count)
    pending = (0..<stored.joinCount).map { Int32(stored.members[$0].count) }
  }

  func isOpen(_ join: Int32) -> Bool { join < 0 || pending[Int(join)] == 0 }
}

/// Stored plans: joins count down, ranks queue what they cannot apply yet.
extension Progress {
  mutating func joinStored<C: PayloadCarrier, A: PayloadAlgebra>(
    _ rank: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    let stored = plan.stored
    for position in stored.stepsFrom[rank] {
      let step = Int(stored.stepsFrom.values[position])
      if steps.isOpen(stored.departureJoin[step]) {
        departStored(step, plan, &carrier, &algebra, &actions)
      }
    }
    if stored.arrivals[rank] == 0 { return finish(rank, plan, &carrier, &algebra, &actions) }
    drainQueue(of: rank, plan, &carrier, &algebra, &actions)
    releaseSuccessors(plan, &carrier, &algebra, &actions)
  }

  mutating func arriveStored<C: PayloadCarrier, A: PayloadAlgebra>(
    _ step: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    precondition(
      steps.flags[step].contains(.departed) && !steps.flags[step].contains(.arrived),
      "a step is delivered once, after it was sent")
    steps.flags[step].insert(.arrived)
    applyIfPossible(step, plan, &carrier, &algebra, &actions)
    releaseSuccessors(plan, &carrier, &algebra, &actions)
  }

  mutating func completeStored<C: PayloadCarrier, A: PayloadAlgebra>(
    _ step: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    steps.completed.append(Int32(step))
    releaseSuccessors(plan, &carrier, &algebra, &actions)
    let rank = plan.stored.steps[step].destination.index
    drainQueue(of: rank, plan, &carrier, &algebra, &actions)
    releaseSuccessors(plan, &carrier, &algebra, &actions)
  }

  /// Applies what has arrived, unless its destination or an earlier step is not there yet.
  private mutating func applyIfPossible<C: PayloadCarrier, A: PayloadAlgebra>(
    _ index: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    let step = plan.stored.steps[index]
    let rank = step.destination.index
    let isFree = ranks[rank].isReady && !(step.action == .reduce && ranks[rank].isCombining)
    if !isFree { return enqueue(index, at: rank) }
    // Its join will come back to it.
    if !steps.isOpen(plan.stored.applicationJoin[index]) { return }
    steps.flags[index].insert(.applied)
    let duration = carrier.apply(index, step, plan, &algebra)
    if duration > .zero {
      ranks[rank].isCombining = true
      actions.append(.combine(step: index, rank: RankID(rank), duration: duration))
    } else {
      steps.completed.append(Int32(index))
    }
  }

  /// Lets everything depart, then be applied, that waited for the completed steps.
  private mutating func releaseSuccessors<C: PayloadCarrier, A: PayloadAlgebra>(
    _ plan: Plan, _ carrier: inout C, _ algebra: inout A, _ actions: inout [Action]
  ) {
    var next = 0
    while next < steps.completed.count {
      let index = Int(steps.completed[next])
      next += 1
      steps.flags[index].insert(.complete)
      let joins = plan.stored.joinsOfStep[index]
      for position in joins {
        let join = Int(plan.stored.joinsOfStep.values[position])
        steps.pending[join] -= 1
        if steps.pending[join] > 0 { continue }
        for place in plan.stored.departures[join] {
          let step = Int(plan.stored.departures.values[place])
          if ranks[plan.stored.steps[step].source.index].isReady {
            departStored(step, plan, &carrier, &algebra, &actions)
          }
        }
      }
      for position in joins {
        let join = Int(plan.stored.joinsOfStep.values[position])
        if steps.pending[join] > 0 { continue }
        for place in plan.stored.applications[join] {
          let step = Int(plan.stored.applications.values[place])
          let flags = steps.flags[step]
          if flags.contains(.arrived), flags.isDisjoint(with: [.applied, .queued]) {
            applyIfPossible(step, plan, &carrier, &algebra, &actions)
          }
        }
      }
      let rank = plan.stored.steps[index].destination.index
      ranks[rank].applied += 1
      if ranks[rank].applied == plan.stored.arrivals[rank] {
        finish(rank, plan, &carrier, &algebra, &actions)
      }
    }
    steps.completed.removeAll(keepingCapacity: true)
  }

  private mutating func departStored<C: PayloadCarrier, A: PayloadAlgebra>(
    _ index: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    steps.flags[index].insert(.departed)
    depart(index, plan.stored.steps[index], plan, &carrier, &algebra, &actions)
  }

  // MARK: - The queue of a rank that is not ready, or combining

  private mutating func enqueue(_ step: Int, at rank: Int) {
    steps.flags[step].insert(.queued)
    steps.next[step] = -1
    if ranks[rank].tail >= 0 {
      steps.next[Int(ranks[rank].tail)] = Int32(step)
    } else {
      ranks[rank].head = Int32(step)
    }
    ranks[rank].tail = Int32(step)
    ranks[rank].held += 1
  }

  /// Offers every queued step again, in the order of arrival; those that must wait queue anew.
  private mutating func drainQueue<C: PayloadCarrier, A: PayloadAlgebra>(
    of rank: Int, _ plan: Plan, _ carrier: inout C, _ algebra: inout A,
    _ actions: inout [Action]
  ) {
    while ranks[rank].head >= 0, !ranks[rank].isCombining {
      let step = Int(ranks[rank].head)
      steps.flags[step].remove(.queued)
      ranks[rank].head = steps.next[step]
      if ranks[rank].head < 0 { ranks[rank].tail = -1 }
      ranks[rank].held -= 1
      applyIfPossible(step, plan, &carrier, &algebra, &actions)
      releaseSuccessors(plan, &carrier, &algebra, &actions)
    }
  }
}
