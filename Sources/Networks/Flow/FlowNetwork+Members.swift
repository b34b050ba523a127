/// A flow on a link, and the entry of its way that says so.
struct LinkMember: BitwiseCopyable {
  var flow: Int32
  var entry: Int32
}

/// The flows of each link, in no particular order, side by side: a crowd of hundreds is looked at for
/// every one that comes or goes, and a list would make each look wait for the one before.
extension FlowNetwork {
  /// Where the flows on `link` are in ``memberPool``.
  @inline(__always)
  func members(of link: Int) -> Range<Int> {
    let first = Int(links[link].firstMember)
    return first..<first + Int(links[link].memberCount)
  }

  /// Puts a flow on `link`.
  ///
  /// - Complexity: O(1) amortised.
  mutating func addMember(flow: Int, entry: Int, to link: Int) {
    if links[link].memberCount == links[link].memberRoom { widen(link) }
    let place = links[link].firstMember + links[link].memberCount
    links[link].memberCount += 1
    memberPool[Int(place)] = LinkMember(
      flow: Int32(truncatingIfNeeded: flow), entry: Int32(truncatingIfNeeded: entry))
    entryPlaces[entry] = place
  }

  /// Takes the flow of `entry` off `link`; the last one takes its place.
  mutating func removeMember(_ entry: Int, from link: Int) {
    links[link].memberCount -= 1
    let last = memberPool[Int(links[link].firstMember + links[link].memberCount)]
    let place = entryPlaces[entry]
    memberPool[Int(place)] = last
    entryPlaces[Int(last.entry)] = place
  }

  /// Twice the room on `link`, at least four places.
  @inline(never)
  private mutating func widen(_ link: Int) {
    let room = max(4, 2 * Int(links[link].memberRoom))
    let power = room.trailingZeroBitCount
    while freeStretches.count <= power { freeStretches.append([]) }
    let first: Int
    if let free = freeStretches[power].popLast() {
      first = Int(free)
    } else {
      first = memberPool.count
      for _ in 0..<room { memberPool.append(LinkMember(flow: -1, entry: -1)) }
    }
    for (offset, place) in members(of: link).enumerated() {
      let member = memberPool[place]
      memberPool[first + offset] = member
      entryPlaces[Int(member.entry)] = Int32(first + offset)
    }
    if links[link].memberRoom > 0 {
      freeStretches[power - 1].append(links[link].firstMember)
    }
    links[link].firstMember = Int32(first)
    links[link].memberRoom = Int32(room)
  }
}
