import Collectives
import Networks
import SimKernel
import Testing
import Training

@Suite struct RunLoopTests {
  static let topology = Lab.star(2)

  /// Forward of 10 us, an exchange of 20 us, an update of 1 us.
  static func plain(size: Int64 = 20_000) -> (JobGraph, [PlannedExchange]) {
    let graph = Lab.graph { graph in
      let forward = graph.add(.forward, on: .compute, for: us(10))
      let exchange = graph.add(.exchange, on: .communication, exchange: 0, after: [forward])
      graph.add(.optimizer, on: .compute, for: us(1), after: [exchange])
    }
    return (graph, [Lab.exchange(ranks: 2, size: size)])
  }

  @Test("warm-up iterations are simulated and do not count")
  func warmup() throws {
    let (graph, exchanges) = Self.plain()
    let slowStart = FactorTable { _, iteration in iteration < 2 ? 7 : 1 }
    let job = Lab.job(
      graph, exchanges, on: Self.topology, iterations: 3, warmup: 2, stragglers: slowStart)
    let outcome = try Lab.run([job], on: Self.topology).jobs[0]
    #expect(outcome.samples == Array(repeating: us(31), count: 6))
    #expect(outcome.iterations.count == 3)
    // Two ranks send 20 kB each in each of three iterations; the run began with two of 91 us.
    #expect(outcome.wireBytes == ByteCount(3 * 2 * 20_000))
    #expect(outcome.end.picoseconds == 275_000_000)
  }

