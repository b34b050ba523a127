import Collectives
import SimKernel
import Testing

@Suite("All-to-all, scatter, gather and barrier")
struct BlockExchangeTests {
  let clock = IdealClock(alpha: .microseconds(5), bandwidth: .gigabitsPerSecond(7))

  private func plan(
    _ kind: CollectiveAlgorithm.Kind, _ operation: CollectiveOperation, _ n: Int,
    root: Int = 0, blocks: BlockSizes? = nil
  ) throws -> Plan {
    try CollectiveAlgorithm(kind).makePlan(
      operation, shape: GroupShape(rankCount: n), size: .megabytes(1), root: RankID(root),
      blocks: blocks
    ).get()
  }
  private func time(_ plan: Plan, _ size: ByteCount) -> SimTime {
    var execution = CollectiveExecution(plan: plan, size: size)
    var none = ByteAlgebra()
    let finished = clock.run(&execution, algebra: &none)
    #expect(execution.isComplete)
    return finished.max()!
  }
  /// Messages one after the other.
  private func chain(_ sizes: [Int]) -> SimTime {
    sizes.reduce(SimTime.zero) {
      $0 + clock.alpha + clock.bandwidth.time(toSend: .bytes(Int64($1)))
    }
  }

  @Test("pairwise exchange takes (n-1)(alpha + S/(nB)), all at once alpha + S/(nB)")
  func pairwise() throws {
    for n in 1...17 {
      let size = ByteCount(Int64(n) * 1237)
      let rounds = Array(repeating: 1237, count: n - 1)
      #expect(time(try plan(.pairwise, .allToAll, n), size) == chain(rounds))
      #expect(time(try plan(.direct, .allToAll, n), size) == chain(Array(rounds.prefix(1))))
    }
  }

  @Test("Bruck's all-to-all sends the blocks whose distance has bit k in round k")
  func bruck() throws {
    for n in 1...17 {
      let plan = try plan(.bruck, .allToAll, n)
      let counts = (0..<5).filter { 1 << $0 < n }.map { round in
        (0..<n).count { $0 >> round & 1 == 1 }
      }
      #expect(plan.stepCount == n * counts.count)
      #expect(time(plan, ByteCount(Int64(n) * 1000)) == chain(counts.map { $0 * 1000 }))
      // Half of the blocks a round where n is a power of two.
      if n & (n - 1) == 0 { #expect(counts.allSatisfy { 2 * $0 == n }) }
    }
  }

  @Test("a message of a step has the size of the blocks in it, wherever they are from")
  func unevenBlocksTravelWhole() throws {
    for n in 1...9 {
      let blocks = unevenBlocks(n)
      for kind in [CollectiveAlgorithm.Kind.pairwise, .direct] {
        let plan = try plan(kind, .allToAllV, n, blocks: blocks)
        var execution = CollectiveExecution(plan: plan, size: .zero)
        var none = ByteAlgebra()
        let driver = RandomDriver(&execution, &none, seed: UInt64(n))
        for index in 0..<plan.stepCount {
          let step = plan.step(index)
          #expect(
            driver.sentByStep[index]
              == blocks.size(from: step.source.index, to: step.destination.index))
        }
      }
    }
  }

  @Test("scaled blocks keep their proportions, and the largest payload is the size")
  func scaledBlocks() {
    let blocks = BlockSizes(
      rankCount: 3, sizes: [0, 1, 2, 5, 0, 5, 1, 1, 1].map { .bytes($0) })
    let scaled = blocks.scaled(largest: .bytes(1001))
    #expect(scaled.payload(of: 1) == .bytes(1001))
    #expect(scaled.sizes.map(\.bytes) == [0, 100, 200, 500, 0, 501, 100, 100, 100])
    let nothing = BlockSizes(rankCount: 1, sizes: [.zero])
    #expect(nothing.scaled(largest: .bytes(9)) == nothing)
  }

