import Collectives
import SimKernel

/// The state of one job while it runs: counters over the graph template, never copies of it.
struct JobState {
  let plan: JobPlan
  let index: Int
  var streams: WorkerStreams
  private let operationCount: Int
  private let phases: [JobPhase]
  /// Operation of exchange e.
  private let exchangeOperations: [Int]
  /// How many operations are forward or backward.
  private let computeCount: Int

  // One entry a (worker, operation), reused every iteration.
  private var remaining: [Int32]
  private var startTime: [SimTime]
  private var finishTime: [SimTime]
  /// The operation whose end let this one start, or -1 for the start of the iteration.
  private var cause: [Int32]
  private var lostToEncode: [SimDuration]
  private var lostToDecode: [SimDuration]
  /// When the last participant was ready, as seen at the end of (worker, exchange).
  private var lastReady: [SimTime]

  // One entry a worker.
  private var admissions: [AdmissionQueue]
  private var iteration: [Int32]
  private var clock: ProgressClock
  /// The position in `outcome.samples` of the latest counted iteration.
  private var lastSample: [Int]
  /// The forward and backward operations of each worker in the order in which they ended: one
  /// stream runs them, so it is also the order of time.
  private var computeOrder: [Int32]
  private var computeEnded: [Int32]
  /// The exchange operation of this iteration that last ended, or -1.
  private var lastExchange: [Int32]
  /// The operation that last ended on (worker, stream).
  private var lastOnStream: [Int32]
  private var iterationStart: [SimTime]
  private var operationsLeft: [Int32]
  private var factor: [Double]
  /// Idle between two iterations since this instant; `never` while one runs.
  private var waitingSince: [SimTime]
  private var isDirty: [Bool]
  private var dirty: [Int32] = []

  private var slots: ExchangeSlots
  /// What an exchange has just asked for.
  private var actions: [ExchangeSlot.Action] = []
  /// When the reducer of a rank slot is free again.
  private var reducerFree: [SimTime]

  private(set) var outcome: JobOutcome
  private var workersDone = 0
  /// Why the job cannot go on.
  private(set) var failure: SimulationError?
  private var hasFailed = false
  private var spans: [TimelineSpan] = []
  private let isRecording: Bool

  /// Where a job stands.
  enum Status { case running, done, failed }

  /// Where the job stands now.
  mutating func poll() -> Status {
    if hasFailed { return .failed }
    return workersDone == plan.workers ? .done : .running
  }

  private mutating func fail(_ error: SimulationError) {
    failure = error
    hasFailed = true
  }

  /// Hands recorded spans over.
  mutating func hand(to recorder: any TimelineRecorder) {
    if spans.isEmpty { return }
    recorder.record(spans)
    spans.removeAll(keepingCapacity: true)
  }

  init(plan: JobPlan, index: Int, isRecording: Bool) {
    self.plan = plan
    self.index = index
    self.isRecording = isRecording
    let operations = plan.graph.operations
    operationCount = operations.count
    phases = plan.phases
    streams = WorkerStreams(
      workers: plan.workers, operations: operations.count, slowdown: plan.overlapSlowdown)
    var byExchange = Array(repeating: -1, count: plan.exchanges.count)
    for (position, operation) in operations.enumerated() where operation.exchange >= 0 {
      byExchange[Int(operation.exchange)] = position
    }
    precondition(!byExchange.contains(-1), "every exchange needs its operation in the graph")
    exchangeOperations = byExchange
    let computing = operations.indices.filter {
      operations[$0].kind == .forward || operations[$0].kind == .backward
    }
    precondition(
      computing.allSatisfy { operations[$0].stream == .compute },
      "forward and backward run on the compute stream")
    computeCount = computing.count
    computeOrder = Array(repeating: 0, count: plan.workers * computing.count)
    computeEnded = Array(repeating: 0, count: plan.workers)
    let cells = plan.workers * operations.count
    remaining = Array(repeating: 0, count: cells)
    startTime = Array(repeating: .zero, count: cells)
    finishTime = Array(repeating: .zero, count: cells)
    cause = Array(repeating: -1, count: cells)
    lostToEncode = Array(repeating: .zero, count: cells)
    lostToDecode = Array(repeating: .zero, count: cells)
    lastReady = Array(repeating: .zero, count: plan.workers * plan.exchanges.count)
    admissions = Array(
      repeating: AdmissionQueue(count: plan.exchanges.count, window: plan.window),
      count: plan.workers)
    iteration = Array(repeating: 0, count: plan.workers)
    clock = ProgressClock(workers: plan.workers)
    lastSample = Array(repeating: 0, count: plan.workers)
    lastExchange = Array(repeating: -1, count: plan.workers)
    lastOnStream = Array(repeating: -1, count: plan.workers * WorkerStreams.count)
    iterationStart = Array(repeating: .zero, count: plan.workers)
    operationsLeft = Array(repeating: 0, count: plan.workers)
    factor = Array(repeating: 1, count: plan.workers)
    waitingSince = Array(repeating: .zero, count: plan.workers)
    isDirty = Array(repeating: false, count: plan.workers)
    slots = ExchangeSlots(plan.exchanges, workers: plan.workers)
    reducerFree = Array(repeating: .zero, count: plan.nodes.count)
    outcome = JobOutcome(
      name: plan.name, workers: plan.workers,
      iterations: Array(repeating: IterationAccount(), count: plan.iterations), samples: [],
      wireBytes: .zero, hostBytes: .zero, end: .zero)
    outcome.samples.reserveCapacity(plan.workers * plan.iterations)
  }

