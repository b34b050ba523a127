import Collectives
import Networks
import SimKernel
import Training

extension Benchmark {
  /// The fluid network alone and under the run loop, against a heap that only orders the events.
  static var networks: Benchmark {
    Benchmark(
      name: "networks",
      summary: "collectives, random flows and LogGOPS messages, against a binary heap"
    ) { extent, report in
      for ranks in extent.pick([256, 1024], [256, 1024, 4096]) {
        measureRing(ranks, extent, report)
      }
      measureSymmetry(report)
      for k in [8, 16] { measureRandomFlows(k, extent, report) }
      measureLogGP(extent, report)
      measureMemory(report)
    }
  }
}

private let fabricLink = LinkSpecification(
  bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1))

/// A ring all-reduce on a star: driven by a job through the run loop, and as a list of transfers that
/// start when the closed form says.
private func measureRing(
  _ ranks: Int, _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let topology = StarTopology(hosts: ranks, link: fabricLink).makeTopology()
  guard let ring = CollectiveAlgorithm.named("ring") else {
    preconditionFailure("the ring is in the catalogue")
  }
  let chunk = ByteCount(100_000)
  let timing = CollectiveTiming(
    topology: topology,
    network: NetworkSettings(model: .flow, transport: Transport.ideal),
    operation: .allReduce, algorithm: ring)
  let transfers = 2 * (ranks - 1) * ranks
  // A list is sorted and kept whole, so it is shorter than the collective.
  let rounds = min(2 * (ranks - 1), 200_000 / ranks)
  let step = SimDuration.microseconds(2) + fabricLink.bandwidth.time(toSend: chunk)
  let requests = ringRequests(topology, ranks: ranks, rounds: rounds, chunk: chunk, step: step)
  let heapOperations = 1_000_000
  let contest = Contest(
    rounds: ranks > 1024 ? 1 : extent.rounds,
    [
      {
        ThreadClock.measure {
          guard
            let result = try? timing.time(
              size: ByteCount(chunk.bytes * Int64(ranks)), ranks: ranks)
          else { preconditionFailure("a ring on a star ends") }
          precondition(
            result.time == step * (2 * (ranks - 1)), "the closed form of a ring on a star")
        }
      },
      {
        var network = FlowNetwork(topology, transport: Transport.ideal)
        return ThreadClock.measure {
          let outcomes = runFlows(requests, on: &network)
          precondition(outcomes[outcomes.count - 1].delivered == .zero + step * rounds)
        }
      },
      { Ceilings.heapSeconds(pending: ranks, operations: heapOperations) },
    ])
  let heap = Double(heapOperations) / contest.best[2] / 1e6
  report(
    Measurement(
      what: "ring through the run loop", n: ranks,
      rate: Double(transfers) / contest.best[0] / 1e6, unit: "M moves/s", ceiling: "binary heap",
      ceilingRate: heap))
  report(
    Measurement(
      what: "ring as a list of transfers", n: ranks,
      rate: Double(requests.count) / contest.best[1] / 1e6, unit: "M moves/s",
      ceiling: "binary heap", ceilingRate: heap))
}

/// All-reduces of 2²⁰ alike ranks without contention, of which one stands for all.
private func measureSymmetry(_ report: (Measurement) -> Void) {
  let ranks = 1 << 20
  for name in ["ring", "tree"] {
    guard let algorithm = CollectiveAlgorithm.named(name) else {
      preconditionFailure("\(name) is in the catalogue")
    }
    let seconds = ThreadClock.measure {
      var timing = SymmetricTiming(
        link: fabricLink, network: NetworkSettings(model: .alphaBeta, transport: Transport.ideal),
        operation: .allReduce, algorithm: algorithm)
      let result = try? timing.time(size: .megabytes(100), ranks: ranks)
      precondition(result != nil, "symmetry answers for \(name)")
    }
    report(
      Measurement(
        what: "\(name) all-reduce by symmetry", n: ranks, rate: 1 / seconds, unit: "runs/s",
        ceiling: "one a second", ceilingRate: 1, aim: 1))
  }
}

