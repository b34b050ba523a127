import Networks
import SimKernel
import Testing

@Suite struct WANTests {
  private static let access = LinkSpecification(
    bandwidth: .gigabitsPerSecond(1), latency: .milliseconds(1))

  private func link(_ milliseconds: Double) -> LinkSpecification {
    LinkSpecification(bandwidth: .gigabitsPerSecond(10), latency: .milliseconds(milliseconds))
  }

  private func sites(_ names: [String]) -> [WANTopology.Site] {
    names.map { .init(name: $0, hosts: [.init(count: 2, uplink: Self.access)]) }
  }

  @Test func theWayOfLeastLatencyIsTaken() {
    let topology = WANTopology(
      sites: sites(["a", "b", "c"]),
      connections: [
        .init(from: "a", to: "b", link(50), back: link(5)), .init(from: "a", to: "c", link(20)),
        .init(from: "c", to: "b", link(20)),
      ]
    ).makeTopology()
    #expect(way(topology, 0, 2) == ["a.0->a", "a->c", "c->b", "b->b.0"])
    // The way back is quicker by the direct link.
    #expect(way(topology, 2, 0) == ["b.0->b", "b->a", "a->a.0"])
    #expect(way(topology, 0, 1) == ["a.0->a", "a->a.1"])
    #expect(longestWay(topology) == 4)
    #expect(topology.links.count == 2 * (6 + 3))
  }

  @Test func equalLatencyGoesToFewerLinks() {
    let topology = WANTopology(
      sites: sites(["a", "b", "c"]),
      connections: [
        .init(from: "a", to: "c", link(10)), .init(from: "c", to: "b", link(10)),
        .init(from: "a", to: "b", link(20)),
      ]
    ).makeTopology()
    #expect(way(topology, 0, 2) == ["a.0->a", "a->b", "b->b.0"])
  }

  @Test func aRingOfSitesIsLeftTheShorterWayRound() {
    for count in [1, 2, 3, 8, 9] {
      let names = (0..<count).map { "s\($0)" }
      let topology = WANTopology(
        sites: sites(names),
        connections: (0..<(count < 3 ? count - 1 : count)).map {
          .init(from: names[$0], to: names[($0 + 1) % count], link(10))
        }
      ).makeTopology()
      #expect(longestWay(topology) == 2 + count / 2)
    }
  }

  @Test func directionsOfAccessDiffer() throws {
    let topology = try topology("wan")
    func link(_ name: String) -> Link { topology.links.first { $0.name == name }! }
    #expect(link("oslo.0->oslo").bandwidth == .gigabitsPerSecond(2))
    #expect(link("oslo->oslo.0").bandwidth == .gigabitsPerSecond(5))
    #expect(link("oslo->oslo.0").latency == .milliseconds(5))
    #expect(link("paris.2->paris").bandwidth == .gigabitsPerSecond(1))
    #expect(link("oslo->via").latency == .milliseconds(30))
    #expect(link("oslo->via").bandwidth == .gigabitsPerSecond(1))
  }

  @Test(arguments: [
    (#""links":[{"from":"paris","to":"olso","bandwidth":"1 Gbps"}]"#, "did you mean \"oslo\""),
    (#""links":[]"#, "\"oslo\" cannot be reached from \"paris\""),
    (#""links":[{"from":"paris","to":"paris","bandwidth":"1 Gbps"}]"#, "to itself"),
    (
      #""links":[{"from":"paris","to":"oslo","bandwidth":"1 Gbps"},{"from":"oslo","to":"paris","bandwidth":"1 Gbps"}]"#,
      "two links join"
    ),
  ])
  func whatDoesNotFitTogetherIsAnIssue(links: String, word: String) throws {
    let (specification, issues) = try read(
      #"{"kind":"wan","sites":[{"name":"paris","hosts":[{"bandwidth":"1 Gbps"}]},{"name":"oslo","hosts":[{"bandwidth":"1 Gbps"}]}],\#(links)}"#
    )
    #expect(
      issues.count == 1 && issues[0].description.contains(word), "\(issues.map(\.description))")
    _ = specification.makeTopology()
  }
}
