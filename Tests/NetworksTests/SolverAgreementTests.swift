import Networks
import SimKernel
import Testing

@Suite struct SolverAgreementTests {
  private func randomRequests(_ topology: Topology, seed: UInt64, count: Int) -> [FlowRequest] {
    var random = RandomStream(seed: seed, purpose: RandomPurpose("agreement test"))
    let hosts = topology.accelerators.count
    return (0..<count).map { _ in
      let from = random.index(below: hosts)
      // Half of the traffic is local, so that there are many components.
      let to =
        random.index(below: 2) == 0 && from ^ 1 < hosts
        ? from ^ 1 : (from + 1 + random.index(below: hosts - 1)) % hosts
      return request(
        topology, from, to, Int64(random.index(below: 3_000_000)),
        at: SimTime(picoseconds: Int64(random.index(below: 4_000_000_000))))
    }
  }

  @Test(arguments: smallTopologies.map(\.kind))
  func solversGiveTheSamePicoseconds(kind: String) throws {
    let topology = try topology(kind)
    for (seed, transport) in [(1, Transport.ideal), (2, .tcp), (3, .rdma)] {
      let requests = randomRequests(topology, seed: UInt64(seed), count: 400)
      var results: [[FlowOutcome]] = []
      var usages: [[LinkUsage]] = []
      for solver in FlowNetwork.Solver.allCases {
        var network = FlowNetwork(topology, transport: transport, solver: solver)
        results.append(runFlows(requests, on: &network))
        var usage: [LinkUsage] = []
        for link in topology.links.indices { usage.append(network.usage(of: LinkID(link))) }
        usages.append(usage)
      }
      #expect(results[0] == results[1] && results[1] == results[2])
      #expect(usages[0] == usages[1] && usages[1] == usages[2])
      #expect(results[0].allSatisfy { $0.delivered != nil })
    }
  }

  @Test func solversAgreeToTheBitOnRatesAndUnderChanges() {
    let tree = FatTreeTopology(k: 4, link: tenGigabit).makeTopology()
    var traces: [[UInt64]] = []
    for solver in FlowNetwork.Solver.allCases {
      var random = RandomStream(seed: 77, purpose: RandomPurpose("change test"))
      var network = FlowNetwork(tree, transport: .rdma, solver: solver)
      var trace: [UInt64] = []
      var notices: [Notice] = []
      var now = SimTime.zero
      for sequence in 0..<600 as Range<Int64> {
        now = now + SimDuration(picoseconds: Int64(random.index(below: 60_000_000)))
        while network.nextEventTime <= now {
          let due = network.nextEventTime
          network.advance(to: due)
          notices.removeAll()
          network.drain(into: &notices)
          for notice in notices {
            trace.append(UInt64(bitPattern: notice.transfer.sequence))
            trace.append(UInt64(due.picoseconds))
          }
        }
        let link = LinkID(random.index(below: tree.links.count))
        switch random.index(below: 12) {
        case 0: network.change(link: link, bandwidth: nil, up: false, at: now)
        case 1, 2:
          for other in tree.links.indices {
            network.change(link: LinkID(other), bandwidth: nil, up: true, at: now)
          }
        case 3:
          let rate = Bandwidth.bitsPerSecond(Int64(1 + random.index(below: 20_000_000_000)))
          network.change(link: link, bandwidth: rate, up: nil, at: now)
        case 4: network.cancel(group: GroupID(random.index(below: 20)), at: now)
        default: break
        }
        let from = random.index(below: 16)
        let to = (from + 1 + random.index(below: 15)) % 16
        let weight = Double(1 + random.index(below: 5)) / 2
        network.send(
          transfer(
            tree, sequence, from, to, Int64(random.index(below: 2_000_000)),
            group: random.index(below: 20)),
          weight: weight, at: now)
        notices.removeAll()
        network.drain(into: &notices)
        trace += notices.map { UInt64(bitPattern: $0.transfer.sequence) }
        trace += network.currentRates().map { $0.rate.bitPattern }
      }
      traces.append(trace)
    }
    #expect(traces[0] == traces[1])
    #expect(traces[1] == traces[2])
  }

  /// Sizes and times from a few values only: bottlenecks then tie all the time, to the bit or nearly.
  @Test(arguments: 1...6) func solversAgreeWhereSharesTie(seed: Int) {
    let topologies = [
      StarTopology(hosts: 12, link: tenGigabit).makeTopology(),
      FatTreeTopology(k: 4, link: tenGigabit).makeTopology(),
      TorusTopology(dimensions: [4, 3], link: plain(3_000_000_001)).makeTopology(),
      RingTopology(hosts: 9, link: plain(7)).makeTopology(),
    ]
    for (index, topology) in topologies.enumerated() {
      let hosts = topology.accelerators.count
      let unit = Int64(index == 3 ? 1 : 1_000_000)
      var outcomes: [[UInt64]] = []
      for solver in FlowNetwork.Solver.allCases {
        var random = RandomStream(seed: UInt64(seed), purpose: RandomPurpose("ties"))
        var network = FlowNetwork(topology, transport: .ideal, solver: solver)
        var notices: [Notice] = []
        var trace: [UInt64] = []
        var now = SimTime.zero
        for sequence in 0..<300 as Range<Int64> {
          let from = random.index(below: hosts)
          let to = (from + 1 + random.index(below: hosts - 1)) % hosts
          let weight = seed % 3 == 0 ? [0.5, 1, 1, 3][random.index(below: 4)] : 1
          network.send(
            transfer(topology, sequence, from, to, unit * Int64(1 + random.index(below: 4))),
            weight: weight, at: now)
          // Some start together, others wait for an event.
          if random.index(below: 3) > 0 { continue }
          now = network.nextEventTime
          network.advance(to: now)
          notices.removeAll()
          network.drain(into: &notices)
          trace.append(UInt64(now.picoseconds))
          trace += notices.map { UInt64(bitPattern: $0.transfer.sequence) }
          trace += network.currentRates().map { $0.rate.bitPattern }
        }
        outcomes.append(trace)
      }
      #expect(outcomes[0] == outcomes[1] && outcomes[1] == outcomes[2])
    }
  }

  @Test func runsAreRepeatable() {
    let tree = FatTreeTopology(k: 4, link: tenGigabit).makeTopology()
    let requests = randomRequests(tree, seed: 9, count: 500)
    var first = FlowNetwork(tree, transport: .tcp)
    var second = FlowNetwork(tree, transport: .tcp)
    let (one, two) = (runFlows(requests, on: &first), runFlows(requests, on: &second))
    #expect(one == two)
  }

  @Test func aWindowKeepsSoManyUnderWay() {
    let star = StarTopology(hosts: 3, link: plain(8_000_000_000)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    let ends = runFlows(
      (0..<5).map { _ in request(star, 0, 1, 1000) }, on: &network, window: 1)
    #expect(ends.map { picoseconds($0.delivered) } == [1, 2, 3, 4, 5].map { $0 * 1_000_000 })
  }
}
