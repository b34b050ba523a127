import SimKernel

/// Links whose flows are kept as a ``FlowCrowd``.
///
/// A flow is in one if the link that holds it has one. Until the crowd is dissolved, its level is the
/// link's, and what it counts as `taken` on the other links of its way is what the licence allows: an
/// upper bound that needs no change while the share moves below it. Nobody reads these links' sums
/// but to see that they are not full, before ``dissolveCrowds(on:)`` makes them exact. The sum of the
/// crowd's own link is not kept meanwhile.
extension FlowNetwork {
  /// Fewer flows are followed one by one.
  static var smallestCrowd: Int { 16 }
  /// By how much a share may rise before the other links on the ways are asked again.
  private static var allowance: Double { 1.25 }

  // MARK: - Coming and going

  /// Makes a crowd of the flows on `link` if the other links on their ways have enough to spare, and
  /// returns whether they have.
  ///
  /// - Precondition: all flows on `link` are held by it, and rates and sums are those of the present.
  /// - Complexity: O(n log n) in the flows.
  mutating func formCrowd(on link: Int) -> Bool {
    let level = links[link].level
    let licence = level * Self.allowance
    let range = members(of: link)
    scratch.beside.truncate()
    var isAllowed = true
    for place in range {
      let slot = Int(memberPool[place].flow)
      if !license(slot, of: link, upTo: licence) {
        isAllowed = false
        break
      }
    }
    guard settleBeside(isAllowed) else {
      for place in range {
        let slot = Int(memberPool[place].flow)
        levels[slot].taken = solver.taken(level, levels[slot].weight)
      }
      return false
    }
    let quotient = links[link].capacity / links[link].held
    var crowd = FlowCrowd(link: link, licence: licence, quotient: quotient, at: present)
    for place in range {
      let slot = memberPool[place].flow
      countCrowded(Int(slot), by: 1)
      crowd.push(FlowCrowd.Member(key: work(Int(slot)), flow: slot, step: 0))
      unfile(Int(slot))
    }
    let number = freeCrowds.popLast() ?? Int32(truncatingIfNeeded: crowds.count)
    if Int(number) == crowds.count { crowds.append(crowd) } else { crowds[Int(number)] = crowd }
    links[link].crowd = number
    refillFront(Int(number))
    return true
  }

  /// Follows the flows of the crowd on `link` one by one again.
  mutating func dissolveCrowd(on link: Int) {
    let number = Int(links[link].crowd)
    for index in crowds[number].others.indices {
      let slot = readUp(crowds[number].others[index], of: number)
      file(slot, dated(slot))
    }
    let level = links[link].level
    var taken = 0.0
    for place in members(of: link) {
      let slot = Int(memberPool[place].flow)
      // New ones have no share yet.
      if Int(levels[slot].bottleneck) != link || flows[slot].phase != .flowing { continue }
      let own = solver.taken(level, levels[slot].weight)
      let change = own - levels[slot].taken
      levels[slot].level = level
      levels[slot].taken = own
      taken += own
      for entry in way(of: slot) {
        let other = Int(entryLinks[entry])
        links[other].crowded -= 1
        if other != link { links[other].taken += change }
      }
    }
    links[link].taken = taken
    freeCrowd(of: link)
  }

  private mutating func freeCrowd(of link: Int) {
    crowds[Int(links[link].crowd)] = FlowCrowd(link: -1, licence: 0, quotient: 0, at: present)
    freeCrowds.append(links[link].crowd)
    links[link].crowd = -1
    links[link].reshares = 0
  }

  /// Makes the sums and flows of `link` exact.
  @inline(__always)
  mutating func dissolveCrowds(on link: Int) {
    if links[link].crowded > 0 { dissolveAll(on: link) }
  }

  @inline(never)
  private mutating func dissolveAll(on link: Int) {
    for place in members(of: link) {
      let bottleneck = Int(levels[Int(memberPool[place].flow)].bottleneck)
      if bottleneck >= 0, links[bottleneck].crowd >= 0 { dissolveCrowd(on: bottleneck) }
    }
  }

  /// Follows all flows one by one.
  mutating func dissolveCrowds() {
    if freeCrowds.count == crowds.count { return }
    for number in crowds.indices where crowds[number].link >= 0 {
      dissolveCrowd(on: crowds[number].link)
    }
  }

  // MARK: - Members

  /// Whether a flow is in a crowd.
  @inline(__always)
  func isCrowded(_ slot: Int) -> Bool {
    let bottleneck = Int(levels[slot].bottleneck)
    return bottleneck >= 0 && links[bottleneck].crowd >= 0
  }

  /// Reserves what a flow takes from the other links of its way at `level`; false if one of them
  /// holds flows of its own, or the flow has a cap that is nearly reached.
  mutating func license(_ slot: Int, of link: Int, upTo level: Double) -> Bool {
    let weight = levels[slot].weight
    if flows[slot].cap * 0.999 <= level * weight { return false }
    let taken = solver.taken(level, weight)
    let change = taken - levels[slot].taken
    for entry in way(of: slot) where Int(entryLinks[entry]) != link {
      if !reserve(change, on: Int(entryLinks[entry])) { return false }
    }
    levels[slot].taken = taken
    return true
  }

