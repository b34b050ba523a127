import Collectives
import SimKernel

/// Replies of servers that wait until all pushes of their iteration are summed.
struct HeldReplies {
  /// By parity of the iteration: neighbouring ones may overlap.
  private var held: [[PlannedSend]] = [[], []]
  /// How many replies an iteration of each phase has.
  private let expected: [Int]
  private let phases: [JobPhase]

  init(_ plan: JobPlan) {
    phases = plan.phases
    expected = plan.phases.map { phase in
      phase.exchanges.reduce(0) { sum, exchange in
        let plan = plan.exchanges[exchange].plan
        return sum
          + (0..<plan.stepCount).count { plan.step($0).source.index >= plan.workerCount }
      }
    }
  }

  /// Keeps a reply of `iteration`; once all of them are there, moves them to `sends`.
  mutating func hold(_ send: PlannedSend, iteration: Int, sends: inout [PlannedSend]) {
    let parity = iteration & 1
    held[parity].append(send)
    var phase = phases.count - 1
    while phases[phase].firstIteration > iteration { phase -= 1 }
    guard held[parity].count == expected[phase] else { return }
    sends += held[parity]
    held[parity].removeAll(keepingCapacity: true)
  }
}
