import SimKernel

extension JobState {
  /// Everything `cell` of `worker` waits for is over.
  mutating func makeReady(_ worker: Int, _ cell: Int, because earlier: Int, at now: SimTime) {
    let place = worker * cellCount + cell
    cause[place] = Int32(earlier)
    let description = plan.graph.operations[operation(of: cell)]
    switch description.kind {
    case .exchange:
      startTime[place] = now
      noteReady(worker, exchange: Int(description.exchange), cell: cell, at: now)
    case .hold:
      startTime[place] = now
      holds.append((Int32(worker), Int32(cell)))
    default:
      streams.enqueue(cell, on: description.stream, worker: worker, at: now)
    }
    markDirty(worker)
  }

  mutating func markDirty(_ worker: Int) {
    if isDirty[worker] { return }
    isDirty[worker] = true
    dirty.append(Int32(worker))
  }

  /// Starts whatever may start now; returns whether anything did.
  mutating func startReady(
    at now: SimTime, queue: inout EventQueue<JobEvent>, sends: inout [PlannedSend]
  ) -> Bool {
    if mustWrite { beginWriting(at: now, queue: &queue) }
    if dirty.isEmpty { return false }
    var started = false
    if !holds.isEmpty { startHolds(at: now, queue: &queue) }
    var position = 0
    while position < dirty.count {
      let worker = Int(dirty[position])
      position += 1
      isDirty[worker] = false
      for stream in [StreamKind.compute, .side, .cpu] {
        while let (cell, ready) = streams.takeNext(worker: worker, stream: stream) {
          started = true
          start(cell, on: stream, worker: worker, ready: ready, at: now, queue: &queue)
        }
      }
      while let exchange = admission.admit(worker) {
        started = true
        join(worker, exchange: exchange, at: now, queue: &queue, sends: &sends)
      }
    }
    dirty.removeAll(keepingCapacity: true)
    return started
  }

  private mutating func startHolds(at now: SimTime, queue: inout EventQueue<JobEvent>) {
    for (worker, cell) in holds {
      let end = now + plan.graph.operations[operation(of: Int(cell))].duration
      if end == .never {
        fail(.timeOverflow(at: now, what: "a schedule's wait of worker \(worker)"))
        return
      }
      queue.schedule(
        JobEvent(kind: .held, of: incarnation, rank: Int(worker), index: Int(cell)), at: end)
    }
    holds.removeAll(keepingCapacity: true)
  }

  private mutating func start(
    _ cell: Int, on stream: StreamKind, worker: Int, ready: SimTime, at now: SimTime,
    queue: inout EventQueue<JobEvent>
  ) {
    let place = worker * cellCount + cell
    let description = plan.graph.operations[operation(of: cell)]
    startTime[place] = now
    if now > ready {
      cause[place] = lastOnStream[worker * WorkerStreams.count + Int(stream.rawValue)]
    }
    var duration = description.duration
    if !plan.durations.isEmpty {
      duration =
        plan.durations[
          Int(plan.classOfWorker[worker]) * operationCount + operation(of: cell)]
    }
    if description.kind.isCompute, factor[worker] != 1 {
      // A heavy tail may leave the range of numbers; time then leaves its own below.
      duration = factor[worker].isFinite ? duration.scaled(by: factor[worker]) : .unbounded
    }
    let end = now + duration
    if end == .never {
      fail(.timeOverflow(at: now, what: "\(description.kind) of worker \(worker)"))
      return
    }
    streams.start(
      cell, on: stream, worker: worker, of: incarnation, until: end, at: now, queue: &queue)
    if streams.hasOverflowed {
      fail(.timeOverflow(at: now, what: "overlapping work of worker \(worker)"))
    }
  }

  /// A stream's operation is over.
  mutating func operationFinished(
    _ cell: Int, worker: Int, at now: SimTime, queue: inout EventQueue<JobEvent>
  ) {
    let stream = plan.graph.operations[operation(of: cell)].stream
    lastOnStream[worker * WorkerStreams.count + Int(stream.rawValue)] = Int32(cell)
    if let loss = streams.end(
      stream: stream, worker: worker, of: incarnation, at: now, queue: &queue)
    {
      let place = worker * cellCount + loss.compute
      if plan.graph.operations[operation(of: loss.side)].kind == .encode {
        lostToEncode[place] += loss.lost
      } else {
        lostToDecode[place] += loss.lost
      }
    }
    complete(cell, worker: worker, at: now)
    markDirty(worker)
  }

  /// The operation of `cell` is over, whatever it ran on.
  mutating func complete(_ cell: Int, worker: Int, at now: SimTime) {
    let base = worker * cellCount
    let operation = operation(of: cell)
    let number = iteration(of: cell, worker: worker)
    finishTime[base + cell] = now
    let description = plan.graph.operations[operation]
    if description.kind.isCompute {
      // At most one entry an operation and iteration, so the position is in bounds.
      computeOrder[worker * mostCompute + Int(computeEnded[worker])] = Int32(cell)
      computeEnded[worker] += 1
    }
    if record != nil {
      let span = TimelineSpan(
        job: JobID(index), worker: RankID(worker), iteration: Int32(number),
        kind: description.kind, stream: description.stream, unit: description.unit,
        start: startTime[base + cell], end: now)
      record?.spans.append(span)
    }
    let offsets = plan.graph.successorOffsets
    for position in Int(offsets[operation])..<Int(offsets[operation + 1]) {
      release(
        worker, firstCell(of: number) + Int(plan.graph.successors[position]), because: cell, at: now
      )
    }
    if parities == 2 { releaseNext(worker, operation, after: number, because: cell, at: now) }
    let left = place(of: worker, number)
    operationsLeft[left] -= 1
    if operationsLeft[left] == 0 { operationsEnded[left] = now }
    if parities == 1 {
      if operationsLeft[left] == 0 { endIteration(worker, last: cell, at: now) }
      return
    }
    if description.kind.isCompute, computeEnded[worker] == computeCounts[phaseIndex(of: number)] {
      endIteration(worker, last: cell, at: now)
    } else if operationsLeft[left] == 0 {
      if waitingSince[worker] != .never { goOn(worker, at: now) }
      endWorker(worker, at: now)
    }
  }

  /// One thing fewer that `cell` waits for.
  @inline(__always)
  private mutating func release(
    _ worker: Int, _ cell: Int, because earlier: Int, at now: SimTime
  ) {
    let place = worker * cellCount + cell
    remaining[place] -= 1
    if remaining[place] == 0 { makeReady(worker, cell, because: earlier, at: now) }
  }

  /// Lets the next iteration know, if it has begun.
  private mutating func releaseNext(
    _ worker: Int, _ operation: Int, after number: Int, because cell: Int, at now: SimTime
  ) {
    guard Int(iteration[worker]) == number + 1, waitingSince[worker] == .never else { return }
    let offsets = plan.graph.carriedOffsets
    for position in Int(offsets[operation])..<Int(offsets[operation + 1]) {
      release(
        worker, firstCell(of: number + 1) + Int(plan.graph.carriedSuccessors[position]),
        because: cell, at: now)
    }
  }
}
