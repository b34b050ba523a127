import Networks
import SimKernel
import Testing

/// Every congestion control with its defaults.
let allControls: [CongestionControl] = CongestionControl.registry.entries.map {
  FieldReader.placeholder(of: $0)
}

/// What a run over packets left behind.
struct PacketOutcome: Equatable {
  var ends: [Int64?]
  var counters: PacketCounters
  var highWater: Int64
  var drops: Int
  var last: Int64 { ends.map { $0 ?? .max }.max() ?? 0 }
}

func runPackets(
  _ requests: [FlowRequest], on topology: Topology, _ settings: PacketSettings,
  transport: Transport = .ideal
) -> PacketOutcome {
  var network = PacketNetwork(topology, transport: transport, settings: settings)
  let outcomes = runFlows(requests, on: &network)
  // What is still under way, such as last acknowledgements, ends by itself.
  while network.nextEventTime != .never { network.advance(to: network.nextEventTime) }
  let reports = topology.links.indices.map { network.report(of: LinkID($0)) }
  return PacketOutcome(
    ends: outcomes.map { $0.delivered?.picoseconds }, counters: network.counters,
    highWater: reports.map(\.highWaterMark.bytes).max() ?? 0,
    drops: reports.map(\.dropped).reduce(0, +))
}

@Suite struct PacketNetworkTests {
  private static let microLink = LinkSpecification(
    bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1))

  /// As one does that sums gradients: its ports forward and send.
  @Test(arguments: allControls) func aSwitchMaySendByItself(control: CongestionControl) {
    let star = StarTopology(hosts: 5, link: Self.microLink).makeTopology()
    let middle = NodeID(star.nodeNames.firstIndex { !$0.hasPrefix("h") }!)
    var settings = PacketSettings()
    settings.congestionControl = control
    let requests = (0..<5).flatMap { host in
      let node = star.accelerators[host]
      return [
        FlowRequest(source: middle, destination: node, size: .bytes(4_000_000), start: .zero),
        FlowRequest(source: node, destination: middle, size: .bytes(4_000_000), start: .zero),
        FlowRequest(
          source: node, destination: star.accelerators[(host + 1) % 5], size: .bytes(3_000_000),
          start: SimTime(picoseconds: 1_000_000_000)),
      ]
    }
    let outcome = runPackets(requests, on: star, settings)
    #expect(outcome.ends.allSatisfy { $0 != nil })
    // Seven megabytes leave every port at 10 Gb/s.
    #expect(outcome.last >= 5_600_000_000)
  }

  /// A line of `hops` links between two hosts, each with its own rate and latency.
  private func line(_ rates: [Double], _ latencies: [Double]) -> Topology {
    var builder = TopologyBuilder(name: "line")
    var nodes = [builder.addHost("a")]
    for index in 1..<max(1, rates.count) { nodes.append(builder.addSwitch("s\(index)")) }
    nodes.append(builder.addHost("b"))
    for index in rates.indices {
      builder.join(
        nodes[index], nodes[index + 1],
        LinkSpecification(
          bandwidth: .gigabitsPerSecond(rates[index]), latency: .nanoseconds(latencies[index])))
    }
    return builder.build()
  }

  @Test(
    "n full packets over h equal links take (n + h - 1) t + h L",
    arguments: [1, 2, 3, 6], [1, 2, 3, 100])
  func closedForm(hops: Int, packets: Int) {
    let topology = line(.init(repeating: 10, count: hops), .init(repeating: 1000, count: hops))
    let settings = PacketSettings(
      congestionControl: .fixed(.init(window: 1000)))
    let result = runPackets(
      [request(topology, 0, 1, Int64(packets) * 1448)], on: topology, settings)
    // 1538 bytes at 10 Gb/s are 1,230.4 ns.
    #expect(result.last == Int64(packets + hops - 1) * 1_230_400 + Int64(hops) * 1_000_000)
    #expect(result.counters.sent == Int64(packets) && result.counters.retransmitted == 0)
  }

  @Test(
    "unequal links and a short last packet follow the store-and-forward recurrence",
    arguments: [0, 1, 2, 3, 1447, 1448, 1449, 10_000, 100_001] as [Int64])
  func recurrence(bytes: Int64) {
    let (rates, latencies) = ([25.0, 10, 100, 3], [500.0, 0, 1300, 7])
    let topology = line(rates, latencies)
    let launch = SimDuration.microseconds(3)
    let transport = Transport(name: "test", launch: launch, perHop: .nanoseconds(11))
    for control in [CongestionControl.fixed(.init(window: 1000)), .ndp(.init(initialWindow: 1000))]
    {
      let settings = PacketSettings(buffer: .megabytes(10), congestionControl: control)
      let result = runPackets(
        [request(topology, 0, 1, bytes)], on: topology, settings, transport: transport)
      var left = [Int64](repeating: 0, count: rates.count)
      var rest = bytes
      var arrival: Int64 = 0
      repeat {
        let payload = min(rest, 1448)
        rest -= payload
        arrival = 0
        for hop in rates.indices {
          let time = Bandwidth.gigabitsPerSecond(rates[hop]).time(toSend: .bytes(payload + 90))
          left[hop] = max(left[hop], arrival) + time.picoseconds
          arrival = left[hop] + Int64(latencies[hop] * 1000) + 11_000
        }
      } while rest > 0
      #expect(result.last == arrival + launch.picoseconds)
    }
  }

  @Test("the sender is free when the last byte has left its host")
  func senderFree() {
    let topology = line([10, 10, 10], [1000, 1000, 1000])
    var network = PacketNetwork(
      topology, transport: .ideal, settings: .init(congestionControl: .fixed(.init())))
    let outcome = runFlows([request(topology, 0, 1, 14_480)], on: &network)
    #expect(outcome[0].senderFree?.picoseconds == 12_304_000)
    #expect(outcome[0].delivered == SimTime(picoseconds: 12 * 1_230_400 + 3_000_000))
    #expect(network.usage(of: LinkID(0)).carried == .bytes(14_480))
    #expect(network.usage(of: LinkID(0)).busy == .nanoseconds(12_304))
  }

  @Test("packets and flows agree within 3 % on long transfers once headers are taken out")
  func agreesWithFlow() throws {
    let transport = Transport(name: "headers", goodput: PacketSettings().payloadShare)
    for (kind, pairs) in [
      // No pair's acknowledgements meet another's data.
      ("star", [(0, 1), (2, 3)]),
      ("ring", [(0, 1), (2, 4)]),
      ("leaf_spine", [(0, 2), (1, 5)]),
      ("fat_tree", [(0, 15), (4, 8)]),
      ("torus", [(0, 23), (3, 4)]),
    ] {
      let topology = try topology(kind)
      let requests = pairs.map { request(topology, $0.0, $0.1, 20_000_000) }
      var flow = FlowNetwork(topology, transport: transport)
      let expected = runFlows(requests, on: &flow).map { Double($0.delivered!.picoseconds) }
      for control in allControls {
        var settings = PacketSettings(paths: .single, congestionControl: control)
        if case .fixed = control {
          // As much as the fastest links here hold.
          settings.congestionControl = .fixed(.init(window: 400))
        }
        if case .ndp = control { settings.buffer = .megabytes(1) }
        let result = runPackets(requests, on: topology, settings)
        for (index, end) in result.ends.enumerated() {
          let ratio = Double(end ?? 0) / expected[index]
          #expect(
            abs(ratio - 1) < 0.03, "\(kind) \(control.name) \(pairs[index]): \(ratio)")
        }
      }
    }
  }

  @Test("acknowledgements of traffic the other way take their share", arguments: allControls)
  func twoWays(control: CongestionControl) {
    let topology = StarTopology(hosts: 2, link: Self.microLink).makeTopology()
    let requests = [request(topology, 0, 1, 20_000_000), request(topology, 1, 0, 20_000_000)]
    let settings = PacketSettings(congestionControl: control)
    let result = runPackets(requests, on: topology, settings)
    // 84 bytes for each packet of 1538, and a pull as long under NDP.
    let wire = settings.congestionControl.name == "ndp" ? 168.0 : 84
    let expected = 20_000_000.0 * 800 * (1538 + wire) / 1448
    #expect(abs(Double(result.last) / expected - 1) < 0.01, "\(Double(result.last) / expected)")
  }

  @Test("packets and bytes are conserved under loss", arguments: allControls.map(\.name))
  func conservation(name: String) throws {
    let control = allControls.first { $0.name == name }!
    for kind in ["star", "fat_tree", "leaf_spine"] {
      let topology = try topology(kind)
      let count = topology.accelerators.count
      var random = RandomStream(seed: 3, purpose: RandomPurpose("packet conservation"))
      for paths in PacketSettings.PathChoice.allCases {
        var requests: [FlowRequest] = []
        var payload: Int64 = 0
        for index in 0..<40 {
          // Half of all go to host 0.
          let target = index % 2 == 0 ? 0 : random.index(below: count)
          let source = (target + 1 + random.index(below: count - 1)) % count
          let bytes = Int64(random.index(below: 300_000))
          payload += bytes
          requests.append(
            request(
              topology, source, target, bytes,
              at: SimTime(picoseconds: Int64(random.index(below: 1_000_000_000)))))
        }
        let settings = PacketSettings(
          buffer: .bytes(12_000), paths: paths, minimumTimeout: .milliseconds(1),
          congestionControl: control)
        let result = runPackets(requests, on: topology, settings)
        let c = result.counters
        #expect(result.ends.allSatisfy { $0 != nil })
        #expect(c.underWay == 0)
        #expect(c.sent == c.arrived + c.trimmedArrived + c.dropped + c.lostOnLinks)
        #expect(c.bytesSent == c.bytesArrived + c.bytesLost)
        #expect(c.controlSent == c.controlArrived + c.controlLost)
        let packets = requests.map { max(1, ($0.size.bytes + 1447) / 1448) }.reduce(0, +)
        #expect(c.arrived - c.duplicates == packets)
        #expect(c.sent == packets + c.retransmitted)
        #expect(c.dropped + c.trimmed > 0, "\(kind) loses something")
        #expect(c.lostOnLinks == 0 && (name == "ndp" || result.highWater <= 84_000))
        if c.duplicates == 0 { #expect(c.bytesArrived == payload) }
        // The same again.
        #expect(runPackets(requests, on: topology, settings) == result)
      }
    }
  }

  @Test("equal flows share a bottleneck fairly", arguments: allControls.map(\.name))
  func fairness(name: String) {
    let control = allControls.first { $0.name == name }!
    let topology = StarTopology(hosts: 9, link: Self.microLink).makeTopology()
    let requests = (1...8).map { request(topology, $0, 0, 20_000_000) }
    let settings = PacketSettings(minimumTimeout: .milliseconds(1), congestionControl: control)
    var network = PacketNetwork(topology, transport: .ideal, settings: settings)
    for (index, item) in requests.enumerated() {
      network.send(
        Transfer(
          id: TransferID(job: JobID(0), sequence: Int64(index)), source: item.source,
          destination: item.destination, size: item.size), at: .zero)
    }
    // Half of the time that all together take: nobody has finished, shares are what has left.
    let half = SimTime(picoseconds: 8 * 20_000_000 * 400)
    while network.advance(until: half) != half {}
    let shares = requests.map { item in
      Double(
        network.usage(of: LinkID(topology.links.firstIndex { $0.from == item.source }!)).carried
          .bytes)
    }
    let sum = shares.reduce(0, +)
    let squares = shares.map { $0 * $0 }.reduce(0, +)
    // Jain's index (DEC-TR-301, 1984): 1 is equal, 1/8 is one for all.
    #expect(sum * sum / (8 * squares) > 0.9, "\(name) \(shares)")
  }

  @Test("pauses lose nothing and keep queues short", arguments: allControls.map(\.name))
  func flowControl(name: String) {
    let control = allControls.first { $0.name == name }!
    let topology = LeafSpineTopology(
      spines: 2, hostsOfLeaf: [8, 8], hostLink: Self.microLink, fabricLink: Self.microLink
    ).makeTopology()
    let requests = (1...12).map { request(topology, $0, 0, 2_000_000) }
    let settings = PacketSettings(
      buffer: .bytes(10_000), pause: .init(), congestionControl: control)
    let result = runPackets(requests, on: topology, settings)
    #expect(result.drops == 0 && result.counters.retransmitted == 0)
    #expect(result.counters.dropped == 0 && result.counters.trimmed == 0)
    #expect(result.counters.bytesArrived == 24_000_000)
    if name == "reno" || name == "fixed" { #expect(result.counters.pauses > 0) }
    // A port takes at most what its ten inputs may hold, and what is under way when they pause.
    #expect(result.highWater <= 10 * (24_470 + 2 * 1250 + 3 * 1538))
    // 24 MB with headers at 10 Gb/s, at full speed when nothing is lost.
    let ideal = 24_000_000.0 * 800 / settings.payloadShare
    #expect(Double(result.last) < ideal * 1.1, "\(name): \(Double(result.last) / ideal)")
  }
}
