import SimKernel

/// LogGP between accelerators: endpoints are busy, the network between them never is.
///
/// A transfer of s bytes that meets nobody takes o + L + s G + o: with the default parameters
/// (``LogGPSettings``) what ``AlphaBetaNetwork`` says. Beyond that, a sender injects one message
/// after the other and a receiver takes in one after the other, each for g + s G', where G' is the
/// rate of the path without the transport's cap for one connection; and every CPU handles one
/// message at a time, for o + s O on either side, at its end on the receiving one (Alexandrov et al.,
/// J. Parallel Distrib. Comput. 44, 1997, doi:10.1006/jpdc.1997.1346).
///
/// Accelerators have a port each way for their own host and one for the rest. Links are not shared
/// resources here: two transfers over one link from different accelerators do not slow each other.
/// Receives count as posted, as collectives post theirs; ``LogGP/run(_:on:stop:)`` is the machine
/// that matches. All bytes cost, also the first, so that models agree where nobody is in the way.
///
/// Transfers of one sender leave in the order of ``send(_:at:)``; what arrives at one instant is
/// taken in the order of ``TransferID``. A notice `hostBusy` says when a CPU is busy.
/// - Complexity: O(links of the way + log) a transfer.
public struct LogGPNetwork: NetworkModel, ~Copyable {
  private enum SendPhase: UInt8, BitwiseCopyable { case free, blocked, queued, sending, sent }
  private enum ReceivePhase: UInt8, BitwiseCopyable {
    case none, travelling, queued, receiving, handling, delivered
  }
  private struct Flight: BitwiseCopyable {
    var transfer: Transfer
    var path: Int32 = -1
    /// The next in the list of its port.
    var next: Int32 = -1
    var sendPort: Int32
    var receivePort: Int32
    var sending = SendPhase.blocked
    var receiving = ReceivePhase.none
    /// A rendezvous whose sender waits for the receiver.
    var isHeld = false
    var isTooSlow = false
    var start = SimTime.zero
    /// How long its bytes take, and how long they occupy a port.
    var duration = SimDuration.zero
    var occupancy = SimDuration.zero
  }
  /// One direction of one interface: what it carries, and who waits for it.
  private struct Port: BitwiseCopyable {
    var free = SimTime.zero
    var holder: Int32 = -1
    var first: Int32 = -1
    var last: Int32 = -1
  }

  private let topology: Topology
  private let transport: Transport
  /// By node.
  private let parameters: [LogGPSettings.Host]
  private var present = SimTime.zero
  private var routes: RouteTable
  private var bandwidth: [Bandwidth]
  private var meters: [LinkMeter]
  private var flights = FlatBuffer<Flight>()
  private var free = FlatBuffer<Int32>()
  /// Four a node: for sending inside and outside the host, then for receiving.
  private var ports: FlatBuffer<Port>
  /// When each node's CPU is free.
  private var cpus: FlatBuffer<SimTime>
  /// Ports that may take up their next transfer, then two entries a flight: its sending end and its
  /// receiving end.
  private var heap = FinishHeap()
  private var due: [Due] = []
  private var outbox = Outbox()

  /// An entry of the heap that is due, and what it is ordered by.
  private struct Due: BitwiseCopyable {
    var entry: Int
    var order: Int64
  }

  /// A network at time zero in which nothing moves.
  public init(
    _ topology: Topology, transport: Transport, settings: LogGPSettings = LogGPSettings()
  ) {
    self.topology = topology
    self.transport = transport
    parameters = topology.nodeNames.indices.map { node in
      topology.host(of: NodeID(node)).map { settings.parameters(ofHost: $0) } ?? settings.common
    }
    routes = RouteTable(topology, transport: transport)
    bandwidth = topology.links.map(\.bandwidth)
    meters = [LinkMeter](repeating: LinkMeter(), count: routes.linkCount)
    ports = FlatBuffer(repeating: Port(), count: 4 * topology.nodeNames.count)
    cpus = FlatBuffer(repeating: SimTime.zero, count: topology.nodeNames.count)
  }

  // MARK: - Sending

