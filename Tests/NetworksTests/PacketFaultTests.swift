import Networks
import SimKernel
import Testing

@Suite struct PacketFaultTests {
  private func network(_ topology: Topology, _ control: CongestionControl) -> NetworkBox {
    NetworkBox(
      NetworkSettings(
        model: .packet, transport: .ideal,
        packet: .init(minimumTimeout: .milliseconds(1), congestionControl: control)
      ).makeNetwork(topology))
  }
  private func time(_ picoseconds: Int64) -> SimTime { SimTime(picoseconds: picoseconds) }

  /// Plays until `end`, and stands at `end`.
  private func play(_ network: NetworkBox, until end: SimTime) -> [Notice] {
    var notices = network.drain()
    while network.nextEventTime <= end {
      network.advance(to: network.nextEventTime)
      notices += network.drain()
    }
    if end != .never { network.advance(to: end) }
    return notices
  }

  @Test(
    "what is lost with a link is sent again when it is back", arguments: allControls.map(\.name))
  func recovery(name: String) {
    let control = allControls.first { $0.name == name }!
    let star = StarTopology(hosts: 2, link: tenGigabit).makeTopology()
    let network = network(star, control)
    network.send(transfer(star, 0, 0, 1, 1_000_000), at: .zero)
    _ = play(network, until: time(100_000_000))
    network.change(link: LinkID(0), bandwidth: nil, up: false, at: time(100_000_000))
    #expect(network.drain().map(\.kind) == [.blocked(on: LinkID(0))])
    // Time-outs run out in silence; nothing goes on forever.
    #expect(network.play().isEmpty && network.nextEventTime == .never)
    #expect(network.waiting.map(\.cause) == [.linkDown(LinkID(0))])
    let back = time(1_000_000_000_000)
    network.change(link: LinkID(0), bandwidth: nil, up: true, at: back)
    let all = network.play()
    #expect(all.last?.notice.kind == .delivered)
    #expect(network.waiting.isEmpty)
    #expect(network.usage(of: LinkID(0)).carried > .bytes(1_000_000))
  }

