import CPrefetch
import SimKernel

/// Packets through output-queued store-and-forward switches with finite queues, under a congestion
/// control: the model for incast, loss and marking.
///
/// A message is cut into packets (``PacketSettings``). A port sends one packet at a time; at the end
/// of the link, after its latency, the whole packet enters the next port's queue, which may mark,
/// trim or drop it, or pause the link it came by. Alone on h equal links, n full packets take
/// (n + h - 1) t + h L, where t is the time of a packet and L the latency of a link.
///
/// A transfer is `delivered` when its last byte has arrived, plus the transport's launch; the sender
/// is free when the last byte has left its host for the first time (what is sent again comes from a
/// copy of the stack). Packets of a transfer may arrive in any order. Transfers of one pair share
/// what the connection has learned: window, rate, round-trip time; after an idle time-out the window
/// starts anew (RFC 5681, section 4.1). Flows of a host take turns at its port, packet by packet.
///
/// Every data packet is acknowledged at once, so traffic the other way loses control / (mtu +
/// framing) of a link, 5.5 % with the defaults, and twice that under NDP, which also pulls. NDP keeps
/// its initial window under way, which must cover a round trip.
///
/// From the transport it takes launch, per-hop latency and the cap of a flow, which paces packets.
/// Goodput follows from header sizes instead, and caps of hosts are not modelled. Not modelled
/// either: handshakes, delayed acknowledgements, receive windows, shared buffers; pause frames take
/// the latency of their link and no bandwidth.
///
/// Links inside hosts carry packets like others. A link that goes down loses its queue and what is on
/// it; senders learn that by their time-outs. New packets take ways that are up. A link left without
/// bandwidth loses what is on it and stays on the ways, as when routing has not seen its failure yet.
///
/// - Complexity: one event a packet and link, O(1) amortised each; one more at ports of hosts and,
///   under flow control, at ports where packets wait. 64 bytes a packet under way, 400 bytes and 3
///   bits a packet for a live transfer.
public struct PacketNetwork: NetworkModel, ~Copyable {
  enum Event: UInt8 {
    /// The front packet on a link reaches its end.
    case arrival
    /// A port has finished a packet.
    case wake
    case timeout, pace
    /// A pull leaves a receiver; by the link whose end it is.
    case pull
    case senderFree, delivery
    /// A pause or its end reaches the port of a link.
    case pause, resume
  }

  let topology: Topology
  let transport: Transport
  let rules: PacketRules

  var present: Int64 = 0
  var queue: EventWheel
  var ports: FlatBuffer<PacketPort>
  var packets = FlatBuffer<Packet>(capacity: 1024)
  var freePacket: Int32 = -1
  var flows = FlatBuffer<PacketFlow>()
  var freeFlows = FlatBuffer<Int32>()
  var paths: PathCatalog
  var bits = BitArena()
  var outbox = Outbox()
  /// What the transfers delivered at the present instant have lost.
  var deliveries = DeliveryRecord()
  var memoryOfPair: [UInt64: Int32] = [:]
  var memories = FlatBuffer<ConnectionMemory>()
  /// Counts random decisions, each a hash of its number.
  var draws: UInt64 = 0
  /// What has become of packets so far.
  public internal(set) var counters = PacketCounters()

  /// A network at time zero in which nothing moves.
  public init(
    _ topology: Topology, transport: Transport, settings: PacketSettings = PacketSettings()
  ) {
    self.topology = topology
    self.transport = transport
    let rules = PacketRules(settings)
    self.rules = rules
    paths = PathCatalog(topology, rules.paths)
    queue = EventWheel(
      span: Self.span(topology, transport, rules), pending: topology.links.count)
    ports = FlatBuffer(capacity: topology.links.count)
    for link in topology.links {
      var port = PacketPort(link, latency: link.latency + transport.perHop)
      port.isEager = rules.pauses || topology.acceleratorOfNode[link.from.index] >= 0
      port.isOpen = link.bandwidth.bitsPerSecond > 0
      ports.append(port)
    }
    for link in ports.indices { setTimes(of: link) }
  }

  /// The time of a packet and a link that nine of ten packets keep to when all links are full.
  private static func span(
    _ topology: Topology, _ transport: Transport, _ rules: PacketRules
  ) -> Int64 {
    var times: [(span: Int64, rate: Double)] = []
    for link in topology.links where link.bandwidth.bitsPerSecond > 0 {
      let time = link.bandwidth.time(toSend: ByteCount(Int64(rules.wireFull)))
      let rate = Double(link.bandwidth.bitsPerSecond)
      times.append(((time + link.latency + transport.perHop).picoseconds, rate))
    }
    times.sort { $0.span < $1.span }
    var left = 0.9 * times.reduce(0) { $0 + $1.rate }
    for (span, rate) in times {
      left -= rate
      if left <= 0 { return span }
    }
    return times.last?.span ?? 0
  }

