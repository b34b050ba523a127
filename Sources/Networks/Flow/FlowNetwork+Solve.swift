import SimKernel

/// Lists reused by every solve of a ``FlowNetwork``.
struct SolverScratch {
  /// Flows to solve; grows while a component is being gathered.
  var set: [Int32] = []
  var linkStamp: [Int32] = []
  var openLinks: [Int32] = []
  var rates: [(flow: Int32, rate: Double)] = []
  var changed: [Int32] = []
  var stamp: Int32 = 0
  /// Complete solves left before the size of components is looked at again.
  var fullSolves = 0
}

extension FlowNetwork {
  /// Gives every flow the rate that the changes of the present instant leave it.
  ///
  /// Flows whose rate stays the same keep their finish.
  mutating func settle() {
    if fresh.isEmpty && dirty.isEmpty { return }
    solverScratch.stamp &+= 1
    solverScratch.set.removeAll(keepingCapacity: true)
    for slot in fresh.map(Int.init) where flows[slot].phase == .fresh {
      if solverChoice != .full, startAlone(slot) { continue }
      flows[slot].phase = .flowing
      gather(slot)
    }
    fresh.removeAll(keepingCapacity: true)
    for link in dirty.map(Int.init) {
      links[link].isDirty = false
      var entry = links[link].head
      while entry >= 0 {
        gather(Int(entries[Int(entry)].flow))
        entry = entries[Int(entry)].next
      }
    }
    dirty.removeAll(keepingCapacity: true)
    if solverScratch.set.isEmpty { return }
    if wantsFullSolve() || !openComponents() { openEverything() }
    solve()
  }

  /// Rates a flow that is alone on all its links without a solve; returns false if it is not.
  private mutating func startAlone(_ slot: Int) -> Bool {
    let first = Int(flows[slot].firstEntry)
    var rate = flows[slot].cap
    for entry in first..<first + Int(flows[slot].entryCount) {
      let link = Int(entryLinks[entry])
      if links[link].meter.active != 1 || links[link].isDirty { return false }
      rate = min(rate, links[link].capacity)
    }
    flows[slot].phase = .flowing
    flows[slot].rate = rate
    let delay = FluidArithmetic.delay(
      remaining: flows[slot].remaining, of: flows[slot].transfer.size, at: rate)
    let finish = delay == .max ? .never : present + SimDuration(picoseconds: delay)
    flows[slot].finish = finish.picoseconds
    if finish != .never {
      flows[slot].handle = queue.scheduleCancellable(UInt32(slot) << 1, at: finish)
    }
    return true
  }

  /// Adds a flow to the set once.
  @inline(__always)
  private mutating func gather(_ slot: Int) {
    if flows[slot].stamp == solverScratch.stamp { return }
    flows[slot].stamp = solverScratch.stamp
    solverScratch.set.append(Int32(truncatingIfNeeded: slot))
  }

  private mutating func wantsFullSolve() -> Bool {
    switch solverChoice {
    case .full: return true
    case .incremental: return false
    case .adaptive:
      if solverScratch.fullSolves == 0 { return false }
      solverScratch.fullSolves -= 1
      return true
    }
  }

  /// Grows the set to whole components and opens their links; returns false when a complete solve is
  /// cheaper than to go on.
  private mutating func openComponents() -> Bool {
    let mayGiveUp = solverChoice == .adaptive && links.count <= 8 * live.count
    let stamp = solverScratch.stamp
    var index = 0
    solverScratch.openLinks.removeAll(keepingCapacity: true)
    while index < solverScratch.set.count {
      if mayGiveUp, solverScratch.set.count * 2 > live.count {
        solverScratch.fullSolves = 15
        return false
      }
      let slot = Int(solverScratch.set[index])
      index += 1
      let first = Int(flows[slot].firstEntry)
      for position in first..<first + Int(flows[slot].entryCount) {
        let link = Int(entryLinks[position])
        if solverScratch.linkStamp[link] == stamp { continue }
        solverScratch.linkStamp[link] = stamp
        solver.open(link: link, capacity: links[link].capacity, weight: links[link].weight)
        var entry = links[link].head
        while entry >= 0 {
          gather(Int(entries[Int(entry)].flow))
          entry = entries[Int(entry)].next
        }
      }
    }
    return true
  }

  private mutating func openEverything() {
    solverScratch.set.removeAll(keepingCapacity: true)
    solverScratch.set.append(contentsOf: live)
    for link in links.indices {
      solver.open(link: link, capacity: links[link].capacity, weight: links[link].weight)
    }
  }

  /// Solves the set and reschedules the flows whose rates differ.
  private mutating func solve() {
    for slot in solverScratch.set {
      let flow = flows[Int(slot)]
      solver.items.append(
        MaxMinSolver.Item(
          flow: slot, start: flow.firstEntry, count: flow.entryCount,
          best: MaxMinSolver.Item.unknown, capShare: flow.cap / flow.weight, weight: flow.weight))
    }
    solverScratch.rates.removeAll(keepingCapacity: true)
    entryLinks.withUnsafeBufferPointer { links in
      if let base = links.baseAddress { solver.solve(pathLinks: base, into: &solverScratch.rates) }
    }
    solverScratch.changed.removeAll(keepingCapacity: true)
    for (flow, rate) in solverScratch.rates {
      let slot = Int(flow)
      if flows[slot].rate == rate { continue }
      let remaining = flows[slot].remaining(at: present)
      flows[slot].remaining = remaining
      flows[slot].since = present.picoseconds
      flows[slot].rate = rate
      let delay = FluidArithmetic.delay(
        remaining: remaining, of: flows[slot].transfer.size, at: rate)
      flows[slot].finish =
        delay == .max ? .max : (present + SimDuration(picoseconds: delay)).picoseconds
      if flows[slot].handle != nil { unschedule(slot) }
      solverScratch.changed.append(flow)
    }
    flows.withUnsafeBufferPointer { flows in
      heap.update(solverScratch.changed) { flows[$0].finish }
    }
  }
}
