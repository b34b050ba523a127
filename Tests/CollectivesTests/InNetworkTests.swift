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

  /// The packets of a pool travel together where links are not shared.
  private func roundTrips(_ packets: Int, slots: Int, depth: Int) -> SimDuration {
    message(1000) * (2 * depth * ((packets + slots - 1) / slots))
  }

  @Test("a slot goes again when its sum is back: a round trip for every pool, with one switch")
  func oneSwitch() throws {
    for workers in 1...17 {
      for packets in [1, 7, 8, 9, 60] {
        for slots in [1, 4, 8, 64] {
          let size = ByteCount(Int64(packets * 1000))
          let plan = try plan(AggregationTree(workers: workers), size, slots: slots)
          #expect(plan.rankCount == workers + 1 && plan.workerCount == workers)
          #expect(plan.home(of: RankID(workers)) == nil)
          #expect(plan.chunkCount == packets)
          // One worker has nothing to sum.
          let expected =
            workers == 1 ? SimDuration.zero : roundTrips(packets, slots: slots, depth: 1)
          #expect(time(plan, size) == SimTime.zero + expected)
        }
      }
    }
  }

  @Test("a tree of depth d has d hops up and down")
  func reductionTree() throws {
    #expect(tree.depth == 2)
    for packets in [1, 2, 5, 9] {
      let size = ByteCount(Int64(packets * 1000))
      for slots in [1, 4, 8] {
        let found = time(try plan(tree, size, slots: slots), size)
        #expect(found == SimTime.zero + roundTrips(packets, slots: slots, depth: 2))
      }
    }
  }

  @Test(
    "batches are packets up to 64 slots, then a 64th of pool or payload, and larger of very many")
  func batches() throws {
    let one = AggregationTree(workers: 4)
    func chunks(_ tree: AggregationTree, _ bytes: Int64, slots: Int) throws -> Int {
      try plan(tree, ByteCount(bytes), slots: slots).chunkCount
    }
    #expect(try chunks(one, 1_000_000, slots: 64) == 1000)
    #expect(try chunks(one, 1_000_000, slots: 65) == 500)
    #expect(try chunks(one, 1_000_000, slots: 1 << 20) == 63)
    #expect(try chunks(one, 0, slots: 8) == 1)
    // Ten messages a batch of five participants: no more than some 2^20, but half a pool at most.
    #expect(try chunks(one, 1_000_000_000, slots: 64) == 100_000)
    #expect(try chunks(one, 4_000_000_000, slots: 64) == 4_000_000 / 32)
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
      // The first of all slots go at once.
      #expect(after.allSatisfy { $0.value.isEmpty == ($0.key < slots) })
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
