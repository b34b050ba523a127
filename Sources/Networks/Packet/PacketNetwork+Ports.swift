import SimKernel

extension PacketNetwork {
  // Indices of packets, ports and flows come from lists that hold only valid ones; none of the
  // buffers grows while a pointer into it is used, except `packets`, whose pointer is taken anew.

  // MARK: - Packets

  @inline(__always)
  mutating func allocate(_ packet: Packet) -> Int {
    flows.base[Int(packet.flow)].alive &+= 1
    let free = freePacket
    if free >= 0 {
      freePacket = packets.base[Int(free)].next
      packets.base[Int(free)] = packet
      return Int(free)
    }
    packets.append(packet)
    return packets.count &- 1
  }

  /// Takes a packet out of the network.
  @inline(__always)
  mutating func discard(_ index: Int) {
    let flow = Int(packets.base[index].flow)
    packets.base[index].next = freePacket
    freePacket = Int32(truncatingIfNeeded: index)
    flows.base[flow].alive &-= 1
    if flows.base[flow].alive == 0, flows.base[flow].phase != .open { releaseIfDone(flow) }
  }

  /// The payload of the data packet that `packet` is or was.
  @inline(__always)
  func payload(_ packet: Packet) -> Int64 {
    let flow = flows.base + Int(packet.flow)
    return Int64(
      packet.sequence == flow.pointee.total &- 1 ? flow.pointee.lastPayload : rules.payloadFull)
  }

  private mutating func countLoss(_ index: Int, byQueue: Bool) {
    let packet = packets[index]
    if packet.kind.isReverse {
      counters.controlLost += 1
    } else {
      // A trimmed packet's payload was counted when it was cut.
      if packet.kind == .data { counters.bytesLost += payload(packet) }
      if byQueue { counters.dropped += 1 } else { counters.lostOnLinks += 1 }
    }
  }

  // MARK: - Entering a port

  /// A packet reaches the front of a link: it goes on, or is where it belongs.
  @inline(__always)
  mutating func arrive(_ link: Int) {
    let port = ports.base + link
    let index = Int(port.pointee.flightHead)
    // The event of a packet that was lost with its link finds another one, or none.
    if index < 0 || port.pointee.headArrival != present { return }
    let next = packets.base[index].next
    port.pointee.flightHead = next
    if next >= 0 {
      let arrival = packets.base[index].nextArrival
      port.pointee.headArrival = arrival
      schedule(.arrival, link, at: arrival)
    } else {
      port.pointee.flightTail = -1
    }
    if port.pointee.busyUntil <= present { serve(link) }
    counters.hops &+= 1
    let packet = packets.base + index
    if rules.paths == .adaptive { adapt(index, from: link) }
    let way = packet.pointee.way
    if way >= 0 {
      packet.pointee.cursor &+= 1
      packet.pointee.way = paths.pool.base[Int(packet.pointee.cursor)]
      enter(index, Int(way), from: link)
    } else if way == PathCatalog.lastLink {
      packet.pointee.cursor = 0
      packet.pointee.way = PathCatalog.arrived
      let flow = flows.base + Int(packet.pointee.flow)
      let last =
        packet.pointee.kind.isReverse ? flow.pointee.backward.last : flow.pointee.forward.last
      enter(index, Int(last), from: link)
    } else if packet.pointee.kind.isReverse {
      receiveControl(index)
    } else {
      receiveData(index, link)
    }
  }

