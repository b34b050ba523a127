import Collectives
import SimKernel

/// An exchange whose ends are computed at once, when its last rank is ready.
enum SolvedExchange {
  /// Ranks may be ready at different times, and finished at different times.
  case ring(RingTimes)
  /// All ranks are ready together and finished together.
  case lockstep(Plan.LockstepTime)

  /// Whether all ranks are finished together if they were ready together.
  var keepsStep: Bool {
    if case .lockstep = self { return true }
    return false
  }
}

/// The exchanges of a job while it runs, if all of them are solved.
///
/// A worker has one exchange in flight at a time, and no rank of a sum or gather is finished before
/// all have joined it: so there is one exchange at a time that some have joined and others have not.
struct SolvedExchanges {
  private let exchanges: [SolvedExchange]
  private let workers: Int
  /// When workers joined the exchange that is open; when they are finished, once it is solved.
  private(set) var times: [SimTime]
  private var joined = 0
  /// Since when the way from a worker to the next carries nothing.
  private var free: [SimTime]
  /// When each worker began each iteration, and from when it could send in it.
  private(set) var starts: [SimTime] = []
  private(set) var opens: [SimTime] = []

  init(_ exchanges: [SolvedExchange], workers: Int) {
    self.exchanges = exchanges
    self.workers = workers
    times = Array(repeating: .zero, count: workers)
    free = times
  }

  /// What `worker` finds at the beginning of iteration `number`.
  mutating func begin(_ number: Int, worker: Int, at now: SimTime) {
    let place = number * workers + worker
    if place >= starts.count {
      let missing = repeatElement(SimTime.never, count: (number + 1) * workers - starts.count)
      starts += missing
      opens += missing
    }
    starts[place] = now
    opens[place] = max(now, free[worker])
  }

  /// What joining led to.
  enum Progress { case waiting, solved, outOfTime }

  /// `worker` brings its payload to `exchange`; if it is the last, ``times`` has all ends.
  mutating func join(_ exchange: Int, worker: Int, at now: SimTime) -> Progress {
    times[worker] = now
    joined += 1
    if joined < workers { return .waiting }
    joined = 0
    switch exchanges[exchange] {
    case .ring(let ring): return ring.solve(&times, free: &free) ? .solved : .outOfTime
    case .lockstep(let lockstep):
      precondition(times.allSatisfy { $0 == now }, "ranks in lockstep are ready together")
      let end = now + lockstep.duration
      for worker in 0..<workers { times[worker] = end }
      return end == .never ? .outOfTime : .solved
    }
  }
}
