import Networks
import SimKernel
import Testing

@Suite struct FlowNetworkTests {
  @Test(arguments: [1, 2, 3, 4, 7, 10, 100, 999])
  func nFlowsOnALinkGetOneNthEach(n: Int) {
    let star = StarTopology(hosts: n + 1, link: plain(10_000_000_000)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    let ends = runFlows((1...n).map { request(star, 0, $0, 1_000_000) }, on: &network)
    #expect(ends.allSatisfy { picoseconds($0.delivered) == Int64(n) * 800_000_000 })
  }

  @Test func weightsDivideALink() {
    let star = StarTopology(hosts: 4, link: plain(12_000_000_000)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    network.send(transfer(star, 0, 0, 1, 1 << 30), weight: 1, at: .zero)
    network.send(transfer(star, 1, 0, 2, 1 << 30), weight: 2, at: .zero)
    network.send(transfer(star, 2, 0, 3, 1 << 30), weight: 3, at: .zero)
    let rates = network.currentRates().map(\.rate)
    #expect(rates == [2e9, 4e9, 6e9])
  }

  @Test func aCappedFlowLeavesTheRestToTheOthers() {
    let star = StarTopology(hosts: 4, link: plain(10_000_000_000)).makeTopology()
    var network = FlowNetwork(
      star, transport: Transport(name: "test", flowCap: .gigabitsPerSecond(4)))
    network.send(transfer(star, 0, 0, 1, 1 << 30), at: .zero)
    network.send(transfer(star, 1, 0, 2, 1 << 30), weight: 0.25, at: .zero)
    let two = network.currentRates().map(\.rate)
    #expect(two == [4e9, 4e9])
    network.send(transfer(star, 2, 0, 3, 1 << 30), weight: 0.25, at: .zero)
    let three = network.currentRates().map(\.rate)
    #expect(three == [4e9, 3e9, 3e9])
  }

  @Test func latencyIsAddedAfterTheLastByte() {
    let star = StarTopology(hosts: 2, link: tenGigabit).makeTopology()
    var network = FlowNetwork(
      star, transport: Transport(name: "test", launch: .microseconds(5), perHop: .nanoseconds(50)))
    let ends = runFlows(
      [request(star, 0, 1, 1000), request(star, 1, 0, 0), request(star, 0, 0, 500)], on: &network)
    // Launch 5 us, two links of 2 us, two hops of 50 ns.
    #expect(picoseconds(ends[0].senderFree) == 800_000)
    #expect(picoseconds(ends[0].delivered) == 9_900_000)
    #expect(picoseconds(ends[1].senderFree) == 0)
    #expect(picoseconds(ends[1].delivered) == 9_100_000)
    #expect(ends[2] == FlowOutcome(senderFree: .zero, delivered: .zero))
  }

  @Test func timesAreRoundedUpOnce() {
    // One byte at 3 bit/s: 2.666... s.
    let star = StarTopology(hosts: 2, link: plain(3)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    let ends = runFlows([request(star, 0, 1, 1)], on: &network)
    #expect(picoseconds(ends[0].delivered) == 2_666_666_666_667)
  }

  @Test(arguments: [2, 3, 4, 5, 8, 16, 33])
  func ringAllReduceOnAStarTakesTheClosedForm(n: Int) {
    let latency: Int64 = 2_000_000
    let size: Int64 = 840_000 * Int64(n)
    let star = StarTopology(hosts: n, link: tenGigabit).makeTopology()
    for solver in FlowNetwork.Solver.allCases {
      var network = FlowNetwork(star, transport: .ideal, solver: solver)
      let end = ringAllReduce(star, size: size, on: &network)
      let step = 2 * latency + size / Int64(n) * 800
      #expect(end.picoseconds == Int64(2 * (n - 1)) * step)
    }
  }

  @Test func flowsWithEqualTargetsEndTogetherWhateverTheirHistory() {
    // The second joins when the first has as much left, at a rate that is no whole number.
    let star = StarTopology(hosts: 5, link: plain(10_000_000_007)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    let late = SimTime(picoseconds: 800_000_000)
    let ends = runFlows(
      [
        request(star, 0, 1, 3_000_000), request(star, 0, 2, 3_000_000),
        request(star, 0, 3, 3_000_000), request(star, 0, 4, 1_000_000, at: late),
      ], on: &network)
    #expect(ends[0].delivered == ends[1].delivered && ends[1].delivered == ends[2].delivered)
  }

  @Test(arguments: 0..<40)
  func ratesAgreeWithBruteForce(seed: Int) throws {
    var random = RandomStream(seed: UInt64(seed), purpose: RandomPurpose("max-min test"))
    let hosts = 3 + random.index(below: 6)
    var builder = TopologyBuilder(name: "random")
    let nodes = (0..<hosts).map { builder.addHost("h\($0)") }
    for index in 0..<hosts {
      let next = nodes[(index + 1) % hosts]
      builder.join(nodes[index], next, plain(Int64(1 + random.index(below: 10)) * 1_000_000_000))
    }
    for _ in 0..<hosts {
      let (a, b) = (random.index(below: hosts), random.index(below: hosts))
      if a != b {
        builder.join(nodes[a], nodes[b], plain(Int64(1 + random.index(below: 5_000_000))))
      }
    }
    let topology = builder.build()
    let cap: Double = seed % 2 == 0 ? .infinity : 2_500_000_000
    let transport = Transport(
      name: "test", flowCap: cap.isFinite ? .bitsPerSecond(Int64(cap)) : nil)
    for solver in FlowNetwork.Solver.allCases {
      var network = FlowNetwork(topology, transport: transport, solver: solver)
      for sequence in 0..<(1 + random.index(below: 25)) {
        let from = random.index(below: hosts)
        let to = (from + 1 + random.index(below: hosts - 1)) % hosts
        let weight = seed % 3 == 0 ? Double(1 + random.index(below: 8)) / 4 : 1
        network.send(
          transfer(topology, Int64(sequence), from, to, 1 << 40), weight: weight, at: .zero)
      }
      let rates = network.currentRates()
      let expected = bruteForceRates(
        paths: rates.map { entry in
          topology.route(
            from: entry.transfer.source, to: entry.transfer.destination,
            key: Topology.routeKey(from: entry.transfer.source, to: entry.transfer.destination))!
            .map(\.index)
        }, weights: rates.map(\.weight), caps: rates.map { _ in cap },
        capacities: topology.links.map { Double($0.bandwidth.bitsPerSecond) })
      for (entry, rate) in zip(rates, expected) {
        #expect(abs(entry.rate - rate) <= 1e-9 * rate, "seed \(seed)")
      }
    }
  }

  @Test(arguments: smallTopologies.map(\.kind))
  func everyInstantIsMaxMinOptimal(kind: String) throws {
    let topology = try topology(kind)
    let count = topology.accelerators.count
    var random = RandomStream(seed: 11, purpose: RandomPurpose("optimality test"))
    var network = FlowNetwork(topology, transport: .rdma)
    var transport = Transport.rdma
    transport.flowCap = nil
    func send(_ sequence: Int64, at now: SimTime) {
      let from = random.index(below: count)
      let to = (from + 1 + random.index(below: count - 1)) % count
      network.send(
        transfer(topology, sequence, from, to, Int64(1 + random.index(below: 4_000_000))), at: now)
    }
    var next: Int64 = 0
    for _ in 0..<30 {
      send(next, at: .zero)
      next += 1
    }
    var delivered = 0
    var notices: [Notice] = []
    while true {
      let found = violations(of: network.currentRates(), in: topology) { link in
        let line = topology.links[link.index]
        return Double(transport.payloadRate(of: line, at: line.bandwidth).bitsPerSecond)
      }
      #expect(found.isEmpty, "\(found)")
      let now = network.nextEventTime
      if now == .never { break }
      network.advance(to: now)
      notices.removeAll()
      network.drain(into: &notices)
      for notice in notices where notice.kind == .delivered {
        delivered += 1
        if next < 200 {
          send(next, at: now)
          next += 1
        }
      }
    }
    #expect(delivered == Int(next))
    let waiting = network.waiting
    #expect(waiting.isEmpty)
  }

  @Test func linksCountEveryByteOnceAndTheTimeTheyAreBusy() throws {
    let tree = FatTreeTopology(k: 4, link: tenGigabit).makeTopology()
    var random = RandomStream(seed: 5, purpose: RandomPurpose("usage test"))
    var expected = [Int64](repeating: 0, count: tree.links.count)
    var requests: [FlowRequest] = []
    for _ in 0..<300 {
      let from = random.index(below: 16)
      let to = (from + 1 + random.index(below: 15)) % 16
      let bytes = Int64(random.index(below: 1_000_000))
      requests.append(request(tree, from, to, bytes))
      let (a, b) = (tree.accelerators[from], tree.accelerators[to])
      for link in tree.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))! {
        expected[link.index] += bytes
      }
    }
    var flow = FlowNetwork(tree, transport: .ideal)
    var free = AlphaBetaNetwork(tree, transport: .ideal)
    _ = runFlows(requests, on: &flow)
    _ = runFlows(requests, on: &free)
    for link in tree.links.indices {
      let usage = flow.usage(of: LinkID(link))
      #expect(usage.carried.bytes == expected[link])
      let uncontended = free.usage(of: LinkID(link))
      #expect(uncontended.carried == usage.carried)
      // A link is busy at least as long as its bytes take at line rate.
      #expect(usage.busy.picoseconds >= expected[link] * 800)
    }
  }

  @Test func busyTimeHasGapsWhereNothingMoves() {
    let star = StarTopology(hosts: 2, link: plain(8_000_000_000)).makeTopology()
    var network = FlowNetwork(star, transport: .ideal)
    _ = runFlows(
      [
        request(star, 0, 1, 1000), request(star, 0, 1, 1000),
        request(star, 0, 1, 1000, at: SimTime(picoseconds: 10_000_000)),
      ], on: &network)
    let (out, into) = (network.usage(of: LinkID(0)), network.usage(of: LinkID(1)))
    #expect(out.busy == SimDuration(picoseconds: 3_000_000))
    #expect(into.busy == .zero)
  }
}

/// Runs a ring all-reduce of `size` bytes over all accelerators and returns its end.
func ringAllReduce(
  _ topology: Topology, size: Int64, on network: inout some NetworkModel & ~Copyable
) -> SimTime {
  let n = topology.accelerators.count
  var steps = [Int](repeating: 0, count: n)
  var sequence: Int64 = 0
  var receiver: [Int] = []
  func send(from rank: Int) -> Transfer {
    receiver.append((rank + 1) % n)
    defer { sequence += 1 }
    return transfer(topology, sequence, rank, (rank + 1) % n, size / Int64(n))
  }
  for rank in 0..<n { network.send(send(from: rank), at: .zero) }
  var now = SimTime.zero
  var notices: [Notice] = []
  while network.nextEventTime != .never {
    now = network.nextEventTime
    network.advance(to: now)
    repeat {
      notices.removeAll(keepingCapacity: true)
      network.drain(into: &notices)
      for notice in notices where notice.kind == .delivered {
        let rank = receiver[Int(notice.transfer.sequence)]
        steps[rank] += 1
        if steps[rank] < 2 * (n - 1) { network.send(send(from: rank), at: now) }
      }
    } while !notices.isEmpty
  }
  return now
}
