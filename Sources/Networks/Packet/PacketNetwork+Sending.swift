import SimKernel

extension PacketNetwork {
  // Pointers: see PacketNetwork+Ports.swift.

  // MARK: - What may leave

  /// Whether the congestion control allows another packet, pacing aside.
  @inline(__always)
  private func maySend(_ flow: UnsafeMutablePointer<PacketFlow>) -> Bool {
    guard flow.pointee.phase == .open, flow.pointee.isWaitingToSend else { return false }
    switch rules.law {
    case .ndp: return flow.pointee.credits > 0
    case .dcqcn: return true
    case .fixed, .reno, .dctcp: return Double(flow.pointee.inFlight &+ 1) <= flow.pointee.window
    }
  }

  /// Lines a flow up at its port if it may send, now or when pacing lets it.
  @inline(__always)
  mutating func activate(_ number: Int) {
    let flow = flows.base + number
    if flow.pointee.isInRing || !maySend(flow) { return }
    if flow.pointee.nextSend > present {
      if !flow.pointee.hasPace {
        flow.pointee.hasPace = true
        schedule(
          .pace, number, generation: flow.pointee.generation, at: flow.pointee.nextSend)
      }
      return
    }
    let link = Int(flow.pointee.forward.first)
    if !ports.base[link].isEager {
      // A switch that sends by itself, as one does that sums: what it forwarded may be served late,
      // but its own packets are made at their time.
      serve(link)
      ports.base[link].isEager = true
    }
    flow.pointee.isInRing = true
    appendToRing(number, link)
    kick(link)
  }

  @inline(__always)
  private mutating func appendToRing(_ number: Int, _ link: Int) {
    let port = ports.base + link
    flows.base[number].ringNext = -1
    if port.pointee.ringTail >= 0 {
      flows.base[Int(port.pointee.ringTail)].ringNext = Int32(truncatingIfNeeded: number)
    } else {
      port.pointee.ringHead = Int32(truncatingIfNeeded: number)
    }
    port.pointee.ringTail = Int32(truncatingIfNeeded: number)
  }

  /// The next packet of the flows of a host, or -1; the port is free and open.
  mutating func makePacket(_ link: Int) -> Int {
    let port = ports.base + link
    while port.pointee.ringHead >= 0 {
      let number = Int(port.pointee.ringHead)
      let flow = flows.base + number
      port.pointee.ringHead = flow.pointee.ringNext
      if flow.pointee.ringNext < 0 { port.pointee.ringTail = -1 }
      flow.pointee.isInRing = false
      // A flow that was moved to another way lines up at its new port.
      if Int(flow.pointee.forward.first) != link {
        activate(number)
        continue
      }
      if !maySend(flow) {
        releaseIfDone(number)
        continue
      }
      if flow.pointee.nextSend > port.pointee.busyUntil {
        activate(number)
        continue
      }
      return makePacket(number, link)
    }
    return -1
  }

  private mutating func makePacket(_ number: Int, _ link: Int) -> Int {
    let port = ports.base + link
    let flow = flows.base + number
    let start = port.pointee.busyUntil
    let sequence: Int32
    if flow.pointee.lostCount > 0 {
      sequence = bits.firstSet(from: flow.pointee.lostLow, in: flow.pointee.lostBits)
      bits.remove(sequence, in: flow.pointee.lostBits)
      flow.pointee.lostLow = sequence
      flow.pointee.lostCount &-= 1
      countRepeat(flow, sequence)
    } else {
      sequence = flow.pointee.nextNew
      flow.pointee.nextNew &+= 1
    }
    let payload =
      sequence == flow.pointee.total &- 1 ? flow.pointee.lastPayload : rules.payloadFull
    let wire = payload &+ rules.overhead
    counters.sent &+= 1
    counters.bytesSent &+= Int64(payload)
    var finish = start &+ port.pointee.fullTime
    if wire != rules.wireFull { finish = start &+ port.pointee.time(wire) }
    if flow.pointee.nextNew == flow.pointee.total, !flow.pointee.isSenderFree {
      flow.pointee.isSenderFree = true
      schedule(.senderFree, number, generation: flow.pointee.generation, at: finish)
    }
    if rules.law == .ndp { flow.pointee.credits &-= 1 }
    if flow.pointee.inFlight == 0 || flow.pointee.deadline == .max {
      flow.pointee.deadline = start &+ timeout(flow.pointee)
      armTimer(number)
    }
    flow.pointee.inFlight &+= 1
    if flow.pointee.capGap > 0 || rules.law == .dcqcn {
      pace(flow, wire: wire, payload: payload, at: start, lineRate: port.pointee.bandwidth)
    }
    let cursor = nextPath(flow.pointee.forward, &flow.pointee.forwardSpray)
    let index = allocate(
      Packet(
        stamp: start, flow: Int32(truncatingIfNeeded: number), sequence: sequence, cursor: cursor,
        way: paths.pool[Int(cursor)], wire: wire, kind: .data))
    if maySend(flow) {
      if flow.pointee.nextSend <= finish {
        flow.pointee.isInRing = true
        appendToRing(number, link)
      } else if !flow.pointee.hasPace {
        flow.pointee.hasPace = true
        schedule(
          .pace, number, generation: flow.pointee.generation, at: flow.pointee.nextSend)
      }
    }
    return index
  }