  /// Turns a packet that has come by `from` to the way that goes on by the port where least waits.
  ///
  /// Any way with that link will do: from its end on all are equally long. The first one looked at is
  /// drawn, so that equals get the same share. A packet under way when ways changed keeps its own.
  /// - Complexity: O(ways of the pair).
  @inline(never)
  private mutating func adapt(_ index: Int, from: Int) {
    let packet = packets.base + index
    let flow = flows.base + Int(packet.pointee.flow)
    let set = packet.pointee.kind.isReverse ? flow.pointee.backward : flow.pointee.forward
    let offset = packet.pointee.cursor &- set.start
    if set.count < 2 || packet.pointee.way < 0 || offset < 0 || offset >= set.count &* set.stride {
      return
    }
    let column = offset % set.stride
    var row = Int32(random() * Double(set.count))
    var least = Int64.max
    var previous: Int32 = -1
    for _ in 0..<set.count {
      let place = set.start &+ row &* set.stride &+ column
      // In bounds: a row of the set, and its columns up to this one.
      let link = paths.pool.base[Int(place)]
      if link != previous, column == 0 || paths.pool.base[Int(place &- 1)] == Int32(from) {
        previous = link
        let waiting = load(of: Int(link))
        if waiting < least {
          least = waiting
          packet.pointee.cursor = place
          packet.pointee.way = link
        }
      }
      row = row &+ 1 == set.count ? 0 : row &+ 1
    }
  }

  /// Bytes that wait at the port of `link`; one more if it is sending, and no end if it cannot send.
  private mutating func load(of link: Int) -> Int64 {
    let port = ports.base + link
    if port.pointee.busyUntil <= present { serve(link) }
    if !port.pointee.isOpen { return .max &- 1 }
    return port.pointee.queued &+ port.pointee.queuedControl
      &+ (port.pointee.busyUntil > present ? 1 : 0)
  }

  /// Queues a packet at the port of `link`, which it may also leave at once.
  ///
  /// `from` is the link by which it came to this switch, or -1 at the host that made it, which has
  /// room for it.
  @inline(__always)
  mutating func enter(_ index: Int, _ link: Int, from: Int) {
    let port = ports.base + link
    if port.pointee.busyUntil <= present { serve(link) }
    let packet = packets.base + index
    if port.pointee.busyUntil <= present, port.pointee.isOpen,
      !port.pointee.isPaused || (rules.hasPriority && packet.pointee.kind != .data)
    {
      // Nothing waits, or it would have been served.
      port.pointee.busyUntil = present
      transmit(index, link)
      return
    }
    queue(index, link, from: from)
  }

  /// Queues a packet at a port that is busy, closed or paused.
  private mutating func queue(_ index: Int, _ link: Int, from: Int) {
    let port = ports.base + link
    if !port.pointee.isUp {
      countLoss(index, byQueue: false)
      discard(index)
      return
    }
    var index = index
    let packet = packets.base + index
    if !rules.hasPriority || packet.pointee.kind == .data {
      let waiting = port.pointee.queued
      if from >= 0, !rules.pauses, waiting + Int64(packet.pointee.wire) > rules.buffer {
        if rules.law != .ndp {
          countLoss(index, byQueue: true)
          port.pointee.dropped += 1
          discard(index)
          return
        }
        index = trim(index, at: link)
        enterControl(index, link, from: from)
        return
      }
      if waiting >= rules.markFrom, from >= 0, isMarked(waiting), packet.pointee.kind == .data {
        packet.pointee.isMarked = true
        counters.marked += 1
        port.pointee.marked += 1
      }
      packet.pointee.next = -1
      if port.pointee.dataTail >= 0 {
        packets.base[Int(port.pointee.dataTail)].next = Int32(truncatingIfNeeded: index)
      } else {
        port.pointee.dataHead = Int32(truncatingIfNeeded: index)
      }
      port.pointee.dataTail = Int32(truncatingIfNeeded: index)
      port.pointee.queued = waiting + Int64(packet.pointee.wire)
      port.pointee.highWater = max(
        port.pointee.highWater, port.pointee.queued + port.pointee.queuedControl)
      if rules.pauses, from >= 0 { hold(index, from) }
      wakeIfEager(link)
    } else {
      enterControl(index, link, from: from)
    }
  }