private func ringRequests(
  _ topology: Topology, ranks: Int, rounds: Int, chunk: ByteCount, step: SimDuration
) -> [FlowRequest] {
  let nodes = topology.accelerators
  return (0..<rounds).flatMap { round in
    (0..<ranks).map { rank in
      FlowRequest(
        source: nodes[rank], destination: nodes[rank + 1 == ranks ? 0 : rank + 1], size: chunk,
        start: .zero + step * round)
    }
  }
}

/// Transfers between random hosts of a k-ary fat tree: Poisson arrivals at half the load the hosts'
/// links could take, 1 to 100 MB each.
private func measureRandomFlows(
  _ k: Int, _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let topology = FatTreeTopology(k: k, link: fabricLink).makeTopology()
  let hosts = topology.accelerators
  let count = extent.pick(k == 8 ? 2_000 : 1_000, k == 8 ? 100_000 : 10_000)
  var random = RandomStream(seed: 1, purpose: RandomPurpose("network benchmark"))
  let meanBytes = 50.5e6
  let arrivals =
    0.5 * Double(hosts.count) * Double(fabricLink.bandwidth.bitsPerSecond) / 8 / meanBytes
  var start = SimTime.zero
  var requests: [FlowRequest] = []
  for _ in 0..<count {
    start = start + .roundingUp(picoseconds: random.exponential() / arrivals * 1e12)
    let source = random.index(below: hosts.count)
    let other = random.index(below: hosts.count - 1)
    requests.append(
      FlowRequest(
        source: hosts[source], destination: hosts[other < source ? other : other + 1],
        size: ByteCount(1_000_000 + Int64(random.index(below: 99_000_001))), start: start))
  }
  let heapOperations = 200_000
  var ends: [SimTime?] = []
  let solvers: [FlowNetwork.Solver] = [.full, .incremental, .adaptive]
  let contest = Contest(
    rounds: 1,
    solvers.map { solver in
      {
        var network = FlowNetwork(topology, transport: Transport.ideal, solver: solver)
        var outcomes: [FlowOutcome] = []
        let seconds = ThreadClock.measure { outcomes = runFlows(requests, on: &network) }
        let delivered = outcomes.map(\.delivered)
        precondition(ends.isEmpty || ends == delivered, "all solvers give the same times")
        ends = delivered
        return seconds
      }
    } + [{ Ceilings.heapSeconds(pending: hosts.count, operations: heapOperations) }])
  for (solver, seconds) in zip(solvers, contest.best) {
    report(
      Measurement(
        what: "fat tree k=\(k), \(solver.rawValue) solver", n: count,
        rate: Double(count) / seconds / 1e3, unit: "k flows/s", ceiling: "binary heap",
        ceilingRate: Double(heapOperations) / contest.best[solvers.count] / 1e3))
  }
}

/// What a live flow occupies, by the process's resident memory.
private func measureMemory(_ report: (Measurement) -> Void) {
  let topology = FatTreeTopology(k: 8, link: fabricLink).makeTopology()
  let hosts = topology.accelerators
  let count = 100_000
  var network = FlowNetwork(topology, transport: Transport.ideal)
  let before = Resident.bytes
  for index in 0..<count {
    network.send(
      Transfer(
        id: TransferID(job: JobID(0), sequence: Int64(index)),
        source: hosts[index % hosts.count],
        destination: hosts[(index + 1 + index / hosts.count % (hosts.count - 1)) % hosts.count],
        size: .bytes(1_000_000)), at: .zero)
  }
  precondition(network.nextEventTime > SimTime.zero, "every flow has a rate")
  let each = Double(Resident.bytes - before) / Double(count)
  report(
    Measurement(
      what: "memory of a live flow, solved", n: count, rate: each, unit: "B/flow",
      ceiling: "the bare transfer", ceilingRate: Double(MemoryLayout<Transfer>.stride)))
}
