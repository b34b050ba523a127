import Collectives
import SimKernel

/// The state of one job while it runs: counters over the graph template, never copies of it.
///
/// A worker has a *cell* for each operation, or two where iterations overlap: those of odd iterations
/// follow those of even ones. A cell of a worker is reused every iteration, or every other one.
struct JobState {
  let plan: JobPlan
  let index: Int
  /// Which of its lives the job is in.
  var incarnation: Incarnation
  var streams: WorkerStreams
  let operationCount: Int
  /// Cells of a worker.
  let cellCount: Int
  /// How many iterations of a worker may have operations under way: 2 if anything is carried over.
  let parities: Int
  let phases: [JobPhase]
  /// Operation of exchange e.
  let exchangeOperations: [Int]
  /// How many operations of an iteration are forward or backward, by phase.
  let computeCounts: [Int32]
  let mostCompute: Int

  // One entry a cell.
  var remaining: [Int32]
  var startTime: [SimTime]
  /// `never` from the start of the iteration until the operation is over.
  var finishTime: [SimTime]
  /// The cell of the operation whose end let this one start, or -1 for the start of the iteration.
  var cause: [Int32]
  var lostToEncode: [SimDuration]
  var lostToDecode: [SimDuration]
  /// When the last participant was ready, as seen at the end of (worker, parity, exchange).
  var lastReady: [SimTime]

  // One entry a worker.
  var admission: Admission
  /// The iteration a worker is in, or waits to begin.
  var iteration: [Int32]
  var clock: ProgressClock
  /// The position in `outcome.samples` of the latest counted iteration.
  var lastSample: [Int]
  /// The cells of forward and backward of each worker in the order in which they ended: one stream
  /// runs them, so it is also the order of time.
  var computeOrder: [Int32]
  var computeEnded: [Int32]
  /// The cell of the exchange that last ended, or -1.
  var lastExchange: [Int32]
  /// The cell that last ended on (worker, stream).
  var lastOnStream: [Int32]
  var iterationStart: [SimTime]
  /// By (worker, parity).
  var operationsLeft: [Int32]
  /// When the last operation of (worker, parity) ended.
  var operationsEnded: [SimTime]
  var factor: [Double]
  /// Idle between two iterations since this instant; `never` while one runs.
  var waitingSince: [SimTime]
  var isDirty: [Bool]
  var dirty: [Int32] = []
  /// Operations that only wait and have just become ready: (worker, cell).
  var holds: [(worker: Int32, cell: Int32)] = []

  var slots: ExchangeSlots
  /// Set if exchanges are solved at once instead of message by message.
  var solved: SolvedExchanges?
  /// What an exchange has just asked for.
  var actions: [ExchangeSlot.Action] = []
  var reducers: ReducerQueues
  var heldReplies: HeldReplies?
  /// Pushes to servers that have not arrived, by (worker, parity, exchange); empty if there are none.
  ///
  /// A worker is done with an exchange over servers, as far as its limit goes, once these have. It
  /// must not wait for the sums: two workers with different orders would wait for one another.
  var pushesLeft: [Int32] = []
  /// By exchange, how many ranks push to servers; 0 where there are none.
  let pushers: [Int32]
  let order: MessageOrder

  /// What a crash leaves.
  var saved = SavedProgress()
  /// Whether a checkpoint is being written, and whether its end is still to be scheduled.
  var isWriting = false
  var mustWrite = false
  /// Whether workers have begun.
  private(set) var hasBegun = false

  var outcome: JobOutcome
  private var workersDone = 0
  /// Why the job cannot go on.
  private(set) var failure: SimulationError?
  private var hasFailed = false
  /// Nil unless the run is recorded.
  var record: JobRecord?

  /// Where a job stands.
  enum Status { case running, done, failed }

  /// Where the job stands now.
  mutating func poll() -> Status {
    if hasFailed { return .failed }
    return workersDone == plan.workers ? .done : .running
  }

  mutating func fail(_ error: SimulationError) {
    failure = error
    hasFailed = true
  }

  /// Hands recorded spans over.
  mutating func hand(to recorder: any TimelineRecorder) {
    record?.hand(to: recorder)
  }

