import Collectives
import Networks
import SimKernel

/// A change of the network at a given time.
public struct LinkFault: Sendable {
  public var time: SimTime
  public var link: LinkID
  /// The new bandwidth, if it changes.
  public var bandwidth: Bandwidth?
  /// Whether the link is up, if that changes.
  public var isUp: Bool?
  public init(time: SimTime, link: LinkID, bandwidth: Bandwidth?, isUp: Bool?) {
    self.time = time
    self.link = link
    self.bandwidth = bandwidth
    self.isUp = isUp
  }
}

/// One run: jobs on a network, as discrete events, on one thread.
///
/// Two clocks drive it, the jobs' event queue and the network. At an instant the jobs' events come
/// first in the order they were scheduled, then the network's notices ordered by transfer, then
/// idle streams start what is ready, worker by worker; this repeats until nothing changes, and only
/// then time advances to the earlier of the two clocks. The network therefore solves its rates once
/// an instant.
public struct Simulation<Network: NetworkModel & ~Copyable>: ~Copyable {
  private var network: Network
  private var jobs: [JobState]
  private var queue = EventQueue<JobEvent>()
  private var sends: [PlannedSend] = []
  private var notices: [Notice] = []
  /// Ends of solved exchanges that are due.
  private var ends: [JobEvent] = []
  private var nextTransfer: Int64 = 0
  private var channels: ChannelTable
  /// What senders spend on a message of each job.
  private let overheads: [SimDuration]
  private let hasPriorities: Bool
  /// Messages their senders are busy with, and the free places among them.
  private var launching: [PlannedSend] = []
  private var freeLaunches: [Int32] = []
  /// The first network group of each job, and the number of all; a group is an exchange slot.
  private var groupBases: [Int] = []
  private let groupCount: Int
  private let topology: Topology
  private let faults: [LinkFault]
  private var hosts: HostStates
  /// The life that each job is in.
  private var incarnations: [Incarnation]
  /// Messages of jobs that lose some; looked up only.
  private var losses: MessageLosses
  private let stop: any StopSignal
  private let recorder: (any TimelineRecorder)?
  /// Nil unless the run is recorded.
  private var log: TransferLog?

  /// A run that has not begun.
  public init(
    network: consuming Network, topology: Topology, jobs plans: [JobPlan], faults: [LinkFault] = [],
    crashes: HostCrashes = .none, stop: any StopSignal = NoStopSignal(),
    recorder: (any TimelineRecorder)? = nil
  ) {
    self.init(
      network: network, topology: topology, plans: plans,
      states: plans.enumerated().map {
        JobState(plan: $1, index: $0, isRecording: recorder != nil)
      }, faults: faults, crashes: crashes, stop: stop, recorder: recorder)
  }

  /// A run of one job whose exchanges are solved at once, so that the network carries nothing.
  init(
    network: consuming Network, topology: Topology, job plan: JobPlan, solved: SolvedExchanges,
    stop: any StopSignal
  ) {
    self.init(
      network: network, topology: topology, plans: [plan],
      states: [JobState(plan: plan, index: 0, isRecording: false, solved: solved)], faults: [],
      crashes: .none, stop: stop, recorder: nil)
  }

  private init(
    network: consuming Network, topology: Topology, plans: [JobPlan], states: [JobState],
    faults: [LinkFault], crashes: HostCrashes, stop: any StopSignal,
    recorder: (any TimelineRecorder)?
  ) {
    self.network = network
    self.topology = topology
    self.faults = faults
    self.stop = stop
    self.recorder = recorder
    log = recorder == nil ? nil : TransferLog()
    jobs = states
    hosts = HostStates(crashes, plans: plans, topology: topology)
    incarnations = plans.indices.map { Incarnation(job: $0) }
    losses = MessageLosses(plans)
    channels = ChannelTable(plans.map(\.sending))
    overheads = plans.map(\.sending.overhead)
    hasPriorities = plans.contains { $0.sending.order == .priority }
    var base = 0
    for plan in plans {
      groupBases.append(base)
      base += ExchangeSlots.count(plan.exchanges)
    }
    groupCount = base
  }