  /// The packet `sequence` is sent once more.
  private mutating func countRepeat(
    _ flow: UnsafeMutablePointer<PacketFlow>, _ sequence: Int32
  ) {
    let payload =
      sequence == flow.pointee.total &- 1 ? flow.pointee.lastPayload : rules.payloadFull
    counters.retransmitted += 1
    flow.pointee.retransmissions &+= 1
    flow.pointee.bytesRepeated &+= Int64(payload)
    if flow.pointee.isDelivered {
      counters.late += 1
      counters.bytesLate += Int64(payload)
    }
  }

  /// Moves the time of the next packet by what the rate and the transport's cap ask for.
  private mutating func pace(
    _ flow: UnsafeMutablePointer<PacketFlow>, wire: Int32, payload: Int32, at start: Int64,
    lineRate: Bandwidth
  ) {
    var gap = flow.pointee.capGap * Double(payload)
    if rules.law == .dcqcn {
      advanceRate(flow, sending: wire, at: start, lineRate: Double(lineRate.bitsPerSecond))
      // At line rate the port itself is the pace.
      if flow.pointee.rate < Double(lineRate.bitsPerSecond) {
        gap = max(gap, Double(wire) * 8e12 / flow.pointee.rate)
      }
    }
    flow.pointee.nextSend =
      max(flow.pointee.nextSend, start)
      &+ SimDuration.roundingUp(picoseconds: min(gap, 0x1p61)).picoseconds
  }

  // MARK: - Acknowledgements

  /// A control packet reaches the sender.
  @inline(__always)
  mutating func receiveControl(_ index: Int) {
    counters.controlArrived &+= 1
    let packet = packets.base[index]
    let number = Int(packet.flow)
    let flow = flows.base + number
    if flow.pointee.phase == .open || flow.pointee.phase == .blocked {
      flow.pointee.backoff = flow.pointee.wait == .silence ? flow.pointee.backoff : 0
      switch packet.kind {
      case .acknowledgement: acknowledge(number, packet)
      case .refusal: refuse(flow, packet)
      case .pull:
        let more = packet.value &- flow.pointee.lastPull
        if more > 0 {
          flow.pointee.credits &+= more
          flow.pointee.lastPull = packet.value
        }
      case .data, .header: break
      }
      if flow.pointee.acknowledged == flow.pointee.total {
        finish(number)
      } else {
        flow.pointee.deadline =
          flow.pointee.inFlight > 0 || rules.law == .ndp
          ? present &+ timeout(flow.pointee) : Int64.max
        armTimer(number)
        activate(number)
      }
    }
    discard(index)
  }

  @inline(__always)
  private mutating func acknowledge(_ number: Int, _ packet: Packet) {
    let flow = flows.base + number
    measure(flow, present &- packet.stamp)
    var fresh: Int32 = 0
    let before = flow.pointee.inFlight
    if note(packet.sequence, flow) { fresh &+= 1 }
    while flow.pointee.cumulative < packet.value {
      // Acknowledgements may be lost; the count without a gap says what they said.
      if note(flow.pointee.cumulative, flow) { fresh &+= 1 }
      flow.pointee.cumulative &+= 1
    }
    if rules.law == .ndp { return }
    if packet.sequence > flow.pointee.highest { flow.pointee.highest = packet.sequence }
    let hasLoss = findLosses(flow)
    switch rules.law {
    case .reno:
      if hasLoss || packet.isMarked { cutWindow(flow, by: 0.5) }
      growWindow(flow, by: fresh, inFlight: before)
    case .dctcp:
      observe(flow, fresh, isMarked: packet.isMarked)
      if hasLoss {
        cutWindow(flow, by: 0.5)
      } else if packet.isMarked {
        cutWindow(flow, by: 1 - flow.pointee.alpha / 2)
      }
      growWindow(flow, by: fresh, inFlight: before)
    case .dcqcn:
      if packet.isNotification { notified(flow) }
    case .fixed, .ndp: break
    }
  }

  /// Counts a packet as acknowledged; returns false if it was.
  @inline(__always)
  private mutating func note(
    _ sequence: Int32, _ flow: UnsafeMutablePointer<PacketFlow>
  ) -> Bool {
    if !bits.insert(sequence, in: flow.pointee.acknowledgedBits) { return false }
    flow.pointee.acknowledged &+= 1
    if flow.pointee.lostCount > 0, bits.contains(sequence, in: flow.pointee.lostBits) {
      // It was only late.
      bits.remove(sequence, in: flow.pointee.lostBits)
      flow.pointee.lostCount &-= 1
    } else {
      flow.pointee.inFlight &-= 1
    }
    return true
  }

