import SimKernel

extension JobState {
  /// The worker's payload exists, though the exchange may not be admitted yet.
  mutating func noteReady(_ worker: Int, exchange: Int, cell: Int, at now: SimTime) {
    let number = iteration(of: cell, worker: worker)
    let (slot, _) = slots.place(exchange, worker: worker, iteration: number)
    slots[slot].open(iteration: number)
    slots[slot].lastReady = max(slots[slot].lastReady, now)
    if admission.ready(exchange, worker: worker, iteration: number) {
      for other in 0..<plan.workers { markDirty(other) }
    }
  }

  mutating func join(
    _ worker: Int, exchange: Int, at now: SimTime, queue: inout EventQueue<JobEvent>,
    sends: inout [PlannedSend]
  ) {
    let operation = exchangeOperations[exchange]
    // Exchanges of one iteration only are ready at any time: those of the next follow its forward.
    let cell = pendingCell(worker, operation)
    let place = worker * cellCount + cell
    let number = iteration(of: cell, worker: worker)
    if record != nil {
      recordAdmission(
        worker, exchange: exchange, iteration: number, ready: startTime[place], at: now)
    }
    if now > startTime[place] { findCause(worker, exchange, place, at: now) }
    let (slot, rank) = slots.place(exchange, worker: worker, iteration: number)
    if !pushesLeft.isEmpty {
      // Every chunk is pushed once.
      pushesLeft[readyPlace(worker, exchange, number)] = Int32(
        plan.exchanges[exchange].plan.chunkCount)
    }
    if solved != nil {
      joinSolved(worker, exchange: exchange, slot: slot, at: now, queue: &queue)
      return
    }
    slots[slot].join(rank, actions: &actions)
    perform(slot, at: now, queue: &queue, sends: &sends)
  }

  /// As an exchange that is solved at once, when its last worker joins.
  private mutating func joinSolved(
    _ worker: Int, exchange: Int, slot: Int, at now: SimTime, queue: inout EventQueue<JobEvent>
  ) {
    switch solved!.join(exchange, class: worker, at: now) {
    case .waiting: return
    case .parted: fail(.interrupted(at: now))
    case .outOfTime: fail(.timeOverflow(at: now, what: "an exchange"))
    case .solved:
      for worker in 0..<plan.workers {
        queue.schedule(
          JobEvent(
            kind: .exchangeFinished, of: incarnation, rank: worker, index: exchange, slot: slot),
          at: solved!.times[worker])
      }
    }
  }

  /// The cell of `operation` that is ready and not over: that of the earlier iteration if both are.
  private func pendingCell(_ worker: Int, _ operation: Int) -> Int {
    if parities == 1 { return operation }
    let number = Int(iteration[worker])
    let earlier = firstCell(of: number - 1) + operation
    let place = worker * cellCount + earlier
    if number > 0, operationsLeft[self.place(of: worker, number - 1)] > 0,
      finishTime[place] == .never
    {
      return earlier
    }
    return firstCell(of: number) + operation
  }

  /// An exchange was ready earlier and is admitted only now.
  ///
  /// What held it up?
  private mutating func findCause(_ worker: Int, _ exchange: Int, _ place: Int, at now: SimTime) {
    let base = worker * cellCount
    let last = Int(lastExchange[worker])
    if last >= 0, finishTime[base + last] == now {
      cause[place] = Int32(last)
    } else if plan.admission.order == .fixed {
      // The window had room, but the exchange before came late and was admitted just now: what
      // held that one up held this one up.
      let before = exchangeOperations[exchange - 1] + (place - base - exchangeOperations[exchange])
      cause[place] = cause[base + before]
    } else {
      // It waited for other workers to be ready: that is part of it.
      return
    }
    startTime[place] = now
  }

  /// A message of `slot` has arrived.
  mutating func delivered(
    slot: Int, step: Int, at now: SimTime, queue: inout EventQueue<JobEvent>,
    sends: inout [PlannedSend]
  ) {
    if !pushesLeft.isEmpty { notePush(slot, step) }
    slots[slot].delivered(step, actions: &actions)
    perform(slot, at: now, queue: &queue, sends: &sends)
  }