  /// Runs to the end of all jobs.
  ///
  /// - Returns: what each job did, in order; the network keeps its counters (``usage(of:)``).
  /// - Throws: ``SimulationError`` when nothing more can happen while workers wait, when time leaves
  ///   its range, or when the stop signal is raised. It never hangs.
  public mutating func run() throws(SimulationError) -> [JobOutcome] {
    for (index, fault) in faults.enumerated() {
      queue.schedule(JobEvent(world: .linkChange, rank: 0, index: index), at: fault.time)
    }
    for (event, time) in hosts.firstEvents() { queue.schedule(event, at: time) }
    for index in jobs.indices {
      let startup = jobs[index].plan.startup
      if startup == .zero {
        jobs[index].begin(at: .zero)
      } else {
        queue.schedule(
          JobEvent(kind: .jobStarts, of: incarnations[index], rank: 0, index: 0),
          at: .zero + startup)
      }
    }
    var now = SimTime.zero
    var rounds = 0
    while true {
      settle(at: now)
      var isDone = true
      for index in jobs.indices {
        // Mutating calls borrow the job in place; reading a property would copy its arrays' owners.
        switch jobs[index].poll() {
        case .running: isDone = false
        case .done: break
        case .failed: if let failure = jobs[index].failure { throw failure }
        }
        if let recorder { jobs[index].hand(to: recorder) }
      }
      if let recorder { log?.hand(to: recorder) }
      if isDone { break }
      // A lock or an atomic read each time would cost more than most events.
      if rounds & 0xFF == 0, stop.isRaised { throw .interrupted(at: now) }
      rounds += 1
      let next = network.advance(until: queue.nextTime)
      if next == .never {
        throw .stuck(at: now, waiting: networkReport() + jobs.flatMap { $0.waitingReport() })
      }
      now = next
      queue.advance(to: now)
    }
    return jobs.map(\.outcome)
  }

  /// The exchanges of the only job, once it has run, if they were solved.
  var solvedExchanges: SolvedExchanges? { jobs[0].solved }

  /// What `link` has carried.
  public mutating func usage(of link: LinkID) -> LinkUsage { network.usage(of: link) }
  /// What has happened at the port that feeds `link`; nil if the network has no ports.
  public mutating func portReport(of link: LinkID) -> PortReport? { network.portReport(of: link) }

  // MARK: - One instant

  private mutating func settle(at now: SimTime) {
    var changed = true
    while changed {
      changed = false
      while let event = queue.popDue() {
        changed = true
        if event.kind == .exchangeFinished { ends.append(event) } else { handle(event, at: now) }
      }
      // In the place of the network's notices, whose work they do.
      for event in ends {
        jobs[Int(event.job)].finishExchange(
          slot: Int(event.slot), worker: Int(event.rank), at: now)
      }
      if !ends.isEmpty { ends.removeAll(keepingCapacity: true) }
      network.drain(into: &notices)
      for notice in notices {
        switch notice.kind {
        case .delivered:
          changed = true
          let (job, slot) = owner(of: notice.group)
          if losses.isPossible(job), isLost(job, slot, step: Int(notice.tag), at: now) { continue }
          log?.deliver(job: job, slot: slot, step: Int(notice.tag), at: now)
          jobs[job].delivered(
            slot: slot, step: Int(notice.tag), at: now, queue: &queue, sends: &sends)
        case .senderFree:
          if log != nil {
            let (job, slot) = owner(of: notice.group)
            log?.leave(job: job, slot: slot, step: Int(notice.tag), at: now)
          }
          if let next = channels.release(notice.transfer.sequence) {
            changed = true
            launch(next.send, on: next.channel, at: now)
          }
        case .hostBusy, .rerouted, .lost, .blocked: break
        }
      }
      if !notices.isEmpty { notices.removeAll(keepingCapacity: true) }
      for index in jobs.indices
      where jobs[index].startReady(at: now, queue: &queue, sends: &sends) {
        changed = true
      }
      if !sends.isEmpty {
        changed = true
        if hasPriorities, sends.count > 1 {
          // What arises together must not leave in the order in which it happened to arise.
          let order = sends.indices.sorted { (sends[$0].priority, $0) < (sends[$1].priority, $1) }
          sends = order.map { sends[$0] }
        }
        for send in sends {
          log?.queue(send, as: jobs[send.job].span(of: send, at: now))
          let (channel, isFree) = channels.admit(send)
          if isFree { launch(send, on: channel, at: now) }
        }
        sends.removeAll(keepingCapacity: true)
      }
    }
  }

  private mutating func handle(_ event: JobEvent, at now: SimTime) {
    let job = Int(event.job)
    if event.incarnation != incarnations[job].number, event.kind.isOfJob {
      // It died with the job.
      if event.kind == .launched || event.kind == .resent { freeLaunches.append(event.index) }
      return
    }
    switch event.kind {
    case .operationFinished:
      jobs[job].operationFinished(
        Int(event.index), worker: Int(event.rank), at: now, queue: &queue)
    case .combined:
      jobs[job].combined(
        member: Int(event.rank), slot: Int(event.slot), step: Int(event.index), at: now,
        queue: &queue, sends: &sends)
    case .jobStarts:
      if jobs[job].isStopped { jobs[job].resume(at: now) } else { jobs[job].begin(at: now) }
    case .exchangeFinished: break
    case .checkpointed: jobs[job].endWriting(at: now)
    case .held:
      jobs[job].complete(Int(event.index), worker: Int(event.rank), at: now)
    case .launched:
      let place = Int(event.index)
      freeLaunches.append(event.index)
      transmit(launching[place], on: event.slot, at: now)
    case .resent:
      freeLaunches.append(event.index)
      sends.append(launching[Int(event.index)])
    case .linkChange:
      let fault = faults[Int(event.index)]
      network.change(
        link: fault.link, bandwidth: fault.bandwidth,
        up: hosts.fault(fault.link, isUp: fault.isUp), at: now)
    case .hostCrashes: crash(event, at: now)
    case .hostReturns: turnLinks(ofHost: Int(event.rank), isAway: false, at: now)
    }
  }

