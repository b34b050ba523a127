import Networks
import SimKernel
import Testing

/// Fat trees and leaf-spine fabrics that are not plain.
@Suite struct FabricTests {
  private static let link = LinkSpecification(bandwidth: .gigabitsPerSecond(100))
  private static let slow = LinkSpecification(bandwidth: .gigabitsPerSecond(25))

  private func key(_ topology: Topology, _ a: Int, _ b: Int) -> UInt64 {
    Topology.routeKey(from: topology.accelerators[a], to: topology.accelerators[b])
  }

  @Test(arguments: [2, 4, 6])
  func hashedWaysAreThoseOfASearch(k: Int) {
    let full = FatTreeTopology(k: k, link: Self.link)
    let tapered = FatTreeTopology(
      k: k, link: Self.link, edgeUplinks: .init(count: max(1, k / 4), link: Self.link))
    for specification in [full, tapered] {
      let topology = specification.makeTopology()
      for from in topology.accelerators {
        for to in topology.accelerators {
          for key in [0, 3, 77] as [UInt64] {
            #expect(
              topology.route(from: from, to: to, key: key)
                == topology.detour(from: from, to: to, key: key) { _ in false })
          }
        }
      }
    }
  }

  @Test(arguments: [2, 4, 8])
  func shiftsMeetNoContentionUnderDModK(k: Int) {
    let tree = FatTreeTopology(k: k, link: Self.link, routing: .dModK).makeTopology()
    let hosts = tree.accelerators.count
    #expect(longestWay(tree, keys: [0]) == 6)
    for shift in 1..<hosts {
      var uses = [Int](repeating: 0, count: tree.links.count)
      for host in 0..<hosts {
        let to = (host + shift) % hosts
        let route = tree.route(
          from: tree.accelerators[host], to: tree.accelerators[to], key: key(tree, host, to))!
        for link in route { uses[link.index] += 1 }
      }
      #expect(uses.max() == 1)
    }
  }

  @Test func aTaperLeavesFewerOrSlowerUplinks() throws {
    let (specification, issues) = try read(
      #"{"kind":"fat_tree","k":8,"link":{"bandwidth":"100 Gbps"},"routing":"d_mod_k","taper":{"edge":{"uplinks":2},"aggregation":{"uplinks":3,"link":{"bandwidth":"25 Gbps"}}}}"#
    )
    #expect(issues.isEmpty)
    let tree = specification.makeTopology()
    // 8 pods of 4 edge switches with 2 up-links to 2 aggregation switches with 3 each to 6 cores.
    #expect(tree.nodeNames.count { $0.hasPrefix("agg") } == 16)
    #expect(tree.nodeNames.count { $0.hasPrefix("core") } == 6)
    let cables = 128 + 8 * 4 * 2 + 16 * 3
    #expect(tree.links.count == 2 * cables)
    #expect(longestWay(tree, keys: [0]) == 6)
    let toCore = tree.links.filter { $0.name.contains("core") }
    #expect(toCore.count == 96)
    #expect(toCore.allSatisfy { $0.bandwidth == .gigabitsPerSecond(25) })
    // Bisection: the cores' links into half of the pods, against 64 hosts of 100 Gb/s.
    var across: Int64 = 0
    for link in toCore {
      let into = tree.nodeNames[link.to.index]
      for pod in 0..<4 where into.hasPrefix("agg\(pod).") {
        across += link.bandwidth.bitsPerSecond
      }
    }
    #expect(across == 4 * 2 * 3 * 25_000_000_000)
  }

  @Test func sixteenThousandHostsHaveWays() {
    let tree = FatTreeTopology(k: 42, link: Self.link, hosts: 16384).makeTopology()
    #expect(tree.accelerators.count == 16384)
    for host in 0..<1000 {
      let to = 16383 - host * 16
      let route = tree.route(
        from: tree.accelerators[host], to: tree.accelerators[to], key: key(tree, host, to))!
      #expect(route.count <= 6)
    }
  }

  @Test func leavesMayDiffer() throws {
    let (specification, issues) = try read(
      #"{"kind":"leaf_spine","leaves":3,"spines":2,"hosts_per_leaf":[2,1,3],"uplinks":4,"host_link":{"bandwidth":"10 Gbps"},"fabric_link":{"bandwidth":"100 Gbps"},"overrides":[{"leaf":1,"uplinks":1,"fabric_link":{"bandwidth":"25 Gbps"}},{"leaf":2,"host_link":{"bandwidth":"1 Gbps"}}]}"#
    )
    #expect(issues.isEmpty)
    let fabric = specification.makeTopology()
    #expect(fabric.links.count == 2 * (6 + 4 + 1 + 4))
    #expect(Set(fabric.links.map(\.name)).count == fabric.links.count)
    #expect(longestWay(fabric) == 4)
    func bandwidth(_ name: String) -> Bandwidth? {
      fabric.links.first { $0.name == name }?.bandwidth
    }
    #expect(bandwidth("leaf0->spine1#1") == .gigabitsPerSecond(100))
    #expect(bandwidth("leaf1->spine0") == .gigabitsPerSecond(25))
    #expect(bandwidth("leaf1->spine1") == nil)
    #expect(bandwidth("h0->leaf0") == .gigabitsPerSecond(10))
    #expect(bandwidth("leaf2->h5") == .gigabitsPerSecond(1))
    // A leaf with one up-link is reached over its spine alone, by either of two parallel cables.
    var used: Set<String> = []
    for key in 0..<40 as Range<UInt64> {
      let names = way(fabric, 0, 2, key: key)
      #expect(names.count == 4 && names[2] == "spine0->leaf1")
      used.insert(names[1])
    }
    #expect(used == ["leaf0->spine0", "leaf0->spine0#1"])
  }

  @Test func aGraphsLinkMayDifferOnTheWayBack() throws {
    let (specification, issues) = try read(
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true}],"links":[{"from":"a","to":"b","bandwidth":"20 Mbps","latency":"3 ms","back":{"bandwidth":"100 Mbps"}}]}"#
    )
    #expect(issues.isEmpty)
    let links = specification.makeTopology().links
    #expect(links.map(\.bandwidth) == [.megabitsPerSecond(20), .megabitsPerSecond(100)])
    #expect(links.map(\.latency) == [.milliseconds(3), .milliseconds(3)])
  }
}
