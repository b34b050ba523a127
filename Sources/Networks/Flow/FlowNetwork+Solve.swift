import SimKernel

/// Lists reused by every solve of a ``FlowNetwork``.
struct SolverScratch: ~Copyable {
  /// Flows to solve; grows until the others are as a complete solve would leave them.
  var set = FlatBuffer<Int32>()
  /// The links on their ways.
  var opened = FlatBuffer<Int32>()
  var places: FlatBuffer<LinkPlace>
  /// Flows whose rate changed.
  var changed = FlatBuffer<Int32>()
  /// Counts solves.
  var stamp: Int32 = 0
  /// Complete solves left before a smaller one is tried again.
  var fullSolves = 0
  /// How many complete solves follow the next smaller one that turns out too large: twice as many
  /// as last time, so that neither a short crowd nor lasting dense traffic costs much.
  var pause = 1
  /// Earlier rates were rounded to other multiples.
  var isStale = false
  /// Entries of lists of links that the present solve has looked at.
  var looks = 0
  /// Links that are only shared anew, and the others on the ways of their flows.
  var shared = FlatBuffer<LinkShare>()
  var beside = FlatBuffer<LinkBeside>()
  /// New flows that go to a bottleneck, and bottlenecks whose crowd gets another rate.
  var joining = FlatBuffer<Int32>()
  var rated = FlatBuffer<Int32>()
  /// Changes left before one is looked at again for whether it is as simple as that, and how many
  /// that will be after the next that is not: twice as many as last time.
  var unshared = 0
  var shareBackOff = 1

  init(linkCount: Int) { places = FlatBuffer(repeating: LinkPlace(), count: linkCount) }
}

/// What a solve knows of a link.
struct LinkPlace: BitwiseCopyable {
  /// The solve in which it was last opened.
  var stamp: Int32 = 0
  /// Weights of the flows of the set on it.
  var weight = 0.0
  /// What was taken from it before the solve.
  var taken = 0.0
  /// Its share as a bottleneck of flows of the set; infinite if it is none.
  var level = Double.infinity
  /// What the flows of the set on it take, and the largest share among them.
  var inside = 0.0
  var top = 0.0
  /// How many flows of the set are on it.
  var count: Int32 = 0
  /// Whether those with more than a fair share of it were added for its new flows.
  var isShared = false
  /// What its new flows may expect; negative while unknown.
  var fairShare = -1.0
}

extension FlowNetwork {
  /// Gives every flow the rate that the changes of the present instant leave it.
  ///
  /// Flows whose rate stays the same keep their finish.
  mutating func settle() {
    if fresh.isEmpty && dirty.isEmpty { return }
    if scratch.stamp == .max { forgetStamps() }
    scratch.stamp += 1
    scratch.set.truncate()
    scratch.opened.truncate()
    scratch.looks = 0
    if solverChoice != .full {
      for index in fresh.indices {
        let slot = Int(fresh[index])
        if flows[slot].phase == .fresh { _ = startAlone(slot) }
      }
      if triesToReshare(), reshare() {
        scratch.unshared = 0
        scratch.shareBackOff = 1
        return
      }
      scratch.set.truncate()
    }
    let isFull = wantsFullSolve()
    for index in fresh.indices {
      let slot = Int(fresh[index])
      if flows[slot].phase != .fresh { continue }
      flows[slot].phase = .flowing
      gather(slot)
    }
    let started = scratch.set.count
    for index in dirty.indices {
      let link = Int(dirty[index])
      if !isFull { if links[link].isChanged { gatherAll(on: link) } else { gatherHeld(by: link) } }
      links[link].isDirty = false
      links[link].isChanged = false
    }
    fresh.truncate()
    let hasChanges = !scratch.set.isEmpty || isFull && !dirty.isEmpty
    dirty.truncate()
    if !hasChanges { return }
    if isFull || !solvePart(started: started) { solveEverything() }
    takeRates()
  }

