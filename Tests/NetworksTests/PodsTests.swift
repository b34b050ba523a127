import Networks
import SimKernel
import Testing

@Suite struct PodsTests {
  private static let inner = LinkSpecification(bandwidth: .gigabitsPerSecond(2400))
  private static let nic = LinkSpecification(bandwidth: .gigabitsPerSecond(400))

  private func pods(
    _ hosts: Int, accelerators: Int = 4, nics: Int = 4, inner: InnerFabric = .switch,
    perPod: Int? = nil, rails: Int? = nil, spines: Int = 0, crossRail: CrossRailRouting = .pxn
  ) -> Topology {
    PodsTopology(
      hosts: hosts,
      host: .init(
        accelerators: accelerators, inner: inner, innerLink: Self.inner, nics: nics,
        nicLink: Self.nic),
      hostsPerPod: perPod, rails: rails, spines: spines, crossRail: crossRail
    ).makeTopology()
  }

  @Test func trafficOfARailStaysOnIt() {
    let topology = pods(3)
    for rail in 0..<4 {
      #expect(
        way(topology, rail, 8 + rail) == [
          "h0.a\(rail)->h0.n\(rail)", "h0.n\(rail)->pod0.rail\(rail)",
          "pod0.rail\(rail)->h2.n\(rail)", "h2.n\(rail)->h2.a\(rail)",
        ])
    }
    #expect(way(topology, 1, 2) == ["h0.a1->h0", "h0->h0.a2"])
    #expect(longestWay(topology) == 6)
    // 3 hosts of 4 accelerators: inner, PCIe and network cables.
    #expect(topology.links.count == 2 * 3 * 4 * 3)
    #expect(topology.hostCount == 3 && topology.acceleratorsPerHost == 4)
  }

  @Test func otherTrafficGoesOverNVLinkOrASpine() {
    #expect(
      way(pods(2), 0, 7) == [
        "h0.a0->h0", "h0->h0.a3", "h0.a3->h0.n3", "h0.n3->pod0.rail3", "pod0.rail3->h1.n3",
        "h1.n3->h1.a3",
      ])
    let spines = pods(2, spines: 1, crossRail: .spine)
    #expect(
      way(spines, 0, 7) == [
        "h0.a0->h0.n0", "h0.n0->pod0.rail0", "pod0.rail0->spine0", "spine0->pod0.rail3",
        "pod0.rail3->h1.n3", "h1.n3->h1.a3",
      ])
    #expect(longestWay(spines) == 6)
  }

  @Test func podsMeetAtTheSpines() {
    let topology = pods(4, perPod: 2, spines: 3)
    let names = way(topology, 0, 13)
    #expect(names.prefix(4) == ["h0.a0->h0", "h0->h0.a1", "h0.a1->h0.n1", "h0.n1->pod0.rail1"])
    #expect(names.suffix(2) == ["pod1.rail1->h3.n1", "h3.n1->h3.a1"])
    #expect(names.count == 8 && longestWay(topology) == 8)
    var used: Set<String> = []
    for key in 0..<64 as Range<UInt64> { used.insert(way(topology, 0, 12, key: key)[2]) }
    #expect(used == ["pod0.rail0->spine0", "pod0.rail0->spine1", "pod0.rail0->spine2"])
  }

  @Test func acceleratorsShareInterfacesAndInterfacesMayShareASwitch() {
    let shared = pods(2, accelerators: 8, nics: 2)
    #expect(way(shared, 3, 9)[1] == "h0.n0->pod0.rail0" && way(shared, 3, 9).count == 4)
    // To the other rail by the accelerator of the same place among those of its interface.
    #expect(way(shared, 3, 12)[1] == "h0->h0.a7")
    let one = pods(2, nics: 4, rails: 1)
    #expect(
      way(one, 0, 7) == [
        "h0.a0->h0.n0", "h0.n0->pod0.rail0", "pod0.rail0->h1.n3", "h1.n3->h1.a3",
      ])
    #expect(longestWay(pods(5, accelerators: 6, nics: 3)) == 6)
    #expect(longestWay(pods(2, accelerators: 1, nics: 1)) == 4)
    #expect(longestWay(pods(1)) == 2)
  }

  @Test func aMeshJoinsAllAndACubeMeshFourOfSeven() {
    let mesh = pods(2, inner: .mesh)
    #expect(way(mesh, 0, 3) == ["h0.a0->h0.a3"])
    #expect(way(mesh, 0, 7).count == 5 && longestWay(mesh) == 5)
    let cube = pods(2, accelerators: 8, nics: 1, inner: .cubeMesh)
    #expect(longestWay(cube) == 4)
    // Each accelerator has six lanes to four others.
    for accelerator in 0..<8 {
      let out = cube.links.filter {
        $0.from == cube.accelerators[accelerator] && cube.accelerators.contains($0.to)
      }
      #expect(out.count == 4)
      #expect(
        out.reduce(0) { $0 + $1.bandwidth.bitsPerSecond } == 6 * Self.inner.bandwidth.bitsPerSecond)
    }
    // 0 and 6 are not joined: one lane to 2 or 4, and one from 4, two from 2.
    for key in 0..<8 as Range<UInt64> {
      let names = way(cube, 0, 6, key: key)
      #expect(names.count == 2)
    }
  }

  @Test(arguments: [
    (#""nics_per_host":3"#, "divisor of the accelerators"),
    (#""rails":3"#, "divisor of the interfaces"),
    (#""inner":"cube_mesh","accelerators_per_host":4"#, "eight"),
    (#""hosts_per_pod":2"#, "spines join the pods"),
    (#""cross_rail":"spine""#, "cross_rail pxn"),
    (#""nics_per_host":0"#, "1...256"),
  ])
  func whatDoesNotFitTogetherIsAnIssue(keys: String, word: String) throws {
    let (specification, issues) = try read(
      #"{"kind":"pods","hosts":4,"inner_link":{"bandwidth":"1 Tbps"},"nic_link":{"bandwidth":"100 Gbps"},\#(keys)}"#
    )
    #expect(
      issues.count == 1 && issues[0].description.contains(word), "\(issues.map(\.description))")
    _ = specification.makeTopology()
  }
}
