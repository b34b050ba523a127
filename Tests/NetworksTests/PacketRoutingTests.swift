import Networks
import SimKernel
import Testing

@Suite struct PacketRoutingTests {
  private static let link = LinkSpecification(
    bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1))

  /// Two leaves with eight hosts each and eight spines: room for all, if they spread.
  private let fabric = LeafSpineTopology(
    spines: 8, hostsOfLeaf: [8, 8], hostLink: Self.link, fabricLink: Self.link
  ).makeTopology()

  /// Two pairs without a common end whose hash leads over the same spine.
  private func collision() throws -> [FlowRequest] {
    func uplink(_ from: Int, _ to: Int) -> LinkID {
      let (a, b) = (fabric.accelerators[from], fabric.accelerators[to])
      return fabric.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))![1]
    }
    for from in 1..<8 {
      for to in 9..<16 where uplink(from, to) == uplink(0, 8) {
        return [
          request(fabric, 0, 8, 10_000_000), request(fabric, from, to, 10_000_000),
        ]
      }
    }
    throw CancellationError()
  }

  private func last(
    _ requests: [FlowRequest], _ paths: PacketSettings.PathChoice, _ control: CongestionControl
  ) -> Double {
    let settings = PacketSettings(paths: paths, reordering: 100, congestionControl: control)
    // Alone: 10 MB and headers at 10 Gb/s, and four links.
    return Double(runPackets(requests, on: fabric, settings).last)
      / (10_000_000 * 800 / settings.payloadShare)
  }

  @Test(
    "the shortest queue avoids a collision of hashes that a single way suffers",
    arguments: allControls.map(\.name))
  func collisionIsAvoided(name: String) throws {
    let control = allControls.first { $0.name == name }!
    let requests = try collision()
    #expect(last(requests, .single, control) > 1.7)
    #expect(last(requests, .adaptive, control) < 1.1)
  }

  @Test("a spine with a tenth of the bandwidth is used a little by queues, and evenly by spraying")
  func unevenSpines() {
    var builder = TopologyBuilder(name: "uneven")
    let (a, b) = (builder.addHost("a"), builder.addHost("b"))
    let (left, right) = (builder.addSwitch("left"), builder.addSwitch("right"))
    builder.join(a, left, Self.link)
    builder.join(right, b, Self.link)
    var ups: [Int] = []
    for (index, rate) in [9.5, 0.5].enumerated() {
      let spine = builder.addSwitch("spine\(index)")
      let specification = LinkSpecification(
        bandwidth: .gigabitsPerSecond(rate), latency: .microseconds(1))
      ups.append(index)
      builder.join(left, spine, specification)
      builder.join(spine, right, specification)
    }
    let topology = builder.build()
    let links = ups.map { index in
      LinkID(topology.links.firstIndex { $0.name == "left->spine\(index)" }!)
    }
    func shares(_ paths: PacketSettings.PathChoice) -> Double {
      var network = PacketNetwork(
        topology, transport: .ideal,
        settings: .init(
          buffer: .megabytes(1), paths: paths, congestionControl: .ndp(.init())))
      _ = runFlows([request(topology, 0, 1, 10_000_000)], on: &network)
      let carried = links.map { Double(network.usage(of: $0).carried.bytes) }
      return carried[1] / (carried[0] + carried[1])
    }
    #expect(abs(shares(.spray) - 0.5) < 0.01)
    #expect(shares(.adaptive) < 0.2)
  }

  @Test("the same run again is the same run")
  func deterministic() {
    let requests = (0..<8).map { request(fabric, $0, 15 - $0, 500_000) }
    for control in allControls {
      let settings = PacketSettings(
        buffer: .bytes(15_000), paths: .adaptive, minimumTimeout: .milliseconds(1),
        congestionControl: control)
      let first = runPackets(requests, on: fabric, settings)
      let again = runPackets(requests, on: fabric, settings)
      #expect(first == again && first.ends.allSatisfy { $0 != nil })
    }
  }
}
