import Collectives
import SimKernel
import Testing

/// The times of rings against executions that follow every message.
@Suite struct RingTimesTests {
  /// Runs an execution event by event: messages of a rank leave in order.
  private func run(
    _ plan: Plan, _ sizes: [ByteCount], rate: Bandwidth?, ready: [SimTime], free: inout [SimTime],
    message: (ByteCount) -> MessageTime
  ) -> [SimTime] {
    enum Event { case ready(Int), arrived(Int), combined(Int) }
    var execution = CollectiveExecution(plan: plan, chunkSizes: sizes, reductionRate: rate)
    var ends = Array(repeating: SimTime.never, count: plan.rankCount)
    var pending: [(time: SimTime, serial: Int, event: Event)] = []
    var serial = 0
    for rank in ready.indices {
      pending.append((ready[rank], serial, .ready(rank)))
      serial += 1
    }
    while !pending.isEmpty {
      let first = pending.indices.min {
        (pending[$0].time, pending[$0].serial) < (pending[$1].time, pending[$1].serial)
      }!
      let (now, _, event) = pending.remove(at: first)
      var actions: [CollectiveExecution.Action] = []
      switch event {
      case .ready(let rank): execution.ready(RankID(rank), actions: &actions)
      case .arrived(let step): execution.delivered(step: step, actions: &actions)
      case .combined(let step): execution.combined(step: step, actions: &actions)
      }
      for action in actions {
        switch action {
        case .send(let step, let source, _, let size):
          let start = max(now, free[source.index])
          free[source.index] = start + message(size).leaving
          pending.append((start + message(size).arriving, serial, .arrived(step)))
        case .combine(let step, _, let duration):
          pending.append((now + duration, serial, .combined(step)))
        case .finished(let rank): ends[rank.index] = now
        }
        serial += 1
      }
    }
    return ends
  }

  private func ring(_ operation: CollectiveOperation, _ ranks: Int) throws -> Plan {
    try CollectiveAlgorithm.named("ring")!
      .makePlan(operation, shape: GroupShape(rankCount: ranks), size: ByteCount(1000)).get()
  }

  /// A byte takes a nanosecond.
  private func message(latency: Int64) -> (ByteCount) -> MessageTime {
    { size in
      let leaving = SimDuration.picoseconds(size.bytes * 1000)
      return MessageTime(leaving: leaving, arriving: leaving + .picoseconds(latency))
    }
  }

  @Test func aRingOfOneOrATreeHasNone() throws {
    let message = message(latency: 0)
    #expect(
      try RingTimes(ring(.allReduce, 1), chunkSizes: [.zero], reductionRate: nil, message: message)
        == nil)
    let tree = try CollectiveAlgorithm.named("tree")!
      .makePlan(.allReduce, shape: GroupShape(rankCount: 4), size: ByteCount(8)).get()
    #expect(
      RingTimes(tree, chunkSizes: [ByteCount(8)], reductionRate: nil, message: message) == nil)
  }

  @Test(arguments: [CollectiveOperation.allReduce, .allGather], 0..<8)
  func ringsEndWhenTheirExecutionsDo(_ operation: CollectiveOperation, _ seed: UInt64) throws {
    for ranks in [2, 3, 4, 5, 8, 13, 40] {
      var random = RandomStream(
        seed: seed, purpose: RandomPurpose("ring times"), entity: ranks)
      func below(_ bound: Int64) -> Int64 { Int64(random.next() >> 33) % bound }
      let plan = try ring(operation, ranks)
      // Two sizes, one, or any; latencies from none to much longer than a message.
      let base = below(2000)
      let extra = seed % 3 == 0 ? 0 : below(20)
      let isAny = seed == 7
      let message = message(latency: [0, 3000, 100_000, 5_000_000][Int(below(4))])
      let rate = seed % 2 == 0 ? nil : Bandwidth.gigabitsPerSecond(Double(8 * (1 + below(200))))
      let sizes = (0..<ranks).map { _ in
        ByteCount(isAny ? below(3000) : base + (below(3) == 0 ? extra : 0))
      }
      let times = try #require(
        RingTimes(plan, chunkSizes: sizes, reductionRate: rate, message: message))
      var free = Array(repeating: SimTime.zero, count: ranks)
      var solvedFree = free
      var ready = free
      let spread = [1, 20_000, 3_000_000][Int(below(3))]
      // One after the other: ranks begin as the exchange before left them.
      for round in 0..<3 {
        if round == 0 || seed == 5 {
          for rank in 0..<ranks {
            ready[rank] = ready[rank] + .picoseconds(below(Int64(spread)))
          }
        }
        let ends = run(plan, sizes, rate: rate, ready: ready, free: &free, message: message)
        #expect(times.solve(&ready, free: &solvedFree))
        #expect(ready == ends && solvedFree == free, "\(ranks) ranks, round \(round)")
      }
      let loads = times.loads
      #expect(loads.reduce(0) { $0 + $1.bytes.bytes } == times.sentBytes.bytes)
    }
  }

  @Test(arguments: ["ring", "halving_doubling", "recursive_doubling"])
  func alikeRanksStayInStep(_ name: String) throws {
    let plan = try CollectiveAlgorithm.named(name)!
      .makePlan(.allReduce, shape: GroupShape(rankCount: 8), size: ByteCount(8000)).get()
    let message = message(latency: 500)
    let rate = Bandwidth.gigabitsPerSecond(80)
    let even = plan.chunkSizes(of: ByteCount(8000))
    let lockstep = try #require(
      plan.lockstepTime(chunkSizes: even, reductionRate: rate, message: message))
    var free = Array(repeating: SimTime.zero, count: 8)
    let ends = run(
      plan, even, rate: rate, ready: free, free: &free, message: message)
    #expect(ends.allSatisfy { $0 == .zero + lockstep.duration })
    let uneven = plan.chunkSizes(of: ByteCount(8001))
    if uneven.count > 1 {
      #expect(plan.lockstepTime(chunkSizes: uneven, reductionRate: rate, message: message) == nil)
    }
  }
}
