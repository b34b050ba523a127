import Networks
import SimKernel
import Testing

@Suite struct DragonflyTests {
  private static let link = LinkSpecification(bandwidth: .gigabitsPerSecond(100))

  private func dragonfly(
    _ a: Int, _ p: Int, _ h: Int, groups: Int? = nil, hosts: Int? = nil,
    routing: RoutingPolicy = .minimal
  ) -> Topology {
    DragonflyTopology(
      routersPerGroup: a, hostsPerRouter: p, globalLinksPerRouter: h, groups: groups, hosts: hosts,
      hostLink: Self.link, localLink: Self.link, globalLink: Self.link, routing: routing
    ).makeTopology()
  }

  /// Group and router of a router's name `g3.r1`; nil for a host.
  private func router(_ name: String) -> (group: Int, index: Int)? {
    let parts = name.split(separator: ".")
    guard parts.count == 2, let g = Int(parts[0].dropFirst()), let r = Int(parts[1].dropFirst())
    else { return nil }
    return (g, r)
  }

  /// Cables between groups, each once, by the groups of its ends.
  private func globalCables(_ topology: Topology) -> [(from: String, to: String)] {
    topology.links.compactMap { link in
      let (from, to) = (topology.nodeNames[link.from.index], topology.nodeNames[link.to.index])
      guard let a = router(from), let b = router(to), a.group < b.group else { return nil }
      return (from, to)
    }
  }