  /// Computes the times of packets at a port's present bandwidth.
  mutating func setTimes(of link: Int) {
    let port = ports[link]
    if port.bandwidth.bitsPerSecond == 0 { return }
    ports[link].fullTime = port.time(rules.wireFull)
    ports[link].controlTime = port.time(rules.wireControl)
    ports[link].pullInterval =
      SimDuration(picoseconds: port.time(rules.wireFull)).scaled(by: 1 / rules.pullRate).picoseconds
  }

  // MARK: - Events

  @inline(__always)
  mutating func schedule(_ event: Event, _ index: Int, generation: UInt32 = 0, at time: Int64) {
    // Past the middle of the range nothing happens any more; who waits for it is reported.
    if time > Int64.max / 2 { return }
    queue.schedule(
      UInt64(event.rawValue) &<< 56 | UInt64(generation & 0xFF_FFFF) &<< 32
        | UInt64(truncatingIfNeeded: index), at: time)
  }

  @inline(__always)
  private mutating func handle(_ word: UInt64) {
    prefetch()
    let index = Int(word & 0xFFFF_FFFF)
    switch Event(rawValue: UInt8(word &>> 56)).unsafelyUnwrapped {
    case .arrival: arrive(index)
    case .wake:
      ports[index].hasWake = false
      serve(index)
    case .pull: sendPull(index)
    case .pause:
      serve(index)
      ports[index].isPaused = true
      ports[index].pauses += 1
    case .resume:
      ports[index].isPaused = false
      kick(index)
    case .timeout, .pace, .senderFree, .delivery:
      let generation = UInt32(truncatingIfNeeded: word &>> 32) & 0xFF_FFFF
      if flows[index].generation & 0xFF_FFFF == generation {
        handle(Event(rawValue: UInt8(word &>> 56)).unsafelyUnwrapped, flow: index)
      }
    }
  }

  /// Asks for what the next arrivals touch: in each step what the step before has brought.
  ///
  /// Ports, packets and paths of a large network do not fit into the nearest caches, and an arrival
  /// follows three links from one to the next.
  @inline(__always)
  private func prefetch() {
    if let link = arrival(queue.upcoming(2)) {
      simnet_prefetch(ports.base + link)
      simnet_prefetch(UnsafeRawPointer(ports.base + link) + 64)
    }
    if let link = arrival(queue.upcoming(1)) {
      // A list that is empty asks for what lies before the packets, which is harmless.
      let port = ports.base + link
      simnet_prefetch(packets.base + Int(port.pointee.flightHead))
      simnet_prefetch(packets.base + Int(port.pointee.dataHead))
      simnet_prefetch(packets.base + Int(port.pointee.controlHead))
    }
    if let link = arrival(queue.upcoming(0)) {
      let packet = ports.base[link].flightHead
      if packet >= 0 {
        let way = Int(packets.base[Int(packet)].way)
        simnet_prefetch(ports.base + way)
        simnet_prefetch(UnsafeRawPointer(ports.base + way) + 64)
        simnet_prefetch(paths.pool.base + Int(packets.base[Int(packet)].cursor &+ 1))
      }
    }
  }

  /// The link whose arrival `word` is.
  @inline(__always)
  private func arrival(_ word: UInt64) -> Int? {
    word &>> 56 == UInt64(Event.arrival.rawValue) ? Int(word & 0xFFFF_FFFF) : nil
  }

  private mutating func handle(_ event: Event, flow index: Int) {
    switch event {
    case .timeout: timerFired(index)
    case .pace:
      flows[index].hasPace = false
      activate(index)
    case .senderFree:
      if flows[index].phase == .cancelled { return }
      outbox.append(.senderFree, of: flows[index].transfer)
    case .delivery:
      if flows[index].phase == .cancelled { return }
      announceDelivery(index)
      releaseIfDone(index)
    case .arrival, .wake, .pull, .pause, .resume: break
    }
  }

  // MARK: - NetworkModel

  public var nextEventTime: SimTime {
    mutating get {
      SimTime(picoseconds: outbox.isEmpty ? queue.nextTime : present)
    }
  }

  public mutating func advance(to now: SimTime) {
    move(to: now)
    while queue.nextTime == present, let event = queue.pop() { handle(event.word) }
  }

  /// Moves the present without handling what is due at `now`.
  private mutating func move(to now: SimTime) {
    if now.picoseconds == present { return }
    precondition(now.picoseconds > present, "a network's time only moves forwards")
    precondition(outbox.isEmpty, "notices of an instant are drained before time moves on")
    precondition(now.picoseconds <= queue.nextTime, "a network does not skip events")
    queue.advance(to: now.picoseconds)
    present = now.picoseconds
    deliveries.removeAll()
  }

