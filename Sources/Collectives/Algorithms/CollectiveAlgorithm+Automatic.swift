import SimKernel

/// What `auto` picks, and whose rule it is.
///
/// | operation | rule | source |
/// |---|---|---|
/// | all_reduce | below 10,000 B recursive_doubling; else ring if there are more elements than ranks, tree otherwise | Open MPI, `coll_tuned_decision_fixed.c` |
/// | reduce_scatter | halving_doubling up to 12 KiB, up to 256 KiB for a power of two, or if n >= 0.0012 bytes + 8; else ring | the same |
/// | all_gather | total below 512 KiB and a power of two: recursive_doubling; below 80 KiB: bruck; else ring | MPICH, `allgather.c` |
/// | broadcast | below 362 KiB tree; else ring if n < 13 and n < 1.6134e-6 bytes + 2.1102, or n >= 13 and n < 3.2118e-6 bytes + 8.7936; else k_ary_tree | Open MPI |
/// | reduce | below 2 KiB, or 20 KiB among less than 8 ranks, or if n > 0.0410 KiB + 9.7128, tree; else k_ary_tree if n > 0.0422 KiB + 1.1614; else ring | Open MPI |
/// | all_to_all | blocks below 200 B among more than 12 ranks bruck; below 3,000 B direct; else pairwise | Open MPI |
/// | all_to_all_v | pairwise | Open MPI |
/// | scatter | blocks below 300 B among more than 10 ranks tree; else direct | Open MPI |
/// | gather | blocks up to 6,000 B among more than 60 ranks, or below 1,024 B among more than 10, tree; else direct | Open MPI |
/// | barrier | dissemination | |
///
/// The Open MPI rule is that of commit 010080e, measured on a 64-node Myrinet cluster; other releases
/// may differ. Its pipelines of segments are the ring here, its binary trees of segments `k_ary_tree`,
/// and what it cuts in segments of a kibibyte, which costs a latency each here, is `tree`. The idea is
/// common to MPICH's scatter and all-gather: a short message goes down a tree in log n latencies, of a
/// long one every rank passes on each byte once (Thakur, Rabenseifner, Gropp, Int. J. High Perf.
/// Comput. Appl. 19, 2005, doi:10.1177/1094342005051521). An all-gather takes the size of one rank's payload and compares n times that; a block
/// is what one rank has for another.
///
/// Where an all-reduce would be a ring and every host holds the same number, at least two, of
/// consecutive ranks, it is hierarchical: NCCL lays several rings so that all network interfaces
/// carry their share, and this form has that traffic. Variable sizes leave the choice as it is.
extension CollectiveAlgorithm {
  func automatic(
    _ operation: CollectiveOperation, shape: GroupShape, size: ByteCount, equalSizes: Bool
  ) -> CollectiveAlgorithm {
    let n = shape.rankCount
    var choice = self
    switch operation {
    case .allReduce:
      if size.bytes < 10_000 {
        choice.kind = .recursiveDoubling
      } else if size.bytes / 4 <= Int64(n) {
        choice.kind = .tree
      } else {
        choice.kind = isHierarchical(shape) ? .hierarchical : .ring
      }
    case .reduceScatter:
      let bytes = size.bytes
      let halves =
        bytes <= 12 << 10 || (bytes <= 256 << 10 && shape.isPowerOfTwo)
        || Double(n) >= 0.0012 * Double(bytes) + 8
      choice.kind = halves ? .halvingDoubling : .ring
    case .allGather:
      // The size is one rank's share; the libraries compare the whole.
      let (total, overflow) = size.bytes.multipliedReportingOverflow(by: Int64(n))
      if !overflow, total < 512 << 10, shape.isPowerOfTwo {
        choice.kind = .recursiveDoubling
      } else if !overflow, total < 80 << 10 {
        choice.kind = .bruck
      } else {
        choice.kind = .ring
      }
    case .broadcast: choice.kind = Self.broadcast(Double(size.bytes), ranks: Double(n))
    case .reduce: choice.kind = Self.reduce(Double(size.bytes), ranks: Double(n))
    case .allToAll:
      let block = size.bytes / Int64(n)
      choice.kind = block < 200 && n > 12 ? .bruck : block < 3000 ? .direct : .pairwise
    case .allToAllV: choice.kind = .pairwise
    case .scatter: choice.kind = size.bytes / Int64(n) < 300 && n > 10 ? .tree : .direct
    case .gather:
      let isSmall = size.bytes <= 6000 && (n > 60 || (n > 10 && size.bytes < 1024))
      choice.kind = isSmall ? .tree : .direct
    case .barrier: choice.kind = .dissemination
    case .pushPull: preconditionFailure("push and pull have no algorithm to pick")
    }
    return choice
  }

  private static func broadcast(_ bytes: Double, ranks: Double) -> Kind {
    if bytes < 370_728 { return .tree }
    let isChain =
      ranks < 1.6134e-6 * bytes + 2.1102 || (ranks >= 13 && ranks < 3.2118e-6 * bytes + 8.7936)
    return isChain ? .ring : .kAryTree
  }

  private static func reduce(_ bytes: Double, ranks: Double) -> Kind {
    let kibibytes = bytes / 1024
    if bytes < 2048 || (ranks < 8 && bytes < 20_480) { return .tree }
    if ranks > 0.0410 * kibibytes + 9.7128 { return .tree }
    return ranks > 0.0422 * kibibytes + 1.1614 ? .kAryTree : .ring
  }

  /// The plan NCCL's model expects to be fastest, named for its algorithm and protocol, such as
  /// `ring/simple`.
  ///
  /// The protocol is a name only: a network model knows no kernels. Ranks of unknown hosts are nodes
  /// of their own.
  func tuned(
    _ tuning: NCCLTuning, _ operation: CollectiveOperation, shape: GroupShape, size: ByteCount,
    root: RankID, equalSizes: Bool
  ) -> Result<Plan, PlanRefusal> {
    let n = shape.rankCount
    // Of a gather, the size is one rank's share; NCCL counts the whole.
    let (total, overflow) = size.bytes.multipliedReportingOverflow(
      by: operation == .allGather ? Int64(n) : 1)
    let choice = tuning.choice(
      operation, bytes: overflow ? .max : total, ranks: n, nodes: shape.hostSizes?.count ?? n)
    var algorithm = self
    algorithm.tuning = nil
    algorithm.kind = choice.isTree ? .doubleBinaryTree : .ring
    return algorithm.makePlan(
      operation, shape: shape, size: size, root: root, equalSizes: equalSizes
    ).map {
      $0.named("\(choice.isTree ? "tree" : "ring")/\(choice.transfer.rawValue)")
    }
  }

  private func isHierarchical(_ shape: GroupShape) -> Bool {
    if let group { return group > 1 && group < shape.rankCount && shape.rankCount % group == 0 }
    guard let perHost = shape.ranksPerHost else { return false }
    return perHost > 1 && perHost < shape.rankCount
  }
}