  // MARK: - Iterations

  /// Begins the first iteration of every worker.
  mutating func begin(at now: SimTime) {
    if plan.warmup + plan.iterations == 0 {
      workersDone = plan.workers
      return
    }
    for worker in 0..<plan.workers { beginIteration(worker, at: now) }
  }

  private mutating func beginIteration(_ worker: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    let stream = RandomStream(
      seed: plan.seed, replicate: plan.replicate, purpose: RandomPurpose("compute straggler"),
      entity: (index << 40) | (worker << 20) | number)
    factor[worker] = plan.stragglers.factor(
      worker: RankID(worker), iteration: number, random: stream)
    closeIteration(worker, at: now)
    lastExchange[worker] = -1
    computeEnded[worker] = 0
    iterationStart[worker] = now
    let phase = phases[phaseIndex(of: number)]
    operationsLeft[worker] = Int32(phase.operations.count)
    admissions[worker].reset(to: phase.exchanges)
    let base = worker * operationCount
    for operation in phase.operations {
      remaining[base + operation] = plan.graph.predecessorCounts[operation]
      lostToEncode[base + operation] = .zero
      lostToDecode[base + operation] = .zero
    }
    for operation in phase.operations where plan.graph.predecessorCounts[operation] == 0 {
      makeReady(worker, operation, because: -1, at: now)
    }
    if phase.operations.isEmpty { endIteration(worker, last: -1, at: now) }
  }

  /// The phase to which `iteration` belongs.
  private func phaseIndex(of iteration: Int) -> Int {
    var index = phases.count - 1
    while phases[index].firstIteration > iteration { index -= 1 }
    return index
  }

  /// The worker may go on: its wait for the others belongs to the iteration before.
  private mutating func closeIteration(_ worker: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    if number > plan.warmup, waitingSince[worker] != .never, now > waitingSince[worker] {
      let wait = now - waitingSince[worker]
      var account = IterationAccount()
      account.stragglers = wait
      outcome.iterations[number - plan.warmup - 1] += account
      outcome.sum += account
      outcome.samples[lastSample[worker]] += wait
    }
    waitingSince[worker] = .never
  }

  private mutating func endIteration(_ worker: Int, last operation: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    if number >= plan.warmup {
      let account = account(worker, from: operation)
      outcome.iterations[number - plan.warmup] += account
      outcome.sum += account
      lastSample[worker] = outcome.samples.count
      outcome.samples.append(account.total)
    }
    iteration[worker] += 1
    waitingSince[worker] = now
    if Int(iteration[worker]) == plan.warmup + plan.iterations {
      workersDone += 1
      outcome.end = max(outcome.end, now)
    }
    let slowestMoved = clock.advance(RankID(worker))
    for candidate in slowestMoved ? 0..<plan.workers : worker..<worker + 1
    where waitingSince[candidate] != .never
      && plan.progress.mayBegin(RankID(candidate), clock: clock)
    {
      if Int(iteration[candidate]) < plan.warmup + plan.iterations {
        beginIteration(candidate, at: now)
      } else {
        closeIteration(candidate, at: now)
      }
    }
  }