  public mutating func advance(until limit: SimTime) -> SimTime {
    // What is due at one instant is handled whole; from time to time the caller may look for a
    // signal to stop.
    var budget = 1 << 14
    while true {
      let next = queue.nextTime
      if next != present {
        if !outbox.isEmpty || budget < 0 { return SimTime(picoseconds: present) }
        if next > limit.picoseconds || next == .max {
          if limit != .never { move(to: limit) }
          return limit
        }
      }
      guard let (time, event) = queue.pop() else { return SimTime(picoseconds: present) }
      if time != present {
        present = time
        deliveries.removeAll()
      }
      handle(event)
      budget -= 1
    }
  }

  public mutating func send(_ transfer: Transfer, at now: SimTime) {
    precondition(transfer.size.bytes >= 0, "a transfer has a size")
    move(to: now)
    if transfer.source == transfer.destination {
      outbox.append(.senderFree, of: transfer)
      outbox.append(.delivered, of: transfer)
      return
    }
    let index = allocateFlow(transfer)
    open(index, announcing: true)
  }

  public mutating func cancel(group: GroupID, at now: SimTime) {
    move(to: now)
    outbox.remove(group: group)
    for index in flows.indices
    where flows[index].transfer.group == group
      && (flows[index].phase == .open || flows[index].phase == .blocked
        || flows[index].phase == .finished)
    {
      flows[index].phase = .cancelled
      flows[index].deadline = .max
      releaseIfDone(index)
    }
  }

  public mutating func drain(into notices: inout [Notice]) { outbox.drain(into: &notices) }

  /// What was sent more than once until the last byte had arrived; every copy but one is lost.
  ///
  /// Zero for a transfer that was not delivered at the present instant. What is sent again after the
  /// delivery, because acknowledgements got lost, is in ``PacketCounters/late`` instead, so that
  /// bytes sent = sizes of what was delivered + reported lost + ``PacketCounters/bytesLate``.
  /// - Complexity: O(log n) with n deliveries at this instant.
  public mutating func losses(of transfer: TransferID) -> TransferLosses? {
    deliveries.losses(of: transfer)
  }

  /// Payload of all packets whose transmission has begun, repeated ones included, and the time spent
  /// sending packets of any kind.
  public func usage(of link: LinkID) -> LinkUsage {
    LinkUsage(
      carried: ByteCount(ports[link.index].carried),
      busy: SimDuration(picoseconds: ports[link.index].busy))
  }

  public mutating func portReport(of link: LinkID) -> PortReport? { report(of: link) }

  /// What has happened at the port that feeds `link`.
  public func report(of link: LinkID) -> PortReport {
    let port = ports[link.index]
    return PortReport(
      highWaterMark: ByteCount(port.highWater), dropped: Int(port.dropped),
      trimmed: Int(port.trimmed), marked: Int(port.marked), pauses: Int(port.pauses))
  }

  public var waiting: [WaitingTransfer] {
    mutating get {
      let nothingMore = queue.nextTime == .max
      var found: [WaitingTransfer] = []
      for index in flows.indices {
        let flow = flows[index]
        if flow.phase == .blocked {
          found.append(WaitingTransfer(flow.transfer, cause(of: flow)))
        } else if flow.phase == .open, nothingMore {
          let first = Int(flow.forward.first)
          var cause = WaitingTransfer.Cause.tooSlow
          if flow.received < flow.total {
            if let link = stoppedLink(of: flow) {
              cause = .zeroBandwidth(link)
            } else if ports[first].isPaused {
              cause = .paused(LinkID(first))
            }
          }
          found.append(WaitingTransfer(flow.transfer, cause))
        }
      }
      return found.sorted { $0.transfer.id < $1.transfer.id }
    }
  }

  /// A link without bandwidth on a way of `flow` or of its acknowledgements.
  private func stoppedLink(of flow: PacketFlow) -> LinkID? {
    for set in [flow.forward, flow.backward] where set.first >= 0 {
      if !ports[Int(set.first)].isOpen { return LinkID(Int(set.first)) }
      for row in 0..<set.count {
        var position = Int(set.start + row * set.stride)
        while paths.pool[position] >= 0 {
          let link = Int(paths.pool[position])
          if !ports[link].isOpen { return LinkID(link) }
          position += 1
        }
      }
      if set.last >= 0, !ports[Int(set.last)].isOpen { return LinkID(Int(set.last)) }
    }
    return nil
  }

  private func cause(of flow: PacketFlow) -> WaitingTransfer.Cause {
    switch flow.wait {
    case .silence:
      return stoppedLink(of: flow).map { .zeroBandwidth($0) }
        ?? .unanswered(timeouts: Int(flow.backoff))
    case .time: return .tooSlow
    case .size: return .tooManyPackets
    case .path:
      let transfer = flow.transfer
      guard let link = paths.closedLink(from: transfer.source, to: transfer.destination) else {
        return .noRoute
      }
      return ports[link.index].isUp ? .zeroBandwidth(link) : .linkDown(link)
    }
  }
}
