import SimKernel

/// Latency + size/bandwidth for each transfer, as if it were alone: the oracle of the other models.
///
/// T = launch + Σ (link latency + per-hop) + ⌈8 S / min(link payload rate, caps)⌉, the classic α + S β
/// (Hockney, Parallel Computing 20, 1994, doi:10.1016/S0167-8191(06)80021-9) with α and β of the
/// path. Transfers never slow one another down; a link counts as busy while at least one crosses it.
///
/// A change of a link acts on transfers that start later: those on their way keep their finish. A
/// transfer that starts while its path is closed waits until a change opens one.
/// - Complexity: O(links of the way + log) a transfer.
public struct AlphaBetaNetwork: NetworkModel, ~Copyable {
  private struct Flight: BitwiseCopyable {
    var transfer: Transfer
    var path: Int32
    var phase: Phase
    var start: Int64
    var duration: Int64
    /// Whether its end or arrival is pending; false if it lies past the end of time.
    var isScheduled = false
  }
  private enum Phase: UInt8, BitwiseCopyable { case free, moving, propagating, waiting }

  private let topology: Topology
  private let transport: Transport
  private var present = SimTime.zero
  private var routes: RouteTable
  private var bandwidth: [Bandwidth]
  private var meters: [LinkMeter]
  private var flights: [Flight] = []
  private var free: [Int32] = []
  private var heap = FinishHeap()
  private var outbox = Outbox()

  /// A network at time zero in which nothing moves.
  public init(_ topology: Topology, transport: Transport) {
    self.topology = topology
    self.transport = transport
    routes = RouteTable(topology, transport: transport)
    bandwidth = topology.links.map(\.bandwidth)
    meters = [LinkMeter](repeating: LinkMeter(), count: routes.linkCount)
  }

  public mutating func send(_ transfer: Transfer, at now: SimTime) {
    precondition(transfer.size.bytes >= 0, "a transfer has a size")
    move(to: now)
    if transfer.source == transfer.destination {
      outbox.append(.senderFree, of: transfer)
      outbox.append(.delivered, of: transfer)
      return
    }
    let flight = Flight(
      transfer: transfer, path: -1, phase: .waiting, start: now.picoseconds, duration: 0)
    let slot: Int
    if let reused = free.popLast() {
      slot = Int(reused)
      flights[slot] = flight
    } else {
      slot = flights.count
      flights.append(flight)
    }
    start(slot, announcing: true)
  }

  /// Starts a flight if its path is open; otherwise it waits.
  private mutating func start(_ slot: Int, announcing: Bool) {
    let transfer = flights[slot].transfer
    guard let number = routes.find(from: transfer.source, to: transfer.destination) else {
      if announcing { outbox.append(.blocked(on: nil), of: transfer) }
      return
    }
    let path = routes[number]
    flights[slot].path = Int32(number)
    if let closed = firstClosed(path) {
      if announcing { outbox.append(.blocked(on: closed), of: transfer) }
      return
    }
    let duration = rate(of: path).time(toSend: transfer.size)
    flights[slot].duration = duration.picoseconds
    flights[slot].start = present.picoseconds
    flights[slot].phase = .moving
    if duration == .zero {
      outbox.append(.senderFree, of: transfer)
      propagate(slot)
      return
    }
    for position in routes.links(of: path) { meters[Int(routes.pool[position])].enter(at: present) }
    schedule(slot, at: present + duration)
  }

  private func rate(of path: RouteTable.Path) -> Bandwidth {
    var rate = Bandwidth(bitsPerSecond: path.cap < 0x1p62 ? Int64(path.cap) : 1 << 62)
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

  private func firstClosed(_ path: RouteTable.Path) -> LinkID? {
    for position in routes.links(of: path) {
      let link = Int(routes.pool[position])
      if routes.isDown(link) || (link < bandwidth.count && bandwidth[link].bitsPerSecond == 0) {
        return LinkID(link)
      }
    }
    return nil
  }

  private mutating func propagate(_ slot: Int) {
    let latency = routes[Int(flights[slot].path)].latency
    if latency == .zero {
      outbox.append(.delivered, of: flights[slot].transfer)
      release(slot)
      return
    }
    flights[slot].phase = .propagating
    schedule(slot, at: present + latency)
  }

  private mutating func schedule(_ slot: Int, at time: SimTime) {
    flights[slot].isScheduled = time != .never
    heap.set(slot, time.picoseconds)
  }

  private mutating func release(_ slot: Int) {
    flights[slot].phase = .free
    free.append(Int32(slot))
  }

  private mutating func leave(_ slot: Int, carrying bytes: Double) {
    for position in routes.links(of: routes[Int(flights[slot].path)]) {
      meters[Int(routes.pool[position])].leave(at: present, carrying: bytes)
    }
  }

  /// Bytes of a moving flight that have left by the present.
  private func carried(_ flight: Flight) -> Double {
    Double(flight.transfer.size.bytes)
      * (Double(present.picoseconds - flight.start) / Double(flight.duration))
  }

  // MARK: - NetworkModel

  public mutating func cancel(group: GroupID, at now: SimTime) {
    move(to: now)
    outbox.remove(group: group)
    for slot in flights.indices
    where flights[slot].phase != .free && flights[slot].transfer.group == group {
      if flights[slot].phase == .moving { leave(slot, carrying: carried(flights[slot])) }
      heap.remove(slot)
      release(slot)
    }
  }

  public mutating func change(link: LinkID, bandwidth next: Bandwidth?, up: Bool?, at now: SimTime)
  {
    move(to: now)
    if let next { bandwidth[link.index] = next }
    if let up { routes.setLink(link, up: up) }
    for slot in flights.indices where flights[slot].phase == .waiting {
      start(slot, announcing: false)
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
    while heap.minimum == now.picoseconds {
      let slot = heap.popMinimum()
      if flights[slot].phase == .moving {
        leave(slot, carrying: Double(flights[slot].transfer.size.bytes))
        outbox.append(.senderFree, of: flights[slot].transfer)
        propagate(slot)
      } else {
        outbox.append(.delivered, of: flights[slot].transfer)
        release(slot)
      }
    }
  }

  public mutating func drain(into notices: inout [Notice]) { outbox.drain(into: &notices) }

  public func usage(of link: LinkID) -> LinkUsage {
    var partial = 0.0
    for flight in flights where flight.phase == .moving {
      let path = routes[Int(flight.path)]
      if routes.links(of: path).contains(where: { routes.pool[$0] == link.rawValue }) {
        partial += carried(flight)
      }
    }
    return meters[link.index].usage(at: present, including: partial)
  }

  public var waiting: [WaitingTransfer] {
    var found: [WaitingTransfer] = []
    for flight in flights where flight.phase != .free && !flight.isScheduled {
      if flight.phase != .waiting {
        found.append(WaitingTransfer(flight.transfer, .tooSlow))
      } else if flight.path >= 0, let link = firstClosed(routes[Int(flight.path)]) {
        found.append(
          WaitingTransfer(
            flight.transfer, routes.isDown(link.index) ? .linkDown(link) : .zeroBandwidth(link)))
      } else {
        found.append(WaitingTransfer(flight.transfer, .noRoute))
      }
    }
    return found.sorted { $0.transfer.id < $1.transfer.id }
  }
}
