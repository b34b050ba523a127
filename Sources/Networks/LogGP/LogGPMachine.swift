import SimKernel

/// What an event is, in the lowest bits of its key; operations have the values of their kinds.
private enum Kind {
  static let send: UInt64 = 0
  static let receive: UInt64 = 1
  static let message: UInt64 = 3
  /// Added if it stands first in a list of those that wait.
  static let queued: UInt64 = 4
}

/// The LogGOPS machine: hosts with CPUs and NICs that carry out the operations of a program.
///
/// Events of one instant are taken in the order in which operations were posted: a send gives its
/// message a number when it leaves; an operation that must wait keeps the number it has. This is the
/// order of LogGOPSim (Hoefler, Schneider, Lumsdaine, HPDC 2010), except that what is released
/// together stays in posting order, sends first, then receives, then calculations.
///
/// What the model does at each event, with s' = s - 1 or 0:
/// - send: CPU until t + o + s' O, NIC for sending until t + g + s' G; the message reaches the
///   destination at t + o + L; an eager send is over when its CPU is.
/// - message: once CPU and NIC for receiving are free, CPU until t + o + s' max(O, G), NIC until
///   t + g + s' G; a posted receive is over then. Of a rendezvous, the send is over at t. A message
///   uses the CPU and NIC numbers of its send on both sides.
/// - receive: takes the first unexpected message that fits or is posted; the send of a rendezvous is
///   over then. As in LogGOPSim its bytes have travelled before, and the acknowledgement costs
///   nothing.
/// - calculation: CPU for its duration.
struct LogGPMachine<Program: LogGPProgram & ~Copyable>: ~Copyable {
  private struct Event: BitwiseCopyable {
    /// The number it was posted with, and what it is in the lowest three bits.
    var key: UInt64
    var host: UInt32
    var operation: UInt32
  }
  private var program: Program
  private let costs: LogGPCosts
  private let hostCount: Int
  private let cpus: Int
  private let nics: Int
  /// When each resource of a host is free: CPUs, NICs for sending, NICs for receiving.
  private var free: FlatBuffer<Int64>
  private let stride: Int
  private var waiting: WaitingOperations
  /// Lists of a host: sends and messages by CPU and NIC, calculations by CPU.
  private let listStride: Int
  private var queue = EventQueue<Event>()
  /// The events of this instant, by number; those before `cursor` are done.
  private var batch = FlatBuffer<Event>(capacity: 1024)
  private var cursor = 0
  private var now: Int64 = 0
  private var sequence: UInt64 = 0
  private var ready = FlatBuffer<ReadyOperation>()
  private var remoteReady = FlatBuffer<ReadyOperation>()
  private var isOverflowing = false
  private var messages = 0
  private var bytes: Int64 = 0

  init(_ program: consuming Program, hosts: LogGPHosts) {
    hostCount = program.hostCount
    cpus = program.cpuCount
    nics = program.nicCount
    stride = cpus + 2 * nics
    listStride = 2 * cpus * nics + cpus
    free = FlatBuffer(repeating: 0, count: hostCount * stride)
    waiting = WaitingOperations(count: hostCount * listStride)
    costs = LogGPCosts(hosts, count: hostCount)
    self.program = program
  }

  /// Runs to the end.
  ///
  /// - Throws: ``LogGPError`` if something can never happen, or time leaves its range.
  mutating func run(_ stop: () -> Bool) throws(LogGPError) -> LogGPOutcome {
    for host in 0..<hostCount {
      program.begin(host, &ready)
      release(at: host)
    }
    var instants = 0
    while true {
      while cursor < batch.count {
        let event = batch[cursor]
        cursor &+= 1
        process(event)
      }
      if isOverflowing { throw .timeOverflow(at: SimTime(picoseconds: now)) }
      instants &+= 1
      if instants & 0xFFFF == 0, stop() { throw .interrupted(at: SimTime(picoseconds: now)) }
      if !takeInstant() { break }
    }
    if !program.isComplete {
      throw .stuck(at: SimTime(picoseconds: now), waiting: program.waitingReport())
    }
    var finish: [SimTime] = []
    finish.reserveCapacity(hostCount)
    for host in 0..<hostCount {
      var end: Int64 = 0
      for cpu in 0..<cpus { end = max(end, free[host * stride + cpu]) }
      if end >= TimePerByte.limit { throw .timeOverflow(at: SimTime(picoseconds: now)) }
      finish.append(SimTime(picoseconds: end))
    }
    return LogGPOutcome(finish: finish, messages: messages, bytes: ByteCount(bytes))
  }