  private mutating func forgetStamps() {
    for slot in levels.indices { levels[slot].stamp = 0 }
    for link in scratch.places.indices { scratch.places[link].stamp = 0 }
    scratch.stamp = 0
  }

  /// Rates a flow that is alone on all its links without a solve; returns false if it is not.
  private mutating func startAlone(_ slot: Int) -> Bool {
    let first = Int(flows[slot].firstEntry)
    let end = first + Int(flows[slot].entryCount)
    let weight = levels[slot].weight
    var rate = flows[slot].cap
    var level = rate / weight
    var bottleneck = MaxMinSolver.Item.capped
    for entry in first..<end {
      let link = Int(entryLinks[entry])
      if links[link].meter.active != 1 || links[link].isDirty { return false }
      let share = solver.level(residual: links[link].capacity, weight: weight)
      if share < level {
        rate = links[link].capacity
        level = share
        bottleneck = Int32(link)
      }
    }
    let taken = solver.taken(level, weight)
    for entry in first..<end { links[Int(entryLinks[entry])].taken = taken }
    if bottleneck >= 0 {
      links[Int(bottleneck)].held = weight
      links[Int(bottleneck)].level = level
    }
    levels[slot].bottleneck = bottleneck
    levels[slot].level = level
    levels[slot].taken = taken
    flows[slot].phase = .flowing
    flows[slot].rate = rate
    let delay = FluidArithmetic.delay(
      remaining: flows[slot].remaining, of: flows[slot].transfer.size, at: rate)
    let finish = delay == .max ? .never : present + SimDuration(picoseconds: delay)
    file(slot, finish.picoseconds)
    return true
  }

  /// Whether the next change is worth a look; counts on the answer being no.
  private mutating func triesToReshare() -> Bool {
    if scratch.isStale { return false }
    if scratch.unshared > 0 {
      scratch.unshared -= 1
      return false
    }
    scratch.unshared = scratch.shareBackOff - 1
    scratch.shareBackOff = min(2 * scratch.shareBackOff, 16)
    return true
  }

  private mutating func wantsFullSolve() -> Bool {
    if scratch.isStale { return true }
    switch solverChoice {
    case .full: return true
    case .incremental: return false
    case .adaptive:
      if scratch.fullSolves == 0 { return false }
      scratch.fullSolves -= 1
      return true
    }
  }

  // MARK: - The set

  /// Adds a flow to the set once, and takes it off the links on its way.
  @inline(__always)
  private mutating func gather(_ slot: Int) {
    if levels[slot].stamp == scratch.stamp { return }
    if isCrowded(slot) { dissolveCrowd(on: Int(levels[slot].bottleneck)) }
    levels[slot].stamp = scratch.stamp
    scratch.set.append(Int32(truncatingIfNeeded: slot))
    let level = levels[slot]
    let first = Int(flows[slot].firstEntry)
    for entry in first..<first + Int(flows[slot].entryCount) {
      let link = Int(entryLinks[entry])
      if scratch.places[link].stamp != scratch.stamp {
        dissolveCrowds(on: link)
        scratch.places[link] = LinkPlace(stamp: scratch.stamp, taken: links[link].taken)
        scratch.opened.append(Int32(truncatingIfNeeded: link))
      }
      scratch.places[link].weight += level.weight
      scratch.places[link].count += 1
      links[link].taken -= level.taken
    }
    if level.bottleneck >= 0 { links[Int(level.bottleneck)].held -= level.weight }
  }

  /// Adds all flows that `link` holds: they share what it has left.
  private mutating func gatherHeld(by link: Int) {
    scratch.looks += Int(links[link].meter.active)
    for place in members(of: link) {
      let slot = Int(memberPool[place].flow)
      if Int(levels[slot].bottleneck) == link { gather(slot) }
    }
  }

  /// Adds a flow, with all that its bottleneck holds.
  private mutating func gatherPeers(of slot: Int) {
    if levels[slot].stamp == scratch.stamp { return }
    let bottleneck = Int(levels[slot].bottleneck)
    if bottleneck >= 0 { gatherHeld(by: bottleneck) } else { gather(slot) }
  }