  public mutating func send(_ transfer: Transfer, at now: SimTime) {
    precondition(transfer.size.bytes >= 0, "a transfer has a size")
    move(to: now)
    if transfer.source == transfer.destination {
      outbox.append(.senderFree, of: transfer)
      outbox.append(.delivered, of: transfer)
      return
    }
    let outside = topology.shareHost(transfer.source, transfer.destination) ? 0 : 1
    let flight = Flight(
      transfer: transfer, sendPort: Int32(4 * transfer.source.index + outside),
      receivePort: Int32(4 * transfer.destination.index + 2 + outside))
    let slot: Int
    if let reused = free.popLast() {
      slot = Int(reused)
      flights[slot] = flight
    } else {
      slot = flights.count
      flights.append(flight)
    }
    if open(slot, announcing: true) { enqueue(slot, at: Int(flight.sendPort)) }
  }

  /// Finds a flight its path; false if it is closed, and the flight blocked.
  private mutating func open(_ slot: Int, announcing: Bool) -> Bool {
    let transfer = flights[slot].transfer
    flights[slot].sending = .blocked
    guard let number = routes.find(from: transfer.source, to: transfer.destination) else {
      if announcing { outbox.append(.blocked(on: nil), of: transfer) }
      return false
    }
    flights[slot].path = Int32(number)
    if let closed = firstClosed(routes[number]) {
      if announcing { outbox.append(.blocked(on: closed), of: transfer) }
      return false
    }
    return true
  }

  private func firstClosed(_ path: RouteTable.Path) -> LinkID? {
    for position in routes.links(of: path) {
      let link = Int(routes.pool[position])
      if routes.isDown(link) || (link < bandwidth.count && bandwidth[link].bitsPerSecond == 0) {
        return LinkID(link)
      }
    }
    return nil
  }

  /// The rate of the path's links and hosts.
  private func rate(of path: RouteTable.Path) -> Bandwidth {
    var rate = Bandwidth(bitsPerSecond: 1 << 62)
    for position in routes.links(of: path) {
      let link = Int(routes.pool[position])
      rate = min(
        rate,
        link < bandwidth.count
          ? transport.payloadRate(of: topology.links[link], at: bandwidth[link])
          : transport.hostCap ?? rate)
    }
    return rate
  }

  /// Lets a flight wait for its turn at a port, which it may have at once.
  private mutating func enqueue(_ slot: Int, at port: Int) {
    if isSending(port) {
      flights[slot].sending = .queued
    } else {
      flights[slot].receiving = .queued
    }
    flights[slot].next = -1
    if ports[port].first < 0 {
      ports[port].first = Int32(slot)
    } else {
      flights[Int(ports[port].last)].next = Int32(slot)
    }
    ports[port].last = Int32(slot)
    serve(port)
  }

  private func isSending(_ port: Int) -> Bool { port & 2 == 0 }

  /// Begins what waits at a port, as far as port and CPU are free, and files the next attempt.
  private mutating func serve(_ port: Int) {
    while ports[port].first >= 0 {
      var time = ports[port].free
      if isSending(port) { time = max(time, cpus[port / 4]) }
      if time > present {
        heap.set(port, time.picoseconds)
        return
      }
      let slot = Int(ports[port].first)
      ports[port].first = flights[slot].next
      if isSending(port) { beginSending(slot, port) } else { beginReceiving(slot, port) }
    }
    heap.set(port, .max)
  }

  private mutating func beginSending(_ slot: Int, _ port: Int) {
    // A link may have closed while the flight waited.
    if !open(slot, announcing: true) { return }
    let transfer = flights[slot].transfer
    let host = parameters[transfer.source.index]
    let path = routes[Int(flights[slot].path)]
    let line = host.byteRate ?? rate(of: path)
    let capped = Bandwidth(
      bitsPerSecond: min(line.bitsPerSecond, path.cap < 0x1p62 ? Int64(path.cap) : 1 << 62))
    let overhead = host.overhead ?? .zero
    let handling = overhead + bytesOnCPU(transfer.size, host)
    let duration = capped.time(toSend: transfer.size)
    let end = present + overhead + duration
    flights[slot].start = present
    flights[slot].duration = duration
    flights[slot].occupancy = line.time(toSend: transfer.size)
    flights[slot].sending = .sending
    ports[port].holder = Int32(slot)
    ports[port].free = present + (host.gap ?? .zero) + flights[slot].occupancy
    occupy(transfer, transfer.source, for: handling, from: present)
    if end == .never {
      flights[slot].isTooSlow = true
      ports[port].free = .never
    } else {
      let latency = host.latency ?? path.latency
      flights[slot].isHeld = transfer.size > host.rendezvousAbove ?? transfer.size
      flights[slot].receiving = .travelling
      setEvent(slot, receiving: true, at: present + overhead + latency)
    }
    if duration > .zero {
      for position in routes.links(of: path) {
        meters[Int(routes.pool[position])].enter(at: present)
      }
    }
    setEvent(slot, receiving: false, at: end)
  }