  // MARK: - Order

  /// Fills the batch with the events of the next instant; false if there is none.
  private mutating func takeInstant() -> Bool {
    batch.truncate()
    cursor = 0
    guard let (time, first) = queue.pop() else { return false }
    now = time.picoseconds
    batch.append(first)
    var last = first.key
    var isSorted = true
    while let next = queue.popDue() {
      if next.key < last { isSorted = false }
      last = next.key
      batch.append(next)
    }
    if !isSorted {
      // Those that waited come behind younger ones that were filed for this instant before.
      var events = UnsafeMutableBufferPointer(start: batch.base, count: batch.count)
      // In bounds: the buffer's own memory, which nobody else touches meanwhile.
      events.sort { $0.key < $1.key }
    }
    return true
  }

  @inline(__always)
  private mutating func push(
    _ sequence: UInt64, _ kind: UInt64, host: Int, operation: UInt32, at time: Int64
  ) {
    let event = Event(
      key: sequence &<< 3 | kind, host: UInt32(truncatingIfNeeded: host), operation: operation)
    if time > now {
      if time >= TimePerByte.limit {
        isOverflowing = true
        return
      }
      queue.schedule(event, at: SimTime(picoseconds: time))
    } else {
      insertNow(event)
    }
  }

  /// Files an event among those of this instant that are still to come.
  private mutating func insertNow(_ event: Event) {
    batch.append(event)
    var place = batch.count - 1
    while place > cursor, batch[place - 1].key > event.key {
      batch[place] = batch[place - 1]
      place -= 1
    }
    batch[place] = event
  }

  @inline(__always)
  private mutating func number() -> UInt64 {
    sequence &+= 1
    return sequence
  }

  // MARK: - Posting

  /// Posts what was released at `host`: sends, then receives, then calculations.
  @inline(__always)
  private mutating func release(at host: Int) {
    if ready.isEmpty { return }
    if ready.count == 1 {
      post(ready[0], at: host)
    } else {
      for kind in 0..<3 as Range<UInt8> {
        for index in ready.indices where ready[index].kind.rawValue == kind {
          post(ready[index], at: host)
        }
      }
    }
    ready.truncate()
  }

  /// As ``release(at:)``, for what the end of a rendezvous released at its sender.
  private mutating func releaseRemote(at host: Int) {
    for kind in 0..<3 as Range<UInt8> {
      for index in remoteReady.indices where remoteReady[index].kind.rawValue == kind {
        post(remoteReady[index], at: host)
      }
    }
    remoteReady.truncate()
  }

  @inline(__always)
  private mutating func post(_ operation: ReadyOperation, at host: Int) {
    let base = host &* stride
    let id = operation.operation
    var time = operation.time
    switch operation.kind {
    case .send:
      let facts = program.send(id, at: host)
      time = max(time, free[base + facts.cpu], free[base + cpus + facts.nic])
    case .receive: time = max(time, free[base + program.receiveCPU(id, at: host)])
    case .calculation: time = max(time, free[base + program.calculation(id, at: host).cpu])
    }
    push(number(), UInt64(operation.kind.rawValue), host: host, operation: id, at: time)
  }

  /// Whether `event` comes for an operation that is not the first of `list` any more.
  ///
  /// Somebody posted earlier has come before it, and the list will call it again; or it has had
  /// two events and is gone.
  @inline(__always)
  private func isStale(_ event: Event, _ list: Int) -> Bool {
    event.key & Kind.queued != 0 && waiting.first(list)?.sequence != event.key &>> 3
  }

  /// Lets the operation of `event` wait in `list` until `time`, unless somebody before it does.
  private mutating func wait(_ event: Event, _ list: Int, until time: Int64) {
    let sequence = event.key &>> 3
    if event.key & Kind.queued == 0,
      !waiting.insert(event.operation, sequence: sequence, into: list)
    {
      return
    }
    push(
      sequence, event.key & 3 | Kind.queued, host: Int(event.host), operation: event.operation,
      at: time)
  }

  /// The first of `list` has had its turn: the next one tries at `time`.
  private mutating func advance(_ list: Int, _ event: Event, at time: Int64) {
    waiting.removeFirst(list)
    if let next = waiting.first(list) {
      push(
        next.sequence, event.key & 3 | Kind.queued, host: Int(event.host),
        operation: next.operation, at: time)
    }
  }

  // MARK: - Events

  @inline(__always)
  private mutating func process(_ event: Event) {
    switch event.key & 3 {
    case Kind.send: send(event)
    case Kind.message: message(event)
    case Kind.receive: receive(event)
    default: calculate(event)
    }
  }