  /// Counts a push that has arrived at a server.
  private mutating func notePush(_ slot: Int, _ step: Int) {
    let exchange = slots.exchange(of: slot)
    let pushers = Int(pushers[exchange])
    if pushers == 0 { return }
    let move = plan.exchanges[exchange].plan.step(step)
    guard move.source.index < pushers, !move.chunks.isEmpty else { return }
    let worker = slots.member(move.source, of: slot)
    let place = readyPlace(worker, exchange, slots[slot].iteration)
    pushesLeft[place] -= 1
    if pushesLeft[place] == 0 {
      admission.complete(exchange, worker: worker)
      markDirty(worker)
    }
  }

  /// A reduction of `slot` by the rank slot `member` is over.
  mutating func combined(
    member: Int, slot: Int, step: Int, at now: SimTime, queue: inout EventQueue<JobEvent>,
    sends: inout [PlannedSend]
  ) {
    if let next = reducers.release(member) {
      reduce(
        member, slot: next.slot, step: next.step, for: next.duration, at: now, queue: &queue)
    }
    slots[slot].combined(step, actions: &actions)
    perform(slot, at: now, queue: &queue, sends: &sends)
  }

  private mutating func reduce(
    _ member: Int, slot: Int, step: Int, for duration: SimDuration, at now: SimTime,
    queue: inout EventQueue<JobEvent>
  ) {
    let end = now + duration
    if end == .never {
      fail(.timeOverflow(at: now, what: "a reduction"))
      return
    }
    if record != nil { recordReduction(member, slot: slot, step: step, from: now, until: end) }
    queue.schedule(
      JobEvent(kind: .combined, of: incarnation, rank: member, index: step, slot: slot), at: end)
  }

  /// Carries out what the exchange in `slot` asked for.
  mutating func perform(
    _ slot: Int, at now: SimTime, queue: inout EventQueue<JobEvent>, sends: inout [PlannedSend]
  ) {
    if actions.isEmpty { return }
    let exchange = slots.exchange(of: slot)
    let iteration = slots[slot].iteration
    // Carrying one out starts nothing in an exchange, so that no actions come in between.
    for position in actions.indices {
      switch actions[position] {
      case .send(let step, let source, let destination, let size):
        let sender = slots.member(source, of: slot)
        let receiver = slots.member(destination, of: slot)
        let (from, to) = (plan.nodes[sender], plan.nodes[receiver])
        if iteration >= plan.warmup, from != to, sender < plan.workers {
          outcome.wireBytes += size
          if plan.hosts.isEmpty || plan.hosts[sender] != plan.hosts[receiver] {
            outcome.hostBytes += size
          }
        }
        let send = PlannedSend(
          job: index, slot: slot, step: step, sender: Int32(sender),
          priority: order.priority(of: exchange, iteration: iteration, from: sender, to: receiver),
          source: from, destination: to,
          size: size)
        if sender >= plan.workers, heldReplies != nil {
          heldReplies?.hold(send, iteration: iteration, sends: &sends)
        } else {
          sends.append(send)
        }
      case .combine(let step, let rank, let duration):
        let member = slots.member(rank, of: slot)
        if reducers.admit(
          rank: member, slot: slot, step: step, priority: order.priority(of: exchange),
          for: duration)
        {
          reduce(member, slot: slot, step: step, for: duration, at: now, queue: &queue)
        }
      case .finished(let rank):
        let member = slots.member(rank, of: slot)
        if member < plan.workers { finishExchange(slot: slot, worker: member, at: now) }
      }
    }
    actions.removeAll(keepingCapacity: true)
  }

  /// `worker` has the result of the exchange in `slot`.
  mutating func finishExchange(slot: Int, worker: Int, at now: SimTime) {
    let exchange = slots.exchange(of: slot)
    let number = slots[slot].iteration
    let cell = firstCell(of: number) + exchangeOperations[exchange]
    lastReady[readyPlace(worker, exchange, number)] = slots[slot].lastReady
    lastExchange[worker] = Int32(cell)
    if record != nil {
      recordExchange(worker, exchange: exchange, iteration: number, at: now)
    }
    let move = plan.exchanges[exchange].plan
    if move.operation != .pushPull || move.chunkCount == 0 {
      admission.complete(exchange, worker: worker)
    }
    markDirty(worker)
    complete(cell, worker: worker, at: now)
  }

  /// Where ``lastReady`` of an exchange is.
  func readyPlace(_ worker: Int, _ exchange: Int, _ iteration: Int) -> Int {
    place(of: worker, iteration) * plan.exchanges.count + exchange
  }
}
