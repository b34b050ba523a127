import SimKernel

/// Switches that sum, and whose payloads each takes in.
///
/// A participant is a worker (0..<workers) or a switch (workers..., in any order); every one but the
/// root switch has a switch as its parent. One switch above all is a star, as SwitchML has it; more are
/// a reduction tree, as SHARP has it (Graham et al., COMHPC 2016, doi:10.1109/COMHPC.2016.006).
public struct AggregationTree: Hashable, Sendable {
  public let workers: Int
  /// The parent of every participant; -1 for the root.
  public let parents: [Int]

  /// One switch above all workers.
  public init(workers: Int) {
    precondition(workers > 0, "somebody brings a payload")
    self.workers = workers
    parents = Array(repeating: workers, count: workers) + [-1]
  }

  /// The tree of `parents`, workers first; nil if they are no tree of switches above all workers.
  public init?(workers: Int, parents: [Int]) {
    guard workers > 0, parents.count > workers, parents.count(where: { $0 < 0 }) == 1,
      parents.allSatisfy({ $0 < 0 || ($0 >= workers && $0 < parents.count) }),
      parents[..<workers].allSatisfy({ $0 >= 0 })
    else { return nil }
    self.workers = workers
    self.parents = parents
    // A walk that is longer than there are switches goes round in a circle.
    for participant in parents.indices {
      var (node, steps) = (participant, 0)
      while parents[node] >= 0, steps <= parents.count {
        node = parents[node]
        steps += 1
      }
      if steps > parents.count { return nil }
    }
  }

  /// Switches between a worker and the end of the longest way up, the root counted.
  public var depth: Int { depths[..<workers].max() ?? 0 }

  /// How many levels above each participant the root is.
  var depths: [Int] {
    var result = [Int](repeating: -1, count: parents.count)
    for participant in parents.indices {
      var way: [Int] = []
      var node = participant
      while result[node] < 0, parents[node] >= 0 {
        way.append(node)
        node = parents[node]
      }
      if parents[node] < 0 { result[node] = 0 }
      for below in way.reversed() { result[below] = result[parents[below]] + 1 }
    }
    return result
  }
}

extension Plan {
  /// An all-reduce whose sums are made by switches on the way.
  ///
  /// Payloads go up `tree` and sums come down it, so that a worker sends and receives S bytes where a
  /// ring has 2 (n-1)/n S each way. A switch keeps what it sums in `slots` of `slotSize` bytes, and a
  /// slot is free when its sum has come back: a worker has at most `slots * slotSize` bytes on their
  /// way, which limits its rate to that much a round trip (Sapio et al., "Scaling Distributed Machine
  /// Learning with In-Network Aggregation", NSDI 2021).
  ///
  /// A worker sends the first of all slots at once and each next one when a slot is free, in the
  /// order in which they become free; nothing else waits. One message is a batch of ⌈slots/64⌉ packets
  /// or a 64th of the payload if that is less, and of more, up to a pool in 2 depth batches, where a
  /// million messages would not do. With K batches of D = bytes/B on a tree of depth d whose hops have
  /// the latency alpha that takes (K + 2 d - 1) D + 2 d alpha - about S/B and a round trip - if the
  /// pool holds a round trip, and about one round trip a pool otherwise, of which the store and
  /// forward of a batch instead of a packet is a 64th of the pool a hop at most. Switches sum at line
  /// rate. A sum is made in the order of participants whatever arrives first.
  ///
  /// - Complexity: O(batches x participants) stored steps.
  static func inNetwork(
    _ tree: AggregationTree, size: ByteCount, slots: Int, slotSize: ByteCount, mostSteps: Int
  ) -> Result<Plan, PlanRefusal> {
    let participants = tree.parents.count
    let packets = size.bytes / slotSize.bytes + (size.bytes % slotSize.bytes == 0 ? 0 : 1)
    let perBatch = packetsPerBatch(
      packets, slots: slots, depth: tree.depth, participants: participants)
    let window = slots / Int(perBatch)
    let batches = max(1, packets / perBatch + (packets % perBatch == 0 ? 0 : 1))
    if batches > Int64(mostSteps / (2 * participants)) {
      let batch = ByteCount(slotSize.bytes * perBatch)
      return .failure(
        PlanRefusal(
          "in_network would send \(batches) batches of \(batch.shortText) each way for "
            + "\(tree.workers) ranks, more than it can keep; use more or larger slots"))
    }
    let depths = tree.depths
    // Children before parents, for the way up; ties in the order of participants.
    let upwards = (tree.workers == 1 ? 0..<0 : 0..<participants)
      .filter { tree.parents[$0] >= 0 }
      .sorted { (-depths[$0], $0) < (-depths[$1], $1) }
    var builder = PlanBuilder()
    let none = Array(repeating: -1, count: participants)
    // Of each batch, what came back to a participant.
    var returned: [[Int]] = []
    for chunk in 0..<Int(batches) {
      var last = none
      for child in upwards {
        let parent = tree.parents[child]
        var before = [last[child]]
        if child < tree.workers, chunk >= window { before.append(returned[chunk - window][child]) }
        last[parent] = builder.append(
          PlanStep(child, parent, chunk, chunk + 1, .reduce),
          departsAfter: before.filter { $0 >= 0 }.sorted(),
          appliesAfter: [last[parent]].filter { $0 >= 0 })
      }
      for child in upwards.reversed() {
        let parent = tree.parents[child]
        last[child] = builder.append(
          PlanStep(parent, child, chunk, chunk + 1, .store),
          departsAfter: [last[parent]].filter { $0 >= 0 })
      }
      returned.append(last)
    }
    return .success(
      builder.plan(
        name: CollectiveAlgorithm.Kind.inNetwork.rawValue, operation: .allReduce,
        rankCount: participants, workerCount: tree.workers, root: RankID(0),
        chunkCount: Int(batches), cut: .equal, serversAreColocated: false,
        sumsInNetwork: true))
  }

  /// Batches that a pool or a payload is cut into where that is not too many messages.
  private static let finestBatches = 64
  /// Messages from which on batches are made larger: 50 MB.
  private static let manySteps = 1 << 20

  private static func packetsPerBatch(
    _ packets: Int64, slots: Int, depth: Int, participants: Int
  ) -> Int64 {
    let finest = Int64(finestBatches)
    let fine = min(
      (Int64(slots) + finest - 1) / finest, max(1, (packets + finest - 1) / finest))
    let coarsest = Int64(max(1, slots / max(1, 2 * depth)))
    let (steps, overflow) = packets.multipliedReportingOverflow(by: Int64(2 * participants))
    let affordable = overflow ? coarsest : steps / Int64(manySteps) + 1
    return max(fine, min(affordable, coarsest))
  }
}
