import Networks
import SimKernel
import Testing

/// Hosts on a star at 1 byte/ns, 2 us each way.
private func star(_ hosts: Int) -> Topology {
  StarTopology(
    hosts: hosts,
    link: LinkSpecification(bandwidth: .bitsPerSecond(8_000_000_000), latency: .microseconds(2))
  ).makeTopology()
}

private func box(_ topology: Topology, _ settings: LogGPSettings) -> NetworkBox {
  NetworkBox(
    NetworkSettings(model: .loggp, transport: .ideal, loggp: settings).makeNetwork(topology))
}

private func box(_ topology: Topology, _ common: LogGPSettings.Host = .init()) -> NetworkBox {
  box(topology, LogGPSettings(common: common))
}

private func us(_ n: Int64) -> Int64 { n * 1_000_000 }

@Suite struct LogGPNetworkTests {
  @Test("without parameters it is alpha-beta where nobody is in the way")
  func agreement() throws {
    for kind in smallTopologies.map(\.kind) {
      let topology = try topology(kind)
      let count = topology.accelerators.count
      for transport in [Transport.ideal, .tcp, .rdma] {
        for size in [0, 1, 1460, 25 << 20] as [Int64] {
          let requests = (0..<2 * count).map { index in
            request(
              topology, index % count, (index * 3 + 1) % count, size,
              at: SimTime(picoseconds: Int64(index) * 2_000_000_000_000))
          }
          var free = AlphaBetaNetwork(topology, transport: transport)
          var network = LogGPNetwork(topology, transport: transport)
          #expect(runFlows(requests, on: &network) == runFlows(requests, on: &free), "\(kind)")
        }
      }
    }
  }

