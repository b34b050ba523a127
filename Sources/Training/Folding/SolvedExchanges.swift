import Collectives
import SimKernel

/// The exchanges of a job while it runs, if all of them are solved.
///
/// A worker has one exchange in flight at a time, and no rank of a sum or gather is finished before
/// all have joined it: so there is one exchange at a time that some have joined and others have not.
/// The run follows one worker a class; exchanges know all of them.
struct SolvedExchanges {
  /// The ends of one exchange of one iteration.
  struct Solution {
    var ends: [SimTime]
    /// Since when the way from each worker to the next carries nothing.
    var free: [SimTime]
  }

  private let exchanges: [SolvedExchange]
  private(set) var classes: WorkerClasses
  /// Exchanges in the order in which they were solved, by runs with fewer classes, too.
  private(set) var solutions: [Solution]
  private var solvedCount = 0
  /// When classes joined the exchange that is open; when they are finished, once it is solved.
  private(set) var times: [SimTime]
  private var joined = 0
  /// When each class began each iteration, and from when each worker could send in it.
  private(set) var starts: [SimTime] = []
  private(set) var opens: [SimTime] = []
  private var begun = 0
  /// The classes in the order in which they ended their iterations.
  private(set) var order: [Int32] = []
  /// Whether workers of a class turned out to differ, which ``classes`` now tells apart: the run is to
  /// be begun again.
  private(set) var isParted = false

  init(_ exchanges: [SolvedExchange], classes: WorkerClasses, solutions: [Solution]) {
    self.exchanges = exchanges
    self.classes = classes
    self.solutions = solutions
    times = Array(repeating: .zero, count: classes.count)
  }

  private var workers: Int { classes.ofWorker.count }

  /// What a class finds at the beginning of its next iteration.
  mutating func begin(_ number: Int, class own: Int, at now: SimTime) {
    // No class begins an iteration before all have ended the exchanges of the one before.
    if begun % classes.count == 0 {
      starts += repeatElement(.never, count: classes.count)
    }
    starts[number * classes.count + own] = now
    begun += 1
    if begun % classes.count != 0 { return }
    let first = number * classes.count
    for worker in 0..<workers {
      let start = starts[first + Int(classes.ofWorker[worker])]
      opens.append(
        solvedCount == 0 ? start : max(start, solutions[solvedCount - 1].free[worker]))
    }
  }

  /// A class is through an iteration that counts.
  mutating func end(class own: Int) { order.append(Int32(own)) }

  /// What joining led to.
  enum Progress { case waiting, solved, parted, outOfTime }

  /// A class brings its payloads to `exchange`; if it is the last, ``times`` has all ends.
  mutating func join(_ exchange: Int, class own: Int, at now: SimTime) -> Progress {
    times[own] = now
    joined += 1
    if joined < classes.count { return .waiting }
    joined = 0
    if let lockstep = exchanges[exchange].lockstep {
      precondition(times.allSatisfy { $0 == now }, "ranks in lockstep are ready together")
      let end = now + lockstep.duration
      for own in times.indices { times[own] = end }
      return end == .never ? .outOfTime : .solved
    }
    if solvedCount == solutions.count, !solve(exchange) { return .outOfTime }
    solvedCount += 1
    let ends = solutions[solvedCount - 1].ends
    guard let own = classes.times(ends) else {
      classes.part(by: ends)
      isParted = true
      return .parted
    }
    times = own
    return .solved
  }

  /// Solves the exchange that all have joined.
  private mutating func solve(_ exchange: Int) -> Bool {
    guard case .ring(let ring) = exchanges[exchange] else { return false }
    var solution = Solution(
      ends: classes.ofWorker.map { times[Int($0)] },
      free: solutions.last?.free ?? Array(repeating: .zero, count: workers))
    if !ring.solve(&solution.ends, free: &solution.free) { return false }
    solutions.append(solution)
    return true
  }
}