  init(plan: JobPlan, index: Int, isRecording: Bool, solved: SolvedExchanges? = nil) {
    self.solved = solved
    self.plan = plan
    self.index = index
    incarnation = Incarnation(job: index)
    let operations = plan.graph.operations
    operationCount = operations.count
    parities = plan.graph.overlapsIterations ? 2 : 1
    cellCount = parities * operations.count
    phases = plan.phases
    streams = WorkerStreams(
      workers: plan.workers, cells: cellCount, operations: operations.count,
      slowdown: plan.overlapSlowdown)
    var byExchange = Array(repeating: -1, count: plan.exchanges.count)
    for (position, operation) in operations.enumerated() where operation.exchange >= 0 {
      byExchange[Int(operation.exchange)] = position
    }
    precondition(!byExchange.contains(-1), "every exchange needs its operation in the graph")
    exchangeOperations = byExchange
    precondition(
      operations.allSatisfy { !$0.kind.isCompute || $0.stream == .compute },
      "forward and backward run on the compute stream")
    computeCounts = plan.phases.map { phase in
      Int32(phase.operations.reduce(0) { $0 + (operations[$1].kind.isCompute ? 1 : 0) })
    }
    mostCompute = Int(computeCounts.max() ?? 0)
    computeOrder = Array(repeating: 0, count: plan.workers * mostCompute)
    computeEnded = Array(repeating: 0, count: plan.workers)
    let cells = plan.workers * cellCount
    remaining = Array(repeating: 0, count: cells)
    startTime = Array(repeating: .zero, count: cells)
    finishTime = Array(repeating: .zero, count: cells)
    cause = Array(repeating: -1, count: cells)
    lostToEncode = Array(repeating: .zero, count: cells)
    lostToDecode = Array(repeating: .zero, count: cells)
    lastReady = Array(repeating: .zero, count: plan.workers * parities * plan.exchanges.count)
    if isRecording { record = JobRecord(workers: plan.workers, places: lastReady.count) }
    admission = Admission(plan, job: index)
    iteration = Array(repeating: 0, count: plan.workers)
    clock = ProgressClock(workers: plan.workers)
    lastSample = Array(repeating: 0, count: plan.workers)
    lastExchange = Array(repeating: -1, count: plan.workers)
    lastOnStream = Array(repeating: -1, count: plan.workers * WorkerStreams.count)
    iterationStart = Array(repeating: .zero, count: plan.workers)
    operationsLeft = Array(repeating: 0, count: plan.workers * parities)
    operationsEnded = Array(repeating: .zero, count: plan.workers * parities)
    factor = Array(repeating: 1, count: plan.workers)
    waitingSince = Array(repeating: .zero, count: plan.workers)
    isDirty = Array(repeating: false, count: plan.workers)
    slots = ExchangeSlots(
      plan.exchanges, workers: plan.workers, areSolved: solved != nil)
    reducers = ReducerQueues(
      ranks: plan.nodes.count, isByPriority: plan.sending.order == .priority)
    order = MessageOrder(plan, job: index)
    let pushers = plan.exchanges.map {
      $0.plan.operation == .pushPull ? Int32($0.plan.workerCount) : 0
    }
    self.pushers = pushers
    if pushers.contains(where: { $0 > 0 }) {
      pushesLeft = Array(
        repeating: 0, count: plan.workers * parities * plan.exchanges.count)
    }
    if plan.holdsReplies { heldReplies = HeldReplies(plan) }
    outcome = JobOutcome(
      name: plan.name, workers: plan.workers,
      iterations: Array(repeating: IterationAccount(), count: plan.iterations),
      sums: Array(repeating: IterationSum(), count: plan.iterations), samples: [],
      wireBytes: .zero, hostBytes: .zero, end: .zero)
    outcome.samples.reserveCapacity(plan.workers * plan.iterations)
  }

  // MARK: - Cells

  /// Where the cells of `iteration` begin among those of a worker.
  @inline(__always) func firstCell(of iteration: Int) -> Int {
    parities == 1 ? 0 : (iteration & 1) * operationCount
  }
  /// The operation of a worker's cell.
  @inline(__always) func operation(of cell: Int) -> Int {
    cell < operationCount ? cell : cell - operationCount
  }
  /// The iteration that a worker's cell serves: the one it is in, or with overlap the one before.
  @inline(__always) func iteration(of cell: Int, worker: Int) -> Int {
    let number = Int(iteration[worker])
    if parities == 1 { return number }
    return (number & 1 == 1) == (cell >= operationCount) ? number : number - 1
  }
  /// The place of (worker, iteration) in ``operationsLeft``.
  @inline(__always) func place(of worker: Int, _ iteration: Int) -> Int {
    parities == 1 ? worker : 2 * worker + (iteration & 1)
  }

  // MARK: - Iterations

  /// Begins the first iteration of every worker, or after a crash the one after the last checkpoint.
  mutating func begin(at now: SimTime) {
    hasBegun = true
    saved.since = now
    if plan.warmup + plan.iterations == 0 {
      workersDone = plan.workers
      return
    }
    for worker in 0..<plan.workers { beginIteration(worker, at: now) }
  }

