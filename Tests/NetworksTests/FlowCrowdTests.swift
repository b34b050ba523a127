import Networks
import SimKernel
import Testing

/// Crowds, whose flows are not followed one by one, against complete solves, which follow all.
@Suite struct FlowCrowdTests {
  /// What happened, and when: one line a notice.
  private func trace(
    _ solver: FlowNetwork.Solver, seed: UInt64, servers: Int, transport: Transport,
    sharing: FlowSharing, isWhole: Bool, disturbs: Bool
  ) -> [UInt64] {
    let hosts = 48
    let star = StarTopology(hosts: hosts, link: tenGigabit).makeTopology()
    var random = RandomStream(seed: seed, purpose: RandomPurpose("crowd test"))
    var network = FlowNetwork(star, transport: transport, sharing: sharing, solver: solver)
    var trace: [UInt64] = []
    var notices: [Notice] = []
    var now = SimTime.zero
    func note(_ time: SimTime) {
      network.drain(into: &notices)
      notices.sort { $0.transfer.sequence < $1.transfer.sequence }
      for notice in notices {
        trace.append(UInt64(bitPattern: notice.transfer.sequence))
        trace.append(UInt64(time.picoseconds))
      }
      notices.removeAll()
    }
    let count: Int64 = 1200
    for sequence in 0..<count {
      // Bursts of equal arrivals among single ones.
      if random.index(below: 4) != 0 {
        now = now + SimDuration(picoseconds: Int64(random.index(below: 40_000_000)))
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
      let client = servers + random.index(below: hosts - servers)
      let isReply = random.index(below: 5) == 0
      let size = random.index(below: 3) == 0 ? 1_000_000 : 1 + random.index(below: 4_000_000)
      let weight = isWhole ? 1 : Double(1 + random.index(below: 9)) / 4
      network.send(
        transfer(
          star, sequence, isReply ? server : client, isReply ? client : server, Int64(size),
          group: random.index(below: 40)), weight: weight, at: now)
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

  @Test(arguments: 0..<12 as Range<UInt64>)
  func timesAndRatesAreThoseOfFlowsFollowedOneByOne(seed: UInt64) {
    // One to three servers, whole and broken weights, with and without disturbance.
    let servers = 1 + Int(seed % 3)
    let transport: Transport = [.ideal, .tcp, .rdma][Int(seed / 2 % 3)]
    let sharing: FlowSharing = seed % 4 == 3 ? .rttFair : .maxMin
    let traces = FlowNetwork.Solver.allCases.map {
      trace(
        $0, seed: seed, servers: servers, transport: transport, sharing: sharing,
        isWhole: seed % 2 == 0, disturbs: seed >= 6)
    }
    #expect(traces[0].count > 2400)
    #expect(traces[0] == traces[1])
    #expect(traces[0] == traces[2])
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
