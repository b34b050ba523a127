import Networks
import SimKernel
import Testing

@Suite struct PacketLossTests {
  /// What transfers reported when they were delivered.
  private struct Reported {
    var losses: [TransferLosses?]
    var counters: PacketCounters
  }

  private func play(
    _ requests: [FlowRequest], on topology: Topology, _ settings: PacketSettings,
    transport: Transport = .ideal
  ) -> Reported {
    var network = PacketNetwork(topology, transport: transport, settings: settings)
    var losses = [TransferLosses?](repeating: nil, count: requests.count)
    for (index, request) in requests.enumerated() {
      network.send(
        Transfer(
          id: TransferID(job: JobID(0), sequence: Int64(index)), source: request.source,
          destination: request.destination, size: request.size), at: .zero)
    }
    var notices: [Notice] = []
    while true {
      network.drain(into: &notices)
      // Asked in the reverse of the order in which they ended.
      for notice in notices.reversed() where notice.kind == .delivered {
        losses[Int(notice.transfer.sequence)] = network.losses(of: notice.transfer)
      }
      notices.removeAll()
      if network.nextEventTime == .never { break }
      network.advance(to: network.nextEventTime)
    }
    return Reported(losses: losses, counters: network.counters)
  }

  @Test(
    "bytes sent are bytes delivered, bytes reported lost, and what was sent after delivery",
    arguments: allControls.map(\.name), [0, 1, 2, 3] as [UInt64])
  func conservation(name: String, seed: UInt64) throws {
    let control = allControls.first { $0.name == name }!
    for kind in ["star", "fat_tree", "leaf_spine", "torus", "wan"] {
      let topology = try topology(kind)
      let count = topology.accelerators.count
      var random = RandomStream(
        seed: seed, purpose: RandomPurpose("packet losses"))
      var requests: [FlowRequest] = []
      for index in 0..<30 {
        let target = index % 2 == 0 ? 0 : random.index(below: count)
        let source = (target + 1 + random.index(below: count - 1)) % count
        requests.append(
          request(topology, source, target, Int64(random.index(below: 300_000))))
      }
      let settings = PacketSettings(
        buffer: .bytes(Int64(3000 + random.index(below: 20_000))),
        minimumTimeout: .milliseconds(100), congestionControl: control)
      for transport in [Transport.ideal, .tcp] {
        let result = play(requests, on: topology, settings, transport: transport)
        let found = result.losses.compactMap { $0 }
        #expect(found.count == requests.count, "\(kind): each is delivered once")
        let sizes = requests.map(\.size.bytes).reduce(0, +)
        let lost = found.map(\.lost.bytes).reduce(0, +)
        let repeated = found.map(\.retransmissions).reduce(0, +)
        let c = result.counters
        #expect(c.bytesSent == sizes + lost + c.bytesLate, "\(kind)")
        #expect(c.retransmitted == repeated + c.late, "\(kind)")
        #expect(lost > 0, "\(kind) loses something")
        // Lost is what was dropped, trimmed, or arrived in vain.
        #expect(c.bytesSent == c.bytesArrived + c.bytesLost)
      }
    }
  }

  @Test("a transfer alone loses nothing", arguments: allControls.map(\.name))
  func alone(name: String) throws {
    let control = allControls.first { $0.name == name }!
    let star = try topology("star")
    for bytes in [0, 1, 1448, 1449, 1_000_000] as [Int64] {
      let result = play(
        [request(star, 0, 1, bytes)], on: star,
        PacketSettings(buffer: .megabytes(2), congestionControl: control))
      #expect(result.losses == [TransferLosses(retransmissions: 0, lost: .zero)])
    }
  }

  @Test("one full packet lost with its link is one retransmission of its payload")
  func single() {
    let star = StarTopology(hosts: 2, link: tenGigabit).makeTopology()
    var network = PacketNetwork(
      star, transport: .ideal,
      settings: .init(
        minimumTimeout: .milliseconds(1), congestionControl: .fixed(.init(window: 1))))
    network.send(transfer(star, 0, 0, 1, 2 * 1448), at: .zero)
    // The first packet is on its first link.
    let failure = SimTime(picoseconds: 2_000_000)
    network.change(link: LinkID(0), bandwidth: nil, up: false, at: failure)
    network.change(link: LinkID(0), bandwidth: nil, up: true, at: failure)
    var notices: [Notice] = []
    while network.nextEventTime != .never, !notices.contains(where: { $0.kind == .delivered }) {
      network.advance(to: network.nextEventTime)
      network.drain(into: &notices)
    }
    let losses = network.losses(of: TransferID(job: JobID(0), sequence: 0))
    #expect(losses == TransferLosses(retransmissions: 1, lost: .bytes(1448)))
    let (resent, lost) = (network.counters.retransmitted, network.counters.lostOnLinks)
    #expect(resent == 1 && lost == 1)
  }
}