  @Test("a barrier holds every worker until the slowest has finished, in every iteration")
  func barrier() throws {
    let graph = Lab.graph { $0.add(.forward, on: .compute, for: us(100)) }
    let slow = FactorTable { worker, _ in worker == 1 ? 2 : 1 }
    func outcome(_ barrier: Bool) throws -> JobOutcome {
      try Lab.run(
        [
          Lab.job(
            graph, on: Self.topology, iterations: 4, stragglers: slow,
            progress: BulkSynchronous(barrier: barrier))
        ], on: Self.topology
      ).jobs[0]
    }
    let free = try outcome(false)
    #expect(
      free.samples.sorted() == Array(repeating: us(100), count: 4)
        + Array(repeating: us(200), count: 4))
    #expect(free.mean.stragglers == .zero)
    let held = try outcome(true)
    #expect(held.samples == Array(repeating: us(200), count: 8))
    #expect(microseconds(held.mean) == [150, 0, 0, 0, 50, 0])
    #expect(held.iterations.allSatisfy { $0.total == us(400) })
  }

  @Test("jobs that share a link slow each other down by the max-min share", arguments: 1...5)
  func sharing(jobs: Int) throws {
    let (graph, exchanges) = Self.plain()
    let plan = Lab.job(graph, exchanges, on: Self.topology)
    let outcomes = try Lab.run(Array(repeating: plan, count: jobs), on: Self.topology, .flow).jobs
    for outcome in outcomes {
      #expect(isClose(outcome.mean.communication, us(20) * jobs, within: 4))
    }
  }

  @Test("a short job leaves its share to a long one")
  func unequalSharing() throws {
    let (graph, short) = Self.plain(size: 20_000)
    let (_, long) = Self.plain(size: 40_000)
    let outcomes = try Lab.run(
      [Lab.job(graph, short, on: Self.topology), Lab.job(graph, long, on: Self.topology)],
      on: Self.topology, .flow
    ).jobs
    // Both at half rate until the short one has moved 20 kB at 40 us; the long one then has half of
    // its 40 kB left and the link to itself.
    #expect(isClose(outcomes[0].mean.communication, us(40), within: 4))
    #expect(isClose(outcomes[1].mean.communication, us(60), within: 4))
  }

  static func fault(_ time: Int64, up: Bool, link: Int = 0) -> LinkFault {
    LinkFault(time: .zero + us(time), link: LinkID(link), bandwidth: nil, isUp: up)
  }

  @Test("an outage lengthens the iteration by as much as it lasts")
  func outage() throws {
    let (graph, exchanges) = Self.plain()
    let job = Lab.job(graph, exchanges, on: Self.topology, iterations: 2)
    let outcome = try Lab.run(
      [job], on: Self.topology, .flow,
      faults: [Self.fault(15, up: false), Self.fault(115, up: true)]
    ).jobs[0]
    for sample in outcome.samples[0..<2] { #expect(isClose(sample, us(131), within: 4)) }
    for sample in outcome.samples[2..<4] { #expect(isClose(sample, us(31), within: 4)) }
  }

  @Test("half the bandwidth for the second half of an exchange doubles that half for the receiver")
  func slowLink() throws {
    let (graph, exchanges) = Self.plain()
    let job = Lab.job(graph, exchanges, on: Self.topology)
    let outcome = try Lab.run(
      [job], on: Self.topology, .flow,
      faults: [
        LinkFault(
          time: .zero + us(20), link: LinkID(0), bandwidth: .gigabitsPerSecond(4), isUp: nil)
      ]
    ).jobs[0]
    // Only the way from rank 0 is slow: rank 1 waits 10 us longer for its half.
    #expect(isClose(outcome.samples[0], us(31), within: 4))
    #expect(isClose(outcome.samples[1], us(41), within: 4))
  }

  @Test("a link that stays down is an error that names it", arguments: NetworkModelKind.allCases)
  func stuck(model: NetworkModelKind) throws {
    let (graph, exchanges) = Self.plain()
    let job = Lab.job(graph, exchanges, on: Self.topology)
    let error = #expect(throws: SimulationError.self) {
      try Lab.run([job], on: Self.topology, model, faults: [Self.fault(15, up: false)])
    }
    guard case .stuck(_, let waiting) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let name = Self.topology.links[0].name
    #expect(waiting.contains { $0.contains(name) }, "\(waiting)")
    #expect(waiting.contains { $0.contains("worker 1") }, "\(waiting)")
    #expect(error!.description.contains("cannot proceed"))
  }

  @Test("nothing to do ends at once: no job, no worker, no iteration, no operation")
  func nothing() throws {
    let (graph, _) = Self.plain()
    let topology = Self.topology
    #expect(try Lab.run([], on: topology).jobs.isEmpty)
    let empty = Lab.graph { _ in }
    let alone = Lab.graph { $0.add(.forward, on: .compute, for: us(1)) }
    #expect(
      try Lab.run([Lab.job(alone, on: topology, workers: 0)], on: topology).jobs[0].samples.isEmpty)
    #expect(
      try Lab.run([Lab.job(alone, on: topology, iterations: 0)], on: topology).jobs[0].samples
        .isEmpty)
    let warm = try Lab.run([Lab.job(alone, on: topology, iterations: 0, warmup: 2)], on: topology)
      .jobs[0]
    #expect(warm.samples.isEmpty && warm.end == .zero + us(2))
    #expect(warm.mean.total == .zero)
    let idle = try Lab.run([Lab.job(empty, on: topology, iterations: 3)], on: topology).jobs[0]
    #expect(idle.samples == Array(repeating: .zero, count: 6))
    #expect(graph.operations.count == 3)
  }

  @Test("time that leaves its range is an error, never a wrap")
  func overflow() {
    let huge = SimDuration.picoseconds(.max / 2 + 1)
    let topology = Self.topology
    func fails(_ graph: JobGraph, slowdown: Double = 1, factor: Double = 1) {
      let error = #expect(throws: SimulationError.self) {
        try Lab.run(
          [
            Lab.job(
              graph, on: topology, workers: 1, stragglers: FactorTable { _, _ in factor },
              slowdown: slowdown)
          ], on: topology)
      }
      guard case .timeOverflow = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    fails(
      Lab.graph { graph in
        let first = graph.add(.forward, on: .compute, for: huge)
        graph.add(.backward, on: .compute, for: huge, after: [first])
      })
    fails(Lab.graph { $0.add(.forward, on: .compute, for: .unbounded) })
    let overlapping = Lab.graph { graph in
      graph.add(.forward, on: .compute, for: huge)
      graph.add(.encode, on: .side, for: huge)
    }
    fails(overlapping, slowdown: 3)
    fails(Lab.graph { $0.add(.forward, on: .compute, for: us(1)) }, factor: .infinity)
    fails(Lab.graph { $0.add(.forward, on: .compute, for: us(1)) }, factor: 1e300)
  }

  struct Raised: StopSignal { var isRaised: Bool { true } }

  @Test("a raised stop signal ends the run")
  func stop() {
    let (graph, exchanges) = Self.plain()
    let job = Lab.job(graph, exchanges, on: Self.topology, iterations: 1000)
    let error = #expect(throws: SimulationError.self) {
      try Lab.run([job], on: Self.topology, stop: Raised())
    }
    guard case .interrupted = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("messages between two ranks leave one after the other, however far the ring is out of step")
  func channels() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      for ranks in [2, 3, 5, 8] {
        let topology = Lab.star(ranks, latency: us(1))
        let size = Int64(ranks) * 10_000
        let graph = Lab.graph { graph in
          let forward = graph.add(.forward, on: .compute, for: us(50))
          graph.add(.exchange, on: .communication, exchange: 0, after: [forward])
        }
        let factors = (0..<ranks).map { rank in
          var stream = RandomStream(
            seed: seed, purpose: RandomPurpose("delay"), entity: rank)
          return 1 + 2 * stream.uniform()
        }
        let slowest = factors.map { us(50).scaled(by: $0) }.max()!
        let job = Lab.job(
          graph, [Lab.exchange(ranks: ranks, size: size)], on: topology, workers: ranks,
          stragglers: FactorTable { worker, _ in factors[worker] })
        let end = try Lab.run([job], on: topology, .flow).jobs[0].end
        let lockstep = us(12) * (2 * (ranks - 1))
        #expect(end - .zero <= slowest + lockstep + .picoseconds(Int64(4 * ranks)))
      }
    }
  }
}