  mutating func beginIteration(_ worker: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    let stream = RandomStream(
      seed: plan.seed, replicate: plan.replicate, purpose: RandomPurpose("compute straggler"),
      entity: (index << 40) | (worker << 20) | number)
    factor[worker] = plan.stragglers.factor(
      worker: RankID(worker), iteration: number, random: stream)
    closeIteration(worker, at: now)
    if parities == 1 { lastExchange[worker] = -1 }
    computeEnded[worker] = 0
    iterationStart[worker] = now
    solved?.begin(number, class: worker, at: now)
    let phase = phases[phaseIndex(of: number)]
    operationsLeft[place(of: worker, number)] = Int32(phase.operations.count)
    let base = worker * cellCount + firstCell(of: number)
    for operation in phase.operations {
      remaining[base + operation] = plan.graph.predecessorCounts[operation]
      finishTime[base + operation] = .never
      lostToEncode[base + operation] = .zero
      lostToDecode[base + operation] = .zero
    }
    if parities == 2 { waitForEarlier(worker, number) }
    for operation in phase.operations where remaining[base + operation] == 0 {
      makeReady(worker, base - worker * cellCount + operation, because: -1, at: now)
    }
    if phase.operations.isEmpty { endIteration(worker, last: -1, at: now) }
  }

  /// Adds what iteration `number` waits for from the one before, as far as that is not over.
  private mutating func waitForEarlier(_ worker: Int, _ number: Int) {
    guard number > 0, operationsLeft[place(of: worker, number - 1)] > 0 else { return }
    let graph = plan.graph
    let earlier = worker * cellCount + firstCell(of: number - 1)
    let base = worker * cellCount + firstCell(of: number)
    for operation in phases[phaseIndex(of: number)].operations
    where finishTime[earlier + operation] == .never {
      for position in graph.carriedOffsets[operation]..<graph.carriedOffsets[operation + 1] {
        remaining[base + Int(graph.carriedSuccessors[Int(position)])] += 1
      }
    }
  }

  /// The phase to which `iteration` belongs.
  func phaseIndex(of iteration: Int) -> Int {
    var index = phases.count - 1
    while phases[index].firstIteration > iteration { index -= 1 }
    return index
  }

  /// The worker may go on: its wait belongs to the iteration before.
  mutating func closeIteration(_ worker: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    if number > plan.warmup, waitingSince[worker] != .never, now > waitingSince[worker] {
      let since = waitingSince[worker]
      // It waits for its own exchanges first, which only happens where iterations overlap otherwise.
      let own = min(now, max(since, operationsEnded[place(of: worker, number - 1)]))
      var account = IterationAccount()
      account.communication = own - since
      account.stragglers = now - own
      note(account, of: worker, in: number - 1)
      outcome.samples[lastSample[worker]] += now - since
      record?.accounts[worker] += account
    }
    if record != nil, number > plan.warmup { recordIteration(worker, number - 1, until: now) }
    waitingSince[worker] = .never
  }

  /// All of an iteration is over, or with overlap its forward and backward; the last to end was that
  /// of `cell`.
  mutating func endIteration(_ worker: Int, last cell: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    if number >= plan.warmup {
      let account = account(worker, from: cell)
      note(account, of: worker, in: number)
      record?.accounts[worker] = account
      solved?.end(class: worker)
      lastSample[worker] = outcome.samples.count
      outcome.samples.append(account.total)
    }
    iteration[worker] += 1
    waitingSince[worker] = now
    let slowestMoved = clock.advance(RankID(worker))
    for candidate in slowestMoved ? 0..<plan.workers : worker..<worker + 1
    where waitingSince[candidate] != .never {
      goOn(candidate, at: now)
    }
    if number + 1 == plan.warmup + plan.iterations { endWorker(worker, at: now) }
  }

  /// Adds up what `worker` spent its iteration `number` on; it may stand for several that are alike.
  private mutating func note(_ account: IterationAccount, of worker: Int, in number: Int) {
    let count = solved.map { $0.classes.sizes[worker] } ?? 1
    let position = number - plan.warmup
    outcome.iterations[position] += count == 1 ? account : account * count
    outcome.sums[position].add(account, times: count)
  }

  /// Lets a waiting worker begin its next iteration, if it may.
  mutating func goOn(_ worker: Int, at now: SimTime) {
    guard plan.progress.mayBegin(RankID(worker), clock: clock) else { return }
    let number = Int(iteration[worker])
    if number == plan.warmup + plan.iterations {
      closeIteration(worker, at: now)
      return
    }
    if parities == 2 {
      // Its cells must be free; and what another phase would carry over has other operations.
      let before = operationsLeft[place(of: worker, number)]
      let own = operationsLeft[place(of: worker, number - 1)]
      if before > 0 { return }
      if own > 0, phaseIndex(of: number) != phaseIndex(of: number - 1) { return }
    }
    if waitForCheckpoint(before: number, at: now) { return }
    beginIteration(worker, at: now)
  }

  /// Counts a worker as done once nothing of its last iteration is under way.
  mutating func endWorker(_ worker: Int, at now: SimTime) {
    guard Int(iteration[worker]) == plan.warmup + plan.iterations,
      operationsLeft[worker * parities] == 0, operationsLeft[worker * parities + parities - 1] == 0
    else { return }
    workersDone += 1
    outcome.end = max(outcome.end, now)
  }
}
