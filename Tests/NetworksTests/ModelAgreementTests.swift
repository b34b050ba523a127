import Networks
import SimKernel
import Testing

@Suite struct ModelAgreementTests {
  @Test(arguments: smallTopologies.map(\.kind))
  func modelsAgreeWhereNobodyIsInTheWay(kind: String) throws {
    let topology = try topology(kind)
    let count = topology.accelerators.count
    for transport in [Transport.ideal, .tcp, .rdma] {
      for size in [0, 1, 2, 3, 1460, 999_983, 25 << 20, 672_452_216] as [Int64] {
        var requests: [FlowRequest] = []
        // One after the other, far enough apart.
        for index in 0..<min(2 * count, 12) {
          let start = SimTime(picoseconds: Int64(index) * 20_000_000_000_000)
          requests.append(
            request(topology, index % count, (index * 3 + 1) % count, size, at: start))
        }
        var free = AlphaBetaNetwork(topology, transport: transport)
        let expected = runFlows(requests, on: &free)
        for solver in FlowNetwork.Solver.allCases {
          var flow = FlowNetwork(topology, transport: transport, solver: solver)
          #expect(runFlows(requests, on: &flow) == expected)
        }
      }
    }
  }

  @Test func settingsMakeTheirModel() {
    let star = StarTopology(hosts: 3, link: plain(8_000_000_000)).makeTopology()
    let both = [request(star, 0, 1, 1000), request(star, 0, 2, 1000)]
    for (kind, end) in [(NetworkModelKind.alphaBeta, 1_000_000), (.flow, 2_000_000)] {
      var network = NetworkSettings(model: kind, transport: .ideal).makeNetwork(star)
      let ends = runFlows(both, on: &network)
      #expect(ends.allSatisfy { picoseconds($0.delivered) == Int64(end) })
    }
  }

  @Test func noticesAreOrderedByTransferWhateverTheOrderOfSending() {
    let star = StarTopology(hosts: 41, link: plain(8_000_000_000)).makeTopology()
    for kind in [NetworkModelKind.alphaBeta, .flow] {
      for stride in [1, 1000] as [Int64] {
        var network = NetworkSettings(model: kind, transport: .ideal).makeNetwork(star)
        for index in 0..<40 {
          let sequence = Int64(index * 7 % 40) * stride
          network.send(transfer(star, sequence, index, index + 1, 1000), at: .zero)
        }
        network.advance(to: network.nextEventTime)
        var notices: [Notice] = []
        network.drain(into: &notices)
        #expect(notices.count == 80)
        #expect(
          notices.map(\.transfer.sequence) == (0..<80).map { Int64($0 / 2) * stride })
        for index in 0..<40 {
          #expect(notices[2 * index].kind == .senderFree)
          #expect(notices[2 * index + 1].kind == .delivered)
        }
      }
    }
  }
}