  private mutating func enterControl(_ index: Int, _ link: Int, from: Int) {
    let port = ports.base + link
    let packet = packets.base + index
    if from >= 0, !rules.pauses,
      port.pointee.queuedControl + Int64(packet.pointee.wire) > rules.controlBuffer
    {
      countLoss(index, byQueue: true)
      port.pointee.dropped += 1
      discard(index)
      return
    }
    packet.pointee.next = -1
    if port.pointee.controlTail >= 0 {
      packets.base[Int(port.pointee.controlTail)].next = Int32(truncatingIfNeeded: index)
    } else {
      port.pointee.controlHead = Int32(truncatingIfNeeded: index)
    }
    port.pointee.controlTail = Int32(truncatingIfNeeded: index)
    port.pointee.queuedControl += Int64(packet.pointee.wire)
    port.pointee.highWater = max(
      port.pointee.highWater, port.pointee.queued + port.pointee.queuedControl)
    wakeIfEager(link)
  }

  /// Cuts the arriving packet or the last one waiting, by a coin (NDP, section 3.1), and returns the
  /// header; the other one waits.
  private mutating func trim(_ index: Int, at link: Int) -> Int {
    let tail = Int(ports[link].dataTail)
    if tail >= 0, packets[tail].kind == .data, random() < 0.5 {
      // They change places: the list's last position keeps its links.
      let cut = packets[tail]
      packets[tail] = packets[index]
      packets[tail].next = -1
      packets[index] = cut
      ports[link].queued += Int64(packets[tail].wire) - Int64(cut.wire)
    }
    counters.bytesLost += payload(packets[index])
    packets[index].kind = .header
    packets[index].wire = min(rules.wireControl, packets[index].wire)
    counters.trimmed += 1
    ports[link].trimmed += 1
    return index
  }

  /// Whether a packet is marked that finds so many bytes waiting, at least `markFrom`.
  private mutating func isMarked(_ waiting: Int64) -> Bool {
    if waiting >= rules.markTo { return true }
    return random() < rules.markProbability * Double(waiting - rules.markFrom)
      / Double(rules.markTo - rules.markFrom)
  }

  /// A number in [0, 1), by hash of a counter.
  mutating func random() -> Double {
    draws &+= 1
    return Double(RandomStream.mix(draws &* 0x9E37_79B9_7F4A_7C15) &>> 11) * 0x1p-53
  }

  // MARK: - Leaving a port

  /// Sends what waits, as long as the port is free by the present.
  mutating func serve(_ link: Int) {
    let port = ports.base + link
    while port.pointee.busyUntil <= present, port.pointee.isOpen {
      let index = takeNext(link)
      if index < 0 { break }
      transmit(index, link)
    }
    wakeIfEager(link)
  }

  @inline(__always)
  private mutating func wakeIfEager(_ link: Int) {
    let port = ports.base + link
    if port.pointee.isEager, !port.pointee.hasWake, port.pointee.isOpen, port.pointee.hasMore {
      port.pointee.hasWake = true
      schedule(.wake, link, at: max(present, port.pointee.busyUntil))
    }
  }

  /// Serves a port that may have been idle.
  mutating func kick(_ link: Int) {
    if ports[link].busyUntil < present { ports[link].busyUntil = present }
    serve(link)
  }

  /// The packet that leaves next, or -1.
  ///
  /// Control packets go first, but a data packet that waits goes after ten of them (NDP, section
  /// 3.1). What came from elsewhere and what this host sends take turns.
  @inline(__always)
  private mutating func takeNext(_ link: Int) -> Int {
    let port = ports.base + link
    let control = Int(port.pointee.controlHead)
    if control >= 0 {
      let hasData =
        !port.pointee.isPaused && (port.pointee.dataHead >= 0 || port.pointee.ringHead >= 0)
      if port.pointee.controlRun < 10 || !hasData {
        port.pointee.controlRun = min(10, port.pointee.controlRun &+ 1)
        let packet = packets.base + control
        port.pointee.controlHead = packet.pointee.next
        if packet.pointee.next < 0 { port.pointee.controlTail = -1 }
        port.pointee.queuedControl -= Int64(packet.pointee.wire)
        return control
      }
    }
    port.pointee.controlRun = 0
    if port.pointee.isPaused { return -1 }
    let data = Int(port.pointee.dataHead)
    if port.pointee.ringHead >= 0, data < 0 || !port.pointee.isQueueNext {
      port.pointee.isQueueNext = true
      let made = makePacket(link)
      if made >= 0 { return made }
    }
    if data < 0 { return -1 }
    port.pointee.isQueueNext = false
    let packet = packets.base + data
    port.pointee.dataHead = packet.pointee.next
    if packet.pointee.next < 0 { port.pointee.dataTail = -1 }
    port.pointee.queued -= Int64(packet.pointee.wire)
    if packet.pointee.ingress >= 0 { letGo(data) }
    return data
  }

