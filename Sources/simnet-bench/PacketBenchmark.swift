import Networks
import SimKernel

extension Benchmark {
  /// Packets through a fat tree, against a heap that only orders their events.
  static var packets: Benchmark {
    Benchmark(
      name: "packets",
      summary: "NDP packets sprayed over a fat tree (incast, permutation), against a binary heap"
    ) { extent, report in
      for traffic in PacketTraffic.all(extent) { measurePackets(traffic, extent, report) }
    }
  }
}

/// The set-ups in which htsim's NDP is usually timed: 10 Gb/s, 1 us a hop, packets of 1500 bytes.
private struct PacketTraffic {
  var what: String
  var k: Int
  /// Pairs of host numbers.
  var pairs: [(Int, Int)]
  var bytes: Int64

  static func all(_ extent: Benchmark.Extent) -> [PacketTraffic] {
    let short = extent.pick(10, 1) as Int64
    return [
      PacketTraffic(
        what: "NDP incast 64:1, 128 hosts", k: 8, pairs: (1...64).map { ($0 * 127 / 64, 0) },
        bytes: 10_000_000 / short),
      PacketTraffic(
        what: "NDP permutation, 128 hosts", k: 8, pairs: permutation(128),
        bytes: 20_000_000 / short / short),
      PacketTraffic(
        what: "NDP permutation, 1024 hosts", k: 16, pairs: permutation(1024),
        bytes: 2_000_000 / short / short),
    ]
  }

  /// Every host sends to another one and receives from one.
  private static func permutation(_ hosts: Int) -> [(Int, Int)] {
    var random = RandomStream(seed: 1, purpose: RandomPurpose("packet benchmark"))
    var order = Array(0..<hosts)
    for index in (1..<hosts).reversed() { order.swapAt(index, random.index(below: index + 1)) }
    return order.indices.map { (order[$0], order[($0 + 1) % hosts]) }
  }
}

private func measurePackets(
  _ traffic: PacketTraffic, _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let link = LinkSpecification(bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1))
  let topology = FatTreeTopology(k: traffic.k, link: link).makeTopology()
  let settings = PacketSettings(
    mtu: 1500, header: 0, framing: 0, control: 64,
    congestionControl: .ndp(CongestionControl.NDP()))
  let requests = traffic.pairs.map {
    FlowRequest(
      source: topology.accelerators[$0.0], destination: topology.accelerators[$0.1],
      size: .bytes(traffic.bytes))
  }
  let count = Int((traffic.bytes + 1499) / 1500) * requests.count
  let heapOperations = 1_000_000
  var counters = PacketCounters()
  let contest = Contest(
    rounds: extent.pick(1, 3),
    [
      {
        var network = PacketNetwork(topology, transport: .ideal, settings: settings)
        return ThreadClock.measure {
          let outcomes = runFlows(requests, on: &network)
          precondition(outcomes.allSatisfy { $0.delivered != nil }, "every message arrives")
          counters = network.counters
        }
      },
      { Ceilings.heapSeconds(pending: topology.links.count, operations: heapOperations) },
    ])
  let heap = Double(heapOperations) / contest.best[1] / 1e6
  report(
    Measurement(
      what: traffic.what, n: count, rate: Double(count) / contest.best[0] / 1e6,
      unit: "M packets/s", ceiling: "binary heap", ceilingRate: heap))
  report(
    Measurement(
      what: "  hops of all packets", n: Int(counters.hops),
      rate: Double(counters.hops) / contest.best[0] / 1e6, unit: "M hops/s",
      ceiling: "binary heap", ceilingRate: heap))
}
