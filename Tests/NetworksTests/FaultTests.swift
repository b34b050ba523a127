import Networks
import SimKernel
import Testing

@Suite struct FaultTests {
  private func time(_ picoseconds: Int64) -> SimTime { SimTime(picoseconds: picoseconds) }

  private func flow(_ topology: Topology) -> NetworkBox { box(.flow, topology) }
  private func box(_ model: NetworkModelKind, _ topology: Topology) -> NetworkBox {
    NetworkBox(NetworkSettings(model: model, transport: .ideal).makeNetwork(topology))
  }
  /// The models in which a change of a link acts on bytes rather than packets.
  static let fluid: [NetworkModelKind] = [.alphaBeta, .loggp, .flow]

  @Test(arguments: fluid) func aFlowStallsWhileItsLinkIsDownAndGoesOnAfterwards(
    model: NetworkModelKind
  ) {
    let star = StarTopology(hosts: 2, link: plain(8_000_000_000)).makeTopology()
    let network = box(model, star)
    network.send(transfer(star, 0, 0, 1, 1000), at: .zero)
    network.change(link: LinkID(0), bandwidth: nil, up: false, at: time(400_000))
    #expect(network.nextEventTime == time(400_000))
    #expect(network.drain().map(\.kind) == [.blocked(on: LinkID(0))])
    #expect(network.nextEventTime == .never)
    #expect(network.waiting.map(\.cause) == [.linkDown(LinkID(0))])
    network.change(link: LinkID(0), bandwidth: nil, up: true, at: time(5_000_000))
    let end = network.play()
    #expect(end.map(\.at) == [5_600_000, 5_600_000])
    #expect(network.waiting.isEmpty)
    #expect(network.usage(of: LinkID(0)).carried == .bytes(1000))
  }

