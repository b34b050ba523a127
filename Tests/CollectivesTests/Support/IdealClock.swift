import Collectives
import SimKernel

/// Times a collective when every message takes alpha + bytes/B, whatever else is on its way.
struct IdealClock {
  var alpha: SimDuration
  var bandwidth: Bandwidth

  private struct Event: BitwiseCopyable {
    var step: Int
    var isCombine: Bool
  }

  /// The time at which every rank was finished; ranks become ready at `starts`, or all at 0.
  func run(
    _ execution: inout CollectiveExecution, algebra: inout some PayloadAlgebra,
    starts: [SimTime]? = nil
  ) -> [SimTime] {
    let n = execution.plan.rankCount
    var queue = EventQueue<Event>()
    var finished = Array(repeating: SimTime.never, count: n)
    var actions: [CollectiveExecution.Action] = []
    let order = (0..<n).sorted { (starts?[$0] ?? .zero, $0) < (starts?[$1] ?? .zero, $1) }
    var joined = 0
    while true {
      actions.removeAll(keepingCapacity: true)
      let now: SimTime
      let next = queue.nextTime
      if joined < n, (starts?[order[joined]] ?? .zero) <= next {
        now = starts?[order[joined]] ?? .zero
        if now > queue.now { queue.advance(to: now) }
        execution.ready(RankID(order[joined]), algebra: &algebra, actions: &actions)
        joined += 1
      } else {
        guard let event = queue.pop() else { return finished }
        now = event.time
        if event.payload.isCombine {
          execution.combined(step: event.payload.step, algebra: &algebra, actions: &actions)
        } else {
          execution.delivered(step: event.payload.step, algebra: &algebra, actions: &actions)
        }
      }
      for action in actions {
        switch action {
        case .send(let step, _, _, let size):
          queue.schedule(
            Event(step: step, isCombine: false), at: now + alpha + bandwidth.time(toSend: size))
        case .combine(let step, _, let duration):
          queue.schedule(Event(step: step, isCombine: true), at: now + duration)
        case .finished(let rank): finished[rank.index] = now
        }
      }
    }
  }
}
