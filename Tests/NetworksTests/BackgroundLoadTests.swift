import Networks
import SimKernel
import Testing

/// Links of which others take a share.
@Suite struct BackgroundLoadTests {
  private let star = StarTopology(hosts: 3, link: plain(1_000_000_000)).makeTopology()

  private func background(
    _ loads: [(String, Double)], _ issues: IssueCollector = IssueCollector()
  ) -> Background {
    Background(
      loads.map { BackgroundLoad(links: NamePattern($0.0), load: $0.1) }, star,
      root: JSONNode(.object([])), issues: issues)
  }

  @Test func whatIsLeftIsShared() {
    let busy = background([("h0->*", 0.25), ("*", 0.5)]).applied(to: star)
    var network = FlowNetwork(busy, transport: .ideal)
    network.send(transfer(busy, 0, 0, 1, 1000), at: .zero)
    network.send(transfer(busy, 1, 2, 1, 1000), at: .zero)
    // Both share what is left of the way down; the first then has 250 Mb/s of its way up.
    #expect(network.currentRates().map(\.rate) == [250e6, 250e6])
    var alone = FlowNetwork(busy, transport: .ideal)
    alone.send(transfer(busy, 0, 0, 1, 1000), at: .zero)
    #expect(alone.currentRates().map(\.rate) == [250e6])
  }

  @Test func nothingTakenChangesNothing() {
    let same = background([]).applied(to: star)
    #expect(same.links == star.links)
    let rate = Bandwidth.bitsPerSecond(7)
    #expect(background([]).remaining(of: rate, on: LinkID(0)) == rate)
    #expect(
      background([("nothing*", 0.5), ("h1->*", 0.5)]).remaining(of: rate, on: LinkID(0)) == rate)
  }

  @Test func slipsAreNamed() {
    for (loads, part) in [
      ([("h9->*", 0.5)], "no link \"h9->*\""), ([("*", 0.5), ("h0->*", 0.5)], "leave nothing"),
    ] {
      let issues = IssueCollector()
      _ = background(loads, issues)
      #expect(issues.errors.count == 1)
      #expect(issues.errors[0].description.contains(part))
      #expect(issues.errors[0].description.contains("background"))
    }
  }

  @Test(arguments: [
    #"{"links": "*", "load": 1}"#, #"{"links": "*", "load": 0}"#, #"{"load": 0.5}"#,
  ])
  func loadsAreShares(json: String) throws {
    let node = try JSONNode.parse(#"{"background": [\#(json)]}"#, origin: "test")
    let issues = IssueCollector()
    _ = FieldReader.read(node, issues: issues, NetworkSettings.init)
    #expect(issues.errors.count == 1)
  }
}