  // MARK: - Operations

  private mutating func makeReady(
    _ worker: Int, _ operation: Int, because predecessor: Int, at now: SimTime
  ) {
    let cell = worker * operationCount + operation
    cause[cell] = Int32(predecessor)
    let description = plan.graph.operations[operation]
    if description.kind == .exchange {
      startTime[cell] = now
      admissions[worker].ready(Int(description.exchange))
      noteReady(worker, exchange: Int(description.exchange), at: now)
    } else {
      streams.enqueue(operation, on: description.stream, worker: worker, at: now)
    }
    markDirty(worker)
  }

  private mutating func markDirty(_ worker: Int) {
    if isDirty[worker] { return }
    isDirty[worker] = true
    dirty.append(Int32(worker))
  }

  /// Starts whatever may start now; returns whether anything did.
  mutating func startReady(
    at now: SimTime, queue: inout EventQueue<JobEvent>, sends: inout [PlannedSend]
  ) -> Bool {
    if dirty.isEmpty { return false }
    var started = false
    var position = 0
    while position < dirty.count {
      let worker = Int(dirty[position])
      position += 1
      isDirty[worker] = false
      for stream in [StreamKind.compute, .side, .cpu] {
        while let (operation, ready) = streams.takeNext(worker: worker, stream: stream) {
          started = true
          start(operation, on: stream, worker: worker, ready: ready, at: now, queue: &queue)
        }
      }
      while let exchange = admissions[worker].admit() {
        started = true
        join(worker, exchange: exchange, at: now, queue: &queue, sends: &sends)
      }
    }
    dirty.removeAll(keepingCapacity: true)
    return started
  }

  private mutating func start(
    _ operation: Int, on stream: StreamKind, worker: Int, ready: SimTime, at now: SimTime,
    queue: inout EventQueue<JobEvent>
  ) {
    let cell = worker * operationCount + operation
    let description = plan.graph.operations[operation]
    startTime[cell] = now
    if now > ready {
      cause[cell] = lastOnStream[worker * WorkerStreams.count + Int(stream.rawValue)]
    }
    var duration = description.duration
    if description.kind == .forward || description.kind == .backward {
      if factor[worker] != 1 {
        // A heavy tail may leave the range of numbers; time then leaves its own below.
        duration = factor[worker].isFinite ? duration.scaled(by: factor[worker]) : .unbounded
      }
    }
    let end = now + duration
    if end == .never {
      fail(.timeOverflow(at: now, what: "\(description.kind) of worker \(worker)"))
      return
    }
    streams.start(
      operation, on: stream, worker: worker, job: index, until: end, at: now, queue: &queue)
    if streams.hasOverflowed {
      fail(.timeOverflow(at: now, what: "overlapping work of worker \(worker)"))
    }
  }

  /// A stream's operation is over.
  mutating func operationFinished(
    _ operation: Int, worker: Int, at now: SimTime, queue: inout EventQueue<JobEvent>
  ) {
    let stream = plan.graph.operations[operation].stream
    lastOnStream[worker * WorkerStreams.count + Int(stream.rawValue)] = Int32(operation)
    if let loss = streams.end(stream: stream, worker: worker, job: index, at: now, queue: &queue) {
      let cell = worker * operationCount + loss.compute
      if plan.graph.operations[loss.side].kind == .encode {
        lostToEncode[cell] += loss.lost
      } else {
        lostToDecode[cell] += loss.lost
      }
    }
    complete(operation, worker: worker, at: now)
    markDirty(worker)
  }

  private mutating func complete(_ operation: Int, worker: Int, at now: SimTime) {
    let cell = worker * operationCount + operation
    finishTime[cell] = now
    let description = plan.graph.operations[operation]
    if description.kind == .forward || description.kind == .backward {
      // At most one entry an operation and iteration, so the position is in bounds.
      computeOrder[worker * computeCount + Int(computeEnded[worker])] = Int32(operation)
      computeEnded[worker] += 1
    }
    if isRecording {
      spans.append(
        TimelineSpan(
          job: JobID(index), worker: RankID(worker), iteration: iteration[worker],
          kind: description.kind, stream: description.stream, unit: description.unit,
          start: startTime[cell], end: now))
    }
    let range =
      Int(plan.graph.successorOffsets[operation])..<Int(plan.graph.successorOffsets[operation + 1])
    for position in range {
      let successor = Int(plan.graph.successors[position])
      let target = worker * operationCount + successor
      remaining[target] -= 1
      if remaining[target] == 0 { makeReady(worker, successor, because: operation, at: now) }
    }
    operationsLeft[worker] -= 1
    if operationsLeft[worker] == 0 { endIteration(worker, last: operation, at: now) }
  }

