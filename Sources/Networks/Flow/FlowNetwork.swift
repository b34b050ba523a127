import SimKernel

/// Fluid flows with weighted max-min fair shares of every link: the default network.
///
/// A transfer of S bytes flows at the largest rates that leave nobody with less for somebody with
/// more; when its last byte has left (`senderFree`), it takes the launch and path latency until it is
/// `delivered`. Rates change only when flows start or end or links change, and are solved once an
/// instant, when ``nextEventTime`` is asked. Alone on its way a transfer takes exactly
/// launch + Σ latency + ⌈8 S / min rate⌉, as in ``AlphaBetaNetwork``.
///
/// Not modelled: slow start, retransmissions, queues. A link that goes down stalls the flows that
/// have no other way and they go on when it is back; what has left already arrives.
///
/// - Complexity: O(links of its way) for a transfer that meets nobody; O(log n) for one that joins or
///   leaves n flows which share one link and nothing else (``FlowCrowd``). Otherwise one solve an
///   instant, over the flows whose rates change and those that hold them.
/// - Note: 256 bytes a live flow over four links, and 76 more while it is being solved.
public struct FlowNetwork: NetworkModel, ~Copyable {
  /// How much of the network is solved when something changes; all give identical results.
  public enum Solver: String, CaseIterable, Sendable {
    /// Every live flow.
    case full
    /// The flows whose rates a change may touch, however many these turn out to be.
    case incremental
    /// Incremental until these turn out to be most of the network.
    case adaptive
  }

  let topology: Topology
  let transport: Transport
  let solverChoice: Solver
  private let sharing: SharingWeights
  var present = SimTime.zero
  var routes: RouteTable
  /// Links of the topology, then a pair a host if hosts are capped.
  var links: FlatBuffer<FlowLink>
  var flows = FlatBuffer<FlowState>()
  /// By slot, as ``flows``.
  var levels = FlatBuffer<FlowLevel>()
  private var freeFlows = FlatBuffer<Int32>()
  /// Flows on links, in no particular order.
  var live = FlatBuffer<Int32>()
  /// Link numbers of the ways of live flows; entry i is in the list of link `entryLinks[i]`, at
  /// `entryPlaces[i]` of ``memberPool``.
  var entryLinks = FlatBuffer<Int32>()
  var entryPlaces = FlatBuffer<Int32>()
  /// The flows of every link, each link's in one stretch; see ``FlowNetwork/members(of:)``.
  var memberPool = FlatBuffer<LinkMember>()
  /// Stretches that are free, by the logarithm of their length.
  var freeStretches: [[Int32]] = []
  private var freeBlocks: [[Int32]] = []
  /// See ``FlowCrowd``; those without a link are free.
  var crowds: [FlowCrowd] = []
  var freeCrowds: [Int32] = []
  /// Ends of flowing flows and arrivals of propagating ones.
  var heap = FinishHeap()
  /// Flows whose end or arrival is the present; empty between calls.
  private var due = FlatBuffer<Int32>()
  /// Working memory of ``orderDue()``.
  private var dueTable = FlatBuffer<Int32>()
  var outbox = Outbox()
  var fresh = FlatBuffer<Int32>()
  var dirty = FlatBuffer<Int32>()
  var solver: MaxMinSolver
  var scratch: SolverScratch

  /// A network at time zero in which nothing moves.
  public init(
    _ topology: Topology, transport: Transport, sharing: FlowSharing = .maxMin,
    solver: Solver = .adaptive
  ) {
    self.topology = topology
    self.transport = transport
    self.sharing = SharingWeights(sharing)
    solverChoice = solver
    routes = RouteTable(topology, transport: transport)
    links = FlatBuffer(capacity: routes.linkCount)
    var largest = 0.0
    for link in topology.links {
      let rate = transport.payloadRate(of: link, at: link.bandwidth)
      links.append(FlowLink(capacity: Double(rate.bitsPerSecond), bandwidth: link.bandwidth))
      largest = max(largest, Double(rate.bitsPerSecond))
    }
    if let cap = transport.hostCap {
      for _ in 0..<2 * topology.hostCount {
        links.append(FlowLink(capacity: Double(cap.bitsPerSecond), bandwidth: cap))
      }
      largest = max(largest, Double(cap.bitsPerSecond))
    }
    self.solver = MaxMinSolver(linkCount: routes.linkCount)
    _ = self.solver.setLargest(capacity: largest)
    scratch = SolverScratch(linkCount: routes.linkCount)
  }

  // MARK: - NetworkModel

