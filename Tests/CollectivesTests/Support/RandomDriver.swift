import Collectives
import SimKernel
import Testing

/// Runs a collective with readiness, deliveries and combines in a seeded random order, and checks
/// that nothing departs before what it waits for.
struct RandomDriver {
  var sent: [Int]
  var wireBytes: [Int64]
  var sentByStep: [ByteCount?]
  var finished: [RankID] = []
  var maximumCombining = 0

  private enum Event { case ready(RankID), deliver(Int), combine(Int) }

  init(
    _ execution: inout CollectiveExecution, _ algebra: inout some PayloadAlgebra, seed: UInt64
  ) {
    let plan = execution.plan
    var random = RandomStream(seed: seed, purpose: RandomPurpose("random driver"))
    sent = Array(repeating: 0, count: plan.rankCount)
    wireBytes = Array(repeating: 0, count: plan.rankCount)
    sentByStep = Array(repeating: nil, count: plan.stepCount)
    var isReady = (0..<plan.rankCount).map { !plan.contributes(RankID($0)) }
    var isOver = Array(repeating: false, count: plan.stepCount)
    var combining = Array(repeating: 0, count: plan.rankCount)
    var pending = (0..<plan.rankCount).map { Event.ready(RankID($0)) }
    var actions: [CollectiveExecution.Action] = []
    while !pending.isEmpty {
      let choice = random.index(below: pending.count)
      pending.swapAt(choice, pending.count - 1)
      actions.removeAll(keepingCapacity: true)
      let event = pending.removeLast()
      // A step without a combine action is over, at the earliest, when it is delivered.
      switch event {
      case .ready(let rank):
        isReady[rank.index] = true
        execution.ready(rank, algebra: &algebra, actions: &actions)
      case .deliver(let step):
        isOver[step] = true
        execution.delivered(step: step, algebra: &algebra, actions: &actions)
      case .combine(let step):
        isOver[step] = true
        combining[plan.step(step).destination.index] -= 1
        execution.combined(step: step, algebra: &algebra, actions: &actions)
      }
      // Combines first: a step that combines is not over for what departs in the same batch.
      for case .combine(let step, let rank, let duration) in actions {
        #expect(duration > .zero)
        #expect(plan.step(step).destination == rank && plan.step(step).action == .reduce)
        #expect(isReady[rank.index])
        isOver[step] = false
        combining[rank.index] += 1
        maximumCombining = max(maximumCombining, combining[rank.index])
        pending.append(.combine(step))
      }
      for action in actions {
        switch action {
        case .send(let step, let source, let destination, let size):
          #expect(plan.step(step).source == source)
          #expect(plan.step(step).destination == destination)
          #expect(isReady[source.index], "a rank sends nothing before it is ready")
          #expect(sentByStep[step] == nil, "a step departs once")
          for dependency in plan.departureDependencies(of: step) {
            #expect(isOver[dependency], "step \(step) left before step \(dependency) was over")
          }
          sentByStep[step] = size
          sent[source.index] += 1
          wireBytes[source.index] += size.bytes
          pending.append(.deliver(step))
        case .combine: break
        case .finished(let rank):
          #expect(execution.isFinished(rank) && isReady[rank.index])
          finished.append(rank)
        }
      }
    }
  }
}