  @Test("a transfer takes o + L + s G + o, and says when a CPU is busy")
  func alone() {
    let topology = star(2)
    let network = box(topology, LogGPSettings.Host(overhead: .microseconds(3)))
    network.send(transfer(topology, 0, 0, 1, 10_000), at: .zero)
    let all = network.play()
    #expect(
      all.map(\.notice.kind) == [
        .hostBusy(.microseconds(3)), .senderFree, .hostBusy(.microseconds(3)), .delivered,
      ])
    #expect(all.map(\.at) == [-1, us(13), us(17), us(20)])
    #expect(
      all.map(\.notice.node) == [0, 0, 1, 1].map { topology.accelerators[$0] })
  }

  @Test("L and G can be given, and hosts can differ")
  func given() {
    let topology = star(3)
    let settings = LogGPSettings(
      common: .init(latency: .microseconds(1), byteRate: .gigabitsPerSecond(16)),
      exceptions: [.init(host: 1, parameters: .init(overhead: .microseconds(5)))])
    let network = box(topology, settings)
    network.send(transfer(topology, 0, 0, 2, 10_000), at: .zero)
    network.send(transfer(topology, 1, 1, 0, 10_000), at: .zero)
    let ends = network.play().filter { $0.notice.kind == .delivered }.map(\.at)
    // 1 us + 5 us; 5 us, then the same.
    #expect(ends == [us(6), us(11)])
  }

  @Test("a sender injects one message after the other, each for g + s G", arguments: [0, 7])
  func sender(gap: Int64) {
    let topology = star(4)
    let network = box(topology, LogGPSettings.Host(gap: .microseconds(Double(gap))))
    for index in 0..<3 {
      network.send(transfer(topology, Int64(index), 0, index + 1, 10_000), at: .zero)
    }
    let ends = network.play().filter { $0.notice.kind == .delivered }.map(\.at)
    #expect(ends == (0..<3).map { us(14 + Int64($0) * (10 + gap)) })
  }

  @Test("a receiver takes messages one after the other, by TransferID", arguments: [0, 7])
  func incast(gap: Int64) {
    let topology = star(4)
    let network = box(topology, LogGPSettings.Host(gap: .microseconds(Double(gap))))
    for index in [2, 0, 1] {
      network.send(transfer(topology, Int64(index), index + 1, 0, 10_000), at: .zero)
    }
    let ends = network.play().filter { $0.notice.kind == .delivered }
    #expect(ends.map(\.at) == (0..<3).map { us(14 + Int64($0) * (10 + gap)) })
    #expect(ends.map(\.notice.transfer.sequence) == [0, 1, 2])
  }

  @Test("both directions of a host go at once")
  func duplex() {
    let topology = star(2)
    let network = box(topology)
    network.send(transfer(topology, 0, 0, 1, 10_000), at: .zero)
    network.send(transfer(topology, 1, 1, 0, 10_000), at: .zero)
    #expect(network.play().suffix(2).map(\.at) == [us(14), us(14)])
  }

  @Test("above S a sender is free only when the receiver takes the message")
  func rendezvous() {
    let topology = star(3)
    let network = box(topology, LogGPSettings.Host(rendezvousAbove: .bytes(9_999)))
    network.send(transfer(topology, 0, 1, 0, 30_000), at: .zero)
    network.send(transfer(topology, 1, 2, 0, 10_000), at: .zero)
    network.send(transfer(topology, 2, 1, 2, 9_999), at: .zero)
    let free = network.play().filter { $0.notice.kind == .senderFree }
    // The second message is taken when the first is in, at 4 + 30 us.
    #expect(free.map(\.at) == [us(30), us(34), us(40) - 1000])
    #expect(free.map(\.notice.transfer.sequence) == [0, 1, 2])
  }

  @Test("cancelling gives port and turn to the next")
  func cancel() {
    let topology = star(3)
    let network = box(topology)
    network.send(transfer(topology, 0, 0, 1, 10_000, group: 1), at: .zero)
    network.send(transfer(topology, 1, 0, 2, 10_000, group: 1), at: .zero)
    network.send(transfer(topology, 2, 0, 2, 10_000, group: 2), at: .zero)
    network.cancel(group: GroupID(1), at: SimTime(picoseconds: us(2)))
    let all = network.play()
    #expect(all.map(\.at) == [us(12), us(16)])
    #expect(all.allSatisfy { $0.notice.transfer.sequence == 2 })
    // 2 us of the first.
    #expect(network.usage(of: LinkID(0)).carried == .bytes(12_000))
  }

  @Test("random traffic is all delivered, counted once a link, and repeats itself")
  func conservation() throws {
    for seed in 0..<40 as Range<UInt64> {
      let topology = try topology(smallTopologies[Int(seed) % smallTopologies.count].kind)
      let count = topology.accelerators.count
      var random = RandomStream(seed: seed, purpose: RandomPurpose("LogGP traffic"))
      var requests: [FlowRequest] = []
      for _ in 0..<100 {
        requests.append(
          request(
            topology, random.index(below: count), random.index(below: count),
            Int64(random.index(below: 50_000)),
            at: SimTime(picoseconds: Int64(random.index(below: 20)) * us(10))))
      }
      let settings = LogGPSettings(
        common: .init(
          overhead: .nanoseconds(Double(random.index(below: 3)) * 500),
          gap: .nanoseconds(Double(random.index(below: 3)) * 700),
          overheadByteRate: seed % 2 == 0 ? nil : .gigabitsPerSecond(40),
          rendezvousAbove: seed % 3 == 0 ? .bytes(20_000) : nil))
      func run() -> ([FlowOutcome], [LinkUsage]) {
        var network = LogGPNetwork(topology, transport: .tcp, settings: settings)
        let outcomes = runFlows(requests, on: &network)
        #expect(network.waiting.isEmpty)
        return (outcomes, topology.links.indices.map { network.usage(of: LinkID($0)) })
      }
      let (outcomes, usage) = run()
      #expect(outcomes.allSatisfy { $0.delivered != nil && $0.senderFree != nil })
      var expected = [Int64](repeating: 0, count: topology.links.count)
      for request in requests where request.source != request.destination {
        let key = Topology.routeKey(from: request.source, to: request.destination)
        for link in topology.route(from: request.source, to: request.destination, key: key)! {
          expected[link.index] += request.size.bytes
        }
      }
      #expect(usage.map(\.carried.bytes) == expected, "seed \(seed)")
      let again = run()
      #expect(again.0 == outcomes && again.1 == usage)
      // Nobody is faster than alone.
      var free = AlphaBetaNetwork(topology, transport: .tcp)
      for (slow, fast) in zip(outcomes, runFlows(requests, on: &free)) {
        #expect(slow.delivered! >= fast.delivered!)
      }
    }
  }

  @Test("settings are read with their units, host by host")
  func settings() throws {
    let issues = IssueCollector()
    let node = try JSONNode.parse(
      #"{"model":"loggp","loggp":{"overhead":"1 us","byte_rate":"100 Gbps","hosts":[{"host":2,"gap":"3 us"}]}}"#,
      origin: "test")
    let read = FieldReader.read(node, issues: issues, NetworkSettings.init)
    #expect(issues.issues.isEmpty && read.model == .loggp)
    #expect(
      read.loggp.parameters(ofHost: 2)
        == .init(
          overhead: .microseconds(1), gap: .microseconds(3), byteRate: .gigabitsPerSecond(100)))
    #expect(read.loggp.parameters(ofHost: 1).gap == nil)
  }
}
