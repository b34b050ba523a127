import Networks
import SimKernel
import Testing

/// Sizes that no memory holds are refused, and what fails with a node is known.
@Suite struct TopologyLimitTests {
  private static let link = #"{"bandwidth":"1 Gbps"}"#

  @Test(arguments: [
    #"{"kind":"star","hosts":1000000000,"link":L}"#,
    #"{"kind":"ring","hosts":1000000000,"link":L}"#,
    #"{"kind":"full_mesh","hosts":100000,"link":L}"#,
    #"{"kind":"torus","dimensions":[1000000,1000000,1000000],"link":L}"#,
    #"{"kind":"fat_tree","k":100000,"link":L}"#,
    #"{"kind":"leaf_spine","leaves":65536,"spines":65536,"hosts_per_leaf":1,"host_link":L,"fabric_link":L}"#,
    #"{"kind":"leaf_spine","leaves":65536,"spines":1,"hosts_per_leaf":1048576,"host_link":L,"fabric_link":L}"#,
    #"{"kind":"dragonfly","routers_per_group":1024,"hosts_per_router":1024,"global_links_per_router":1024,"host_link":L,"local_link":L,"global_link":L}"#,
    #"{"kind":"dragonfly","routers_per_group":1024,"hosts_per_router":1,"global_links_per_router":1,"host_link":L,"local_link":L,"global_link":L}"#,
    #"{"kind":"hosts","hosts":1048576,"accelerators_per_host":1024,"inner_link":L,"nic_link":L}"#,
    #"{"kind":"pods","hosts":1048576,"accelerators_per_host":256,"inner_link":L,"nic_link":L}"#,
    #"{"kind":"pods","hosts":60000,"accelerators_per_host":128,"inner":"mesh","inner_link":L,"nic_link":L}"#,
    #"{"kind":"wan","sites":[{"name":"a","hosts":[{"count":1048576,"bandwidth":"1 Gbps"},{"count":1048576,"bandwidth":"1 Gbps"}]}],"links":[]}"#,
    #"{"kind":"preset","preset":"8xh100_pod","hosts":1000000}"#,
  ])
  func sizesPastAllMemoryAreRefusedWithOneMessage(json: String) throws {
    let filled = json.split(separator: "L", omittingEmptySubsequences: false)
      .joined(separator: Self.link)
    let (specification, issues) = try read(filled)
    #expect(issues.count == 1, "\(issues.map(\.description))")
    #expect(specification.acceleratorCount <= 1024)
    _ = specification.makeTopology()
  }

  @Test func theLinksOfANodeAreThoseIntoAndOutOfIt() throws {
    let fabric = try topology("leaf_spine")
    let spine = try #require(fabric.nodeNames.firstIndex(of: "spine1"))
    let names = Set(fabric.links(of: NodeID(spine)).map { fabric.links[$0.index].name })
    #expect(
      names == [
        "leaf0->spine1", "spine1->leaf0", "leaf1->spine1", "spine1->leaf1", "leaf2->spine1",
        "spine1->leaf2",
      ])
  }

  @Test(arguments: smallTopologies.map(\.kind))
  func everyLinkBelongsToTheNodesAtItsEnds(kind: String) throws {
    let topology = try topology(kind)
    var ends = [Int](repeating: 0, count: topology.links.count)
    for node in 0..<topology.nodeCount {
      let links = topology.links(of: NodeID(node))
      #expect(links == links.sorted { $0.rawValue < $1.rawValue })
      for link in links { ends[link.index] += 1 }
    }
    #expect(ends.allSatisfy { $0 == 2 })
  }

  @Test(arguments: smallTopologies.map(\.kind))
  func aHostIsCutOffWithoutItsLinks(kind: String) throws {
    let topology = try topology(kind)
    for host in 0..<topology.hostCount {
      let links = Set(topology.links(ofHost: host))
      for (index, node) in topology.accelerators.enumerated()
      where topology.hostOfAccelerator[index] == host {
        for other in topology.accelerators where other != node {
          #expect(topology.detour(from: node, to: other, key: 0) { links.contains($0) } == nil)
        }
      }
      // Others still reach one another, unless they do so over hosts alone.
      if ["ring", "torus"].contains(kind) { continue }
      let rest = topology.accelerators.indices.filter { topology.hostOfAccelerator[$0] != host }
      for to in rest.dropFirst() {
        let way = topology.detour(
          from: topology.accelerators[rest[0]], to: topology.accelerators[to], key: 0
        ) { links.contains($0) }
        #expect(way != nil)
      }
    }
  }
}