  /// Adds the new flow `slot`, whose share is licensed, at the present rate.
  mutating func joinCrowd(_ slot: Int) {
    let link = Int(levels[slot].bottleneck)
    let number = Int(links[link].crowd)
    let weight = levels[slot].weight
    countCrowded(slot, by: 1)
    flows[slot].phase = .flowing
    flows[slot].rate = crowds[number].quotient * weight
    flows[slot].since = present.picoseconds
    flows[slot].finish = FlowState.postponed
    let member = FlowCrowd.Member(
      key: crowds[number].progress + flows[slot].remaining / weight,
      flow: Int32(truncatingIfNeeded: slot), step: Int32(crowds[number].steps.count))
    if member.key <= crowds[number].firstKey { demoteFront(number, behind: member.key) }
    crowds[number].push(member)
  }

  /// Takes a flow that ends, or is called back, out of the crowd on `link`.
  mutating func leaveCrowd(_ slot: Int, on link: Int) {
    let number = Int(links[link].crowd)
    countCrowded(slot, by: -1)
    crowds[number].remove(Int32(truncatingIfNeeded: slot))
    if crowds[number].count == 0 {
      // What the link gave was not kept while it had a crowd; the last one takes its own with it.
      links[link].taken = levels[slot].taken
      freeCrowd(of: link)
    } else {
      refillFront(number)
    }
  }

  /// Gives the crowd on `link`, which takes all of it, its rate from now on.
  ///
  /// - Complexity: O(1) but for the few in front, and for a look at all after several times as many
  ///   changes.
  mutating func rateCrowd(on link: Int, level: Double) {
    let number = Int(links[link].crowd)
    links[link].level = level
    if crowds[number].isWorn { restartCrowd(number) }
    crowds[number].append(quotient: links[link].capacity / links[link].held, at: present)
    for index in crowds[number].front.indices {
      let slot = Int(crowds[number].front[index].flow)
      if setRate(crowds[number].quotient * levels[slot].weight, of: slot) {
        scratch.changed.append(Int32(truncatingIfNeeded: slot))
      }
    }
  }

  /// Brings those to the front that may end first.
  mutating func refillFront(_ number: Int) {
    if crowds[number].front.isEmpty { promote(number) }
    let limit = crowds[number].limit(crowds[number].firstKey)
    while let next = crowds[number].others.first, next.key <= limit { promote(number) }
  }

  private mutating func promote(_ number: Int) {
    guard let member = crowds[number].popFirst() else { return }
    let slot = readUp(member, of: number)
    crowds[number].front.append(member)
    file(slot, dated(slot))
  }

  /// Sends those back that end plainly after `key`, unless they are so many that they mostly end
  /// together and would soon be back.
  private mutating func demoteFront(_ number: Int, behind key: Double) {
    if crowds[number].front.count > 4 { return }
    let limit = crowds[number].limit(key)
    let steps = Int32(crowds[number].steps.count)
    var index = 0
    while index < crowds[number].front.count {
      var member = crowds[number].front[index]
      if member.key <= limit {
        index += 1
        continue
      }
      let slot = Int(member.flow)
      unfile(slot)
      member.step = steps
      crowds[number].front.remove(at: index)
      crowds[number].push(member)
    }
  }

  private mutating func restartCrowd(_ number: Int) {
    for index in crowds[number].others.indices {
      _ = readUp(crowds[number].others[index], of: number)
    }
    // In bounds: members are slots of both.
    let (flows, levels) = (flows.base, levels.base)
    let now = present
    crowds[number].restart(at: now) { flows[$0].remaining(at: now) / levels[$0].weight }
  }

  /// Applies to a flow the rates it has not read yet, one after the other as if it had been followed;
  /// returns its slot.
  private mutating func readUp(_ member: FlowCrowd.Member, of number: Int) -> Int {
    let slot = Int(member.flow)
    flows[slot] = readingUp(member, of: number)
    return slot
  }

  /// A flow with all rates of its crowd applied.
  func readingUp(_ member: FlowCrowd.Member, of number: Int) -> FlowState {
    var flow = flows[Int(member.flow)]
    let weight = levels[Int(member.flow)].weight
    for step in crowds[number].steps[Int(member.step)...] {
      let rate = step.quotient * weight
      if rate == flow.rate { continue }
      flow.remaining = flow.remaining(at: SimTime(picoseconds: step.since))
      flow.since = step.since
      flow.rate = rate
    }
    return flow
  }

  /// A flow as it would be if it had been followed.
  ///
  /// - Complexity: O(flows and changes of its crowd).
  func followed(_ slot: Int) -> FlowState {
    if flows[slot].phase == .flowing, isCrowded(slot) {
      let number = Int(links[Int(levels[slot].bottleneck)].crowd)
      for member in crowds[number].others where Int(member.flow) == slot {
        return readingUp(member, of: number)
      }
    }
    return flows[slot]
  }

  /// Bytes a unit of weight that are left now.
  private func work(_ slot: Int) -> Double {
    flows[slot].remaining(at: present) / levels[slot].weight
  }

  /// Takes a flow out of the heap; nobody asks for its finish until it is in front.
  private mutating func unfile(_ slot: Int) {
    heap.remove(slot)
    flows[slot].filed = .max
    flows[slot].finish = FlowState.postponed
  }

  private mutating func countCrowded(_ slot: Int, by change: Int32) {
    for entry in way(of: slot) { links[Int(entryLinks[entry])].crowded += change }
  }

  /// The entries of a flow's way.
  @inline(__always)
  func way(of slot: Int) -> Range<Int> {
    let first = Int(flows[slot].firstEntry)
    return first..<first + Int(flows[slot].entryCount)
  }
}
