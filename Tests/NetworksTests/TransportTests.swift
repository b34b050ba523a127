import Networks
import SimKernel
import Testing

@Suite struct TransportTests {
  private func read(_ json: String) throws -> (NetworkSettings, [SimKernel.Issue]) {
    let issues = IssueCollector()
    let settings = FieldReader.read(
      try JSONNode.parse(json, origin: "test"), issues: issues
    ) { NetworkSettings(&$0) }
    return (settings, issues.issues)
  }

  @Test func presetsAreDerivedFromHeaders() {
    #expect(Transport.ideal.goodput == 1)
    // 1448 payload bytes of 1538 on the wire; 4096 of 4178.
    #expect(Transport.tcp.goodput == 1448.0 / 1538)
    #expect(Transport.rdma.goodput == 4096.0 / 4178)
    for preset in [Transport.ideal, .tcp, .rdma] {
      #expect(preset.provenance.allSatisfy { !$0.text.isEmpty })
    }
  }

  @Test func theTCPCapReproducesTheMeasuredRing() {
    // 1-bit Adam, Table 1, Ethernet: 2 * 63/64 of 336,226,108 fp16 values through one interface.
    let bytes = 2.0 * 63 / 64 * 2 * 336_226_108
    for milliseconds in [2205.86, 2275.43, 2259.36] {
      let measured = bytes * 8 / (milliseconds * 1e-3)
      #expect(abs(measured / 4.7e9 - 1) < 0.025)
    }
    #expect(Transport.tcp.transferCap == .gigabitsPerSecond(4.7))
  }

  @Test func settingsReadNamesAndOverrides() throws {
    let (plain, none) = try read(#"{"model":"flow","transport":"tcp"}"#)
    #expect(none.isEmpty && plain.model == .flow && plain.transport == .tcp)
    let (changed, issues) = try read(
      #"{"model":"alpha_beta","transport":{"preset":"tcp","goodput":0.5,"flow_cap":"none","connections":4,"launch":"3 us"}}"#
    )
    #expect(issues.isEmpty)
    #expect(changed.model == .alphaBeta)
    #expect(changed.transport.goodput == 0.5 && changed.transport.flowCap == nil)
    #expect(changed.transport.connections == 4 && changed.transport.launch == .microseconds(3))
    #expect(
      changed.transport.provenance.first { $0.key == "goodput" }?.text == "given in the scenario")
    #expect(try read("{}").0 == NetworkSettings())
    #expect(try read(#"{"transport":"tpc"}"#).1.count == 1)
    #expect(try read(#"{"transport":{"preset":"tcp","goodput":1.5}}"#).1.count == 1)
  }

  @Test func connectionsMultiplyTheCapAndHostsShareTheirs() {
    let star = StarTopology(hosts: 4, link: plain(10_000_000_000)).makeTopology()
    var transport = Transport(name: "test", flowCap: .gigabitsPerSecond(2), connections: 2)
    var network = FlowNetwork(star, transport: transport)
    let capped = runFlows([request(star, 0, 1, 1_000_000)], on: &network)
    #expect(picoseconds(capped[0].delivered) == 2_000_000_000)
    transport = Transport(name: "test", hostCap: .gigabitsPerSecond(4))
    network = FlowNetwork(star, transport: transport)
    let shared = runFlows(
      [request(star, 0, 1, 1_000_000), request(star, 0, 2, 1_000_000)], on: &network)
    // 2 Gb/s each out of host 0.
    #expect(shared.allSatisfy { picoseconds($0.delivered) == 4_000_000_000 })
  }

  @Test func insideAHostTheTransportDoesNotApply() {
    let hosts = HostsTopology(
      hosts: 2, acceleratorsPerHost: 2, innerLink: plain(80_000_000_000),
      nicLink: plain(10_000_000_000)
    ).makeTopology()
    let transport = Transport(
      name: "test", goodput: 0.5, flowCap: .gigabitsPerSecond(1), launch: .microseconds(10),
      innerLaunch: .microseconds(1), perHop: .nanoseconds(100))
    var network = FlowNetwork(hosts, transport: transport)
    let ends = runFlows(
      [request(hosts, 0, 1, 1_000_000), request(hosts, 2, 0, 1_000_000)], on: &network)
    #expect(picoseconds(ends[0].senderFree) == 100_000_000)
    #expect(picoseconds(ends[0].delivered) == 101_200_000)
    #expect(picoseconds(ends[1].senderFree) == 8_000_000_000)
    #expect(picoseconds(ends[1].delivered) == 8_010_400_000)
  }
}
