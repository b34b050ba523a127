import SimKernel

/// The wiring and the ways of a dragonfly, computed from router numbers.
///
/// Router r = group · a + index. The a·h global ports of a group are numbered index · h + port; with
/// g groups, port t (g-1) + (o-1) is the t-th cable to the group o places below, where it is port
/// t (g-1) + (g-o-1). With g = a·h + 1 this is the palm-tree arrangement (Camarero, Vallejo, Beivide,
/// "Topological characterization of Hamming and dragonfly networks", ACM TACO 11(4), 2014,
/// doi:10.1145/2677038); with fewer groups every pair gets ⌊a·h/(g-1)⌋ cables and the rest of the
/// ports stay empty.
struct DragonflyRouting: RoutingRule {
  let groups: Int
  let routersPerGroup: Int
  let hostsPerRouter: Int
  let globalPorts: Int
  let policy: RoutingPolicy
  /// From each host to its router; the link back has the next number.
  var hostLinks: [Int32] = []
  /// `localLinks[router * a + index of the other]`, or -1.
  var localLinks: [Int32] = []
  /// `globalLinks[router * h + port]`, or -1 for an empty port.
  var globalLinks: [Int32] = []

  var sharesShortestWays: Bool { false }

  /// Cables between any two groups.
  var cablesPerPair: Int { groups > 1 ? routersPerGroup * globalPorts / (groups - 1) : 0 }

  /// Where cable `cable` from `group` to `other` begins and ends, as router numbers and ports.
  func cable(
    _ cable: Int, from group: Int, to other: Int
  ) -> (from: Int, fromPort: Int, to: Int, toPort: Int) {
    let below = (group - other + groups) % groups
    let out = cable * (groups - 1) + below - 1
    let into = cable * (groups - 1) + groups - below - 1
    return (
      group * routersPerGroup + out / globalPorts, out % globalPorts,
      other * routersPerGroup + into / globalPorts, into % globalPorts
    )
  }

  var isAdaptive: Bool { policy == .adaptive }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    way(from: source, to: target, key: key, byMiddle: policy == .valiant)
  }
  func alternative(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    way(from: source, to: target, key: key, byMiddle: true)
  }

  private func way(
    from source: Int, to target: Int, key: UInt64, byMiddle: Bool
  ) -> [LinkID] {
    let (first, last) = (source / hostsPerRouter, target / hostsPerRouter)
    var path = [LinkID(rawValue: hostLinks[source])]
    var router = first
    let (home, away) = (first / routersPerGroup, last / routersPerGroup)
    if byMiddle, home != away, groups > 2 {
      // Any group but the two; traffic within a group stays there.
      var middle = Topology.middle(of: groups - 2, key: key)
      if middle >= min(home, away) { middle += 1 }
      if middle >= max(home, away) { middle += 1 }
      router = cross(from: router, to: middle, near: nil, key: key, &path)
    }
    if router / routersPerGroup != away {
      router = cross(from: router, to: away, near: last, key: key, &path)
    }
    goLocally(from: router, to: last, &path)
    path.append(LinkID(rawValue: hostLinks[target] + 1))
    return path
  }

  /// Adds the way into another group by the cable that costs the fewest local links, a hash deciding
  /// among equals; returns the router it ends at.
  private func cross(
    from router: Int, to group: Int, near goal: Int?, key: UInt64, _ path: inout [LinkID]
  ) -> Int {
    let home = router / routersPerGroup
    var (least, count) = (Int.max, 0)
    func cost(_ number: Int) -> Int {
      let ends = cable(number, from: home, to: group)
      return (ends.from == router ? 0 : 1) + (goal == nil || ends.to == goal ? 0 : 1)
    }
    for number in 0..<cablesPerPair {
      let own = cost(number)
      if own < least { (least, count) = (own, 0) }
      if own == least { count += 1 }
    }
    var pick = Topology.choice(of: count, at: router, key: key)
    var number = 0
    while true {
      if cost(number) == least {
        if pick == 0 { break }
        pick -= 1
      }
      number += 1
    }
    let ends = cable(number, from: home, to: group)
    goLocally(from: router, to: ends.from, &path)
    path.append(LinkID(rawValue: globalLinks[ends.from * globalPorts + ends.fromPort]))
    return ends.to
  }

  private func goLocally(from router: Int, to other: Int, _ path: inout [LinkID]) {
    if router == other { return }
    path.append(
      LinkID(rawValue: localLinks[router * routersPerGroup + other % routersPerGroup]))
  }
}