  /// Marks packets as lost that others have overtaken by far; returns whether there are any.
  @inline(__always)
  private mutating func findLosses(_ flow: UnsafeMutablePointer<PacketFlow>) -> Bool {
    var found = false
    if flow.pointee.lossScan < flow.pointee.cumulative {
      flow.pointee.lossScan = flow.pointee.cumulative
    }
    while flow.pointee.lossScan &+ rules.reordering <= flow.pointee.highest {
      let sequence = flow.pointee.lossScan
      if !bits.contains(sequence, in: flow.pointee.acknowledgedBits) {
        markLost(sequence, flow)
        found = true
      }
      flow.pointee.lossScan &+= 1
    }
    return found
  }

  private mutating func markLost(_ sequence: Int32, _ flow: UnsafeMutablePointer<PacketFlow>) {
    if !bits.insert(sequence, in: flow.pointee.lostBits) { return }
    flow.pointee.lostLow =
      flow.pointee.lostCount == 0 ? sequence : min(flow.pointee.lostLow, sequence)
    flow.pointee.lostCount &+= 1
    flow.pointee.inFlight &-= 1
  }

  /// NDP: the packet arrived without its payload.
  private mutating func refuse(_ flow: UnsafeMutablePointer<PacketFlow>, _ packet: Packet) {
    if !bits.contains(packet.sequence, in: flow.pointee.acknowledgedBits) {
      markLost(packet.sequence, flow)
    }
  }

  // MARK: - Time-outs

  /// RFC 6298: smoothed round-trip time and variation.
  @inline(__always)
  private func measure(_ flow: UnsafeMutablePointer<PacketFlow>, _ sample: Int64) {
    if flow.pointee.smoothed == 0 {
      flow.pointee.smoothed = sample
      flow.pointee.variation = sample / 2
    } else {
      let error = sample &- flow.pointee.smoothed
      flow.pointee.variation &+= (abs(error) &- flow.pointee.variation) / 4
      flow.pointee.smoothed &+= error / 8
    }
  }

  /// The retransmission time-out: at least the minimum, twice as long after each failure, at most a
  /// minute (RFC 6298).
  @inline(__always)
  func timeout(_ flow: PacketFlow) -> Int64 {
    let base = max(rules.minimumTimeout, flow.smoothed &+ 4 &* flow.variation)
    if flow.backoff == 0 { return base }
    let limit = max(base, 60_000_000_000_000)
    return flow.backoff > 20 || base > limit >> Int64(flow.backoff)
      ? limit : base << Int64(flow.backoff)
  }

  /// Sees to it that an event comes at the deadline or before; one that comes early is filed again.
  @inline(__always)
  mutating func armTimer(_ number: Int) {
    let flow = flows.base + number
    if flow.pointee.hasTimer || flow.pointee.deadline == .max { return }
    flow.pointee.hasTimer = true
    schedule(
      .timeout, number, generation: flow.pointee.generation, at: flow.pointee.deadline)
  }

  mutating func timerFired(_ number: Int) {
    flows[number].hasTimer = false
    if flows[number].phase != .open || flows[number].deadline == .max { return }
    if flows[number].deadline > present {
      armTimer(number)
      return
    }
    let flow = flows.base + number
    if rules.law != .ndp, flow.pointee.inFlight == 0 {
      // All that is missing waits at this host's port.
      flow.pointee.deadline = .max
      return
    }
    counters.timeouts += 1
    flow.pointee.backoff &+= 1
    if flow.pointee.backoff > rules.retries {
      flow.pointee.phase = .blocked
      flow.pointee.wait = .silence
      outbox.append(.blocked(on: nil), of: flow.pointee.transfer)
      return
    }
    var sequence = flow.pointee.cumulative
    var lost: Int32 = 0
    while sequence < flow.pointee.nextNew {
      if !bits.contains(sequence, in: flow.pointee.acknowledgedBits),
        !bits.contains(sequence, in: flow.pointee.lostBits)
      {
        markLost(sequence, flow)
        lost &+= 1
      }
      sequence &+= 1
    }
    flow.pointee.inFlight = 0
    flow.pointee.lossScan = flow.pointee.nextNew
    flow.pointee.recover = flow.pointee.nextNew
    if rules.law == .ndp {
      // Nobody will ask for what got lost without a trace, nor repeat a lost pull.
      flow.pointee.credits &+= max(1, lost)
    } else if rules.law == .reno || rules.law == .dctcp {
      flow.pointee.threshold = max(flow.pointee.window / 2, 2)
      flow.pointee.window = 1
    }
    flow.pointee.deadline = present &+ timeout(flow.pointee)
    armTimer(number)
    activate(number)
  }
}
