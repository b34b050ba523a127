import Collectives
import SimKernel
import Testing

/// Trees in chunks: their shape, and how long they take.
@Suite struct PipelinedTreeTests {
  private func plan(
    _ kind: CollectiveAlgorithm.Kind, _ ranks: Int, size: ByteCount, slice: ByteCount,
    fanOut: Int = 2
  ) throws -> Plan {
    try CollectiveAlgorithm(kind, slice: slice, fanOut: fanOut).makePlan(
      .allReduce, shape: GroupShape(rankCount: ranks), size: size
    ).get()
  }

  /// Who sums whom: the edges on which `chunk` rises, as (child, parent).
  private func edges(_ plan: Plan, chunk: Int32) -> [[Int]] {
    (0..<plan.stepCount).map(plan.step)
      .filter { $0.action == .reduce && $0.chunks.contains(chunk) }
      .map { [$0.source.index, $0.destination.index] }
  }

  @Test(arguments: 2...40) func everyRankForwardsInOneOfTheTwoTreesAtMost(ranks: Int) throws {
    let size = ByteCount(1000)
    let plan = try plan(.doubleBinaryTree, ranks, size: size, slice: size)
    #expect(plan.chunkCount == 2 && plan.stepCount == 4 * (ranks - 1))
    let trees = [edges(plan, chunk: 0), edges(plan, chunk: 1)]
    var inner: [Set<Int>] = []
    for tree in trees {
      #expect(tree.count == ranks - 1)
      // Two children at most, and no more levels than the logarithm and one.
      for parent in 0..<ranks { #expect(tree.count { $0[1] == parent } <= 2) }
      var parents = Array(repeating: -1, count: ranks)
      for edge in tree { parents[edge[0]] = edge[1] }
      for rank in 0..<ranks {
        var (depth, at) = (0, rank)
        while parents[at] >= 0, depth <= ranks { (depth, at) = (depth + 1, parents[at]) }
        #expect(1 << (depth - 1) <= ranks, "rank \(rank) is \(depth) below the root")
      }
      inner.append(Set(tree.map { $0[1] }))
    }
    // With an even number mirrored leaves and inner ranks change places; shifted, the old root and
    // its neighbour may work in both.
    #expect(inner[0].intersection(inner[1]).count <= (ranks % 2 == 0 ? 0 : 2))
  }

  @Test func theTreesOfEightAreThoseOfNCCL() throws {
    let plan = try plan(.doubleBinaryTree, 8, size: .bytes(8), slice: .bytes(8))
    #expect(
      edges(plan, chunk: 0).sorted { $0[0] < $1[0] }
        == [[1, 2], [2, 4], [3, 2], [4, 0], [5, 6], [6, 4], [7, 6]])
    #expect(
      edges(plan, chunk: 1).sorted { $0[0] < $1[0] }
        == [[0, 1], [1, 3], [2, 1], [3, 7], [4, 5], [5, 3], [6, 5]])
  }

  @Test(arguments: [1, 2, 3, 7]) func aTreeHasItsFanOut(fanOut: Int) throws {
    let plan = try plan(.kAryTree, 20, size: .bytes(20), slice: .bytes(20), fanOut: fanOut)
    let tree = edges(plan, chunk: 0)
    for rank in 1..<20 { #expect(tree.contains([rank, (rank - 1) / fanOut])) }
    #expect(tree.count == 19)
  }

  @Test func chunksFollowOneAnother() throws {
    let plan = try plan(.kAryTree, 3, size: .bytes(100), slice: .bytes(25))
    #expect(plan.chunkCount == 4 && plan.stepCount == 2 * 2 * 4)
    for index in 0..<plan.stepCount {
      let step = plan.step(index)
      let before = plan.departureDependencies(of: index).map(plan.step)
      // Each but the first waits for the one before it on the same way.
      let paced = before.contains {
        $0.source == step.source && $0.destination == step.destination
          && $0.chunks.lowerBound == step.chunks.lowerBound - 1
      }
      #expect(paced == (step.chunks.lowerBound > 0))
    }
  }

  /// With a clock that knows no contention.
  @Test(arguments: [
    (CollectiveAlgorithm.Kind.kAryTree, 1, 6, 5), (.kAryTree, 2, 3, 1), (.kAryTree, 2, 7, 2),
    (.kAryTree, 3, 13, 2), (.doubleBinaryTree, 1, 2, 1), (.doubleBinaryTree, 1, 8, 3),
    (.doubleBinaryTree, 1, 16, 4),
  ]) func aTreeOfDepthDAndFanOutFTakesDAndFDAndKLessOne(
    kind: CollectiveAlgorithm.Kind, fanOut: Int, ranks: Int, depth: Int
  ) throws {
    let clock = IdealClock(alpha: .microseconds(5), bandwidth: .gigabitsPerSecond(7))
    for chunks in [1, 2, 10] {
      let slice = ByteCount(7_000)
      let trees = kind == .doubleBinaryTree ? 2 : 1
      let size = slice * (chunks * trees)
      let plan = try plan(kind, ranks, size: size, slice: slice, fanOut: fanOut)
      #expect(plan.chunkCount == chunks * trees)
      var execution = CollectiveExecution(plan: plan, size: size)
      var none = ByteAlgebra()
      let last = clock.run(&execution, algebra: &none).max()!
      // 5 us and 56,000 bits at 7 Gb/s; one rounding up a message.
      // Two children of NCCL's are served at once, like one.
      let messages = (1 + fanOut) * depth + chunks - 1
      let excess = last.picoseconds - 13_000_000 * Int64(messages)
      #expect((0...Int64(messages)).contains(excess), "\(excess) ps too late")
    }
  }
}