  // MARK: - Exchanges

  /// The worker's payload exists, though the exchange may not be admitted yet.
  private mutating func noteReady(_ worker: Int, exchange: Int, at now: SimTime) {
    let number = Int(iteration[worker])
    let (slot, _) = slots.place(exchange, worker: worker, iteration: number)
    slots[slot].open(iteration: number)
    slots[slot].lastReady = max(slots[slot].lastReady, now)
  }

  private mutating func join(
    _ worker: Int, exchange: Int, at now: SimTime, queue: inout EventQueue<JobEvent>,
    sends: inout [PlannedSend]
  ) {
    let operation = exchangeOperations[exchange]
    let cell = worker * operationCount + operation
    if now > startTime[cell] {
      let base = worker * operationCount
      let last = Int(lastExchange[worker])
      if last >= 0, finishTime[base + last] == now {
        cause[cell] = Int32(last)
      } else {
        // The window had room, but the exchange before came late and was admitted just now: what
        // held that one up held this one up.
        cause[cell] = cause[base + exchangeOperations[exchange - 1]]
      }
    }
    startTime[cell] = now
    let (slot, rank) = slots.place(exchange, worker: worker, iteration: Int(iteration[worker]))
    slots[slot].join(rank, actions: &actions)
    perform(slot, at: now, queue: &queue, sends: &sends)
  }

  /// A message of `slot` has arrived.
  mutating func delivered(
    slot: Int, step: Int, at now: SimTime, queue: inout EventQueue<JobEvent>,
    sends: inout [PlannedSend]
  ) {
    slots[slot].delivered(step, actions: &actions)
    perform(slot, at: now, queue: &queue, sends: &sends)
  }

  /// A reduction of `slot` is over.
  mutating func combined(
    slot: Int, step: Int, at now: SimTime, queue: inout EventQueue<JobEvent>,
    sends: inout [PlannedSend]
  ) {
    slots[slot].combined(step, actions: &actions)
    perform(slot, at: now, queue: &queue, sends: &sends)
  }

  /// Carries out what the exchange in `slot` asked for.
  private mutating func perform(
    _ slot: Int, at now: SimTime, queue: inout EventQueue<JobEvent>, sends: inout [PlannedSend]
  ) {
    if actions.isEmpty { return }
    // Carrying one out starts nothing in an exchange, so that no actions come in between.
    for position in actions.indices {
      switch actions[position] {
      case .send(let step, let source, let destination, let size):
        let sender = slots.member(source, of: slot)
        let receiver = slots.member(destination, of: slot)
        let (from, to) = (plan.nodes[sender], plan.nodes[receiver])
        if slots[slot].iteration >= plan.warmup, from != to, sender < plan.workers {
          outcome.wireBytes += size
          if plan.hosts.isEmpty || plan.hosts[sender] != plan.hosts[receiver] {
            outcome.hostBytes += size
          }
        }
        sends.append(
          PlannedSend(
            job: index, slot: slot, step: step, source: from, destination: to, size: size))
      case .combine(let step, let rank, let duration):
        let member = slots.member(rank, of: slot)
        let end = max(now, reducerFree[member]) + duration
        if end == .never {
          fail(.timeOverflow(at: now, what: "a reduction"))
          return
        }
        reducerFree[member] = end
        queue.schedule(
          JobEvent(kind: .combined, job: index, rank: member, index: step, slot: slot), at: end)
      case .finished(let rank):
        let member = slots.member(rank, of: slot)
        if member < plan.workers { finishExchange(slot: slot, worker: member, at: now) }
      }
    }
    actions.removeAll(keepingCapacity: true)
  }

