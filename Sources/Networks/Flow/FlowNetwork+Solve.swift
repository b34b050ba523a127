import SimKernel

/// Lists reused by every solve of a ``FlowNetwork``.
struct SolverScratch: ~Copyable {
  /// Flows to solve; grows while components are being gathered.
  var set = FlatBuffer<Int32>()
  /// The solve in which a link was last opened.
  var linkStamp: FlatBuffer<Int32>
  /// Flows whose rate changed.
  var changed = FlatBuffer<Int32>()
  /// Counts solves.
  var stamp: Int32 = 0
  /// Complete solves left before the size of components is looked at again.
  var fullSolves = 0

  init(linkCount: Int) { linkStamp = FlatBuffer(repeating: 0, count: linkCount) }
}

extension FlowNetwork {
  /// Gives every flow the rate that the changes of the present instant leave it.
  ///
  /// Flows whose rate stays the same keep their finish.
  mutating func settle() {
    if fresh.isEmpty && dirty.isEmpty { return }
    scratch.stamp &+= 1
    scratch.set.truncate()
    for index in fresh.indices {
      let slot = Int(fresh[index])
      if flows[slot].phase != .fresh { continue }
      if solverChoice != .full, startAlone(slot) { continue }
      flows[slot].phase = .flowing
      gather(slot)
    }
    fresh.truncate()
    for index in dirty.indices {
      let link = Int(dirty[index])
      links[link].isDirty = false
      var entry = links[link].head
      while entry >= 0 {
        gather(Int(entries[Int(entry)].flow))
        entry = entries[Int(entry)].next
      }
    }
    dirty.truncate()
    if scratch.set.isEmpty { return }
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
    heap.set(slot, finish.picoseconds)
    return true
  }

  /// Adds a flow to the set once.
  @inline(__always)
  private mutating func gather(_ slot: Int) {
    if flows[slot].stamp == scratch.stamp { return }
    flows[slot].stamp = scratch.stamp
    scratch.set.append(Int32(truncatingIfNeeded: slot))
  }

  private mutating func wantsFullSolve() -> Bool {
    switch solverChoice {
    case .full: return true
    case .incremental: return false
    case .adaptive:
      if scratch.fullSolves == 0 { return false }
      scratch.fullSolves -= 1
      return true
    }
  }

  /// Grows the set to whole components and opens their links; returns false when a complete solve is
  /// cheaper than to go on.
  private mutating func openComponents() -> Bool {
    let mayGiveUp = solverChoice == .adaptive && links.count <= 8 * live.count
    let stamp = scratch.stamp
    var index = 0
    while index < scratch.set.count {
      if mayGiveUp, scratch.set.count * 2 > live.count {
        scratch.fullSolves = 15
        return false
      }
      let slot = Int(scratch.set[index])
      index += 1
      let first = Int(flows[slot].firstEntry)
      for position in first..<first + Int(flows[slot].entryCount) {
        let link = Int(entryLinks[position])
        if scratch.linkStamp[link] == stamp { continue }
        scratch.linkStamp[link] = stamp
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
    scratch.set.truncate()
    for index in live.indices { scratch.set.append(live[index]) }
    for link in links.indices {
      solver.open(link: link, capacity: links[link].capacity, weight: links[link].weight)
    }
  }

  /// Solves the set and reschedules the flows whose rates differ.
  private mutating func solve() {
    for index in scratch.set.indices {
      let slot = scratch.set[index]
      let flow = flows[Int(slot)]
      solver.items.append(
        MaxMinSolver.Item(
          flow: slot, start: flow.firstEntry, count: flow.entryCount,
          best: MaxMinSolver.Item.unknown, capShare: flow.cap / flow.weight, weight: flow.weight))
    }
    solver.solve(pathLinks: entryLinks)
    scratch.changed.truncate()
    for index in solver.rates.indices {
      let result = solver.rates[index]
      let slot = Int(result.flow)
      if flows[slot].rate == result.rate { continue }
      let remaining = flows[slot].remaining(at: present)
      flows[slot].remaining = remaining
      flows[slot].since = present.picoseconds
      flows[slot].rate = result.rate
      let delay = FluidArithmetic.delay(
        remaining: remaining, of: flows[slot].transfer.size, at: result.rate)
      flows[slot].finish =
        delay == .max ? .max : (present + SimDuration(picoseconds: delay)).picoseconds
      scratch.changed.append(result.flow)
    }
    // In bounds: changed flows are slots of `flows`.
    let flows = flows.base
    heap.update(scratch.changed) { flows[$0].finish }
  }
}
