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
/// A switch that sums is no host: it has no CPU, and a port to itself for whatever it talks to. Of the
/// common parameters it has L and G.
///
/// A change of a link acts at once on what is leaving, as in ``FlowNetwork``: it goes on at the new
/// rate, stands still while its path is closed - and what waits behind it -, and takes another way where
/// its link went down and there is one. The receiver, who takes bytes in as they come, ends later by
/// as much. What has left already arrives.
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
    /// One of its ends would come past the end of time, or stands still.
    var isStuck = false
    /// When the sending and the receiving end began.
    var start = SimTime.zero
    var arrival = SimTime.zero
    /// The bytes at the rate of the flight, and at that of the path, by which they hold a port.
    var bytes: MovingBytes
    var holding: MovingBytes
  }
  /// One direction of one interface: what it carries, and who waits for it.
  private struct Port: BitwiseCopyable {
    var free = SimTime.zero
    var holder: Int32 = -1
    var first: Int32 = -1
    var last: Int32 = -1
  }

  private let topology: Topology
  /// By node.
  private let parameters: [LogGPSettings.Host]
  private let isHost: [Bool]
  private var present = SimTime.zero
  private var links: PathLinks
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
    let common = settings.common
    parameters = topology.nodeNames.indices.map { node in
      topology.host(of: NodeID(node)).map { settings.parameters(ofHost: $0) }
        ?? LogGPSettings.Host(latency: common.latency, byteRate: common.byteRate)
    }
    isHost = topology.nodeNames.indices.map { topology.host(of: NodeID($0)) != nil }
    links = PathLinks(topology, transport: transport)
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
    let none = MovingBytes(transfer.size, at: Bandwidth(bitsPerSecond: 0), from: now)
    let flight = Flight(
      transfer: transfer, sendPort: Int32(4 * transfer.source.index + outside),
      receivePort: Int32(4 * transfer.destination.index + 2 + outside), bytes: none, holding: none)
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
    guard let path = links.find(transfer) else {
      if announcing { outbox.append(.blocked(on: nil), of: transfer) }
      return false
    }
    flights[slot].path = path
    if let closed = links.firstClosed(path) {
      if announcing { outbox.append(.blocked(on: closed), of: transfer) }
      return false
    }
    return true
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
    let path = flights[slot].path
    let line = host.byteRate ?? links.rate(of: path)
    let overhead = host.overhead ?? .zero
    flights[slot].start = present
    flights[slot].bytes = MovingBytes(
      transfer.size, at: links.capped(line, on: path), from: present + overhead)
    flights[slot].holding = MovingBytes(
      transfer.size, at: line, from: present + (host.gap ?? .zero))
    flights[slot].sending = .sending
    flights[slot].isHeld = transfer.size > host.rendezvousAbove ?? transfer.size
    ports[port].holder = Int32(slot)
    holdSender(slot)
    occupy(
      transfer, transfer.source, for: overhead + bytesOnCPU(transfer.size, host), from: present)
    if transfer.size > .zero { links.enter(path, at: present) }
    if flights[slot].bytes.end != .never { travel(slot) }
    setEvent(slot, receiving: false, at: flights[slot].bytes.end)
  }

  /// Files when the first byte of a flight comes to its receiver.
  private mutating func travel(_ slot: Int) {
    let host = parameters[flights[slot].transfer.source.index]
    let latency = host.latency ?? links.latency(of: flights[slot].path)
    flights[slot].receiving = .travelling
    setEvent(
      slot, receiving: true,
      at: max(present, flights[slot].start + (host.overhead ?? .zero) + latency))
  }

  /// Holds the port that a flight leaves by, for as long as its bytes and the gap take.
  ///
  /// Whatever a switch talks to has a port of its own.
  private mutating func holdSender(_ slot: Int) {
    let port = Int(flights[slot].sendPort)
    if !isHost[port / 4] || ports[port].holder != slot { return }
    ports[port].free =
      flights[slot].bytes.end == .never ? .never : max(present, flights[slot].holding.end)
  }
  /// Holds the port that a flight comes in by.
  private mutating func holdReceiver(_ slot: Int) {
    let port = Int(flights[slot].receivePort)
    if !isHost[port / 4] || ports[port].holder != slot { return }
    let gap = parameters[flights[slot].transfer.destination.index].gap ?? .zero
    ports[port].free = max(present, flights[slot].arrival + gap + flights[slot].holding.duration)
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
      heap.remove(entry(slot, receiving: receiving))
      if receiving { continueReceiving(slot) } else { finishSending(slot) }
    } else {
      flights[slot].isStuck = time == .never
      heap.set(entry(slot, receiving: receiving), time.picoseconds)
    }
  }

  private func entry(_ slot: Int, receiving: Bool) -> Int {
    ports.count + 2 * slot + (receiving ? 1 : 0)
  }

  /// The last byte has left.
  private mutating func finishSending(_ slot: Int) {
    let flight = flights[slot]
    if flight.transfer.size > .zero {
      links.leave(flight.path, at: present, carrying: flight.bytes.carriedInAll)
    }
    flights[slot].sending = .sent
    if !flight.isHeld { outbox.append(.senderFree, of: flight.transfer) }
    releaseIfDone(slot)
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
    flights[slot].receiving = .receiving
    flights[slot].arrival = present
    ports[port].holder = Int32(slot)
    holdReceiver(slot)
    if flight.isHeld {
      flights[slot].isHeld = false
      if flight.sending == .sent { outbox.append(.senderFree, of: flight.transfer) }
    }
    setEvent(slot, receiving: true, at: present + flight.bytes.duration)
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
      if flight.sending == .sending, flight.transfer.size > .zero {
        links.leave(flight.path, at: now, carrying: flight.bytes.carried(at: now))
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
    links.change(link, bandwidth: next, up: up)
    for slot in flights.indices {
      switch flights[slot].sending {
      case .blocked:
        if open(slot, announcing: false) { enqueue(slot, at: Int(flights[slot].sendPort)) }
      case .sending: if flights[slot].transfer.size > .zero { adapt(slot, to: link) }
      case .free, .queued, .sent: break
      }
    }
  }

  /// Lets a flight that is leaving go on as `link` now is.
  private mutating func adapt(_ slot: Int, to link: LinkID) {
    let transfer = flights[slot].transfer
    guard let effect = links.effect(of: link, on: transfer, flights[slot].path) else { return }
    if case .rerouted(let path) = effect {
      let carried = flights[slot].bytes.carried(at: present)
      links.leave(flights[slot].path, at: present, carrying: carried)
      flights[slot].bytes.takePath(at: present)
      flights[slot].path = path
      links.enter(path, at: present)
      outbox.append(.rerouted, of: transfer)
    }
    let path = flights[slot].path
    let closed = links.firstClosed(path)
    if let closed, !flights[slot].bytes.stands { outbox.append(.blocked(on: closed), of: transfer) }
    let line =
      closed == nil
      ? parameters[transfer.source.index].byteRate ?? links.rate(of: path)
      : Bandwidth(bitsPerSecond: 0)
    flights[slot].bytes.change(to: links.capped(line, on: path), at: present)
    flights[slot].holding.change(to: line, at: present)
    holdSender(slot)
    let end = flights[slot].bytes.end
    setEvent(slot, receiving: false, at: end)
    switch flights[slot].receiving {
    case .none, .travelling: if end != .never { travel(slot) }
    case .receiving:
      holdReceiver(slot)
      setEvent(
        slot, receiving: true,
        at: max(present, flights[slot].arrival + flights[slot].bytes.duration))
    case .queued, .handling, .delivered: break
    }
    serve(Int(flights[slot].sendPort))
    serve(Int(flights[slot].receivePort))
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

  public func usage(of link: LinkID) -> LinkUsage {
    var partial = 0.0
    for slot in flights.indices
    where flights[slot].sending == .sending && flights[slot].transfer.size > .zero
      && links.contains(link, flights[slot].path)
    {
      partial += flights[slot].bytes.carried(at: present)
    }
    return links.usage(of: link, at: present, including: partial)
  }

  public var waiting: [WaitingTransfer] {
    var found: [WaitingTransfer] = []
    for slot in flights.indices where flights[slot].sending != .free {
      let flight = flights[slot]
      var path: Int32? = flight.path < 0 ? nil : flight.path
      if flight.sending != .blocked, !flight.isStuck {
        // It may wait behind one that is.
        let port = Int(flight.sending == .queued ? flight.sendPort : flight.receivePort)
        let isQueued = flight.sending == .queued || flight.receiving == .queued
        guard isQueued, ports[port].free == .never else { continue }
        if ports[port].holder >= 0 { path = flights[Int(ports[port].holder)].path }
      }
      found.append(WaitingTransfer(flight.transfer, links.cause(path)))
    }
    return found.sorted { $0.transfer.id < $1.transfer.id }
  }
}
