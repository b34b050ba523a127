import SimKernel

extension PacketNetwork {
  // MARK: - Beginning and end

  /// A slot for a transfer that has not found its way yet.
  mutating func allocateFlow(_ transfer: Transfer) -> Int {
    var flow = PacketFlow(transfer)
    flow.phase = .blocked
    if let slot = freeFlows.popLast() {
      flow.generation = flows[Int(slot)].generation
      flows[Int(slot)] = flow
      return Int(slot)
    }
    flows.append(flow)
    return flows.count - 1
  }

  /// Finds the ways of a blocked flow and lets it send; otherwise it waits on.
  mutating func open(_ number: Int, announcing: Bool) {
    let transfer = flows[number].transfer
    guard let forward = paths.find(from: transfer.source, to: transfer.destination),
      let backward = paths.find(from: transfer.destination, to: transfer.source)
    else {
      flows[number].wait = .path
      if announcing {
        outbox.append(
          .blocked(on: paths.closedLink(from: transfer.source, to: transfer.destination)),
          of: transfer)
      }
      return
    }
    let isNew = flows[number].words == 0
    if isNew {
      let size = transfer.size.bytes
      let count = size == 0 ? 1 : (size - 1) / Int64(rules.payloadFull) + 1
      if isTooSlow(forward, count) {
        flows[number].wait = .time
        return
      }
      if count > Int64(Int32.max) / 4 {
        flows[number].wait = .size
        return
      }
      flows[number].total = Int32(count)
      flows[number].lastPayload = Int32(size - (count - 1) * Int64(rules.payloadFull))
      // One block for three sets; its size is a power of two.
      let words = Int32((count + 63) / 64)
      flows[number].words = words
      flows[number].acknowledgedBits = bits.allocate(
        words: BitArena.wordCount(bits: Int(3 * words) * 64))
      begin(number, forward)
    }
    flows[number].forward = forward
    flows[number].backward = backward
    flows[number].forwardSpray = SprayState()
    flows[number].backwardSpray = SprayState()
    flows[number].phase = .open
    flows[number].wait = .path
    flows[number].backoff = 0
    if !isNew {
      // What was under way may be lost: the timer will tell.
      flows[number].deadline = present + timeout(flows[number])
      armTimer(number)
    }
    activate(number)
  }

  /// Whether the packets alone would take a quarter of simulated time.
  private func isTooSlow(_ set: PathSet, _ count: Int64) -> Bool {
    // A link that has just lost its bandwidth counts with what it had.
    var slowest = ports[Int(set.first)].fullTime
    var latency = ports[Int(set.first)].latency
    var position = Int(set.start)
    while paths.pool[position] >= 0 {
      let port = ports[Int(paths.pool[position])]
      slowest = max(slowest, port.fullTime)
      latency = max(latency, port.latency)
      position += 1
    }
    if set.last >= 0 {
      slowest = max(slowest, ports[Int(set.last)].fullTime)
      latency = max(latency, ports[Int(set.last)].latency)
    }
    let (time, overflow) = slowest.multipliedReportingOverflow(by: count)
    return overflow || time > Int64.max / 4 || latency >= Int64.max / 4
  }

  /// What a new transfer starts with.
  private mutating func begin(_ number: Int, _ forward: PathSet) {
    let transfer = flows[number].transfer
    let total = flows[number].total
    flows[number].window = Double(rules.initialWindow)
    if !topology.shareHost(transfer.source, transfer.destination), let cap = transport.transferCap {
      flows[number].capGap = 8e12 / Double(cap.bitsPerSecond)
    }
    switch rules.law {
    case .ndp:
      flows[number].credits = min(rules.initialWindow, total)
      flows[number].expected = min(rules.initialWindow, total)
    case .fixed: break
    case .reno, .dctcp, .dcqcn:
      guard let slot = memoryOfPair[Self.pair(transfer)] else { return }
      let memory = memories[Int(slot)]
      flows[number].smoothed = memory.smoothed
      flows[number].variation = memory.variation
      flows[number].alpha = memory.alpha
      flows[number].rate = memory.rate
      flows[number].target = memory.target
      flows[number].lastDecay = present
      flows[number].lastIncrease = present
      flows[number].threshold = memory.threshold
      let isIdle = present - memory.used > timeout(flows[number])
      flows[number].window =
        isIdle ? min(memory.window, Double(rules.initialWindow)) : memory.window
      if isIdle {
        flows[number].rate = 0
      }
    }
  }