  private mutating func gatherAll(on link: Int) {
    for place in members(of: link) {
      gatherPeers(of: Int(memberPool[place].flow))
    }
  }

  // MARK: - Solving

  private mutating func solveEverything() {
    dissolveCrowds()
    scratch.isStale = false
    scratch.opened.truncate()
    scratch.set.truncate()
    for index in live.indices { scratch.set.append(live[index]) }
    for link in links.indices {
      links[link].taken = 0
      links[link].held = 0
      scratch.opened.append(Int32(truncatingIfNeeded: link))
      solver.open(link: link, capacity: links[link].capacity, weight: links[link].weight)
    }
    solveSet()
  }

  /// Solves the set, and grows it until the flows outside are as a complete solve leaves them.
  ///
  /// The first `started` flows of the set are new. Returns false when a complete solve is cheaper.
  ///
  /// A complete solve freezes bottlenecks in ascending order of their shares, and flows frozen
  /// earlier know nothing of later ones. So what is outside may stay if no link on the way of the
  /// set carries anyone frozen later than at its own share, and no bottleneck outside has lost or
  /// won anything. Flows that are held by one link enter together.
  private mutating func solvePart(started: Int) -> Bool {
    for index in 0..<started { gatherGivers(to: Int(scratch.set[index])) }
    var work = 0
    while true {
      work += scratch.set.count
      // A look at an entry costs a fraction of solving a flow.
      if solverChoice == .adaptive, work + scratch.looks / 16 > 2 * live.count + 64 {
        scratch.fullSolves = scratch.pause
        scratch.pause = min(2 * scratch.pause, 32)
        return false
      }
      for index in scratch.opened.indices {
        let link = Int(scratch.opened[index])
        solver.open(
          link: link, capacity: links[link].capacity - links[link].taken,
          weight: scratch.places[link].weight)
      }
      solveSet()
      addUp()
      let before = scratch.set.count
      for index in scratch.opened.indices { check(Int(scratch.opened[index])) }
      if scratch.set.count == before {
        scratch.pause = 1
        return true
      }
    }
  }

  /// Adds the flows that a new one takes from: those with more than a fair share of a link that has
  /// not enough left.
  private mutating func gatherGivers(to slot: Int) {
    let first = Int(flows[slot].firstEntry)
    let way = first..<first + Int(flows[slot].entryCount)
    // On most links of its way it is held elsewhere and takes what is left.
    var share = flows[slot].cap / levels[slot].weight
    for entry in way {
      let link = Int(entryLinks[entry])
      if scratch.places[link].fairShare < 0 { scratch.places[link].fairShare = fairShare(of: link) }
      share = min(share, scratch.places[link].fairShare)
    }
    for entry in way {
      let link = Int(entryLinks[entry])
      if scratch.places[link].isShared
        || links[link].capacity - links[link].taken >= share * levels[slot].weight
      {
        continue
      }
      scratch.places[link].isShared = true
      gatherAbove(scratch.places[link].fairShare, on: link)
    }
  }

  /// Sums what the set takes from each opened link.
  private mutating func addUp() {
    for index in solver.rates.indices {
      let result = solver.rates[index]
      let first = Int(flows[Int(result.flow)].firstEntry)
      for entry in first..<first + Int(flows[Int(result.flow)].entryCount) {
        let link = Int(entryLinks[entry])
        scratch.places[link].inside += result.taken
        scratch.places[link].top = max(scratch.places[link].top, result.level)
      }
    }
  }

