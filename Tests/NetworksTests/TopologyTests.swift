import Networks
import SimKernel
import Testing

@Suite struct TopologyTests {
  @Test func everyRegisteredTopologyHasASmallInstance() {
    #expect(smallTopologies.map(\.kind) == TopologyCatalog.registry.names)
  }

  @Test(arguments: smallTopologies.map(\.kind))
  func routesAreConnectedLoopFreeAndDeterministic(kind: String) throws {
    let topology = try topology(kind)
    for from in topology.accelerators {
      for to in topology.accelerators {
        for key in [0, 1, 7] as [UInt64] {
          let route = try #require(topology.route(from: from, to: to, key: key))
          #expect(route == topology.route(from: from, to: to, key: key))
          var place = from
          var seen: Set<NodeID> = [from]
          for link in route {
            #expect(topology.links[link.index].from == place)
            place = topology.links[link.index].to
            #expect(seen.insert(place).inserted)
          }
          #expect(place == to)
          // As short as a search without tables finds; other rules prefer other ways.
          let shortest = topology.detour(from: from, to: to, key: key) { _ in false }
          if !["dragonfly", "pods"].contains(kind) { #expect(route.count == shortest?.count) }
        }
      }
    }
  }

  @Test(arguments: smallTopologies)
  func recordsReadWithoutIssues(kind: String, json: String) throws {
    let (specification, issues) = try read(json)
    #expect(issues.isEmpty)
    let topology = specification.makeTopology()
    #expect(topology.accelerators.count == specification.acceleratorCount)
    #expect(topology.checkReachability() == nil)
    #expect(topology.hostOfAccelerator.count == topology.accelerators.count)
    #expect(Set(topology.nodeNames).count == topology.nodeCount)
    #expect(Set(topology.links.map(\.name)).count == topology.links.count)
    let entry = try #require(TopologyCatalog.registry.descriptions.first { $0.name == kind })
    #expect(entry.fields.allSatisfy { !$0.doc.isEmpty })
  }

  @Test func theExampleOfTheDesignReads() throws {
    let (specification, issues) = try read(
      #"{"kind":"leaf_spine","leaves":2,"spines":2,"hosts_per_leaf":8,"host_link":{"bandwidth":"10 Gbps","latency":"2 us"},"fabric_link":{"bandwidth":"40 Gbps","latency":"1 us"}}"#
    )
    #expect(issues.isEmpty)
    #expect(specification.acceleratorCount == 16)
  }

  @Test func hopCountsFollowTheShape() throws {
    func hops(_ topology: Topology, _ a: Int, _ b: Int) -> Int? {
      topology.route(from: topology.accelerators[a], to: topology.accelerators[b], key: 3)?.count
    }
    #expect(hops(try topology("star"), 0, 4) == 2)
    #expect(hops(try topology("ring"), 0, 3) == 3)
    #expect(hops(try topology("ring"), 0, 6) == 1)
    #expect(hops(try topology("full_mesh"), 1, 3) == 1)
    #expect(hops(try topology("leaf_spine"), 0, 1) == 2)
    #expect(hops(try topology("leaf_spine"), 0, 5) == 4)
    let tree = FatTreeTopology(k: 8, link: tenGigabit).makeTopology()
    #expect(tree.accelerators.count == 128)
    #expect(tree.links.count == 2 * (128 + 128 + 128))
    #expect(hops(tree, 0, 1) == 2)
    #expect(hops(tree, 0, 4) == 4)
    #expect(hops(tree, 0, 127) == 6)
    let torus = TorusTopology(dimensions: [4, 4], link: tenGigabit).makeTopology()
    #expect(torus.links.count == 16 * 4)
    #expect(hops(torus, 0, 10) == 4)
    #expect(hops(torus, 0, 3) == 1)
    let hosts = try topology("hosts")
    #expect(hosts.acceleratorsPerHost == 4)
    #expect(hosts.hostCount == 3)
    #expect(hops(hosts, 0, 3) == 2)
    #expect(hops(hosts, 0, 4) == 4)
    #expect(hops(hosts, 0, 8) == 6)
  }

  @Test func equalCostWaysAreSpreadByKey() {
    let tree = FatTreeTopology(k: 8, link: tenGigabit).makeTopology()
    var uses: [LinkID: Int] = [:]
    for key in 0..<1600 as Range<UInt64> {
      let route = tree.route(from: tree.accelerators[0], to: tree.accelerators[127], key: key)!
      uses[route[2], default: 0] += 1
    }
    // (k/2)² = 16 cores, 100 routes each on average.
    #expect(uses.count == 16)
    #expect(uses.values.allSatisfy { (60...140).contains($0) })
  }

  @Test func acceleratorsOfAHostKeepToTheirInterfaces() throws {
    let hosts = HostsTopology(
      hosts: 2, acceleratorsPerHost: 4, innerLink: tenGigabit, nicLink: tenGigabit, nicsPerHost: 2
    ).makeTopology()
    let out = (0..<4).map {
      hosts.route(from: hosts.accelerators[$0], to: hosts.accelerators[4], key: 9)![1]
    }
    #expect(out[0] == out[1] && out[2] == out[3] && out[0] != out[2])
    let into = (4..<8).map {
      hosts.route(from: hosts.accelerators[0], to: hosts.accelerators[$0], key: 9)![2]
    }
    #expect(into[0] == into[1] && into[2] == into[3] && into[0] != into[2])
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 9, 16, 17, 64])
  func sizeAloneMakesTheCommonTopologies(ranks: Int) throws {
    let unsized = ["hosts", "pods", "wan", "graph", "preset"]
    for kind in TopologyCatalog.registry.names where !unsized.contains(kind) {
      let topology = try TopologyCatalog.sized(
        kind: kind, ranks: ranks, bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1)
      ).get().makeTopology()
      #expect(topology.accelerators.count == ranks)
      #expect(topology.checkReachability() == nil)
      for from in topology.accelerators {
        for to in topology.accelerators {
          #expect(topology.route(from: from, to: to, key: 5) != nil)
        }
      }
    }
  }

  @Test func sizeAloneDoesNotMakeTheOthers() {
    for (kind, word) in [
      ("graph", "file"), ("hosts", "file"), ("preset", "file"), ("strr", "did you mean \"star\""),
    ] {
      guard
        case .failure(let failure) = TopologyCatalog.sized(
          kind: kind, ranks: 4, bandwidth: .gigabitsPerSecond(1), latency: .zero)
      else {
        Testing.Issue.record("\(kind) has a size")
        continue
      }
      #expect(failure.description.contains(word))
    }
  }

  @Test(arguments: [
    (#"{"kind":"fat_tree","k":3,"link":{"bandwidth":"1 Gbps"}}"#, "odd"),
    (#"{"kind":"fat_tree","k":4,"hosts":17,"link":{"bandwidth":"1 Gbps"}}"#, "1...16"),
    (#"{"kind":"torus","dimensions":[4,0],"link":{"bandwidth":"1 Gbps"}}"#, "dimensions[1]"),
    (#"{"kind":"torus","dimensions":[],"link":{"bandwidth":"1 Gbps"}}"#, "at least 1"),
    (#"{"kind":"star","hosts":4,"link":{"bandwidth":"-1 Gbps"}}"#, "expected a bandwidth"),
    (#"{"kind":"star","hosts":4,"link":{"bandwidth":10}}"#, "no unit"),
    (#"{"kind":"star","host":4,"link":{"bandwidth":"1 Gbps"}}"#, "did you mean \"hosts\""),
    (
      #"{"kind":"leaf_spine","leaves":2,"spines":1,"hosts_per_leaf":[1,2,3],"host_link":{"bandwidth":"1 Gbps"},"fabric_link":{"bandwidth":"1 Gbps"}}"#,
      "as many as there are leaves"
    ),
    (
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true}],"links":[{"from":"a","to":"bb","bandwidth":"1 Gbps"}]}"#,
      "unknown node \"bb\""
    ),
    (
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true}],"links":[{"from":"a","to":"b","duplex":false,"bandwidth":"1 Gbps"}]}"#,
      "\"a\" cannot be reached from \"b\""
    ),
    (
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"a"}],"links":[]}"#,
      "two nodes are called"
    ),
    (#"{"kind":"graph","nodes":[{"name":"a"}],"links":[]}"#, "no node takes a rank"),
    (
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true}],"links":[{"from":"a","to":"b","bandwidth":"1 Gbps"}],"routes":[{"from":"a","to":"b","via":["b->a"]}]}"#,
      "does not start at"
    ),
  ])
  func badValuesAreIssues(json: String, word: String) throws {
    let (specification, issues) = try read(json)
    #expect(issues.contains { $0.description.contains(word) }, "\(issues.map(\.description))")
    // Decoding goes on with something that can be built.
    _ = specification.makeTopology()
  }

  @Test func explicitRoutesAreTaken() throws {
    let (specification, issues) = try read(
      #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true},{"name":"s"}],"links":[{"from":"a","to":"b","bandwidth":"1 Gbps"},{"from":"a","to":"s","bandwidth":"1 Gbps"},{"from":"s","to":"b","bandwidth":"1 Gbps"}],"routes":[{"from":"a","to":"b","via":["a->s","s->b"]}]}"#
    )
    #expect(issues.isEmpty)
    let topology = specification.makeTopology()
    let route = topology.route(from: NodeID(0), to: NodeID(1), key: 0)!
    #expect(route.map { topology.links[$0.index].name } == ["a->s", "s->b"])
    #expect(topology.route(from: NodeID(1), to: NodeID(0), key: 0)!.count == 1)
  }
}
