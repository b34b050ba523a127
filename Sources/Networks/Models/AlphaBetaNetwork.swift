import SimKernel

/// Latency + size/bandwidth for each transfer, as if it were alone: the oracle of the other models.
///
/// T = launch + Σ (link latency + per-hop) + ⌈8 S / min(link payload rate, caps)⌉, the classic α + S β
/// (Hockney, Parallel Computing 20, 1994, doi:10.1016/S0167-8191(06)80021-9) with α and β of the
/// path. Transfers never slow one another down; a link counts as busy while at least one crosses it.
///
/// A change of a link acts at once, as in ``FlowNetwork``: bytes that have not left go on at the new
/// rate, stand still while their path is closed, and take another way where their link went down and
/// there is one; what has left already arrives. A transfer that starts while its path is closed waits
/// until a change opens one.
/// - Complexity: O(links of the way + log) a transfer.
public struct AlphaBetaNetwork: NetworkModel, ~Copyable {
  private struct Flight: BitwiseCopyable {
    var transfer: Transfer
    var path: Int32
    var phase: Phase
    var bytes: MovingBytes
    /// Whether its end or arrival is pending; false if it lies past the end of time.
    var isScheduled = false
  }
  private enum Phase: UInt8, BitwiseCopyable { case free, moving, propagating, waiting }

  private var present = SimTime.zero
  private var links: PathLinks
  private var flights: [Flight] = []
  private var free: [Int32] = []
  private var heap = FinishHeap()
  private var outbox = Outbox()

  /// A network at time zero in which nothing moves.
  public init(_ topology: Topology, transport: Transport) {
    links = PathLinks(topology, transport: transport)
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
      transfer: transfer, path: -1, phase: .waiting,
      bytes: MovingBytes(transfer.size, at: Bandwidth(bitsPerSecond: 0), from: now))
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
    guard let path = links.find(transfer) else {
      if announcing { outbox.append(.blocked(on: nil), of: transfer) }
      return
    }
    flights[slot].path = path
    if let closed = links.firstClosed(path) {
      if announcing { outbox.append(.blocked(on: closed), of: transfer) }
      return
    }
    flights[slot].bytes = MovingBytes(transfer.size, at: rate(of: path), from: present)
    flights[slot].phase = .moving
    links.enter(path, at: present)
    scheduleEnd(slot)
  }

  /// The rate of a transfer that is alone on `path`.
  private func rate(of path: Int32) -> Bandwidth { links.capped(links.rate(of: path), on: path) }

  /// Files the end of what moves, which may be the present.
  private mutating func scheduleEnd(_ slot: Int) {
    let end = flights[slot].bytes.end
    if end == present {
      heap.remove(slot)
      finish(slot)
    } else {
      schedule(slot, at: end)
    }
  }

  /// The last byte has left.
  private mutating func finish(_ slot: Int) {
    links.leave(flights[slot].path, at: present, carrying: flights[slot].bytes.carriedInAll)
    outbox.append(.senderFree, of: flights[slot].transfer)
    propagate(slot)
  }

  private mutating func propagate(_ slot: Int) {
    let latency = links.latency(of: flights[slot].path)
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

  // MARK: - NetworkModel

  public mutating func cancel(group: GroupID, at now: SimTime) {
    move(to: now)
    outbox.remove(group: group)
    for slot in flights.indices
    where flights[slot].phase != .free && flights[slot].transfer.group == group {
      if flights[slot].phase == .moving {
        let flight = flights[slot]
        links.leave(flight.path, at: now, carrying: flight.bytes.carried(at: now))
      }
      heap.remove(slot)
      release(slot)
    }
  }

  public mutating func change(link: LinkID, bandwidth next: Bandwidth?, up: Bool?, at now: SimTime)
  {
    move(to: now)
    links.change(link, bandwidth: next, up: up)
    for slot in flights.indices {
      switch flights[slot].phase {
      case .waiting: start(slot, announcing: false)
      case .moving: adapt(slot, to: link)
      case .free, .propagating: break
      }
    }
  }

  /// Lets a flight whose bytes move go on as `link` now is.
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
    let closed = links.firstClosed(flights[slot].path)
    if let closed, !flights[slot].bytes.stands { outbox.append(.blocked(on: closed), of: transfer) }
    flights[slot].bytes.change(
      to: closed == nil ? rate(of: flights[slot].path) : Bandwidth(bitsPerSecond: 0), at: present)
    scheduleEnd(slot)
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
        finish(slot)
      } else {
        outbox.append(.delivered, of: flights[slot].transfer)
        release(slot)
      }
    }
  }

  public mutating func drain(into notices: inout [Notice]) { outbox.drain(into: &notices) }

  public func usage(of link: LinkID) -> LinkUsage {
    var partial = 0.0
    for flight in flights where flight.phase == .moving && links.contains(link, flight.path) {
      partial += flight.bytes.carried(at: present)
    }
    return links.usage(of: link, at: present, including: partial)
  }

  public var waiting: [WaitingTransfer] {
    flights.filter { $0.phase != .free && !$0.isScheduled }
      .map { WaitingTransfer($0.transfer, links.cause($0.path < 0 ? nil : $0.path)) }
      .sorted { $0.transfer.id < $1.transfer.id }
  }
}
