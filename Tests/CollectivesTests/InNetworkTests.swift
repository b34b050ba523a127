import Collectives
import SimKernel
import Testing

@Suite("Sums made by switches")
struct InNetworkTests {
  let clock = IdealClock(alpha: .microseconds(5), bandwidth: .gigabitsPerSecond(7))

  private func plan(
    _ tree: AggregationTree, _ size: ByteCount, slots: Int, slotSize: Int64 = 1000
  ) throws -> Plan {
    var shape = GroupShape(rankCount: tree.workers)
    shape.aggregation = tree
    return try CollectiveAlgorithm(.inNetwork, slots: slots, slotSize: .bytes(slotSize)).makePlan(
      .allReduce, shape: shape, size: size
    ).get()
  }
  private func time(_ plan: Plan, _ size: ByteCount, rate: Bandwidth? = nil) -> SimTime {
    var execution = CollectiveExecution(plan: plan, size: size, reductionRate: rate)
    var none = ByteAlgebra()
    let finished = clock.run(&execution, algebra: &none)
    #expect(execution.isComplete)
    return finished[..<plan.workerCount].max()!
  }
  private func message(_ bytes: Int) -> SimDuration {
    clock.alpha + clock.bandwidth.time(toSend: .bytes(Int64(bytes)))
  }
  /// Two switches of three and two workers below a third, which has a worker of its own.
  private let tree = AggregationTree(workers: 6, parents: [6, 6, 6, 7, 7, 8, 8, 8, -1])!

  @Test("K half pools take (K + 1)(alpha + bytes/B) with one switch: S/B, not 2 S/B")
  func oneSwitch() throws {
    for workers in 1...17 {
      for batches in [1, 2, 3, 10] {
        let size = ByteCount(Int64(batches * 4000))
        let plan = try plan(AggregationTree(workers: workers), size, slots: 8)
        #expect(plan.rankCount == workers + 1 && plan.workerCount == workers)
        #expect(plan.home(of: RankID(workers)) == nil)
        // One worker has nothing to sum.
        let rounds = workers == 1 ? 0 : batches + 1
        #expect(time(plan, size) == SimTime.zero + message(4000) * rounds)
      }
    }
  }

  @Test("few slots limit the rate to slots * slot_size a round trip")
  func slotLimited() throws {
    let size = ByteCount(60_000)
    for slots in [1, 2, 4, 6] {
      let window = min(slots, 2)
      let batch = slots * 1000 / window
      let plan = try plan(AggregationTree(workers: 4), size, slots: slots)
      let last = time(plan, size)
      let batches = 60_000 / batch
      let roundTrip = message(batch) * 2
      let expected =
        roundTrip * (batches / window) + (window == 2 ? message(batch) : SimDuration.zero)
      #expect(last == SimTime.zero + expected)
    }
  }

  @Test("a tree of depth d fills 2 d batches: (K - 1 + 2 d)(alpha + bytes/B)")
  func reductionTree() throws {
    #expect(tree.depth == 2)
    for batches in [1, 2, 5, 9] {
      let size = ByteCount(Int64(batches * 2000))
      let plan = try plan(tree, size, slots: 8)
      #expect(plan.chunkCount == batches)
      #expect(time(plan, size) == SimTime.zero + message(2000) * (batches + 3))
      // With a pool of one batch, every batch makes the round trip alone.
      let single = try self.plan(tree, size, slots: 1, slotSize: 2000)
      #expect(time(single, size) == SimTime.zero + message(2000) * (4 * batches))
    }
  }

  @Test("switches sum without losing time")
  func freeSums() throws {
    let size = ByteCount(50_000)
    let plan = try plan(tree, size, slots: 8)
    #expect(time(plan, size, rate: .megabitsPerSecond(1)) == time(plan, size))
  }

  @Test("trees of switches give every worker the exact sum, in one order")
  func exactSums() throws {
    for seed in 0..<10 {
      let plan = try plan(tree, .bytes(9_999), slots: 4)
      checkOnIntegers(plan, elements: 77, seed: UInt64(seed), costPerElement: .picoseconds(3))
      checkOnIntegers(plan.stored(), elements: 5, seed: UInt64(seed))
    }
  }

  @Test("a worker never has more than its slots on their way")
  func window() throws {
    for slots in [1, 2, 3, 8] {
      let plan = try plan(tree, .bytes(30_000), slots: slots, slotSize: 500)
      let pool = slots * 500
      let batch = 30_000 / plan.chunkCount
      var after: [Int: Set<Int>] = [:]
      // Batch c of a worker waits, through its last ones, for the sum that frees its slot.
      for index in 0..<plan.stepCount {
        let step = plan.step(index)
        if step.source.index != 0 { continue }
        let chunk = Int(step.chunks.lowerBound)
        after[chunk] = Set(plan.departureDependencies(of: index))
        for sum in plan.departureDependencies(of: index) where plan.step(sum).destination.index == 0
        {
          #expect((chunk - Int(plan.step(sum).chunks.lowerBound)) * batch <= pool)
        }
      }
      #expect(after.count == plan.chunkCount)
      #expect(
        after.filter { !$0.value.isEmpty }.count >= plan.chunkCount - 1)
    }
  }

  @Test("what is no tree of switches is none, and too many batches are refused")
  func refusals() {
    #expect(AggregationTree(workers: 2, parents: [2, 1, -1]) == nil)
    #expect(AggregationTree(workers: 2, parents: [2, 2, 3, 2]) == nil)
    #expect(AggregationTree(workers: 2, parents: [2, 2, -1, -1]) == nil)
    #expect(AggregationTree(workers: 2, parents: [2, 2, -1, 4, 3]) == nil)
    #expect(AggregationTree(workers: 2, parents: [2, 2, -1]) == AggregationTree(workers: 2))
    let many = CollectiveAlgorithm(.inNetwork, slots: 1, slotSize: .bytes(1)).makePlan(
      .allReduce, shape: GroupShape(rankCount: 64), size: .megabytes(1000))
    #expect(throws: PlanRefusal.self) { try many.get() }
    var shape = GroupShape(rankCount: 3)
    shape.aggregation = AggregationTree(workers: 2)
    let other = CollectiveAlgorithm(.inNetwork).makePlan(.allReduce, shape: shape, size: .zero)
    #expect(throws: PlanRefusal.self) { try other.get() }
  }
}