  /// Puts a packet on the link as soon as the port is free.
  @inline(__always)
  private mutating func transmit(_ index: Int, _ link: Int) {
    let port = ports.base + link
    let packet = packets.base + index
    let wire = packet.pointee.wire
    let time =
      wire == rules.wireFull
      ? port.pointee.fullTime
      : wire == rules.wireControl ? port.pointee.controlTime : port.pointee.time(wire)
    let finish = port.pointee.busyUntil &+ time
    port.pointee.busyUntil = finish
    port.pointee.busy &+= time
    if packet.pointee.kind == .data { port.pointee.carried &+= Int64(wire &- rules.overhead) }
    // No overflow: transfers whose packets would take a quarter of the range are refused, latencies
    // are below a quarter, and nothing is served in the second half of the range.
    let arrival = finish &+ port.pointee.latency
    packet.pointee.next = -1
    if port.pointee.flightTail >= 0 {
      // The packet in front knows when this one arrives, so that its arrival touches no other.
      let front = packets.base + Int(port.pointee.flightTail)
      front.pointee.next = Int32(truncatingIfNeeded: index)
      front.pointee.nextArrival = arrival
    } else {
      port.pointee.flightHead = Int32(truncatingIfNeeded: index)
      port.pointee.headArrival = arrival
      schedule(.arrival, link, at: arrival)
    }
    port.pointee.flightTail = Int32(truncatingIfNeeded: index)
  }

  // MARK: - Flow control

  /// Counts a waiting packet against the link it came by, and pauses that when it is too much.
  private mutating func hold(_ index: Int, _ ingress: Int) {
    packets[index].ingress = Int32(ingress)
    ports[ingress].held += Int64(packets[index].wire)
    if !ports[ingress].isPausing, ports[ingress].held > rules.xoff {
      ports[ingress].isPausing = true
      counters.pauses += 1
      schedule(.pause, ingress, at: present + ports[ingress].latency)
    }
  }

  /// The packet no longer waits.
  private mutating func letGo(_ index: Int) {
    let ingress = Int(packets[index].ingress)
    packets[index].ingress = -1
    ports[ingress].held -= Int64(packets[index].wire)
    if ports[ingress].isPausing, ports[ingress].held <= rules.xon {
      ports[ingress].isPausing = false
      schedule(.resume, ingress, at: present + ports[ingress].latency)
    }
  }

  // MARK: - Failure

  /// Loses what waits at the port of `link` and what is on the link.
  mutating func lose(_ link: Int) {
    let (data, control) = (ports[link].dataHead, ports[link].controlHead)
    ports[link].dataHead = -1
    ports[link].dataTail = -1
    ports[link].controlHead = -1
    ports[link].controlTail = -1
    ports[link].queued = 0
    ports[link].queuedControl = 0
    loseList(data)
    loseList(control)
    loseFlight(link)
  }

  /// Loses what is on `link`, and what is being sent.
  mutating func loseFlight(_ link: Int) {
    let head = ports[link].flightHead
    ports[link].flightHead = -1
    ports[link].flightTail = -1
    ports[link].busyUntil = present
    loseList(head)
  }

  private mutating func loseList(_ head: Int32) {
    var index = Int(head)
    while index >= 0 {
      let next = Int(packets[index].next)
      if packets[index].ingress >= 0 { letGo(index) }
      countLoss(index, byQueue: false)
      discard(index)
      index = next
    }
  }
}