  private func bytesOnCPU(_ size: ByteCount, _ host: LogGPSettings.Host) -> SimDuration {
    host.overheadByteRate.map { $0.time(toSend: size) } ?? .zero
  }

  /// Occupies the CPU of `node`, and says so.
  private mutating func occupy(
    _ transfer: Transfer, _ node: NodeID, for length: SimDuration, from start: SimTime
  ) {
    if length == .zero { return }
    cpus[node.index] = start + length
    outbox.append(.hostBusy(length), of: transfer, at: node)
  }

  /// Files the next event of one end of a flight; what is due now happens at once.
  private mutating func setEvent(_ slot: Int, receiving: Bool, at time: SimTime) {
    if time == present {
      if receiving { continueReceiving(slot) } else { finishSending(slot) }
    } else {
      if time == .never { flights[slot].isTooSlow = true }
      heap.set(entry(slot, receiving: receiving), time.picoseconds)
    }
  }

  private func entry(_ slot: Int, receiving: Bool) -> Int {
    ports.count + 2 * slot + (receiving ? 1 : 0)
  }

  /// The last byte has left.
  private mutating func finishSending(_ slot: Int) {
    let flight = flights[slot]
    if flight.duration > .zero { leave(slot, carrying: Double(flight.transfer.size.bytes)) }
    flights[slot].sending = .sent
    if !flight.isHeld { outbox.append(.senderFree, of: flight.transfer) }
    releaseIfDone(slot)
  }

  private mutating func leave(_ slot: Int, carrying bytes: Double) {
    for position in routes.links(of: routes[Int(flights[slot].path)]) {
      meters[Int(routes.pool[position])].leave(at: present, carrying: bytes)
    }
  }

  // MARK: - Receiving

  private mutating func continueReceiving(_ slot: Int) {
    let transfer = flights[slot].transfer
    switch flights[slot].receiving {
    case .travelling: enqueue(slot, at: Int(flights[slot].receivePort))
    case .receiving:
      let host = parameters[transfer.destination.index]
      let handling = (host.overhead ?? .zero) + bytesOnCPU(transfer.size, host)
      // One after the other; a CPU is taken in the order in which messages are complete.
      let start = max(present, handling > .zero ? cpus[transfer.destination.index] : present)
      flights[slot].receiving = .handling
      occupy(transfer, transfer.destination, for: handling, from: start)
      setEvent(slot, receiving: true, at: start + handling)
    case .handling:
      flights[slot].receiving = .delivered
      outbox.append(.delivered, of: transfer)
      releaseIfDone(slot)
    case .none, .queued, .delivered: break
    }
  }

  /// The first byte goes in.
  private mutating func beginReceiving(_ slot: Int, _ port: Int) {
    let flight = flights[slot]
    let host = parameters[flight.transfer.destination.index]
    flights[slot].receiving = .receiving
    ports[port].holder = Int32(slot)
    ports[port].free = present + (host.gap ?? .zero) + flight.occupancy
    if flight.isHeld {
      flights[slot].isHeld = false
      if flight.sending == .sent { outbox.append(.senderFree, of: flight.transfer) }
    }
    setEvent(slot, receiving: true, at: present + flight.duration)
  }

  private mutating func releaseIfDone(_ slot: Int) {
    if flights[slot].sending == .sent, flights[slot].receiving == .delivered { release(slot) }
  }

  private mutating func release(_ slot: Int) {
    for port in [Int(flights[slot].sendPort), Int(flights[slot].receivePort)]
    where ports[port].holder == slot { ports[port].holder = -1 }
    flights[slot].sending = .free
    free.append(Int32(slot))
  }

  // MARK: - NetworkModel

  public mutating func cancel(group: GroupID, at now: SimTime) {
    move(to: now)
    outbox.remove(group: group)
    var served: [Int] = []
    for slot in flights.indices
    where flights[slot].sending != .free && flights[slot].transfer.group == group {
      let flight = flights[slot]
      if flight.sending == .sending {
        if flight.duration > .zero { leave(slot, carrying: carried(flight)) }
      }
      for port in [Int(flight.sendPort), Int(flight.receivePort)] {
        if ports[port].holder == slot {
          // What has not gone through the port never will.
          ports[port].free = min(ports[port].free, present)
          served.append(port)
        }
      }
      if flight.sending == .queued { unlink(slot, from: Int(flight.sendPort)) }
      if flight.receiving == .queued { unlink(slot, from: Int(flight.receivePort)) }
      heap.remove(entry(slot, receiving: false))
      heap.remove(entry(slot, receiving: true))
      release(slot)
    }
    for port in served { serve(port) }
  }