  @Test("packets take another way around a failure", arguments: allControls.map(\.name))
  func detour(name: String) {
    let control = allControls.first { $0.name == name }!
    let fabric = LeafSpineTopology(
      spines: 2, hostsOfLeaf: [1, 1], hostLink: tenGigabit, fabricLink: tenGigabit
    ).makeTopology()
    let network = network(fabric, control)
    network.send(transfer(fabric, 0, 0, 1, 10_000_000), at: .zero)
    let (a, b) = (fabric.accelerators[0], fabric.accelerators[1])
    let way = fabric.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))!
    _ = play(network, until: time(1_000_000_000))
    let before = network.usage(of: way[1]).carried
    network.change(link: way[1], bandwidth: nil, up: false, at: time(1_000_000_000))
    let all = network.play()
    #expect(all.map(\.notice.kind) == [.rerouted, .senderFree, .delivered])
    #expect(network.usage(of: way[1]).carried == before && before > .zero)
    // 10 MB take 8.5 ms; the failure costs a time-out of some milliseconds.
    #expect(all.last!.at < 30_000_000_000)
  }

  /// Two leaves and two spines, and the link from the first leaf that the first host's way takes.
  private func fabric() -> (topology: Topology, used: LinkID) {
    let fabric = LeafSpineTopology(
      spines: 2, hostsOfLeaf: [1, 1], hostLink: tenGigabit, fabricLink: tenGigabit
    ).makeTopology()
    let (a, b) = (fabric.accelerators[0], fabric.accelerators[1])
    return (fabric, fabric.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))![1])
  }

  @Test(
    "a link that falls silent is used until routing knows", arguments: allControls.map(\.name),
    PacketSettings.PathChoice.allCases)
  func silence(name: String, paths: PacketSettings.PathChoice) {
    let control = allControls.first { $0.name == name }!
    let (fabric, used) = fabric()
    var network = PacketNetwork(
      fabric, transport: .ideal,
      settings: .init(
        paths: paths, minimumTimeout: .milliseconds(1), congestionControl: control))
    network.send(transfer(fabric, 0, 0, 1, 10_000_000), at: .zero)
    var notices: [(at: SimTime, kind: Notice.Kind)] = []
    func play(until end: SimTime, _ network: inout PacketNetwork) {
      var drained: [Notice] = []
      while network.nextEventTime <= end, network.nextEventTime != .never {
        let now = network.nextEventTime
        network.advance(to: now)
        network.drain(into: &drained)
        notices += drained.map { (now, $0.kind) }
        drained.removeAll()
      }
      if end != .never {
        network.advance(to: end)
        network.drain(into: &drained)
        notices += drained.map { (end, $0.kind) }
      }
    }
    let (failure, noticed) = (time(1_000_000_000), time(21_000_000_000))
    play(until: failure, &network)
    network.change(link: used, bandwidth: .bitsPerSecond(0), up: nil, at: failure)
    // What was on the link is gone at once: a microsecond and more at 10 Gb/s.
    let lost = network.counters.lostOnLinks
    if paths == .single { #expect(lost >= 1) }
    let carried = network.usage(of: used).carried
    play(until: noticed, &network)
    #expect(network.usage(of: used).carried == carried && carried > .zero)
    if paths == .single {
      // Nothing arrives and nobody knows; rate control goes on sending.
      #expect(notices.allSatisfy { $0.kind == .senderFree })
    }
    network.change(link: used, bandwidth: nil, up: false, at: noticed)
    play(until: .never, &network)
    #expect(network.usage(of: used).carried == carried)
    #expect(notices.last?.kind == .delivered)
    if paths == .single {
      let told = notices.filter { $0.kind != .senderFree }
      #expect(told.map(\.kind) == [.rerouted, .delivered])
      #expect(told.first?.at == noticed && told.last!.at > noticed)
      // A time-out that has doubled a few times may still have to pass.
      #expect(notices.last!.at < time(100_000_000_000))
    }
    let counters = network.counters
    #expect(counters.bytesSent == counters.bytesArrived + counters.bytesLost)
    #expect(counters.underWay == 0)
  }

  @Test("a link that speaks again before routing knows loses time and packets, not its traffic")
  func silenceEnds() {
    for control in allControls {
      let (fabric, used) = fabric()
      let network = network(fabric, control)
      network.send(transfer(fabric, 0, 0, 1, 10_000_000), at: .zero)
      _ = play(network, until: time(1_000_000_000))
      network.change(link: used, bandwidth: .bitsPerSecond(0), up: nil, at: time(1_000_000_000))
      _ = play(network, until: time(5_000_000_000))
      network.change(
        link: used, bandwidth: .gigabitsPerSecond(10), up: nil, at: time(5_000_000_000))
      let all = network.play()
      #expect(!all.contains { $0.notice.kind == .rerouted }, "\(control.name)")
      #expect(all.last?.notice.kind == .delivered)
    }
  }

  @Test("a slower link slows down, and a link without bandwidth stops what waits")
  func bandwidth() {
    let star = StarTopology(hosts: 2, link: plain(10_000_000_000)).makeTopology()
    let network = network(star, .fixed(.init(window: 100)))
    network.send(transfer(star, 0, 0, 1, 14_480), at: .zero)
    _ = play(network, until: time(6_000_000))
    // Five packets have left or are leaving; the others take ten times as long on the first link.
    network.change(
      link: LinkID(0), bandwidth: .gigabitsPerSecond(1), up: nil, at: time(6_000_000))
    let expected: Int64 = 5 * 1_230_400 + 5 * 12_304_000 + 1_230_400
    #expect(network.play().last?.at == expected)
    let now = time(1_000_000_000_000)
    network.send(transfer(star, 1, 0, 1, 14_480), at: now)
    network.change(link: LinkID(0), bandwidth: .bitsPerSecond(0), up: nil, at: now)
    _ = network.play()
    #expect(network.waiting.map(\.cause) == [.zeroBandwidth(LinkID(0))])
    network.change(
      link: LinkID(0), bandwidth: .gigabitsPerSecond(10), up: nil, at: time(9_000_000_000_000))
    #expect(network.play().last?.notice.kind == .delivered)
  }

  @Test("what has no way, no bandwidth or no time says so")
  func waiting() {
    var builder = TopologyBuilder(name: "split")
    let (a, b) = (builder.addHost("a"), builder.addHost("b"))
    _ = builder.addHost("c")
    builder.join(a, b, LinkSpecification(bandwidth: .bitsPerSecond(1)))
    let topology = builder.build()
    for control in allControls {
      let network = network(topology, control)
      network.send(transfer(topology, 0, 0, 1, 1 << 40), at: .zero)
      network.send(transfer(topology, 1, 0, 2, 1000), at: .zero)
      #expect(network.play().map(\.notice.kind) == [.blocked(on: nil)])
      #expect(network.waiting.map(\.cause) == [.tooSlow, .noRoute])
    }
  }

  @Test("cancelled transfers give no notices and make room", arguments: allControls.map(\.name))
  func cancelling(name: String) {
    let control = allControls.first { $0.name == name }!
    let star = StarTopology(hosts: 3, link: tenGigabit).makeTopology()
    let network = network(star, control)
    network.send(transfer(star, 0, 0, 2, 10_000_000, group: 1), at: .zero)
    network.send(transfer(star, 1, 1, 2, 10_000_000, group: 2), at: .zero)
    #expect(play(network, until: time(2_000_000_000)).isEmpty)
    network.cancel(group: GroupID(1), at: time(2_000_000_000))
    let all = network.play()
    #expect(all.map(\.notice.transfer.sequence) == [1, 1])
    // Alone 10 MB take 8.5 ms; two at once would take 17.
    #expect(all.last!.at < 17_000_000_000)
    #expect(network.waiting.isEmpty)
  }

  @Test("a transfer without a single acknowledgement is given up, not tried forever")
  func silence() {
    // The way back has so little bandwidth that acknowledgements take longer than all time-outs.
    var builder = TopologyBuilder(name: "one way")
    let (a, b) = (builder.addHost("a"), builder.addHost("b"))
    builder.link(from: a, to: b, plain(10_000_000_000))
    builder.link(from: b, to: a, plain(1))
    let topology = builder.build()
    let network = NetworkBox(
      NetworkSettings(
        model: .packet, transport: .ideal,
        packet: .init(
          minimumTimeout: .milliseconds(1), retries: 3, congestionControl: .reno(.init()))
      ).makeNetwork(topology))
    network.send(transfer(topology, 0, 0, 1, 100_000), at: .zero)
    _ = play(network, until: time(1_000_000_000_000))
    #expect(network.waiting.map(\.cause) == [.unanswered(timeouts: 4)])
    #expect(network.waiting[0].description(in: topology).contains("4 time-outs"))
  }

  @Test("settings are read, and what packets do not model is refused")
  func settings() throws {
    func read(_ json: String) throws -> (NetworkSettings, [SimKernel.Issue]) {
      let issues = IssueCollector()
      let node = try JSONNode.parse(json, origin: "test")
      let value = FieldReader.read(node, issues: issues) { NetworkSettings(&$0) }
      return (value, issues.issues)
    }
    let (value, none) = try read(
      #"""
      {"model":"packet","packet":{"mtu":9000,"buffer":"64 KiB","ecn":{"from":"20 kB"},
      "pfc":{"xoff":"30 kB"},"paths":"spray","congestion_control":{"kind":"ndp","initial_window":12}}}
      """#)
    #expect(none.isEmpty && value.model == .packet && value.packet.mtu == 9000)
    #expect(value.packet.congestionControl == .ndp(.init(initialWindow: 12)))
    #expect(value.packet.marking == .init(from: .bytes(20_000), to: .bytes(20_000)))
    #expect(value.packet.pause == .init(xoff: .bytes(30_000), xon: .bytes(27_000)))
    #expect(value.packet.paths == .spray && value.packet.buffer == .kibibytes(64))
    #expect(try read("{}").0.packet == PacketSettings())
    for wrong in [
      #"{"model":"packet","transport":{"preset":"tcp","host_cap":"5 Gbps"}}"#,
      #"{"packet":{"mtu":64,"header":64}}"#, #"{"packet":{"pfc":{"xoff":"1 kB","xon":"2 kB"}}}"#,
      #"{"packet":{"ecn":{"from":"2 kB","to":"1 kB"}}}"#,
      #"{"packet":{"congestion_control":"cubic"}}"#, #"{"packet":{"min_rto":"0 s"}}"#,
    ] {
      #expect(try read(wrong).1.count == 1, "\(wrong)")
    }
  }
}
