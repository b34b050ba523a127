import Collectives
import SimKernel
import Testing

@Suite("Times under an ideal clock")
struct ExecutionTimeTests {
  let clock = IdealClock(alpha: .microseconds(5), bandwidth: .gigabitsPerSecond(7))

  private func time(
    _ kind: CollectiveAlgorithm.Kind, _ operation: CollectiveOperation, _ n: Int,
    _ size: ByteCount, reductionRate: Bandwidth? = nil, perHost: Int? = nil
  ) throws -> (plan: Plan, last: SimTime) {
    let plan = try CollectiveAlgorithm(kind).makePlan(
      operation, shape: GroupShape(rankCount: n, ranksPerHost: perHost), size: size
    ).get()
    var execution = CollectiveExecution(plan: plan, size: size, reductionRate: reductionRate)
    var none = ByteAlgebra()
    let finished = clock.run(&execution, algebra: &none)
    #expect(execution.isComplete)
    return (plan, finished.max()!)
  }
  /// `messages` latencies and `bytes` bytes one after the other, as an exact fraction.
  private func expect(_ time: SimTime, messages: Int, bytes: Double) {
    let exact = Double(messages) * 5e6 + bytes / 7e9 * 8e12
    // One rounding up a message; the reference itself is exact to a fraction of a picosecond.
    #expect(Double(time.picoseconds) >= exact - 0.01)
    #expect(Double(time.picoseconds) <= exact + Double(messages) + 0.01)
  }

  @Test("a ring all-reduce takes 2(n-1)(alpha + S/(nB)), to a picosecond a round")
  func ring() throws {
    for n in [1, 2, 3, 4, 5, 7, 8, 16, 17, 64] {
      let size = ByteCount(Int64(n) * 12_347)
      expect(
        try time(.ring, .allReduce, n, size).last, messages: 2 * (n - 1),
        bytes: Double(2 * (n - 1)) * 12_347)
      expect(
        try time(.ring, .reduceScatter, n, size).last, messages: n - 1,
        bytes: Double(n - 1) * 12_347)
      expect(
        try time(.ring, .allGather, n, size).last, messages: n - 1,
        bytes: Double((n - 1) * n) * 12_347)
    }
  }

  @Test("recursive doubling, halving-doubling and trees take what their rounds take")
  func logarithmic() throws {
    for log in 1...5 {
      let n = 1 << log
      let bytes = Double(n * 1001)
      let size = ByteCount(Int64(bytes))
      expect(
        try time(.recursiveDoubling, .allReduce, n, size).last, messages: log,
        bytes: Double(log) * bytes)
      expect(
        try time(.halvingDoubling, .allReduce, n, size).last, messages: 2 * log,
        bytes: 2 * bytes * Double(n - 1) / Double(n))
      expect(
        try time(.tree, .allReduce, n, size).last, messages: 2 * log, bytes: Double(2 * log) * bytes
      )
      expect(
        try time(.bruck, .allGather, n, size).last, messages: log, bytes: bytes * Double(n - 1))
      expect(
        try time(.recursiveDoubling, .allGather, n, size).last, messages: log,
        bytes: bytes * Double(n - 1))
    }
  }

  @Test("a pipelined broadcast of K chunks takes (n - 2 + K)(alpha + S/(KB))")
  func chain() throws {
    for (n, chunks) in [(2, 1), (2, 5), (3, 4), (8, 20)] {
      let slice = 128 * 1024
      let (plan, last) = try time(.ring, .broadcast, n, ByteCount(Int64(chunks * slice)))
      #expect(plan.chunkCount == chunks)
      expect(last, messages: n - 2 + chunks, bytes: Double((n - 2 + chunks) * slice))
      // A reduce is a broadcast that runs the other way.
      let reduce = try time(.ring, .reduce, n, ByteCount(Int64(chunks * slice)))
      #expect(reduce.plan.chunkCount == chunks && reduce.last == last)
    }
  }

  @Test("a chain cuts its payload into slices")
  func slices() throws {
    for operation in [CollectiveOperation.broadcast, .reduce] {
      for (bytes, slices) in [(0, 1), (999, 1), (1000, 1), (1001, 2), (10_000_000, 1024)] {
        let plan = try CollectiveAlgorithm(.ring, slice: .bytes(1000)).makePlan(
          operation, shape: GroupShape(rankCount: 3), size: .bytes(Int64(bytes)), root: RankID(1)
        ).get()
        #expect(plan.chunkCount == slices && plan.isImplicit)
      }
    }
  }

  @Test("two levels take 2(L-1)(alpha + S/(LB)) + 2(H-1)(alpha + S/(LHB))")
  func twoLevels() throws {
    for (hosts, perHost) in [(4, 4), (2, 8), (3, 5)] {
      let unit = 997
      let (_, last) = try time(
        .hierarchical, .allReduce, hosts * perHost, ByteCount(Int64(hosts * perHost * unit)),
        perHost: perHost)
      expect(
        last, messages: 2 * (perHost - 1) + 2 * (hosts - 1),
        bytes: Double(2 * (perHost - 1) * hosts * unit + 2 * (hosts - 1) * unit))
    }
  }

  @Test("reducing at rate R adds (n-1) S/(nR) to a ring")
  func reducing() throws {
    let n = 6
    let size = ByteCount(6000)
    let rate = Bandwidth.gigabytesPerSecond(1)
    let plain = try time(.ring, .allReduce, n, size).last
    let reducing = try time(.ring, .allReduce, n, size, reductionRate: rate).last
    #expect(reducing - plain == .nanoseconds(Double(n - 1) * 1000))
  }

  @Test("a late rank delays an all-reduce by its lateness, whatever waits for it")
  func lateRank() throws {
    let n = 9
    for kind in [CollectiveAlgorithm.Kind.ring, .recursiveDoubling, .halvingDoubling, .tree] {
      let plan = try CollectiveAlgorithm(kind).makePlan(
        .allReduce, shape: GroupShape(rankCount: n), size: .bytes(9000)
      ).get()
      for late in 0..<n {
        var starts = Array(repeating: SimTime.zero, count: n)
        starts[late] = .zero + .milliseconds(50)
        var execution = CollectiveExecution(plan: plan, size: .bytes(9000))
        var none = ByteAlgebra()
        let finished = clock.run(&execution, algebra: &none, starts: starts)
        #expect(execution.isComplete)
        // Its payload must still reach everybody, in no more than the whole takes from the start.
        let whole = try time(kind, .allReduce, n, .bytes(9000)).last
        #expect(finished.max()! <= starts[late] + (whole - .zero))
        #expect(finished.allSatisfy { $0 >= starts[late] })
      }
    }
  }

  @Test("a server answers when the last push is in")
  func pushPull() throws {
    let plan = try ParameterServers(count: 1, placement: .dedicated, sharding: .hash).makePlan(
      workers: 3, tensors: [ServedTensor(key: 0, elements: 1000)]
    ).get()
    var algebra = ByteAlgebra(unit: 4)
    let payloads = (0..<3).map { _ in algebra.payload(of: .bytes(4000)) }
    var execution = CollectiveExecution(plan: plan, payloads: payloads)
    let message = clock.alpha + clock.bandwidth.time(toSend: .bytes(4000))
    let starts = [SimTime.zero, .zero + .milliseconds(1), .zero + .milliseconds(3), .zero]
    let finished = clock.run(&execution, algebra: &algebra, starts: starts)
    #expect(finished[3] == starts[2] + message)
    #expect(finished[..<3].allSatisfy { $0 == starts[2] + message * 2 })
  }
}
