import Collectives
import SimKernel

/// What a job that is recorded has done and not handed over yet.
struct JobRecord {
  var spans: [TimelineSpan] = []
  var exchanges: [ExchangeSpan] = []
  var reductions: [ReductionSpan] = []
  var iterations: [IterationSpan] = []
  /// Since when (worker, parity, exchange) had its payload, and when it was admitted.
  var ready: [SimTime]
  var admitted: [SimTime]
  /// What the latest counted iteration of every worker went into.
  var accounts: [IterationAccount]

  init(workers: Int, places: Int) {
    ready = Array(repeating: .zero, count: places)
    admitted = Array(repeating: .zero, count: places)
    accounts = Array(repeating: IterationAccount(), count: workers)
  }

  /// Hands everything over.
  mutating func hand(to recorder: any TimelineRecorder) {
    if !spans.isEmpty {
      recorder.record(spans)
      spans.removeAll(keepingCapacity: true)
    }
    if !exchanges.isEmpty {
      recorder.record(exchanges)
      exchanges.removeAll(keepingCapacity: true)
    }
    if !reductions.isEmpty {
      recorder.record(reductions)
      reductions.removeAll(keepingCapacity: true)
    }
    if !iterations.isEmpty {
      recorder.record(iterations)
      iterations.removeAll(keepingCapacity: true)
    }
  }
}

extension JobState {
  /// What a timeline says of a message that has just been asked for.
  @inline(never)
  func span(of send: PlannedSend, at now: SimTime) -> TransferSpan {
    let exchange = slots.exchange(of: send.slot)
    let move = plan.exchanges[exchange].plan.step(send.step)
    return TransferSpan(
      job: JobID(index), sender: RankID(rawValue: send.sender),
      receiver: RankID(slots.member(move.destination, of: send.slot)), source: send.source,
      destination: send.destination, iteration: Int32(slots[send.slot].iteration),
      unit: Int32(plan.exchanges[exchange].unit), exchange: Int32(exchange),
      step: Int32(send.step), priority: send.priority, size: send.size, queued: now, start: now,
      left: .never, delivered: .never)
  }

  /// `worker` begins an exchange whose payload it had at `ready`.
  @inline(never)
  mutating func recordAdmission(
    _ worker: Int, exchange: Int, iteration number: Int, ready: SimTime, at now: SimTime
  ) {
    let place = readyPlace(worker, exchange, number)
    record?.ready[place] = ready
    record?.admitted[place] = now
  }

  /// `worker` has the result of an exchange.
  @inline(never)
  mutating func recordExchange(
    _ worker: Int, exchange: Int, iteration number: Int, at now: SimTime
  ) {
    let place = readyPlace(worker, exchange, number)
    guard let ready = record?.ready[place], let start = record?.admitted[place] else { return }
    let span = ExchangeSpan(
      job: JobID(index), worker: RankID(worker), iteration: Int32(number),
      exchange: Int32(exchange), unit: Int32(plan.exchanges[exchange].unit), ready: ready,
      start: start, end: now)
    record?.exchanges.append(span)
  }

  /// The rank slot `member` sums until `end`.
  @inline(never)
  mutating func recordReduction(
    _ member: Int, slot: Int, step: Int, from now: SimTime, until end: SimTime
  ) {
    let exchange = slots.exchange(of: slot)
    let span = ReductionSpan(
      job: JobID(index), rank: RankID(member), iteration: Int32(slots[slot].iteration),
      unit: Int32(plan.exchanges[exchange].unit), exchange: Int32(exchange), step: Int32(step),
      start: now, end: end)
    record?.reductions.append(span)
  }

  /// `worker` may go on after iteration `number`.
  @inline(never)
  mutating func recordIteration(_ worker: Int, _ number: Int, until now: SimTime) {
    guard let account = record?.accounts[worker] else { return }
    let span = IterationSpan(
      job: JobID(index), worker: RankID(worker), iteration: Int32(number),
      start: iterationStart[worker], end: now, account: account)
    record?.iterations.append(span)
  }
}
