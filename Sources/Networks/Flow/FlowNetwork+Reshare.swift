import SimKernel

/// The changes that leave every flow at its bottleneck, which crowds at one server mostly are: the
/// flows of a link share it among one more or one fewer, and nothing else in the network fills up.
///
/// They need neither rounds nor a set that grows: two looks at each flow of the link, and after some
/// in a row none (``FlowCrowd``). Whatever is not plainly of this kind is left to ``settle()``, and
/// the rates are the same to the bit.
extension FlowNetwork {
  /// Shares the links anew that flows left or joined, and returns whether that was all there was to
  /// do; otherwise nothing has changed.
  ///
  /// - Complexity: O(flows on those links); O(1) for those whose flows are a ``FlowCrowd``.
  mutating func reshare() -> Bool {
    let before = dirty.count
    guard assignFresh() else {
      withdrawFresh(dirty: before)
      return false
    }
    scratch.set.truncate()
    scratch.shared.truncate()
    scratch.beside.truncate()
    scratch.rated.truncate()
    var isPlain = true
    // Before anything is reserved: what is dissolved changes sums.
    for index in dirty.indices { dissolveOutgrown(Int(dirty[index])) }
    for index in dirty.indices {
      let link = Int(dirty[index])
      if links[link].held == 0 { continue }
      if links[link].crowd >= 0 {
        scratch.rated.append(Int32(truncatingIfNeeded: link))
        continue
      }
      guard let share = planShare(of: link) else {
        isPlain = false
        break
      }
      scratch.shared.append(share)
      guard movePeers(of: share) else {
        isPlain = false
        break
      }
    }
    if isPlain { isPlain = licenseJoining() }
    guard settleBeside(isPlain) else {
      withdrawFresh(dirty: before)
      return false
    }
    takeShares()
    return true
  }

  /// Follows the crowd on a link one by one if it is not one any more, or its share has left the range
  /// of its licence.
  private mutating func dissolveOutgrown(_ link: Int) {
    let number = Int(links[link].crowd)
    if number < 0 { return }
    var isKept = links[link].held == links[link].weight
    if isKept {
      let level = solver.level(residual: links[link].capacity, weight: links[link].held)
      let licence = crowds[number].licence
      // Far below it, the licence keeps from others what is not used.
      isKept =
        level <= licence && level > licence * 0.4
        && 2 * Int(links[link].memberCount) >= Self.smallestCrowd
    }
    if isKept { return }
    dissolveCrowd(on: link)
    links[link].reshares = Self.steadyReshares
  }

  /// Reserves what new flows of crowds may take; false if one must not.
  private mutating func licenseJoining() -> Bool {
    for index in scratch.joining.indices {
      let slot = Int(scratch.joining[index])
      let link = Int(levels[slot].bottleneck)
      if links[link].crowd < 0 { continue }
      if !license(slot, of: link, upTo: crowds[Int(links[link].crowd)].licence) { return false }
    }
    return true
  }

  /// Gives each fresh flow to the only bottleneck on its way; false if one has none, or several.
  private mutating func assignFresh() -> Bool {
    scratch.joining.truncate()
    for index in dirty.indices where links[Int(dirty[index])].isChanged { return false }
    for index in fresh.indices {
      let slot = Int(fresh[index])
      // A slot that was used twice in this instant is listed twice.
      if flows[slot].phase != .fresh || levels[slot].bottleneck >= 0 { continue }
      var bottleneck = -1
      let first = Int(flows[slot].firstEntry)
      for entry in first..<first + Int(flows[slot].entryCount) {
        let link = Int(entryLinks[entry])
        if links[link].held == 0 { continue }
        if bottleneck >= 0 { return false }
        bottleneck = link
      }
      if bottleneck < 0 { return false }
      levels[slot].bottleneck = Int32(truncatingIfNeeded: bottleneck)
      links[bottleneck].held += levels[slot].weight
      markDirty(bottleneck)
      scratch.joining.append(Int32(truncatingIfNeeded: slot))
    }
    return true
  }

  /// Takes fresh flows from their links again; only the first `count` stay dirty.
  private mutating func withdrawFresh(dirty count: Int) {
    for index in count..<dirty.count { links[Int(dirty[index])].isDirty = false }
    dirty.truncate(to: count)
    for index in fresh.indices {
      let slot = Int(fresh[index])
      let bottleneck = Int(levels[slot].bottleneck)
      if flows[slot].phase != .fresh || bottleneck < 0 { continue }
      links[bottleneck].held -= levels[slot].weight
      levels[slot].bottleneck = MaxMinSolver.Item.unknown
      levels[slot].taken = 0
    }
  }

  /// Shares nearer than this may be equal at the instant that counts: see ``MaxMinSolver``.
  private func margin(of link: Int) -> Double {
    solver.quantum * (links[link].weight + Double(links[link].meter.active))
  }

