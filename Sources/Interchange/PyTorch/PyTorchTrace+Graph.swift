import SimKernel

extension PyTorchTrace {
  /// The graph of the operators that do something: the leaves of the tree of calls, one after the
  /// other on each thread, and the collectives.
  ///
  /// Execution traces have no times: `durations` gives what a node took, by its ``Node/recordID``,
  /// for example from the Kineto trace of the same run. A collective is kept once: the innermost node
  /// that names its kind stands for the calls around it. Backward operators wait for the forward ones
  /// that PyTorch pairs them with.
  ///
  /// - Throws: `InterchangeError` with node ids for parents that are missing and for cycles.
  public func graph(
    rank: Int? = nil, durations: [Int64: SimDuration] = [:]
  ) throws(InterchangeError) -> TraceGraph {
    try checkTree()
    let rank = Int32(rank ?? self.rank ?? 0)
    let carriers = collectiveCarriers()
    // What communicates and is not kept leaves its caller an operation of its own.
    var isParent: Set<UInt64> = []
    for node in nodes where node.message < 0 || carriers.contains(node.id) {
      if node.parent != node.id { isParent.insert(node.parent) }
    }
    var builder = TraceGraphBuilder(origin: origin)
    var lastOfThread: [Int32: UInt64] = [:]
    var kept: Set<UInt64> = []
    // PyTorch numbers nodes as they begin; the file lists them as they end.
    for index in nodes.indices.sorted(by: { nodes[$0].id < nodes[$1].id }) {
      let node = nodes[index]
      let message = carriers.contains(node.id) ? messages[Int(node.message)] : nil
      // Inside a collective nothing else is kept; outside, what calls nothing more.
      guard message != nil || (!isParent.contains(node.id) && node.message < 0) else { continue }
      var parents: [UInt64] = []
      if let last = lastOfThread[node.thread] { parents.append(last) }
      if node.forwardParent != 0, kept.contains(node.forwardParent) {
        parents.append(node.forwardParent)
      }
      var work = TraceGraph.Work.compute
      if let message, let kind = message.kind {
        work = .collective(
          .init(kind: kind, bytes: message.bytes, group: group(of: message, &builder)))
      }
      builder.add(
        TraceGraph.Node(
          id: node.id, name: builder.names.index(of: names[node.name]), rank: rank,
          lane: node.thread, work: work, duration: durations[node.recordID]),
        after: parents, place: node.byteOffset)
      lastOfThread[node.thread] = node.id
      kept.insert(node.id)
    }
    return try builder.build()
  }

  /// The nodes that stand for a collective: of a call and the calls below it that name a kind, the
  /// one that knows most.
  ///
  /// A library's annotation, such as `gloo:all_reduce`, is recorded on the thread that happens to run
  /// then, and may stand below an operator that has nothing to do with it. It then belongs to the
  /// earlier `c10d::` call of the same kind on the same tensor that has none below itself.
  private func collectiveCarriers() -> Set<UInt64> {
    var indices: [UInt64: Int] = [:]
    for (index, node) in nodes.enumerated() { indices[node.id] = index }
    /// By the outermost call.
    var best: [UInt64: Int] = [:]
    var isAnnotated: Set<UInt64> = []
    for (index, node) in nodes.enumerated() where kind(of: index) != nil {
      var outermost = node.id
      var place = index
      var steps = 0
      while let above = indices[nodes[place].parent], above != place, steps < nodes.count {
        if kind(of: above) != nil { outermost = nodes[above].id }
        place = above
        steps += 1
      }
      if isAnnotation(index) { isAnnotated.insert(outermost) }
      if let other = best[outermost], detail(other) >= detail(index) { continue }
      best[outermost] = index
    }
    struct Call: Hashable {
      var kind: CollectiveKind
      var tensor: Int64
    }
    var open: [Call: Int] = [:]
    var carriers: Set<UInt64> = []
    for outermost in best.keys.sorted() {
      let index = best[outermost]!
      let message = messages[Int(nodes[index].message)]
      let call = Call(kind: message.kind!, tensor: message.tensor)
      if isAnnotation(index), nodes[index].id == outermost, let waiting = open[call], waiting > 0 {
        open[call] = waiting - 1
        continue
      }
      if message.tensor >= 0, !isAnnotated.contains(outermost) { open[call, default: 0] += 1 }
      carriers.insert(nodes[index].id)
    }
    return carriers
  }

  private func kind(of index: Int) -> CollectiveKind? {
    let message = nodes[index].message
    return message >= 0 ? messages[Int(message)].kind : nil
  }

  /// Whether a node is a library's own record, neither c10d's call nor what it says about it.
  private func isAnnotation(_ index: Int) -> Bool {
    let name = names[nodes[index].name]
    return !name.hasPrefix("c10d") && name != "record_param_comms"
  }

  /// How much a node knows about its message.
  private func detail(_ index: Int) -> Int {
    let message = messages[Int(nodes[index].message)]
    return (message.bytes != nil ? 2 : 0) + (message.groupSize != nil ? 1 : 0)
  }

  private func group(
    of message: Message, _ builder: inout TraceGraphBuilder
  ) -> Int32 {
    guard let size = message.groupSize, size > 0, size < 1 << 20 else { return -1 }
    var ranks: [Int32] = []
    if let start = message.groupStart, let stride = message.groupStride, start >= 0, stride > 0,
      start + (size - 1) * stride < 1 << 30
    {
      ranks = (0..<size).map { Int32(start + $0 * stride) }
    }
    return builder.group(.init(name: message.groupName ?? "", ranks: ranks, size: size))
  }

  /// Every parent is there, except for that of the root, and nobody calls itself.
  private func checkTree() throws(InterchangeError) {
    var tree = TraceGraphBuilder(origin: origin)
    var roots = 0
    var ids: Set<UInt64> = []
    for node in nodes { ids.insert(node.id) }
    for node in nodes {
      let isRoot = node.parent == node.id || (node.parent <= 1 && !ids.contains(node.parent))
      roots += isRoot ? 1 : 0
      tree.add(
        TraceGraph.Node(id: node.id, rank: 0, work: .marker), after: isRoot ? [] : [node.parent],
        place: node.byteOffset)
    }
    _ = try tree.build()
  }
}