  public mutating func send(_ transfer: Transfer, at now: SimTime) {
    send(transfer, weight: 1, at: now)
  }

  /// Starts a transfer that counts `weight` times where links are shared, in addition to what
  /// ``FlowSharing`` makes of its path.
  ///
  /// - Precondition: `weight` is in 2⁻¹⁶...2²⁰; it is rounded to a multiple of 2⁻¹⁶.
  public mutating func send(_ transfer: Transfer, weight: Double, at now: SimTime) {
    precondition(transfer.size.bytes >= 0, "a transfer has a size")
    move(to: now)
    if transfer.source == transfer.destination {
      outbox.append(.senderFree, of: transfer)
      outbox.append(.delivered, of: transfer)
      return
    }
    let slot = allocate(transfer, weight: weight == 1 ? 1 : FluidArithmetic.weight(weight))
    guard let number = choosePath(of: transfer) else {
      flows[slot].phase = .unroutable
      outbox.append(.blocked(on: nil), of: transfer)
      return
    }
    let path = routes[number]
    levels[slot].weight = weighed(levels[slot].weight, path)
    if let link = firstClosed(path) {
      outbox.append(.blocked(on: link), of: transfer)
    } else if transfer.size == .zero {
      flows[slot].latency = path.latency
      outbox.append(.senderFree, of: transfer)
      propagate(slot)
      return
    }
    join(slot, path)
  }

  public mutating func cancel(group: GroupID, at now: SimTime) {
    move(to: now)
    dissolveCrowds()
    outbox.remove(group: group)
    for slot in flows.indices
    where flows[slot].phase != .free && flows[slot].transfer.group == group {
      if flows[slot].livePosition >= 0 {
        leave(slot, carrying: flows[slot].joined - flows[slot].remaining(at: now))
      }
      file(slot, .max)
      release(slot)
    }
  }

  public mutating func change(link: LinkID, bandwidth: Bandwidth?, up: Bool?, at now: SimTime) {
    move(to: now)
    let index = link.index
    if let bandwidth { links[index].bandwidth = bandwidth }
    let turned = up != nil && up != links[index].isUp
    if turned { dissolveCrowds() } else { dissolveCrowds(on: index) }
    if let up { links[index].isUp = up }
    let rate = transport.payloadRate(of: topology.links[index], at: links[index].bandwidth)
    let before = links[index].capacity
    links[index].capacity = links[index].isUp ? Double(rate.bitsPerSecond) : 0
    links[index].isChanged = true
    markDirty(index)
    var largest = 0.0
    for other in links.indices { largest = max(largest, links[other].capacity) }
    if solver.setLargest(capacity: largest) {
      // Sums were rounded to another place: all rates are computed anew, or complete and restricted
      // solves would differ in the last bits.
      scratch.isStale = true
    }
    if turned {
      routes.setLink(link, up: links[index].isUp)
      reroute(around: links[index].isUp ? nil : index)
    }
    if before > 0, links[index].capacity == 0 {
      for place in members(of: index) {
        outbox.append(
          .blocked(on: link), of: flows[Int(memberPool[place].flow)].transfer)
      }
    }
  }

  public var nextEventTime: SimTime {
    mutating get {
      if !outbox.isEmpty { return present }
      settle()
      return SimTime(picoseconds: earliestFinish())
    }
  }

  public mutating func advance(to now: SimTime) {
    if now != present {
      move(to: now)
    } else {
      // Rounding may leave a flow nothing to carry: it then ends at the instant of its last change.
      settle()
      collectDue()
    }
  }

  public mutating func drain(into notices: inout [Notice]) {
    outbox.drain(into: &notices)
  }

  public func usage(of link: LinkID) -> LinkUsage {
    var carried = 0.0
    for place in members(of: link.index) {
      let flow = followed(Int(memberPool[place].flow))
      carried += flow.joined - flow.remaining(at: present)
    }
    return links[link.index].meter.usage(at: present, including: carried)
  }

  public var waiting: [WaitingTransfer] {
    var found: [WaitingTransfer] = []
    for slot in flows.indices {
      let flow = flows[slot]
      switch flow.phase {
      case .free, .fresh: continue
      case .unroutable: found.append(WaitingTransfer(flow.transfer, .noRoute))
      case .flowing, .propagating:
        let finish = flow.finish == FlowState.postponed ? dated(slot) : flow.finish
        if finish != .max { continue }
        var cause = WaitingTransfer.Cause.tooSlow
        if flow.phase == .flowing {
          for entry in flow.firstEntry..<flow.firstEntry + flow.entryCount {
            let link = LinkID(rawValue: entryLinks[Int(entry)])
            if links[link.index].capacity == 0 {
              cause = links[link.index].isUp ? .zeroBandwidth(link) : .linkDown(link)
              break
            }
          }
        }
        found.append(WaitingTransfer(flow.transfer, cause))
      }
    }
    return found.sorted { $0.transfer.id < $1.transfer.id }
  }