  private mutating func finishExchange(slot: Int, worker: Int, at now: SimTime) {
    let exchange = slots.exchange(of: slot)
    let operation = exchangeOperations[exchange]
    lastReady[worker * plan.exchanges.count + exchange] = slots[slot].lastReady
    lastExchange[worker] = Int32(operation)
    admissions[worker].complete()
    markDirty(worker)
    complete(operation, worker: worker, at: now)
  }

  // MARK: - Accounts

  /// Charges every instant of `worker`'s iteration once: to compute while forward or backward runs,
  /// else to what its critical path was doing.
  ///
  /// The critical path is walked backwards from the last operation; every step ends where the next
  /// one began, so the parts add up to the iteration exactly. What the path spends on exchanges,
  /// encoding or decoding beside a running backward pass is hidden, not exposed.
  private func account(_ worker: Int, from last: Int) -> IterationAccount {
    var account = IterationAccount()
    var hidden = HiddenTime(index: Int(computeEnded[worker]) - 1)
    var operation = last
    while operation >= 0 {
      let cell = worker * operationCount + operation
      let (start, end) = (startTime[cell], finishTime[cell])
      switch plan.graph.operations[operation].kind {
      case .forward, .backward: break
      case .encode: account.encode += exposed(worker, start, end, &hidden)
      case .decode: account.decode += exposed(worker, start, end, &hidden)
      case .optimizer: account.optimizer += exposed(worker, start, end, &hidden)
      case .exchange:
        let exchange = Int(plan.graph.operations[operation].exchange)
        let everyone = lastReady[worker * plan.exchanges.count + exchange]
        let turn = max(start, min(end, everyone))
        account.communication += exposed(worker, turn, end, &hidden)
        account.stragglers += exposed(worker, start, turn, &hidden)
      }
      operation = Int(cause[cell])
    }
    // Each is added to sums, so that the order in which they ended does not matter.
    for position in 0..<Int(computeEnded[worker]) {
      let cell =
        worker * operationCount + Int(computeOrder[worker * computeCount + position])
      let length = finishTime[cell] - startTime[cell]
      // Rounding may let the losses of many overlaps exceed the length by picoseconds.
      let encode = min(lostToEncode[cell], length)
      let decode = min(lostToDecode[cell], length - encode)
      account.encode += encode
      account.decode += decode
      account.compute += length - encode - decode
    }
    return account
  }

  /// How far the walk over forward and backward, latest first, has come.
  private struct HiddenTime { var index: Int }

  /// The part of `start..<end` during which neither forward nor backward ran; calls go backwards.
  private func exposed(
    _ worker: Int, _ start: SimTime, _ end: SimTime, _ hidden: inout HiddenTime
  ) -> SimDuration {
    var length = end - start
    while hidden.index >= 0 {
      let position = worker * computeCount + hidden.index
      let cell = worker * operationCount + Int(computeOrder[position])
      let overlap = min(finishTime[cell], end) - max(startTime[cell], start)
      if overlap > .zero { length -= overlap }
      // One that began before `start` may also overlap the step before.
      if startTime[cell] < start { break }
      hidden.index -= 1
    }
    return length
  }

  // MARK: - Reports

  /// Who waits for what, when nothing more can happen.
  func waitingReport() -> [String] {
    var lines: [String] = []
    for worker in 0..<plan.workers where Int(iteration[worker]) < plan.warmup + plan.iterations {
      let base = worker * operationCount
      if waitingSince[worker] != .never {
        lines.append(
          "\(plan.name): worker \(worker) waits for the others after iteration \(iteration[worker])"
        )
        continue
      }
      let number = Int(iteration[worker])
      for exchange in phases[phaseIndex(of: number)].exchanges {
        let operation = exchangeOperations[exchange]
        let (place, rank) = slots.place(exchange, worker: worker, iteration: number)
        let slot = slots[place]
        if remaining[base + operation] == 0, slot.isWaiting(for: rank) {
          lines.append(
            "\(plan.name): worker \(worker), iteration \(iteration[worker]), waits in "
              + "\(plan.exchanges[exchange].plan.name) of unit \(plan.exchanges[exchange].unit): "
              + slot.pendingDescription.split(separator: "\n").joined(separator: "; "))
        }
      }
    }
    return lines
  }
}

/// A message that an exchange wants to send.
struct PlannedSend: BitwiseCopyable {
  var job: Int
  var slot: Int
  var step: Int
  var source: NodeID
  var destination: NodeID
  var size: ByteCount
}
