import SimKernel
import Testing
import Training

@Suite("sliced transfers")
struct SlicedGraphTests {
  private func steps(_ count: Int) -> SimDuration { GraphFixtures.steps(count) }
  private func start(_ timeline: GraphTimeline, _ graph: OperationGraph, _ name: String) -> SimTime
  {
    timeline.start(of: graph.operation(named: name)!)
  }

  @Test("shares of a given duration add up to it", arguments: [1, 2, 3, 7, 10, 11])
  func shares(limit: Int64) throws {
    var builder = OperationGraphBuilder(name: "shares")
    let nic = builder.resource("nic")
    let processor = builder.resource("processor")
    let r = builder.add(
      "r", .receive, on: nic, for: SimDuration(picoseconds: 1_000_003), size: .bytes(10))
    builder.add("op", .compute, on: processor, for: steps(1), size: .bytes(10), after: [r])
    let sliced = try builder.build().sliced(by: .bytes(limit))
    let parts = sliced.graph.operations.filter { $0.kind == .receive }
    #expect(parts.count == Int((9 / limit) + 1))
    #expect(parts.reduce(.zero) { $0 + $1.duration }.picoseconds == 1_000_003)
    #expect(parts.reduce(.zero) { $0 + $1.size } == .bytes(10))
    #expect(parts.allSatisfy { $0.size <= .bytes(limit) })
    #expect(sliced.graph.predecessors(of: parts.count).count == parts.count)
  }