  @Test("a binomial scatter halves what is left in every round; a gather is its mirror")
  func scatter() throws {
    for log in 0...4 {
      let n = 1 << log
      let size = ByteCount(Int64(n) * 500)
      let halves = (0..<log).map { (n >> ($0 + 1)) * 500 }
      #expect(time(try plan(.tree, .scatter, n, root: n / 3), size) == chain(halves))
      // What is gathered has one rank's size.
      #expect(
        time(try plan(.tree, .gather, n, root: n / 3), .bytes(500)) == chain(halves.reversed()))
      #expect(time(try plan(.direct, .scatter, n), size) == chain(n > 1 ? [500] : []))
      #expect(time(try plan(.direct, .gather, n), .bytes(500)) == chain(n > 1 ? [500] : []))
    }
    for n in 1...17 {
      for kind in [CollectiveAlgorithm.Kind.tree, .direct] {
        #expect(try plan(kind, .scatter, n, root: n - 1).stepCount == n - 1)
        #expect(try plan(kind, .gather, n, root: n - 1).stepCount == n - 1)
      }
    }
  }

  @Test("a dissemination barrier takes ceil(log2 n) alpha and carries nothing")
  func barrier() throws {
    for n in 1...33 {
      let rounds = (0..<6).count { 1 << $0 < n }
      let plan = try plan(.dissemination, .barrier, n)
      #expect(plan.stepCount == n * rounds)
      #expect(time(plan, .megabytes(1)) == chain(Array(repeating: 0, count: rounds)))
    }
  }

  @Test("nobody leaves a barrier before the last has come")
  func barrierHolds() throws {
    for n in 2...17 {
      let plan = try plan(.dissemination, .barrier, n)
      for late in 0..<n {
        var starts = (0..<n).map { SimTime.zero + .microseconds(Double($0 % 3)) }
        starts[late] = .zero + .milliseconds(3)
        for plan in [plan, plan.stored()] {
          var execution = CollectiveExecution(plan: plan, size: .zero)
          var none = ByteAlgebra()
          let finished = clock.run(&execution, algebra: &none, starts: starts)
          #expect(execution.isComplete)
          #expect((0..<n).allSatisfy { finished[$0] > starts[late] || $0 == late })
          #expect(finished[late] >= starts[late])
        }
      }
    }
  }

  @Test("an implicit all-to-all of 4,096 ranks holds 4,096 chunks a rank, not the square of it")
  func largeExchange() throws {
    let n = 4096
    let plan = try plan(.pairwise, .allToAll, n)
    #expect(plan.isImplicit && plan.chunkCount == n && plan.stepCount == n * (n - 1))
    #expect(plan.chunkSizes(of: .megabytes(4096)).count == n)
  }

  @Test("auto follows Open MPI for blocks, and sizes for every pair are asked for")
  func choices() throws {
    func choice(_ operation: CollectiveOperation, _ n: Int, _ bytes: Int64) throws -> String {
      try CollectiveAlgorithm(.auto).makePlan(
        operation, shape: GroupShape(rankCount: n), size: .bytes(bytes),
        blocks: unevenBlocks(n)
      ).get().name
    }
    #expect(try choice(.allToAll, 13, 13 * 200 - 1) == "bruck")
    #expect(try choice(.allToAll, 12, 100) == "direct")
    #expect(try choice(.allToAll, 13, 13 * 200) == "direct")
    #expect(try choice(.allToAll, 13, 13 * 3000) == "pairwise")
    #expect(try choice(.allToAllV, 4, 1) == "pairwise")
    #expect(try choice(.scatter, 11, 11 * 300 - 1) == "tree")
    #expect(try choice(.scatter, 10, 1) == "direct")
    #expect(try choice(.gather, 11, 1023) == "tree")
    #expect(try choice(.gather, 11, 1024) == "direct")
    #expect(try choice(.gather, 61, 6000) == "tree")
    #expect(try choice(.gather, 61, 6001) == "direct")
    #expect(try choice(.barrier, 7, 0) == "dissemination")
    let none = CollectiveAlgorithm(.pairwise).makePlan(
      .allToAllV, shape: GroupShape(rankCount: 3), size: .zero)
    #expect(
      throws: PlanRefusal("all_to_all_v needs the size of every block: 3 x 3, found none")
    ) { try none.get() }
  }
}