  private static func pair(_ transfer: Transfer) -> UInt64 {
    UInt64(UInt32(bitPattern: transfer.source.rawValue)) << 32
      | UInt64(UInt32(bitPattern: transfer.destination.rawValue))
  }

  /// Everything is acknowledged.
  mutating func finish(_ number: Int) {
    let flow = flows[number]
    flows[number].phase = .finished
    flows[number].deadline = .max
    if rules.law == .reno || rules.law == .dctcp || rules.law == .dcqcn {
      let memory = ConnectionMemory(
        window: flow.window, threshold: flow.threshold, alpha: flow.alpha, rate: flow.rate,
        target: flow.target, smoothed: flow.smoothed, variation: flow.variation, used: present)
      let key = Self.pair(flow.transfer)
      if let slot = memoryOfPair[key] {
        memories[Int(slot)] = memory
      } else {
        memoryOfPair[key] = Int32(memories.count)
        memories.append(memory)
      }
    }
  }

  /// Frees the slot of a flow that has ended and of which nothing is left in the network.
  mutating func releaseIfDone(_ number: Int) {
    let flow = flows[number]
    let isOver = flow.phase == .cancelled || (flow.phase == .finished && flow.isDelivered)
    guard isOver, flow.alive == 0, !flow.isInRing, !flow.isInPullRing else { return }
    if flow.words > 0 {
      bits.release(
        flow.acknowledgedBits, words: BitArena.wordCount(bits: Int(3 * flow.words) * 64))
    }
    flows[number].phase = .free
    flows[number].generation &+= 1
    freeFlows.append(Int32(number))
  }

  // MARK: - Links

  /// Changes a link.
  ///
  /// One that goes down loses what is on it and what waits at its port, and its packets take other
  /// ways. One that is left without bandwidth loses what is on it, and routing does not learn that:
  /// packets go on to its port until the queue is full, and senders go by their time-outs.
  public mutating func change(link: LinkID, bandwidth: Bandwidth?, up: Bool?, at now: SimTime) {
    if now.picoseconds != present { advance(to: now) }
    let index = link.index
    serve(index)
    let (wasUp, wasOpen) = (ports[index].isUp, ports[index].isOpen)
    if let bandwidth {
      ports[index].bandwidth = bandwidth
      setTimes(of: index)
    }
    if let up { ports[index].isUp = up }
    let isOpen = ports[index].isUp && ports[index].bandwidth.bitsPerSecond > 0
    ports[index].isOpen = isOpen
    if wasUp, !ports[index].isUp {
      lose(index)
      paths.set(link, closed: true)
    } else if wasOpen, !isOpen {
      loseFlight(index)
    } else if !wasOpen, isOpen {
      paths.set(link, closed: false)
    } else if bandwidth == nil {
      return
    }
    reroute()
    if isOpen { kick(index) }
  }

  /// Gives every flow the ways that are open now.
  private mutating func reroute() {
    for number in flows.indices {
      let flow = flows[number]
      switch flow.phase {
      case .free, .cancelled, .finished: continue
      case .blocked:
        if flow.wait != .size { open(number, announcing: false) }
      case .open:
        let transfer = flow.transfer
        guard let forward = paths.find(from: transfer.source, to: transfer.destination),
          let backward = paths.find(from: transfer.destination, to: transfer.source)
        else {
          flows[number].phase = .blocked
          flows[number].wait = .path
          outbox.append(
            .blocked(on: paths.closedLink(from: transfer.source, to: transfer.destination)),
            of: transfer)
          continue
        }
        if !isSame(forward, flow.forward) {
          flows[number].forward = forward
          flows[number].forwardSpray = SprayState()
          outbox.append(.rerouted, of: transfer)
        }
        if !isSame(backward, flow.backward) {
          flows[number].backward = backward
          flows[number].backwardSpray = SprayState()
        }
      }
    }
  }

  /// Whether two sets hold the same ways.
  private func isSame(_ a: PathSet, _ b: PathSet) -> Bool {
    guard a.first == b.first, a.last == b.last, a.count == b.count, a.stride == b.stride else {
      return false
    }
    return (0..<Int(a.count * a.stride)).allSatisfy {
      paths.pool[Int(a.start) + $0] == paths.pool[Int(b.start) + $0]
    }
  }
}