  /// Solves the flows of the set on the opened links.
  private mutating func solveSet() {
    for index in scratch.opened.indices {
      let link = Int(scratch.opened[index])
      scratch.places[link].level = .infinity
      scratch.places[link].inside = 0
      scratch.places[link].top = 0
    }
    for index in scratch.set.indices {
      let slot = scratch.set[index]
      let flow = flows[Int(slot)]
      let weight = levels[Int(slot)].weight
      solver.items.append(
        MaxMinSolver.Item(
          flow: slot, start: flow.firstEntry, count: flow.entryCount,
          best: MaxMinSolver.Item.unknown, capShare: flow.cap / weight, weight: weight))
    }
    solver.solve(pathLinks: entryLinks)
    for index in solver.rates.indices {
      let result = solver.rates[index]
      let slot = Int(result.flow)
      levels[slot].level = result.level
      levels[slot].taken = result.taken
      levels[slot].bottleneck = result.bottleneck
      if result.bottleneck >= 0 { scratch.places[Int(result.bottleneck)].level = result.level }
    }
  }

  /// The least share that `link` would have as a bottleneck, if flows outside the set kept theirs.
  private mutating func fairShare(of link: Int) -> Double {
    scratch.looks += 2 * Int(links[link].meter.active)
    let (capacity, weight) = (links[link].capacity, links[link].weight)
    var share = capacity / weight
    for _ in 0..<2 {
      var (left, open) = (capacity, weight)
      for place in members(of: link) {
        let level = levels[Int(memberPool[place].flow)]
        if level.stamp != scratch.stamp, level.level < share {
          left -= level.taken
          open -= level.weight
        }
      }
      if open > 0 { share = max(share, left / open) }
    }
    return share
  }

  /// Adds the flows on `link` that a complete solve would freeze after it, if its share were `share`.
  private mutating func gatherAbove(_ share: Double, on link: Int) {
    scratch.looks += Int(links[link].meter.active)
    for place in members(of: link) {
      let slot = Int(memberPool[place].flow)
      if !levels[slot].precedes(share, link) { gatherPeers(of: slot) }
    }
  }

  /// Adds the flows on `link` whose shares are `share` or more.
  private mutating func gatherNotBelow(_ share: Double, on link: Int) {
    for place in members(of: link) {
      let slot = Int(memberPool[place].flow)
      if levels[slot].level >= share { gatherPeers(of: slot) }
    }
  }

  /// Adds flows on `link` that cannot stay outside the set, if there are any.
  private mutating func check(_ link: Int) {
    let place = scratch.places[link]
    if Int(place.count) == links[link].meter.active { return }
    // It may hold flows outside the set, flows of the set, or nobody.
    let holdsOthers = links[link].held > 0
    let level = holdsOthers ? links[link].level : place.level
    let taken = links[link].taken + place.inside
    // Shares nearer than this may be equal at the instant that counts: see ``MaxMinSolver``.
    let margin = solver.quantum * (links[link].weight + Double(links[link].meter.active))
    // What is plain needs no look at the flows.
    if level == .infinity {
      if links[link].capacity - taken > margin { return }
    } else if holdsOthers {
      if place.level < .infinity || taken != place.taken {
        gatherHeld(by: link)
        return
      }
      if (level - place.top) * links[link].held > margin { return }
    }
    scratch.looks += Int(links[link].meter.active)
    var held = 0.0
    var lightest = Double.infinity
    var isWhole = true
    var isExceeded = false
    /// The largest shares of flows held elsewhere: of all, and of those that would belong to this
    /// link if both had the same share.
    var top = 0.0
    var rival = -1.0
    for place in members(of: link) {
      let slot = Int(memberPool[place].flow)
      let flow = levels[slot]
      lightest = min(lightest, flow.weight)
      if flow.weight != flow.weight.rounded() { isWhole = false }
      if Int(flow.bottleneck) == link {
        held += flow.weight
        continue
      }
      if !flow.precedes(level, link) { isExceeded = true }
      top = max(top, flow.level)
      // A cap that is no multiple of the quantum leaves what was rounded off to this link.
      if flow.bottleneck > link || flow.bottleneck < 0 && flow.taken != flow.level * flow.weight {
        rival = max(rival, flow.level)
      }
    }
    // What a flow takes at a broken weight is rounded down, by less than a quantum each.
    if !isWhole { rival = top }
    if holdsOthers {
      let isTied = rival >= 0 && (level - rival) * held <= margin
      if isExceeded || isTied { gatherHeld(by: link) }
    } else if level < .infinity {
      if isExceeded {
        let before = scratch.set.count
        gatherAbove(max(level, fairShare(of: link)), on: link)
        if scratch.set.count == before { gatherAbove(level, on: link) }
      }
      if rival >= 0, (level - rival) * held <= margin {
        gatherNotBelow(level - margin / held, on: link)
      }
    } else if rival >= 0 {
      // Full, and nobody's bottleneck.
      let threshold = top - margin / lightest
      if rival >= threshold { gatherNotBelow(threshold, on: link) }
    }
  }

