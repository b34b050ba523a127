import SimKernel

extension Plan {
  /// How many messages end at `rank`.
  func arrivalCount(at rank: Int) -> Int {
    program.isStored ? Int(stored.arrivals[rank]) : program.arrivalCount(at: rank)
  }
}

/// Why a rank is not finished, in words.
extension Progress {
  func waitingReason(of rank: Int, _ plan: Plan) -> String {
    let state = ranks[rank]
    if !state.isReady {
      let held = state.held > 0 ? "; \(state.held) messages wait for it" : ""
      return "is not ready" + held
    }
    if state.isCombining { return "is reducing" }
    guard let index = nextArrival(at: rank, plan) else { return "has nothing left to wait for" }
    let step = plan.step(index)
    let chunks =
      switch step.chunks.count {
      case 0: "a signal"
      case 1: "chunk \(step.lower)"
      default: "chunks \(step.lower)..<\(step.upper)"
      }
    let what = "waits for \(chunks) from rank \(step.source.index) (step \(index)), "
    if hasArrived(index) { return what + "which has arrived and waits for an earlier step" }
    if hasDeparted(index, plan) { return what + "which is under way" }
    let source = ranks[step.source.index]
    return what + "which is not sent: rank \(step.source.index) "
      + (source.isReady ? "waits itself" : "is not ready")
  }

  private func nextArrival(at rank: Int, _ plan: Plan) -> Int? {
    let count = plan.arrivalCount(at: rank)
    if plan.program.isStored {
      return plan.stored.steps.indices.first {
        plan.stored.steps[$0].destination.index == rank && !steps.flags[$0].contains(.complete)
      }
    }
    if !plan.program.appliesInOrder {
      return (0..<count).lazy.map { plan.program.arrival($0, at: rank) }
        .first { !hasDeparted($0, plan) } ?? plan.program.arrival(0, at: rank)
    }
    let applied = Int(ranks[rank].applied)
    return applied < count ? plan.program.arrival(applied, at: rank) : nil
  }

  private func hasArrived(_ index: Int) -> Bool {
    steps.flags.isEmpty ? heldSteps.contains(index) : steps.flags[index].contains(.arrived)
  }

  private func hasDeparted(_ index: Int, _ plan: Plan) -> Bool {
    if plan.program.isStored { return steps.flags[index].contains(.departed) }
    let source = ranks[plan.step(index).source.index]
    guard source.isReady,
      Int(source.applied) >= plan.program.departurePosition(of: index)
    else { return false }
    let pace = plan.program.pacePredecessor(of: index)
    if pace < 0 { return true }
    return Int(ranks[plan.step(pace).destination.index].applied)
      > plan.program.arrivalPosition(of: pace)
  }
}