  @Test(arguments: [
    (1, 1, 1, 1), (1, 1, 1, 2), (2, 1, 1, 3), (4, 2, 2, 9), (4, 2, 2, 5), (4, 2, 2, 2),
    (3, 1, 2, 6),
    (6, 3, 3, 19),
  ])
  func linksFollowTheFormula(a: Int, p: Int, h: Int, groups: Int) {
    let topology = dragonfly(a, p, h, groups: groups)
    let hosts = groups * a * p
    let perPair = groups == 1 ? 0 : a * h / (groups - 1)
    let pairs = groups * (groups - 1) / 2
    #expect(topology.accelerators.count == hosts)
    #expect(topology.links.count == 2 * (hosts + groups * a * (a - 1) / 2 + pairs * perPair))
    #expect(Set(topology.links.map(\.name)).count == topology.links.count)
    var cables = [[Int]](repeating: [Int](repeating: 0, count: groups), count: groups)
    var ports: [String: Int] = [:]
    for (from, to) in globalCables(topology) {
      cables[router(from)!.group][router(to)!.group] += 1
      ports[from, default: 0] += 1
      ports[to, default: 0] += 1
    }
    for one in 0..<groups {
      for other in one + 1..<max(one + 1, groups) { #expect(cables[one][other] == perPair) }
    }
    #expect(ports.values.allSatisfy { $0 <= h })
    // Half of an even number of groups has a quarter of all pairs across.
    if groups % 2 == 0 {
      let across = globalCables(topology).count {
        (router($0.from)!.group < groups / 2) != (router($0.to)!.group < groups / 2)
      }
      #expect(across == groups * groups / 4 * perPair)
    }
  }

  @Test(arguments: [(2, 1), (4, 2), (6, 3)])
  func aFullOneIsAPalmTree(a: Int, h: Int) {
    let groups = a * h + 1
    let topology = dragonfly(a, 1, h)
    let cables = globalCables(topology)
    #expect(cables.count == groups * (groups - 1) / 2)
    // Port j of router i in group G leads to group G - (i h + j) - 1.
    var expected: Set<String> = []
    for group in 0..<groups {
      for port in 0..<a * h {
        let other = (group - port - 1 + groups) % groups
        let back = a * h - 1 - port
        if group < other { expected.insert("g\(group).r\(port / h)->g\(other).r\(back / h)") }
      }
    }
    #expect(Set(cables.map { "\($0.from)->\($0.to)" }) == expected)
  }

  @Test func minimalWaysCrossOneCableAndHaveFiveLinksAtMost() {
    #expect(longestWay(dragonfly(1, 2, 1, groups: 1)) == 2)
    #expect(longestWay(dragonfly(3, 1, 1, groups: 1)) == 3)
    #expect(longestWay(dragonfly(1, 1, 4)) == 3)
    for topology in [dragonfly(4, 2, 2), dragonfly(4, 2, 2, groups: 5), dragonfly(3, 2, 1)] {
      #expect(longestWay(topology) == 5)
      #expect(globalCounts(topology) == [0, 1])
    }
  }

  @Test func valiantWaysCrossAThirdGroup() {
    for topology in [
      dragonfly(4, 2, 2, routing: .valiant), dragonfly(4, 2, 2, groups: 3, routing: .valiant),
    ] {
      #expect(longestWay(topology) <= 7)
      #expect(globalCounts(topology) == [0, 2])
    }
    // There is no third group.
    #expect(globalCounts(dragonfly(4, 2, 2, groups: 2, routing: .valiant)) == [0, 1])
  }

  /// How many cables between groups the ways of all pairs cross.
  private func globalCounts(_ topology: Topology) -> Set<Int> {
    var counts: Set<Int> = []
    for from in topology.accelerators {
      for to in topology.accelerators where from != to {
        let route = topology.route(
          from: from, to: to, key: Topology.routeKey(from: from, to: to))!
        counts.insert(
          route.count {
            let link = topology.links[$0.index]
            guard let a = router(topology.nodeNames[link.from.index]),
              let b = router(topology.nodeNames[link.to.index])
            else { return false }
            return a.group != b.group
          })
      }
    }
    return counts
  }

  /// Every host sends to its like in the next group: the pattern for which Valiant's way is meant
  /// (Kim et al., section 4.1).
  @Test func valiantSpreadsWhatMinimalPutsOnOneCable() {
    func heaviest(_ routing: RoutingPolicy) -> Int {
      let topology = dragonfly(4, 2, 2, routing: routing)
      var load = [Int](repeating: 0, count: topology.links.count)
      for from in 0..<72 {
        let to = (from + 8) % 72
        let (a, b) = (topology.accelerators[from], topology.accelerators[to])
        for link in topology.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))! {
          load[link.index] += 1
        }
      }
      return load.max()!
    }
    // All a·p hosts of a group on its one cable to the next.
    #expect(heaviest(.minimal) == 8)
    #expect(heaviest(.valiant) <= 6)
  }

  @Test func hostsMayBeFewerThanPlaces() {
    let topology = dragonfly(4, 2, 2, groups: 4, hosts: 27)
    #expect(topology.accelerators.count == 27 && longestWay(topology) == 5)
  }

  @Test func sixteenThousandHostsHaveWays() {
    let topology = dragonfly(16, 8, 8, hosts: 16384, routing: .valiant)
    #expect(topology.links.count == 2 * (16384 + 129 * 16 * 15 / 2 + 129 * 128 / 2))
    #expect(topology.checkReachability() == nil)
    for host in 0..<1000 {
      let (a, b) = (topology.accelerators[host * 7], topology.accelerators[host * 16 + 5])
      let route = topology.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))!
      #expect(route.count <= 7 && Set(route).count == route.count)
    }
  }

  @Test func aValiantTorusTakesTwiceTheLinks() {
    let minimal = TorusTopology(dimensions: [6, 5, 2], link: Self.link)
    #expect(longestWay(minimal.makeTopology()) == 3 + 2 + 1)
    let valiant = TorusTopology(dimensions: [6, 5, 2], link: Self.link, routing: .valiant)
    let topology = valiant.makeTopology()
    #expect(longestWay(topology, keys: [0, 1, 2]) <= 12)
    var total = 0
    for from in topology.accelerators {
      for to in topology.accelerators where from != to {
        total +=
          topology.route(from: from, to: to, key: Topology.routeKey(from: from, to: to))!.count
      }
    }
    // Both halves are ways to a uniform node: 1.5 + 1.2 + 0.5 links each on average.
    #expect(abs(Double(total) / Double(60 * 59) - 6.4) < 0.2)
  }

  /// When the last of these flows is done under the flow model, in units of one alone.
  private func makespan(_ topology: Topology, _ pairs: [(Int, Int)]) -> Double {
    // 100 Gb/s: 12,500 B in a microsecond.
    let requests = pairs.map { request(topology, $0.0, $0.1, 12_500) }
    var network = FlowNetwork(topology, transport: .ideal)
    let ends = runFlows(requests, on: &network).map { picoseconds($0.delivered)! }
    return Double(ends.max()!) / 1e6
  }

  @Test("adaptive flows leave a crowded cable, and keep to the minimal way of an idle one")
  func adaptiveFlows() {
    let topologies = RoutingPolicy.allCases.map { dragonfly(4, 2, 2, routing: $0) }
    // All 8 hosts of every group to the next group, which one cable leads to.
    let shift = (0..<72).map { ($0, ($0 + 8) % 72) }
    let (minimal, valiant, adaptive) = (
      makespan(topologies[0], shift), makespan(topologies[1], shift),
      makespan(topologies[2], shift)
    )
    #expect(minimal == 8)
    #expect(adaptive <= 5 && adaptive < valiant)
    // One at a time they cross one cable and nothing else is in the way.
    var network = FlowNetwork(topologies[2], transport: .ideal)
    for (index, pair) in shift.enumerated() {
      let start = SimTime(picoseconds: Int64(index) * 2_000_000)
      network.advance(to: start)
      network.send(transfer(topologies[2], Int64(index), pair.0, pair.1, 12_500), at: start)
      while network.nextEventTime != .never {
        network.advance(to: network.nextEventTime)
        var notices: [Notice] = []
        network.drain(into: &notices)
      }
      #expect(network.nextEventTime == .never)
    }
    let crossed = topologies[2].links.indices.filter {
      network.usage(of: LinkID($0)).carried > .zero
        && topologies[2].links[$0].name.hasPrefix("g")
        && router(topologies[2].nodeNames[topologies[2].links[$0].from.index]) != nil
        && router(topologies[2].nodeNames[topologies[2].links[$0].to.index]) != nil
        && router(topologies[2].nodeNames[topologies[2].links[$0].from.index])!.group
          != router(topologies[2].nodeNames[topologies[2].links[$0].to.index])!.group
    }
    #expect(crossed.count == 9)
  }

  @Test("what is adaptive is repeatable, and minimal under models that do not share")
  func adaptiveIsDeterministic() {
    let topology = dragonfly(4, 2, 2, routing: .adaptive)
    let shift = (0..<72).map { ($0, ($0 + 8) % 72) }
    #expect(makespan(topology, shift) == makespan(topology, shift))
    let torus = TorusTopology(dimensions: [6, 6], link: Self.link, routing: .adaptive)
      .makeTopology()
    let column = (0..<6).map { (6 * $0, 6 * (($0 + 2) % 6)) }
    let plain = TorusTopology(dimensions: [6, 6], link: Self.link).makeTopology()
    #expect(makespan(torus, column) <= makespan(plain, column))
    for key: UInt64 in 0..<5 {
      #expect(
        way(topology, 0, 20, key: key)
          == way(dragonfly(4, 2, 2, routing: .minimal), 0, 20, key: key))
    }
  }
}