  @Test("parts pay latency again where bytes made the duration, and always the overhead")
  func latency() throws {
    var builder = OperationGraphBuilder(name: "latency")
    let nic = builder.resource("nic", bandwidth: .megabitsPerSecond(8), latency: steps(3))
    builder.add("derived", .receive, on: nic, size: .bytes(10))
    builder.add("given", .receive, on: nic, for: steps(20), size: .bytes(10))
    let sliced = try builder.build().sliced(by: .bytes(4), overhead: steps(1))
    #expect(
      sliced.graph.operations.map(\.duration)
        == [8, 8, 6, 9, 9, 5].map { steps($0) })
    #expect(sliced.part == [0, 1, 2, 0, 1, 2])
    #expect(sliced.original.map(\.index) == [0, 0, 0, 1, 1, 1])
  }

  /// Three layers, forward and backward 1 each, synchronisation 2 over a serial network.
  private func figure4() throws -> OperationGraph {
    try LayerProfile.chain(
      name: "P3's figure 4",
      (1...3).map { ("\($0)", steps(1), steps(1), .bytes(2)) }
    ).graph(.allReduce, channel: GraphFixtures.channel)
  }

  @Test("P3's figure 4: forward starts 4 after backward as gradients come, 2 with priorities")
  func gap() throws {
    let graph = try figure4()
    let fifo = GraphFixtures.run(graph)
    #expect(start(fifo, graph, "forward 1") - SimTime.zero == steps(3 + 4))
    let sliced = try graph.sliced(by: .bytes(1))
    let p3 = GraphFixtures.run(sliced.graph, sliced.inherited(.layer(graph)))
    #expect(start(p3, sliced.graph, "forward 1") - SimTime.zero == steps(3 + 2))
  }

  @Test("P3's figure 6: a layer three times as large in slices takes 8 steps instead of 11")
  func figure6() throws {
    // Counted from the first push, one backward step after the start; updates cost nothing.
    let graph = try LayerProfile.chain(
      name: "P3's figure 6",
      [1, 3, 1].enumerated().map { ("\($0 + 1)", steps(1), steps(1), .bytes($1)) }
    ).graph(.pushPull, channel: GraphFixtures.channel)
    let whole = GraphFixtures.run(graph, .layer(graph))
    #expect(whole.makespan == steps(1 + 11))
    let sliced = try graph.sliced(by: .bytes(1))
    let timeline = GraphFixtures.run(sliced.graph, sliced.inherited(.layer(graph)))
    #expect(timeline.makespan == steps(1 + 8))
  }

  /// The start of every operation whose name begins with `kind`, with its layer, in steps.
  private func slots(_ sliced: SlicedGraph, _ timeline: GraphTimeline, _ kind: String)
    -> [(layer: Int, slot: Int)]
  {
    sliced.graph.operations.indices.filter { sliced.graph.names[$0].hasPrefix(kind) }
      .map { index in
        let name = sliced.graph.names[index].split(separator: " ")[1]
        return (
          Int(name.split(separator: "/")[0])!,
          Int((timeline.starts[index] - SimTime.zero).picoseconds / 1_000_000)
        )
      }.sorted { ($0.slot, $0.layer) < ($1.slot, $1.layer) }
  }

  @Test("ByteScheduler's example: 26 slots first come first served, 18 by priority in units")
  func byteScheduler() throws {
    let graph = try LayerProfile.chain(
      name: "ByteScheduler",
      [3, 6, 3].enumerated().map { ("\($0)", steps(2), steps(2), .bytes($1)) }
    ).graph(.pushPull, channel: GraphFixtures.channel)
    let fifo = GraphFixtures.run(graph)
    #expect(fifo.makespan == steps(26))
    let expected = [
      "backward 2": 0, "backward 1": 2, "backward 0": 4, "send 2": 2, "send 1": 5, "send 0": 11,
      "receive 2": 5, "receive 1": 11, "receive 0": 17, "forward 0": 20, "forward 1": 22,
      "forward 2": 24,
    ]
    for (name, slot) in expected {
      #expect(start(fifo, graph, name) - SimTime.zero == steps(slot), "\(name)")
    }

    let sliced = try graph.sliced(by: .bytes(1))
    let timeline = GraphFixtures.run(sliced.graph, sliced.inherited(.layer(graph)))
    #expect(timeline.makespan == steps(18))
    let pushed = [2, 2, 1, 1, 0, 0, 0, 1, 1, 1, 1, 2]
    let pushes = slots(sliced, timeline, "send")
    #expect(pushes.map(\.layer) == pushed)
    #expect(pushes.map(\.slot) == Array(2...13))
    let pulls = slots(sliced, timeline, "receive")
    #expect(pulls.map(\.layer) == pushed)
    #expect(pulls.map(\.slot) == Array(3...14))
    #expect(slots(sliced, timeline, "forward").map(\.slot) == [10, 14, 16])
    #expect(slots(sliced, timeline, "backward").map(\.slot) == [0, 2, 4])
  }

  /// Layers of random sizes: forward, backward and exchange in whole steps.
  private func profile(_ seed: UInt64) -> LayerProfile {
    var stream = RandomStream(seed: seed, purpose: RandomPurpose("pace"))
    return .chain(
      name: "pace",
      (0..<(2 + Int(seed % 6))).map { index in
        (
          "\(index)", steps(1 + stream.index(below: 4)), steps(1 + stream.index(below: 4)),
          .bytes(Int64(1 + stream.index(below: 8)))
        )
      })
  }

  /// The end of an iteration when a more urgent all-reduce takes the network from another at any
  /// step: simulated step by step.
  private func preemptive(_ profile: LayerProfile) -> Int {
    func count(_ duration: SimDuration) -> Int { Int(duration.picoseconds / 1_000_000) }
    var ready: [Int] = Array(repeating: 0, count: profile.layers.count)
    var now = 0
    for index in profile.layers.indices.reversed() {
      now += count(profile.layers[index].backward)
      ready[index] = now
    }
    let backward = now
    var rest = profile.layers.map { Int($0.parameters.bytes) }
    var done = ready
    var step = 0
    while rest.contains(where: { $0 > 0 }) {
      if let index = rest.indices.first(where: { rest[$0] > 0 && ready[$0] <= step }) {
        rest[index] -= 1
        done[index] = step + 1
      }
      step += 1
    }
    var end = backward
    for index in profile.layers.indices {
      end = max(end, done[index]) + count(profile.layers[index].forward)
    }
    return end
  }

  @Test("PACE without start-up costs equals the pre-emptive list schedule")
  func preemption() throws {
    for seed in 0..<40 as Range<UInt64> {
      let profile = profile(seed)
      let graph = try profile.graph(.allReduce, channel: GraphFixtures.channel)
      let search = try SegmentSearch(
        graph, order: .layer(graph), candidates: [.bytes(1), .bytes(100)])
      #expect(search.trials[0].makespan == steps(preemptive(profile)), "seed \(seed)")
      #expect(search.best!.makespan <= search.trials[1].makespan, "seed \(seed)")
    }
  }

  @Test("PACE with a start-up cost has its best segment between the smallest and the whole")
  func segments() throws {
    let layers = [400, 100, 1600, 3200].enumerated().map {
      ("\($0)", steps(300), steps(300), ByteCount(Int64($1)))
    }
    let graph = try LayerProfile.chain(name: "pace", layers).graph(
      .allReduce, channel: GraphChannel(bandwidth: .megabitsPerSecond(8), latency: steps(10)))
    let sizes = (0..<13).map { ByteCount.bytes(Int64(1) << $0) }
    let search = try SegmentSearch(graph, order: .layer(graph), candidates: sizes)
    let best = search.best!
    #expect(best.makespan < search.trials[0].makespan)
    #expect(best.makespan < search.trials[sizes.count - 1].makespan)
    #expect(best.segment > sizes[0] && best.segment < sizes[sizes.count - 1])
  }

  @Test("an urgent transfer never waits longer than one slice")
  func inversion() throws {
    for seed in 0..<30 as Range<UInt64> {
      let graph = try profile(seed).graph(.allReduce, channel: GraphFixtures.channel)
      for limit in [1, 2, 3] as [Int64] {
        let sliced = try graph.sliced(by: .bytes(limit))
        let order = sliced.inherited(.layer(graph))
        let timeline = GraphFixtures.run(sliced.graph, order)
        let network = sliced.graph.operations.indices.filter {
          sliced.graph.operations[$0].kind == .collective
        }
        for urgent in network {
          let (ready, start) = (timeline.readyTimes[urgent], timeline.starts[urgent])
          // What less urgent parts had of the network while this one was ready.
          var inverted = SimDuration.zero
          for other in network where order.numbers[other] > order.numbers[urgent] {
            let from = max(ready, timeline.starts[other])
            let until = min(start, timeline.finish(of: OperationID(other)))
            if until > from { inverted += until - from }
          }
          #expect(inverted < steps(Int(limit)), "seed \(seed)")
        }
      }
    }
  }
}