  /// The present rate of every flow, by transfer, in bits per second, after solving what changed.
  ///
  /// For tests and reports.
  public mutating func currentRates() -> [(transfer: Transfer, weight: Double, rate: Double)] {
    settle()
    var rates: [(transfer: Transfer, weight: Double, rate: Double)] = []
    for index in live.indices {
      let flow = followed(Int(live[index]))
      rates.append((flow.transfer, levels[Int(live[index])].weight, flow.rate))
    }
    return rates.sorted { $0.transfer.id < $1.transfer.id }
  }

  // MARK: - Time

  /// Moves the present to `now` and ends what is due then.
  mutating func move(to now: SimTime) {
    if now == present { return }
    precondition(now > present, "a network's time only moves forwards")
    precondition(outbox.isEmpty, "notices of an instant are drained before time moves on")
    settle()
    precondition(
      earliestFinish() >= now.picoseconds, "a network is not moved past the end of a transfer")
    present = now
    collectDue()
  }

  /// Ends flows and delivers arrivals that are due at the present.
  private mutating func collectDue() {
    // Who ends may bring another of its crowd to the front that ends, too.
    while earliestFinish() == present.picoseconds { collectFiled() }
  }

  private mutating func collectFiled() {
    // All are taken out before any is filed again: equal times then leave the heap in O(1) each,
    // while a later arrival in the last place would sift down its whole height.
    while earliestFinish() == present.picoseconds {
      let slot = heap.popMinimum()
      flows[slot].filed = .max
      due.append(Int32(slot))
    }
    if due.count >= 16 { orderDue() }
    for index in due.indices {
      let slot = Int(due[index])
      if flows[slot].phase == .flowing {
        complete(slot)
      } else {
        outbox.append(.delivered, of: flows[slot].transfer)
        release(slot)
      }
    }
    due.truncate()
  }

  /// Puts what is due in the order of transfers, where their numbers are near each other as in a step
  /// of a collective: notices are then in order, too, and they are twelve times as large.
  private mutating func orderDue() {
    var low = Int64.max
    var high = Int64.min
    for index in due.indices {
      let number = flows[Int(due[index])].transfer.id.sequence
      low = min(low, number)
      high = max(high, number)
    }
    guard high - low < 8 * Int64(due.count) else { return }
    dueTable.truncate()
    for _ in 0...high - low { dueTable.append(-1) }
    for index in due.indices {
      let place = Int(flows[Int(due[index])].transfer.id.sequence - low)
      // Numbers of several jobs may be equal; any order is good, it only costs time.
      if dueTable[place] >= 0 { return }
      dueTable[place] = due[index]
    }
    due.truncate()
    for place in dueTable.indices where dueTable[place] >= 0 { due.append(dueTable[place]) }
  }

  private mutating func complete(_ slot: Int) {
    leave(slot, carrying: flows[slot].joined)
    outbox.append(.senderFree, of: flows[slot].transfer)
    propagate(slot)
  }

  /// Sends the last byte of a flow on its way.
  private mutating func propagate(_ slot: Int) {
    let latency = flows[slot].latency
    if latency == .zero {
      outbox.append(.delivered, of: flows[slot].transfer)
      release(slot)
      return
    }
    flows[slot].phase = .propagating
    let arrival = (present + latency).picoseconds
    file(slot, arrival)
  }

  // MARK: - Paths

  /// What a flow of `weight` counts on `path`.
  @inline(__always)
  private func weighed(_ weight: Double, _ path: RouteTable.Path) -> Double {
    let factor = sharing.weight(latency: path.latency)
    return factor == 1 ? weight : FluidArithmetic.weight(min(max(weight * factor, 0x1p-16), 0x1p20))
  }

  /// The first link of a path without capacity.
  private func firstClosed(_ path: RouteTable.Path) -> LinkID? {
    for position in routes.links(of: path) {
      let link = routes.pool[position]
      if links[Int(link)].capacity == 0 { return LinkID(rawValue: link) }
    }
    return nil
  }