  /// What the flows that `link` holds share from now on; nil unless all others on it plainly stay
  /// below that.
  private mutating func planShare(of link: Int) -> LinkShare? {
    var outer = 0.0
    var top = -Double.infinity
    let firstFlow = scratch.set.count
    for place in members(of: link) {
      let slot = memberPool[place].flow
      let flow = levels[Int(slot)]
      if Int(flow.bottleneck) == link {
        scratch.set.append(slot)
        continue
      }
      // Nor may its own rate be about to change.
      if flow.bottleneck >= 0, links[Int(flow.bottleneck)].isDirty { return nil }
      outer += flow.taken
      top = max(top, flow.level)
    }
    let residual = links[link].capacity - outer
    let held = links[link].held
    let level = solver.level(residual: residual, weight: held)
    if (level - top) * held <= margin(of: link) { return nil }
    return LinkShare(
      link: Int32(truncatingIfNeeded: link), level: level, residual: max(0, residual), outer: outer,
      flows: firstFlow..<scratch.set.count)
  }

  /// Lets the other links on the way of what `share` holds know what it will take; false if one of
  /// them holds others or is overfull, or a flow has a cap below its share.
  private mutating func movePeers(of share: LinkShare) -> Bool {
    for index in share.start..<share.end {
      let slot = Int(scratch.set[index])
      let weight = levels[slot].weight
      // Nearly equal ones are left to the solver.
      if flows[slot].cap * 0.999 <= share.level * weight { return false }
      let change = solver.taken(share.level, weight) - levels[slot].taken
      for entry in way(of: slot) where entryLinks[entry] != share.link {
        if !reserve(change, on: Int(entryLinks[entry])) { return false }
      }
    }
    return true
  }

  /// Lets a link know that so much more will be taken of it; false if it holds flows or is overfull.
  @inline(__always)
  mutating func reserve(_ change: Double, on link: Int) -> Bool {
    if links[link].held > 0 { return false }
    if !links[link].isBeside {
      links[link].isBeside = true
      scratch.beside.append(
        LinkBeside(link: Int32(truncatingIfNeeded: link), taken: links[link].taken))
    }
    links[link].taken += change
    // Sums of multiples of the quantum are only exact up to the largest capacity.
    return links[link].taken <= links[link].capacity
  }

  /// Whether all that was reserved can be had, if `isWanted`; otherwise it is given back.
  mutating func settleBeside(_ isWanted: Bool) -> Bool {
    var isGranted = isWanted
    for index in scratch.beside.indices {
      let link = Int(scratch.beside[index].link)
      links[link].isBeside = false
      if links[link].capacity - links[link].taken <= margin(of: link) { isGranted = false }
    }
    if isGranted { return true }
    for index in scratch.beside.indices {
      links[Int(scratch.beside[index].link)].taken = scratch.beside[index].taken
    }
    return false
  }

  /// Files the new shares, and reschedules the flows whose rates differ.
  private mutating func takeShares() {
    scratch.changed.truncate()
    for position in scratch.shared.indices {
      let share = scratch.shared[position]
      let link = Int(share.link)
      let held = links[link].held
      let quotient = share.residual / held
      var taken = share.outer
      for index in share.start..<share.end {
        let slot = Int(scratch.set[index])
        let weight = levels[slot].weight
        let own = solver.taken(share.level, weight)
        taken += own
        levels[slot].level = share.level
        levels[slot].taken = own
        flows[slot].phase = .flowing
        // The last flow on a link gets what is left to the last bit, whatever its weight.
        let rate = held == weight ? share.residual : quotient * weight
        if setRate(rate, of: slot) { scratch.changed.append(Int32(truncatingIfNeeded: slot)) }
      }
      links[link].taken = taken
      links[link].level = share.level
    }
    for index in scratch.rated.indices {
      let link = Int(scratch.rated[index])
      rateCrowd(
        on: link, level: solver.level(residual: links[link].capacity, weight: links[link].held))
    }
    for index in dirty.indices { links[Int(dirty[index])].isDirty = false }
    dirty.truncate()
    fresh.truncate()
    fileChanged()
    // Not before: those in front whose finish came nearer may go back.
    for index in scratch.joining.indices where isCrowded(Int(scratch.joining[index])) {
      joinCrowd(Int(scratch.joining[index]))
    }
    for index in scratch.rated.indices {
      refillFront(Int(links[Int(scratch.rated[index])].crowd))
    }
    for index in scratch.shared.indices { countReshare(of: Int(scratch.shared[index].link)) }
  }

  /// Makes a crowd of the flows of a link that has them for itself and keeps sharing them anew.
  private mutating func countReshare(of link: Int) {
    if links[link].reshares < Self.steadyReshares { links[link].reshares += 1 }
    guard links[link].reshares == Self.steadyReshares,
      Int(links[link].memberCount) >= Self.smallestCrowd, links[link].held == links[link].weight
    else { return }
    if !formCrowd(on: link) { links[link].reshares = 0 }
  }

  /// After so many in a row a link is taken to go on like that.
  private static var steadyReshares: UInt8 { 8 }
}

/// What one link gives the flows it holds.
struct LinkShare: BitwiseCopyable {
  var link: Int32
  /// As solves compare it.
  var level: Double
  /// What the flows that others hold leave.
  var residual: Double
  /// What they take.
  var outer: Double
  /// Those it holds are in the set from here to `end`.
  var start: Int
  var end: Int

  init(link: Int32, level: Double, residual: Double, outer: Double, flows: Range<Int>) {
    self.link = link
    self.level = level
    self.residual = residual
    self.outer = outer
    start = flows.lowerBound
    end = flows.upperBound
  }
}

/// What a link gave before its flows were shared anew.
struct LinkBeside: BitwiseCopyable {
  var link: Int32
  var taken: Double
}
