import SimKernel

/// Trees that carry a payload in chunks: sums rise chunk after chunk while earlier ones already come
/// down.
///
/// A rank sends a chunk on once it has all that belongs to it and the chunk before has reached the
/// next rank. In a double binary tree it sends a chunk to both children at once, as NCCL's kernels
/// do, so that depth d and K chunks take (2 d + K - 1)(alpha + S/(K B)) where children do not share its
/// link. In a tree of fan-out f it serves them in turn, the largest subtree first, as MPI libraries
/// do: a chunk goes to a child when it has reached the child before. Then a full tree takes
/// ((1 + f) d + K - 1)(alpha + S/(K B)) without contention, and with one chunk there is none.
extension CollectiveAlgorithm {
  /// Steps that are stored at most, some 100 MB; more ranks get larger chunks.
  private static let mostSteps = 1 << 22

  func pipelinedTrees(
    _ operation: CollectiveOperation, ranks: Int, size: ByteCount, root: RankID
  ) -> Plan {
    let trees =
      // Nothing is sent by a rank on its own, so that there is nothing to cut.
      kind == .doubleBinaryTree && ranks > 1
      ? [RankTree.nccl(ranks), RankTree.ncclSecond(ranks)]
      : [RankTree.kAry(ranks, fanOut: fanOut, root: root.index)]
    let share = size.bytes / Int64(trees.count)
    let slices = max(1, min((share + slice.bytes - 1) / slice.bytes, Self.mostSlices))
    let perTree = ranks == 1 ? 1 : min(Int(slices), max(1, Self.mostSteps / (4 * ranks)))
    var builder = PipelinedTreeBuilder(
      reduces: operation != .broadcast, broadcasts: operation != .reduce,
      servesInTurn: kind == .kAryTree)
    for (index, tree) in trees.enumerated() {
      builder.append(tree, chunks: index * perTree..<(index + 1) * perTree)
    }
    return builder.steps.plan(
      name: kind.rawValue, operation: operation, rankCount: ranks, root: root,
      chunkCount: trees.count * perTree)
  }
}

/// A rooted tree over the ranks of a group.
struct RankTree {
  /// The parent of every rank; -1 for the root.
  let parents: [Int]

  /// A tree whose ranks have `fanOut` children, filled level by level from `root`.
  static func kAry(_ ranks: Int, fanOut: Int, root: Int) -> RankTree {
    RankTree(
      parents: (0..<ranks).map { rank in
        let number = rank >= root ? rank - root : rank - root + ranks
        if number == 0 { return -1 }
        let parent = (number - 1) / fanOut + root
        return parent >= ranks ? parent - ranks : parent
      })
  }

  /// NCCL's first tree (`ncclGetBtree`, `src/graph/trees.cc`): ranks with k trailing zeros are k
  /// above the leaves, so that leaves and inner ranks alternate.
  static func nccl(_ ranks: Int) -> RankTree {
    RankTree(
      parents: (0..<ranks).map { rank in
        if rank == 0 { return -1 }
        let bit = rank & -rank
        let up = (rank ^ bit) | (bit << 1)
        return up >= ranks ? rank ^ bit : up
      })
  }

  /// NCCL's second tree (`ncclGetDtree`): the first one mirrored, or shifted by a rank if their number
  /// is odd, so that no rank has to forward in both.
  static func ncclSecond(_ ranks: Int) -> RankTree {
    let first = nccl(ranks).parents
    return RankTree(
      parents: (0..<ranks).map { rank in
        let other = ranks % 2 == 0 ? ranks - 1 - rank : (rank - 1 + ranks) % ranks
        let parent = first[other]
        if parent < 0 { return -1 }
        return ranks % 2 == 0 ? ranks - 1 - parent : (parent + 1) % ranks
      })
  }

  /// The ranks from the root down, parents before children.
  var fromTheRoot: [Int] {
    var children = Array(repeating: [Int](), count: parents.count)
    for (rank, parent) in parents.enumerated() where parent >= 0 { children[parent].append(rank) }
    var order = [parents.firstIndex(of: -1)!]
    var next = 0
    while next < order.count {
      order += children[order[next]]
      next += 1
    }
    return order
  }
}

/// Collects the steps of trees that carry chunks one after the other.
private struct PipelinedTreeBuilder {
  let reduces: Bool
  let broadcasts: Bool
  /// A chunk goes to the children of a rank one after the other.
  let servesInTurn: Bool
  var steps = PlanBuilder()

  init(reduces: Bool, broadcasts: Bool, servesInTurn: Bool) {
    self.reduces = reduces
    self.broadcasts = broadcasts
    self.servesInTurn = servesInTurn
  }

  /// Adds `tree`, which carries `chunks`.
  mutating func append(_ tree: RankTree, chunks: Range<Int>) {
    let order = tree.fromTheRoot
    let none = Array(repeating: -1, count: tree.parents.count)
    // The step that last left a rank for its parent, and its parent for it.
    var (risen, fallen) = (none, none)
    for chunk in chunks {
      // What was last applied at a rank: a sum is made in the order of this list, whatever arrives
      // first.
      var last = none
      for rank in reduces ? order.reversed() : [] where tree.parents[rank] >= 0 {
        let parent = tree.parents[rank]
        risen[rank] = steps.append(
          PlanStep(rank, parent, chunk, chunk + 1, .reduce),
          departsAfter: [last[rank], risen[rank]].filter { $0 >= 0 }.sorted(),
          appliesAfter: [last[parent]].filter { $0 >= 0 })
        last[parent] = risen[rank]
      }
      // The step that took this chunk from a rank to a child of it last.
      var served = none
      for rank in broadcasts ? order : [] where tree.parents[rank] >= 0 {
        let parent = tree.parents[rank]
        let before = [last[parent], fallen[rank], servesInTurn ? served[parent] : -1]
        fallen[rank] = steps.append(
          PlanStep(parent, rank, chunk, chunk + 1, .store),
          departsAfter: before.filter { $0 >= 0 }.sorted())
        last[rank] = fallen[rank]
        served[parent] = fallen[rank]
      }
    }
  }
}