  /// Puts a flow on the links of `path`, to be given a rate at the end of the instant.
  private mutating func join(_ slot: Int, _ path: RouteTable.Path) {
    let count = Int(path.count)
    let first = allocateBlock(count)
    let weight = levels[slot].weight
    let range = routes.links(of: path)
    for offset in 0..<count {
      let link = Int(routes.pool[range.lowerBound + offset])
      let entry = first + offset
      entryLinks[entry] = Int32(link)
      addMember(flow: slot, entry: entry, to: link)
      links[link].weight += weight
      links[link].meter.enter(at: present)
    }
    levels[slot] = FlowLevel(weight: weight, stamp: levels[slot].stamp)
    flows[slot].firstEntry = Int32(first)
    flows[slot].entryCount = Int32(count)
    flows[slot].cap = path.cap
    flows[slot].latency = path.latency
    flows[slot].phase = .fresh
    flows[slot].livePosition = Int32(live.count)
    live.append(Int32(slot))
    fresh.append(Int32(slot))
  }

  /// Takes a flow off its links, after it carried so many bytes over them.
  private mutating func leave(_ slot: Int, carrying bytes: Double) {
    let first = Int(flows[slot].firstEntry)
    let count = Int(flows[slot].entryCount)
    let weight = levels[slot].weight
    if isCrowded(slot) { leaveCrowd(slot, on: Int(levels[slot].bottleneck)) }
    let level = levels[slot]
    for entry in first..<first + count {
      let link = Int(entryLinks[entry])
      removeMember(entry, from: link)
      links[link].weight -= weight
      links[link].taken -= level.taken
      links[link].meter.leave(at: present, carrying: bytes)
      // What is left of a link that holds nobody changes nobody's rate.
      if Int(level.bottleneck) == link { links[link].held -= weight }
      if links[link].held > 0 { markDirty(link) } else { links[link].level = .infinity }
    }
    levels[slot] = FlowLevel(weight: weight, stamp: level.stamp)
    freeBlocks[count].append(Int32(first))
    let position = Int(flows[slot].livePosition)
    if let last = live.popLast(), position < live.count {
      live[position] = last
      flows[Int(last)].livePosition = Int32(position)
    }
    flows[slot].livePosition = -1
  }

  mutating func markDirty(_ link: Int) {
    if links[link].isDirty { return }
    links[link].isDirty = true
    dirty.append(Int32(link))
  }

  /// Moves flows to another way where one exists: those on `link`, which went down, or (nil) all that
  /// stand still on a link that is down.
  ///
  /// A flow that was moved stays on its detour when the link is back.
  private mutating func reroute(around link: Int?) {
    var moved: [Int32] = []
    if let link {
      for place in members(of: link) {
        moved.append(memberPool[place].flow)
      }
    } else {
      for index in live.indices {
        let slot = live[index]
        let flow = flows[Int(slot)]
        for entry in flow.firstEntry..<flow.firstEntry + flow.entryCount
        where routes.isDown(Int(entryLinks[Int(entry)])) {
          moved.append(slot)
          break
        }
      }
    }
    for slot in moved.map(Int.init) {
      let transfer = flows[slot].transfer
      guard let number = routes.find(from: transfer.source, to: transfer.destination) else {
        continue
      }
      let path = routes[number]
      if routes.firstDown(of: path) != nil { continue }
      let remaining = flows[slot].remaining(at: present)
      leave(slot, carrying: flows[slot].joined - remaining)
      file(slot, .max)
      flows[slot].remaining = remaining
      flows[slot].joined = remaining
      flows[slot].since = present.picoseconds
      flows[slot].rate = -1
      // The weight of the old path goes with it.
      let own = levels[slot].weight / sharing.weight(latency: flows[slot].latency)
      levels[slot].weight = weighed(own, path)
      join(slot, path)
      outbox.append(.rerouted, of: transfer)
    }
  }

  // MARK: - Memory

  private mutating func allocate(_ transfer: Transfer, weight: Double) -> Int {
    let state = FlowState(transfer, at: present)
    if let slot = freeFlows.popLast() {
      flows[Int(slot)] = state
      levels[Int(slot)].weight = weight
      return Int(slot)
    }
    flows.append(state)
    levels.append(FlowLevel(weight: weight))
    return flows.count - 1
  }

  private mutating func release(_ slot: Int) {
    flows[slot].phase = .free
    freeFlows.append(Int32(slot))
  }

  private mutating func allocateBlock(_ count: Int) -> Int {
    while freeBlocks.count <= count { freeBlocks.append([]) }
    if let block = freeBlocks[count].popLast() { return Int(block) }
    let first = entryLinks.count
    for _ in 0..<count {
      entryLinks.append(0)
      entryPlaces.append(-1)
    }
    return first
  }
}