  @inline(__always)
  private mutating func send(_ event: Event) {
    let host = Int(event.host)
    let facts = program.send(event.operation, at: host)
    let base = host &* stride
    let (cpu, nic) = (base + facts.cpu, base + cpus + facts.nic)
    let list = host &* listStride + facts.cpu &* nics + facts.nic
    if isStale(event, list) { return }
    let available = max(free[cpu], free[nic])
    if available > now {
      wait(event, list, until: available)
      return
    }
    let cost = costs[host]
    let rest = max(facts.size &- 1, 0)
    let end = now + cost.overhead + cost.overheadPerByte.picoseconds(for: rest)
    free[cpu] = end
    free[nic] = now + cost.gap + cost.gapPerByte.picoseconds(for: rest)
    program.started(event.operation, at: host, time: now, &ready)
    messages &+= 1
    bytes += facts.size
    push(
      number(), Kind.message, host: facts.destination, operation: event.operation,
      at: now + cost.overhead + cost.latency)
    if facts.size <= cost.eager {
      program.finished(event.operation, at: host, time: end, &ready)
    }
    if event.key & Kind.queued != 0 {
      advance(list, event, at: max(free[cpu], free[nic]))
    }
    release(at: host)
  }

  @inline(__always)
  private mutating func message(_ event: Event) {
    let host = Int(event.host)
    let facts = program.message(event.operation, at: host)
    let base = host &* stride
    let (cpu, nic) = (base + facts.cpu, base + cpus + nics + facts.nic)
    let list = host &* listStride + (cpus + facts.cpu) &* nics + facts.nic
    if isStale(event, list) { return }
    let available = max(free[cpu], free[nic])
    if available > now {
      wait(event, list, until: available)
      return
    }
    let cost = costs[host]
    let rest = max(facts.size &- 1, 0)
    let gap = cost.gapPerByte.picoseconds(for: rest)
    let end = now + cost.overhead + max(cost.overheadPerByte.picoseconds(for: rest), gap)
    free[cpu] = end
    free[nic] = now + cost.gap + gap
    if event.key & Kind.queued != 0 {
      advance(list, event, at: max(free[cpu], free[nic]))
    }
    guard let receive = program.arrive(event.operation, at: host, time: end) else { return }
    if facts.size > costs[facts.source].eager {
      acknowledge(event.operation, facts, at: host)
    }
    program.finished(receive, at: host, time: end, &ready)
    releaseBoth(host, facts.source)
  }

  @inline(__always)
  private mutating func receive(_ event: Event) {
    let host = Int(event.host)
    program.started(event.operation, at: host, time: now, &ready)
    var source = host
    if let (message, end) = program.post(event.operation, at: host) {
      let facts = program.message(message, at: host)
      source = facts.source
      if facts.size > costs[source].eager { acknowledge(message, facts, at: host) }
      program.finished(event.operation, at: host, time: max(now, end), &ready)
    }
    releaseBoth(host, source)
  }

  @inline(__always)
  private mutating func calculate(_ event: Event) {
    let host = Int(event.host)
    let facts = program.calculation(event.operation, at: host)
    let cpu = host &* stride + facts.cpu
    let list = host &* listStride + 2 &* cpus &* nics + facts.cpu
    if isStale(event, list) { return }
    if free[cpu] > now {
      wait(event, list, until: free[cpu])
      return
    }
    free[cpu] = now + facts.duration
    program.started(event.operation, at: host, time: now, &ready)
    program.finished(event.operation, at: host, time: free[cpu], &ready)
    if event.key & Kind.queued != 0 { advance(list, event, at: free[cpu]) }
    release(at: host)
  }

  /// The receiver of a rendezvous takes its message now: the send is over.
  private mutating func acknowledge(_ send: UInt32, _ facts: MessageFacts, at host: Int) {
    let base = facts.source &* stride
    let (cpu, nic) = (base + facts.cpu, base + cpus + facts.nic)
    free[cpu] = max(free[cpu], now)
    free[nic] = max(free[nic], now)
    if facts.source == host {
      program.finished(send, at: host, time: now, &ready)
    } else {
      program.finished(send, at: facts.source, time: now, &remoteReady)
    }
  }

  /// Posts what one event released at two hosts, the lower host first.
  @inline(__always)
  private mutating func releaseBoth(_ host: Int, _ remote: Int) {
    if remote < host, !remoteReady.isEmpty { releaseRemote(at: remote) }
    release(at: host)
    if !remoteReady.isEmpty { releaseRemote(at: remote) }
  }
}