  // MARK: - Crashes and losses

  /// A host stops: its links carry nothing, and the jobs it has a part in wait for it.
  private mutating func crash(_ event: JobEvent, at now: SimTime) {
    let host = Int(event.rank)
    let concerned = hosts.jobs(of: host)
    var isOver = true
    for job in concerned where jobs[job].poll() != .done { isOver = false }
    for (next, time) in hosts.crash(event, at: now, isOver: isOver) {
      queue.schedule(next, at: time)
    }
    turnLinks(ofHost: host, isAway: true, at: now)
    for job in concerned {
      if jobs[job].poll() != .running { continue }
      forgetMessages(of: job, at: now)
      jobs[job].crash(at: now)
      incarnations[job] = jobs[job].incarnation
      let plan = jobs[job].plan
      let resumption =
        max(now + plan.recovery.detection, hosts.isWhole(job)) + plan.recovery.restart
        + plan.startup
      if resumption == .never {
        jobs[job].fail(.timeOverflow(at: now, what: "the restart of \(plan.name)"))
        continue
      }
      queue.schedule(
        JobEvent(kind: .jobStarts, of: incarnations[job], rank: 0, index: 0), at: resumption)
    }
  }

  private mutating func turnLinks(ofHost host: Int, isAway: Bool, at now: SimTime) {
    for link in topology.links(ofHost: host) {
      network.change(link: link, bandwidth: nil, up: hosts.turn(link, isAway: isAway), at: now)
    }
  }

  /// Drops every message of `job`, wherever it is.
  private mutating func forgetMessages(of job: Int, at now: SimTime) {
    let end = job + 1 < groupBases.count ? groupBases[job + 1] : groupCount
    for group in groupBases[job]..<end { network.cancel(group: GroupID(group), at: now) }
    let dropped = channels.forget(job: job)
    jobs[job].outcome.recovery.lostMessages += dropped
    sends.removeAll { $0.job == job }
    losses.forget(job: job)
    log?.forget(job: job)
  }

  /// Whether the message that arrives now is lost; it is then sent again after the time-out.
  private mutating func isLost(_ job: Int, _ slot: Int, step: Int, at now: SimTime) -> Bool {
    let iteration = jobs[job].slots[slot].iteration
    guard let send = losses.drop(job: job, slot: slot, step: step, iteration: iteration) else {
      return false
    }
    jobs[job].outcome.recovery.lostMessages += 1
    let again = now + losses.timeout(of: job)
    if again == .never {
      jobs[job].fail(.timeOverflow(at: now, what: "sending a message again"))
      return true
    }
    queue.schedule(
      JobEvent(kind: .resent, of: incarnations[job], rank: 0, index: keep(send)), at: again)
    return true
  }

  // MARK: - Messages

  /// Lets the sender do what a message costs it, then hands the message to the network.
  private mutating func launch(_ send: PlannedSend, on channel: Int32, at now: SimTime) {
    log?.start(send, at: now)
    let overhead = overheads[send.job]
    if overhead == .zero || send.source == send.destination {
      transmit(send, on: channel, at: now)
      return
    }
    let start = now + overhead
    if start == .never {
      jobs[send.job].fail(.timeOverflow(at: now, what: "a message's sender"))
      return
    }
    queue.schedule(
      JobEvent(
        kind: .launched, of: incarnations[send.job], rank: 0, index: keep(send),
        slot: Int(channel)),
      at: start)
  }

  /// A place for `send` until an event comes for it.
  private mutating func keep(_ send: PlannedSend) -> Int {
    if let free = freeLaunches.popLast() {
      launching[Int(free)] = send
      return Int(free)
    }
    launching.append(send)
    return launching.count - 1
  }

  private mutating func transmit(_ send: PlannedSend, on channel: Int32, at now: SimTime) {
    let id = TransferID(job: JobID(send.job), sequence: nextTransfer)
    channels.occupy(channel, with: nextTransfer)
    nextTransfer += 1
    if losses.isPossible(send.job) { losses.note(send) }
    network.send(
      Transfer(
        id: id, group: GroupID(groupBases[send.job] + send.slot), source: send.source,
        destination: send.destination, size: send.size, tag: Int32(send.step)),
      at: now)
  }

  private func owner(of group: GroupID) -> (job: Int, slot: Int) {
    var job = groupBases.count - 1
    while groupBases[job] > group.index { job -= 1 }
    return (job, group.index - groupBases[job])
  }

  /// The transfers that are stuck, a few of them, before the ranks that wait for them: what the
  /// network says names links, which is what can be mended.
  private mutating func networkReport() -> [String] {
    let waiting = network.waiting
    let shown = waiting.prefix(3).map { "network: " + $0.description(in: topology) }
    return waiting.count > 3
      ? shown + ["network: \(waiting.count - 3) more transfers wait"] : shown
  }
}