  private mutating func unlink(_ slot: Int, from port: Int) {
    var previous: Int32 = -1
    var place = ports[port].first
    while place != slot {
      previous = place
      place = flights[Int(place)].next
    }
    let next = flights[slot].next
    if previous < 0 { ports[port].first = next } else { flights[Int(previous)].next = next }
    if next < 0 { ports[port].last = previous }
    if ports[port].first < 0 { heap.set(port, .max) }
  }

  public mutating func change(link: LinkID, bandwidth next: Bandwidth?, up: Bool?, at now: SimTime)
  {
    move(to: now)
    if let next { bandwidth[link.index] = next }
    if let up { routes.setLink(link, up: up) }
    for slot in flights.indices where flights[slot].sending == .blocked {
      if open(slot, announcing: false) { enqueue(slot, at: Int(flights[slot].sendPort)) }
    }
  }

  public var nextEventTime: SimTime {
    mutating get { outbox.isEmpty ? SimTime(picoseconds: heap.minimum) : present }
  }

  public mutating func advance(to now: SimTime) { move(to: now) }

  private mutating func move(to now: SimTime) {
    if now == present { return }
    precondition(now > present, "a network's time only moves forwards")
    precondition(outbox.isEmpty, "notices of an instant are drained before time moves on")
    precondition(
      heap.minimum >= now.picoseconds, "a network is not moved past the end of a transfer")
    present = now
    while heap.minimum == now.picoseconds { handleInstant() }
  }

  /// Handles what the heap holds for the present: flights by ``TransferID``, then ports.
  private mutating func handleInstant() {
    due.removeAll(keepingCapacity: true)
    while heap.minimum == present.picoseconds {
      let entry = heap.popMinimum()
      let flight = (entry - ports.count) / 2
      due.append(
        Due(
          entry: entry,
          order: entry < ports.count ? .max : flights[flight].transfer.id.sequence))
    }
    if due.count > 1 {
      due.sort { $0.order != $1.order ? $0.order < $1.order : $0.entry < $1.entry }
    }
    for index in due.indices {
      let entry = due[index].entry
      if entry < ports.count {
        serve(entry)
      } else if (entry - ports.count) & 1 == 0 {
        finishSending((entry - ports.count) / 2)
      } else {
        continueReceiving((entry - ports.count) / 2)
      }
    }
  }

  public mutating func drain(into notices: inout [Notice]) { outbox.drain(into: &notices) }

  /// Bytes of a flight on its way out that have left by the present.
  private func carried(_ flight: Flight) -> Double {
    if flight.duration == .unbounded { return 0 }
    // The first byte leaves when the CPU has done its part.
    let end = flight.start + (parameters[flight.transfer.source.index].overhead ?? .zero)
    let gone = Double(max(0, present.picoseconds - end.picoseconds))
    return Double(flight.transfer.size.bytes) * (gone / Double(flight.duration.picoseconds))
  }

  public func usage(of link: LinkID) -> LinkUsage {
    var partial = 0.0
    for slot in flights.indices where flights[slot].sending == .sending {
      let path = routes[Int(flights[slot].path)]
      if flights[slot].duration > .zero,
        routes.links(of: path).contains(where: { routes.pool[$0] == link.rawValue })
      {
        partial += carried(flights[slot])
      }
    }
    return meters[link.index].usage(at: present, including: partial)
  }

  public var waiting: [WaitingTransfer] {
    var found: [WaitingTransfer] = []
    for slot in flights.indices where flights[slot].sending != .free {
      let flight = flights[slot]
      if flight.sending == .blocked {
        if flight.path >= 0, let link = firstClosed(routes[Int(flight.path)]) {
          found.append(
            WaitingTransfer(
              flight.transfer, routes.isDown(link.index) ? .linkDown(link) : .zeroBandwidth(link)))
        } else {
          found.append(WaitingTransfer(flight.transfer, .noRoute))
        }
      } else if flight.isTooSlow
        || flight.sending == .queued && ports[Int(flight.sendPort)].free == .never
      {
        found.append(WaitingTransfer(flight.transfer, .tooSlow))
      }
    }
    return found.sorted { $0.transfer.id < $1.transfer.id }
  }
}
