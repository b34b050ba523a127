import Networks
import SimKernel
import Testing

/// Links, longest ways and bisections of the regular topologies by their formulas.
@Suite struct TopologyFormulaTests {
  private static let link = LinkSpecification(bandwidth: .gigabitsPerSecond(10))

  /// The cables that cross between the first half of the hosts and the second.
  ///
  /// Only for topologies whose nodes are all hosts.
  private func bisection(_ topology: Topology) -> Int {
    let half = topology.nodeCount / 2
    return topology.links.count { $0.from.index < half && $0.to.index >= half }
  }

  @Test(arguments: 1...9)
  func starsRingsAndMeshes(hosts: Int) {
    let star = StarTopology(hosts: hosts, link: Self.link).makeTopology()
    #expect(star.links.count == 2 * hosts)
    #expect(longestWay(star) == (hosts == 1 ? 0 : 2))
    let ring = RingTopology(hosts: hosts, link: Self.link).makeTopology()
    #expect(ring.links.count == (hosts == 1 ? 0 : hosts == 2 ? 2 : 2 * hosts))
    #expect(longestWay(ring) == hosts / 2)
    #expect(bisection(ring) == (hosts == 1 ? 0 : hosts == 2 ? 1 : 2))
    let mesh = FullMeshTopology(hosts: hosts, link: Self.link).makeTopology()
    #expect(mesh.links.count == hosts * (hosts - 1))
    #expect(longestWay(mesh) == (hosts == 1 ? 0 : 1))
    #expect(bisection(mesh) == hosts / 2 * (hosts - hosts / 2))
  }

  @Test(arguments: [
    [1], [2], [3], [2, 2], [3, 2], [4, 4], [4, 3, 2], [2, 2, 2, 2], [1, 5, 1],
  ])
  func tori(dimensions: [Int]) {
    let topology = TorusTopology(dimensions: dimensions, link: Self.link).makeTopology()
    let nodes = dimensions.reduce(1, *)
    let degree = dimensions.reduce(0) { $0 + ($1 == 1 ? 0 : $1 == 2 ? 1 : 2) }
    #expect(topology.links.count == nodes * degree)
    #expect(longestWay(topology) == dimensions.reduce(0) { $0 + $1 / 2 })
    // Cut across the last dimension, if it is even: two cables, or one, for each other place.
    let last = dimensions[dimensions.count - 1]
    if last % 2 == 0 { #expect(bisection(topology) == nodes / last * (last == 2 ? 1 : 2)) }
  }

  @Test(arguments: [2, 4, 6, 8])
  func fatTrees(k: Int) {
    for routing in FatTreeRoutingPolicy.allCases {
      let tree = FatTreeTopology(k: k, link: Self.link, routing: routing).makeTopology()
      let hosts = k * k * k / 4
      #expect(tree.accelerators.count == hosts)
      #expect(tree.nodeCount == hosts + k * k + k * k / 4)
      #expect(tree.links.count == 2 * 3 * hosts)
      #expect(longestWay(tree, keys: [3]) == 6)
      // Full bisection: as many cables from the cores into half of the pods as half of the hosts.
      var into = 0
      for link in tree.links where tree.nodeNames[link.from.index].hasPrefix("core") {
        let pod = tree.nodeNames[link.to.index].dropFirst(3).prefix { $0 != "." }
        if Int(pod)! < k / 2 { into += 1 }
      }
      #expect(into == hosts / 2)
    }
  }

  @Test(arguments: [(1, 1), (2, 1), (3, 2), (4, 3)])
  func leavesAndSpines(leaves: Int, spines: Int) {
    let fabric = LeafSpineTopology(
      spines: spines, hostsOfLeaf: [Int](repeating: 3, count: leaves), hostLink: Self.link,
      fabricLink: Self.link
    ).makeTopology()
    #expect(fabric.links.count == 2 * (leaves * 3 + leaves * spines))
    #expect(longestWay(fabric) == (leaves == 1 ? 2 : 4))
  }

  /// As many up-links as spines, fewer, more, and leaves that differ.
  @Test(arguments: [
    (spines: 2, uplinks: [2, 2, 2]), (1, [1, 1]), (3, [1, 2, 3]), (2, [5, 4, 2, 1]),
    (4, [6, 9, 3]),
    (3, [7]),
  ])
  func computedWaysAreThoseOfTables(spines: Int, uplinks: [Int]) {
    let leaves = uplinks.map {
      LeafSpineTopology.Leaf(hosts: 2, uplinks: $0, hostLink: Self.link, fabricLink: Self.link)
    }
    let fabric = LeafSpineTopology(spines: spines, leaves: leaves).makeTopology()
    var builder = TopologyBuilder(name: "the same")
    let hosts = (0..<2 * leaves.count).map { builder.addHost("h\($0)") }
    let leafNodes = leaves.indices.map { builder.addSwitch("leaf\($0)") }
    let spineNodes = (0..<spines).map { builder.addSwitch("spine\($0)") }
    for (leaf, count) in uplinks.enumerated() {
      for cable in 0..<count {
        builder.join(leafNodes[leaf], spineNodes[cable % spines], Self.link, cable: cable / spines)
      }
    }
    for host in hosts.indices { builder.join(hosts[host], leafNodes[host / 2], Self.link) }
    let tables = builder.build()
    #expect(fabric.links.map(\.name) == tables.links.map(\.name))
    for from in hosts {
      for to in hosts {
        for key: UInt64 in 0..<20 {
          #expect(
            fabric.route(from: from, to: to, key: key) == tables.route(from: from, to: to, key: key)
          )
        }
      }
    }
  }

  @Test func aThousandLeavesNeedNoTables() {
    let fabric = LeafSpineTopology(
      spines: 64, hostsOfLeaf: [Int](repeating: 2, count: 1024), hostLink: Self.link,
      fabricLink: Self.link
    ).makeTopology()
    #expect(fabric.links.count == 2 * (2048 + 65_536))
    #expect(way(fabric, 0, 2047, key: 3).count == 4)
  }
}
