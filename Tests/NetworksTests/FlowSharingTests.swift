import Networks
import SimKernel
import Testing

/// Links shared by latency.
@Suite struct FlowSharingTests {
  private let bottleneck = LinkSpecification(
    bandwidth: .gigabitsPerSecond(1), latency: .microseconds(10))

  /// Three senders at different distances of one receiver behind a link of 1 Gb/s.
  private func dumbbell(_ latencies: [Int64]) -> Topology {
    var builder = TopologyBuilder(name: "dumbbell")
    let junction = builder.addSwitch("junction")
    let receiver = builder.addHost("receiver")
    builder.join(junction, receiver, bottleneck)
    for (index, latency) in latencies.enumerated() {
      builder.join(
        builder.addHost("h\(index)"), junction,
        LinkSpecification(
          bandwidth: .gigabitsPerSecond(10), latency: .microseconds(Double(latency))))
    }
    return builder.build()
  }

  private func rates(_ sharing: FlowSharing, _ latencies: [Int64]) -> [Double] {
    let topology = dumbbell(latencies)
    var network = FlowNetwork(topology, transport: .ideal, sharing: sharing)
    for index in latencies.indices {
      network.send(
        transfer(topology, Int64(index), index + 1, 0, 1_000_000), at: .zero)
    }
    return network.currentRates().map(\.rate)
  }

  @Test func sharesAreInverseToLatency() {
    // Paths of 20, 40 and 100 us: 5 : 2.5 : 1 parts of 8.5.
    let latencies: [Int64] = [10, 30, 90]
    for (rate, parts) in zip(rates(.rttFair, latencies), [5.0, 2.5, 1]) {
      #expect(abs(rate - 1e9 * parts / 8.5) <= 1e9 * 1e-4)
    }
    for rate in rates(.maxMin, latencies) { #expect(abs(rate - 1e9 / 3) < 1e-3) }
  }

  @Test func sharesHaveALimitAsALatencyGoesToZero() {
    // The shares of a path of so many picoseconds and one of 50 us.
    func share(_ picoseconds: Int64) -> Double {
      var builder = TopologyBuilder(name: "pair")
      let junction = builder.addSwitch("junction")
      let receiver = builder.addHost("receiver")
      builder.join(junction, receiver, LinkSpecification(bandwidth: .gigabitsPerSecond(1)))
      for latency in [SimDuration.picoseconds(picoseconds), .microseconds(50)] {
        builder.join(
          builder.addHost("h\(latency)"), junction,
          LinkSpecification(bandwidth: .gigabitsPerSecond(10), latency: latency))
      }
      let topology = builder.build()
      var network = FlowNetwork(topology, transport: .ideal, sharing: .rttFair)
      for index in 0..<2 {
        network.send(transfer(topology, Int64(index), index + 1, 0, 1_000_000), at: .zero)
      }
      return network.currentRates()[0].rate / 1e9
    }
    #expect(share(0) == share(1) && share(1) == share(1000))
    #expect(abs(share(0) - 50_000 / 50_001) < 1e-5)
    var last = 1.0
    for latency: Int64 in [0, 1000, 1001, 2000, 10_000, 1_000_000, 50_000_000] {
      #expect(share(latency) <= last)
      last = share(latency)
    }
    #expect(abs(last - 0.5) < 1e-4)
  }

  @Test func whatIsSharedIsTheWholeLink() {
    for latencies: [Int64] in [[10], [1, 1000], [7, 11, 13, 700_000], [1, 1, 1]] {
      let total = rates(.rttFair, latencies).reduce(0, +)
      #expect(abs(total - 1e9) < 1)
    }
  }

  @Test func aloneNothingChanges() {
    let topology = dumbbell([90])
    var ends: [SimTime?] = []
    for sharing in FlowSharing.allCases {
      var network = FlowNetwork(topology, transport: .ideal, sharing: sharing)
      let outcomes = runFlows([request(topology, 1, 0, 123_457)], on: &network)
      ends.append(outcomes[0].delivered)
    }
    #expect(ends[0] != nil && ends[0] == ends[1])
  }

  @Test func withoutLatenciesAllAreAlike() {
    let star = StarTopology(hosts: 4, link: plain(1_000_000_000)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal, sharing: .rttFair)
    for index in 1..<4 { network.send(transfer(star, Int64(index), index, 0, 1000), at: .zero) }
    for entry in network.currentRates() { #expect(abs(entry.rate - 1e9 / 3) < 1e-3) }
  }

  @Test func solversAgreeUnderWeights() {
    let topology = dumbbell([3, 5, 8, 13, 21, 34])
    var random = RandomStream(seed: 4, purpose: RandomPurpose("sharing"))
    let requests = (0..<200).map { _ in
      request(
        topology, 1 + random.index(below: 6), random.index(below: 2) == 0 ? 0 : 6,
        Int64(1 + random.index(below: 400_000)),
        at: SimTime(picoseconds: Int64(random.index(below: 90_000_000_000))))
    }.filter { $0.source != $0.destination }
    var results: [[FlowOutcome]] = []
    for solver in FlowNetwork.Solver.allCases {
      var network = FlowNetwork(topology, transport: .tcp, sharing: .rttFair, solver: solver)
      results.append(runFlows(requests, on: &network))
    }
    #expect(results[0] == results[1] && results[1] == results[2])
    #expect(results[0].allSatisfy { $0.delivered != nil })
  }
}
