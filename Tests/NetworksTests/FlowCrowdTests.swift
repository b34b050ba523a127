import Networks
import SimKernel
import Testing

/// Crowds, whose flows are not followed one by one, against complete solves, which follow all.
@Suite struct FlowCrowdTests {
  /// What happened, and when: one line a notice.
  private func trace(
    _ solver: FlowNetwork.Solver, kind: String, seed: UInt64, servers: Int, transport: Transport,
    sharing: FlowSharing, isWhole: Bool, disturbs: Bool
  ) -> [UInt64] {
    let star =
      kind == "hosts"
      ? HostsTopology(
        hosts: 4, acceleratorsPerHost: 8,
        innerLink: LinkSpecification(
          bandwidth: .gigabitsPerSecond(1200), latency: .nanoseconds(500)),
        nicLink: LinkSpecification(bandwidth: .gigabitsPerSecond(1), latency: .microseconds(2))
      ).makeTopology()
      : StarTopology(hosts: 48, link: tenGigabit).makeTopology()
    let hosts = star.accelerators.count
    var random = RandomStream(seed: seed, purpose: RandomPurpose("crowd test"))
    var network = FlowNetwork(star, transport: transport, sharing: sharing, solver: solver)
    var trace: [UInt64] = []
    var notices: [Notice] = []
    var now = SimTime.zero
    var sent: [Int64: (from: Int, to: Int)] = [:]
    var follower: Int64 = 1_000_000
    func note(_ time: SimTime) {
      network.drain(into: &notices)
      notices.sort { $0.transfer.sequence < $1.transfer.sequence }
      for notice in notices {
        trace.append(UInt64(bitPattern: notice.transfer.sequence))
        trace.append(UInt64(time.picoseconds))
        // What ends is often followed by what waited for it.
        if notice.kind == .senderFree, random.index(below: 2) == 0 {
          let size = random.index(below: 2) == 0 ? 1 + random.index(below: 3000) : 1_000_000
          let ended = sent[notice.transfer.sequence]!
          sent[follower] = ended
          network.send(
            transfer(
              star, follower, ended.from, ended.to, Int64(size), group: random.index(below: 40)),
            at: time)
          follower += 1
        }
      }
      notices.removeAll()
    }
    let count: Int64 = 1200
    for sequence in 0..<count {
      // Bursts of equal arrivals among single ones.
      if random.index(below: 4) != 0 {
        // A crowd at once, which then comes and goes.
        let gap =
          random.index(below: 40) == 0
          ? 200_000_000_000 : sequence < 150 ? 40_000_000 : 2_500_000_000 / servers
        now = now + SimDuration(picoseconds: Int64(random.index(below: gap)))
      }
      while network.nextEventTime <= now {
        let due = network.nextEventTime
        network.advance(to: due)
        note(due)
      }
      if disturbs {
        switch random.index(below: 60) {
        case 0: network.cancel(group: GroupID(random.index(below: 40)), at: now)
        case 1:
          let rate = Bandwidth.bitsPerSecond(Int64(1 + random.index(below: 20_000_000_000)))
          network.change(
            link: LinkID(random.index(below: star.links.count)), bandwidth: rate, up: nil, at: now)
        case 2:
          network.change(
            link: LinkID(random.index(below: star.links.count)), bandwidth: nil, up: false, at: now)
        case 3:
          for link in star.links.indices {
            network.change(link: LinkID(link), bandwidth: nil, up: true, at: now)
          }
        default: break
        }
        note(now)
      }
      let server = random.index(below: servers)
      // Steps of a collective: many equal ones at once, some of a few bytes.
      if random.index(below: 30) == 0 {
        let size = [8, 5000, 1_000_000][random.index(below: 3)]
        for other in servers..<hosts where random.index(below: 3) > 0 {
          sent[follower] = (other, server)
          network.send(
            transfer(star, follower, other, server, Int64(size), group: 3), at: now)
          follower += 1
        }
      }
      let client = servers + random.index(below: hosts - servers)
      let isReply = random.index(below: 5) == 0
      let size = random.index(below: 2) == 0 ? 1_000_000 : 1 + random.index(below: 4_000_000)
      let weight = isWhole ? 1 : Double(1 + random.index(below: 9)) / 4
      let (from, to) = isReply ? (server, client) : (client, server)
      sent[sequence] = (from, to)
      network.send(
        transfer(
          star, sequence, from, to, Int64(size), group: random.index(below: 40)), weight: weight,
        at: now)
      if sequence % 50 == 0 {
        for flow in network.currentRates() {
          trace.append(UInt64(bitPattern: flow.transfer.id.sequence))
          trace.append(flow.rate.bitPattern)
        }
        for link in star.links.indices {
          trace.append(UInt64(network.usage(of: LinkID(link)).carried.bytes))
        }
      }
    }
    for link in star.links.indices {
      network.change(link: LinkID(link), bandwidth: .gigabitsPerSecond(10), up: true, at: now)
    }
    while network.nextEventTime < .never {
      let due = network.nextEventTime
      network.advance(to: due)
      note(due)
    }
    for link in star.links.indices {
      trace.append(UInt64(network.usage(of: LinkID(link)).carried.bytes))
      trace.append(UInt64(network.usage(of: LinkID(link)).busy.picoseconds))
    }
    return trace
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func timesAndRatesAreThoseOfFlowsFollowedOneByOne(seed: UInt64) {
    // One to three servers, whole and broken weights, with and without disturbance.
    let servers = seed % 5 == 0 ? 12 : 1 + Int(seed % 3)
    let transport: Transport = [.ideal, .tcp, .rdma][Int(seed / 2 % 3)]
    let sharing: FlowSharing = seed % 4 == 3 ? .rttFair : .maxMin
    let traces = FlowNetwork.Solver.allCases.map {
      trace(
        $0, kind: seed % 2 == 0 ? "hosts" : "star", seed: seed, servers: servers,
        transport: transport, sharing: sharing,
        isWhole: seed % 3 == 0, disturbs: seed % 4 > 1)
    }
    #expect(traces[0].count > 2400)
    #expect(traces[0] == traces[1])
    #expect(traces[0] == traces[2])
  }

  @Test func whatFollowsACrowdThatEndedTogetherHasTheWholeLink() {
    // Twelve small ones end one after the other, then 24 equal ones at once; later 24 more.
    let star = StarTopology(
      hosts: 40, link: LinkSpecification(bandwidth: .gigabitsPerSecond(8))
    ).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    let later: Int64 = 100_000_000_000
    var requests: [FlowRequest] = []
    for index in 1...12 { requests.append(request(star, 24 + index, 0, Int64(index) * 10_000)) }
    for index in 1...24 { requests.append(request(star, index, 0, 1_000_000)) }
    for index in 1...24 {
      requests.append(
        request(star, index, 0, 1_000_000, at: SimTime(picoseconds: later)))
    }
    let ends = runFlows(requests, on: &network).map { picoseconds($0.delivered) ?? 0 }
    // A byte a nanosecond.
    let first: Int64 = (24_000_000 + 780_000) * 1000
    #expect(ends[12..<36].allSatisfy { ($0 - first).magnitude <= 1 })
    #expect(ends[36...].allSatisfy { $0 == later + 24_000_000_000 })
  }

  @Test func aCrowdThatDrainsHasTheClosedFormOfProcessorSharing() {
    // Client i sends i x 100 kB to one server from the start: the j-th to end has seen
    // sum over i of min(i, j) x 100 kB pass.
    let count = 64
    let star = StarTopology(
      hosts: count + 1, link: LinkSpecification(bandwidth: .gigabitsPerSecond(8))
    ).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    let outcomes = runFlows(
      (1...count).map { request(star, $0, 0, Int64($0) * 100_000) }, on: &network)
    for j in 1...count {
      let through = (1...count).reduce(0) { $0 + min($1, j) } * 100_000
      // A gigabyte a second: a byte a nanosecond.
      let due = Int64(through) * 1000
      let end = picoseconds(outcomes[j - 1].delivered) ?? 0
      #expect((end - due).magnitude <= Int64(count).magnitude)
    }
  }
}