  @Test(arguments: fluid) func aFlowTakesAnotherWayWhereThereIsOne(
    model: NetworkModelKind
  ) {
    let fabric = LeafSpineTopology(
      spines: 2, hostsOfLeaf: [1, 1], hostLink: plain(8_000_000_000),
      fabricLink: plain(8_000_000_000)
    ).makeTopology()
    let network = box(model, fabric)
    network.send(transfer(fabric, 0, 0, 1, 1000), at: .zero)
    let (a, b) = (fabric.accelerators[0], fabric.accelerators[1])
    let way = fabric.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))!
    network.change(link: way[1], bandwidth: nil, up: false, at: time(250_000))
    let all = network.play()
    #expect(all.map(\.notice.kind) == [.rerouted, .senderFree, .delivered])
    #expect(all.last?.at == 1_000_000)
    #expect(network.usage(of: way[0]).carried == .bytes(1000))
    #expect(network.usage(of: way[1]).carried == .bytes(250))
    // What starts while the link is down takes the detour at once.
    network.send(transfer(fabric, 1, 0, 1, 1000), at: time(1_000_000))
    #expect(network.play().map(\.notice.kind) == [.senderFree, .delivered])
    #expect(network.usage(of: way[1]).carried == .bytes(250))
  }

  @Test func aStalledFlowIsReroutedWhenAnotherLinkComesBack() {
    let fabric = LeafSpineTopology(
      spines: 2, hostsOfLeaf: [1, 1], hostLink: plain(8_000_000_000),
      fabricLink: plain(8_000_000_000)
    ).makeTopology()
    let network = flow(fabric)
    let spine = fabric.links.indices.filter { fabric.links[$0].name.contains("spine") }
    for link in spine { network.change(link: LinkID(link), bandwidth: nil, up: false, at: .zero) }
    network.send(transfer(fabric, 0, 0, 1, 1000), at: .zero)
    #expect(network.waiting.isEmpty)
    _ = network.play()
    #expect(network.waiting.count == 1)
    // Only the way over the spine that the flow did not choose comes back.
    let (a, b) = (fabric.accelerators[0], fabric.accelerators[1])
    let way = fabric.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))!
    let chosen = fabric.links[way[1].index].to
    for link in spine {
      let line = fabric.links[link]
      if line.from != chosen && line.to != chosen {
        network.change(link: LinkID(link), bandwidth: nil, up: true, at: time(100))
      }
    }
    #expect(network.play().map(\.notice.kind) == [.rerouted, .senderFree, .delivered])
  }

  @Test(arguments: fluid) func bandwidthChangesTakeEffectAtOnce(
    model: NetworkModelKind
  ) {
    let star = StarTopology(hosts: 2, link: plain(8_000_000_000)).makeTopology()
    let network = box(model, star)
    network.send(transfer(star, 0, 0, 1, 1000), at: .zero)
    network.change(
      link: LinkID(0), bandwidth: .gigabitsPerSecond(4), up: nil, at: time(500_000))
    network.change(
      link: LinkID(0), bandwidth: .gigabitsPerSecond(16), up: nil, at: time(1_000_000))
    // 500 bytes at 1 byte/ns, 250 at half, then the second link's 1 byte/ns.
    #expect(network.play().last?.at == 1_250_000)
  }

  @Test(arguments: [NetworkModelKind.alphaBeta, .loggp])
  func reroutedBytesArriveAfterTheLatencyOfTheirNewWay(model: NetworkModelKind) {
    var builder = TopologyBuilder(name: "two ways")
    let (a, b) = (builder.addHost("a"), builder.addHost("b"))
    let middle = builder.addSwitch("m")
    let fast = builder.join(
      a, b, LinkSpecification(bandwidth: .gigabitsPerSecond(8), latency: .microseconds(5)))
    for (from, to) in [(a, middle), (middle, b)] {
      builder.join(
        from, to, LinkSpecification(bandwidth: .gigabitsPerSecond(4), latency: .microseconds(4)))
    }
    let topology = builder.build()
    let network = box(model, topology)
    network.send(transfer(topology, 0, 0, 1, 1000), at: .zero)
    network.change(link: fast, bandwidth: nil, up: false, at: time(500_000))
    // Half of it took 0.5 us, the rest takes 1 us, and 8 us later it is there.
    #expect(network.drain().map(\.kind) == [.rerouted])
    #expect(network.play().map(\.at) == [1_500_000, 9_500_000])
    #expect(network.usage(of: fast).carried == .bytes(500))
  }

  @Test func aStalledSenderHoldsUpWhatWaitsBehindIt() {
    let star = StarTopology(hosts: 3, link: plain(8_000_000_000)).makeTopology()
    let network = box(.loggp, star)
    network.send(transfer(star, 0, 0, 1, 1000), at: .zero)
    network.send(transfer(star, 1, 0, 2, 1000), at: .zero)
    // The link into host 1: what is for host 2 is not concerned, but waits for the port.
    let into = LinkID(star.links.firstIndex { $0.to == star.accelerators[1] }!)
    network.change(link: into, bandwidth: .bitsPerSecond(0), up: nil, at: time(250_000))
    #expect(network.play().map(\.notice.kind) == [.blocked(on: into)])
    #expect(network.waiting.map(\.cause) == [.zeroBandwidth(into), .zeroBandwidth(into)])
    network.change(link: into, bandwidth: .gigabitsPerSecond(8), up: nil, at: time(1_000_000))
    let delivered = network.play().filter { $0.notice.kind == .delivered }
    #expect(delivered.map(\.at) == [1_750_000, 2_750_000])
    #expect(network.waiting.isEmpty)
  }

  @Test(arguments: [NetworkModelKind.alphaBeta, .flow])
  func zeroBandwidthAndMissingRoutesAreReportedInsteadOfHanging(kind: NetworkModelKind) {
    var builder = TopologyBuilder(name: "split")
    let (a, b, c) = (builder.addHost("a"), builder.addHost("b"), builder.addHost("c"))
    builder.join(a, b, LinkSpecification(bandwidth: .bitsPerSecond(0)))
    let topology = builder.build()
    #expect(topology.checkReachability().map { [$0.0, $0.1] } == [a, c])
    let network = NetworkBox(NetworkSettings(model: kind, transport: .ideal).makeNetwork(topology))
    network.send(transfer(topology, 0, 0, 1, 1000), at: .zero)
    network.send(transfer(topology, 1, 0, 2, 1000), at: .zero)
    let all = network.play()
    #expect(all.map(\.notice.kind) == [.blocked(on: LinkID(0)), .blocked(on: nil)])
    #expect(network.waiting.map(\.cause) == [.zeroBandwidth(LinkID(0)), .noRoute])
    let text = network.waiting.map { $0.description(in: topology) }
    #expect(text[0].contains("a->b") && text[1].contains("no route"))
    network.change(
      link: LinkID(0), bandwidth: .gigabitsPerSecond(8), up: nil, at: time(7))
    #expect(network.play().last?.at == 1_000_007)
    #expect(network.waiting.map(\.cause) == [.noRoute])
  }

  @Test(arguments: [NetworkModelKind.alphaBeta, .flow])
  func cancelledTransfersGiveNoMoreNotices(kind: NetworkModelKind) {
    let star = StarTopology(hosts: 3, link: tenGigabit).makeTopology()
    let network = NetworkBox(NetworkSettings(model: kind, transport: .ideal).makeNetwork(star))
    network.send(transfer(star, 0, 0, 1, 10_000, group: 1), at: .zero)
    network.send(transfer(star, 1, 0, 2, 10_000, group: 2), at: .zero)
    network.send(transfer(star, 2, 1, 2, 0, group: 1), at: .zero)
    network.cancel(group: GroupID(1), at: .zero)
    let all = network.play()
    #expect(all.map(\.notice.transfer.sequence) == [1, 1])
    // Alone from the start: 8 us, then two links.
    #expect(all.map(\.at) == [8_000_000, 12_000_000])
    #expect(network.waiting.isEmpty)
  }

  @Test func cancellingHalfwayLeavesTheRateToTheOthersAndTheBytesOnTheMeter() {
    let star = StarTopology(hosts: 3, link: plain(8_000_000_000)).makeTopology()
    let network = flow(star)
    network.send(transfer(star, 0, 0, 1, 1000, group: 1), at: .zero)
    network.send(transfer(star, 1, 0, 2, 1000, group: 2), at: .zero)
    network.cancel(group: GroupID(1), at: time(1_000_000))
    #expect(network.play().map(\.at) == [1_500_000, 1_500_000])
    #expect(network.usage(of: LinkID(0)).carried == .bytes(1500))
  }

  @Test func transfersPastTheEndOfTimeAreReported() {
    let star = StarTopology(hosts: 2, link: plain(1)).makeTopology()
    for kind in [NetworkModelKind.alphaBeta, .flow] {
      let network = NetworkBox(NetworkSettings(model: kind, transport: .ideal).makeNetwork(star))
      network.send(transfer(star, 0, 0, 1, 1 << 40), at: .zero)
      #expect(network.nextEventTime == .never)
      #expect(network.waiting.map(\.cause) == [.tooSlow])
    }
  }
}
