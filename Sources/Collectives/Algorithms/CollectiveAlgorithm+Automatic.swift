import SimKernel

/// What `auto` picks, and whose rule it is.
///
/// | operation | rule | source |
/// |---|---|---|
/// | all_reduce | below 10,000 B recursive_doubling; else ring if there are more elements than ranks, tree otherwise | Open MPI, `coll_tuned_decision_fixed.c` |
/// | reduce_scatter | halving_doubling up to 12 KiB, up to 256 KiB for a power of two, or if n >= 0.0012 bytes + 8; else ring | the same |
/// | all_gather | total below 512 KiB and a power of two: recursive_doubling; below 80 KiB: bruck; else ring | MPICH, `allgather.c` |
/// | broadcast | below 12 KiB or 8 ranks tree; else ring | MPICH, `bcast.c`, with Open MPI's pipeline for the large ones |
/// | reduce | tree | |
/// | all_to_all | blocks below 200 B among more than 12 ranks bruck; below 3,000 B direct; else pairwise | Open MPI |
/// | all_to_all_v | pairwise | Open MPI |
/// | scatter | blocks below 300 B among more than 10 ranks tree; else direct | Open MPI |
/// | gather | blocks up to 6,000 B among more than 60 ranks, or below 1,024 B among more than 10, tree; else direct | Open MPI |
/// | barrier | dissemination | |
///
/// The Open MPI rule is that of commit 010080e, measured on a 64-node Myrinet cluster; other releases
/// may differ. An all-gather takes the size of one rank's payload and compares n times that; a block
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
    case .broadcast: choice.kind = size.bytes < 12 << 10 || n < 8 ? .tree : .ring
    case .reduce: choice.kind = .tree
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