  // MARK: - Results

  /// Files what the last solve found, and reschedules the flows whose rates differ.
  private mutating func takeRates() {
    for index in scratch.opened.indices {
      let link = Int(scratch.opened[index])
      if links[link].held == 0 { links[link].level = .infinity }
    }
    scratch.changed.truncate()
    for index in solver.rates.indices {
      let result = solver.rates[index]
      let slot = Int(result.flow)
      let first = Int(flows[slot].firstEntry)
      for entry in first..<first + Int(flows[slot].entryCount) {
        links[Int(entryLinks[entry])].taken += result.taken
      }
      if result.bottleneck >= 0 {
        links[Int(result.bottleneck)].held += levels[slot].weight
        links[Int(result.bottleneck)].level = result.level
      }
      let rate = result.bottleneck < 0 ? flows[slot].cap : result.rate
      if setRate(rate, of: slot) { scratch.changed.append(result.flow) }
    }
    fileChanged()
  }

  /// Files the flows whose finish came nearer.
  mutating func fileChanged() {
    // In bounds: changed flows are slots of `flows`.
    let flows = flows.base
    heap.update(scratch.changed) { flows[$0].finish }
  }

  /// Gives a flow its rate from now on; whether its place in the heap must change.
  ///
  /// A finish that moves away is not worked out, and the heap keeps the earlier time: in a crowd every
  /// arrival puts all others off and every departure brings them back, mostly to where they were.
  @inline(__always)
  mutating func setRate(_ rate: Double, of slot: Int) -> Bool {
    if flows[slot].rate == rate { return false }
    let remaining = flows[slot].remaining(at: present)
    flows[slot].remaining = remaining
    flows[slot].since = present.picoseconds
    flows[slot].rate = rate
    let filed = flows[slot].filed
    if filed != .max {
      // Beyond all rounding of the finish: see ``FluidArithmetic/delay(remaining:of:at:)``.
      let wait = Double(filed - present.picoseconds) * 1.000_000_001 + 4
      if remaining * 8e12 > wait * rate {
        flows[slot].finish = FlowState.postponed
        return false
      }
    }
    let finish = dated(slot)
    flows[slot].finish = finish
    if filed <= finish { return false }
    flows[slot].filed = finish
    return true
  }

  /// When the last byte of a flow leaves at the rate it has had since its last change.
  @inline(__always)
  func dated(_ slot: Int) -> Int64 {
    let delay = FluidArithmetic.delay(
      remaining: flows[slot].remaining, of: flows[slot].transfer.size, at: flows[slot].rate)
    return delay == .max
      ? .max
      : (SimTime(picoseconds: flows[slot].since) + SimDuration(picoseconds: delay)).picoseconds
  }

  /// Files a flow under its finish; `Int64.max` takes it out.
  mutating func file(_ slot: Int, _ finish: Int64) {
    flows[slot].finish = finish
    flows[slot].filed = finish
    heap.set(slot, finish)
  }

  /// The earliest finish of all, or `Int64.max`; what was postponed is worked out as far as it comes
  /// first.
  mutating func earliestFinish() -> Int64 {
    while let first = heap.first {
      let slot = Int(first.flow)
      if flows[slot].finish == FlowState.postponed { flows[slot].finish = dated(slot) }
      if flows[slot].finish == first.finish { return first.finish }
      file(slot, flows[slot].finish)
    }
    return .max
  }
}
