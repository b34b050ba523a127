import SimKernel

extension ChakraTrace {
  /// The graph of the operations, as those of `rank`.
  ///
  /// Control and data parents are waited for alike. A collective's kind is the schema's number in
  /// `comm_type`; traces that converters made from PyTorch leave it out of the call and keep it with
  /// the kernel, and the name decides there. Nodes that are no collective of any kind are markers.
  ///
  /// Traces that were converted from PyTorch's often name parents that the converter left out:
  /// `droppingMissingParents` goes on without them and lists them in the graph, `droppingCycles` drops
  /// an edge of every cycle.
  ///
  /// - Throws: `InterchangeError` with node ids for missing parents, cycles, ids given twice, and
  ///   negative or absurd sizes.
  public func graph(
    rank: Int? = nil, droppingMissingParents: Bool = false, droppingCycles: Bool = false
  ) throws(InterchangeError) -> TraceGraph {
    let rank = rank ?? self.rank ?? 0
    var builder = TraceGraphBuilder(origin: origin)
    for node in nodes {
      let work = try work(node)
      var parents = node.controlParents
      for parent in node.dataParents where !parents.contains(parent) { parents.append(parent) }
      let start = Int64(exactly: node.startMicroseconds).flatMap(Self.picoseconds)
      let duration = Int64(exactly: node.durationMicroseconds).flatMap(Self.picoseconds)
      guard let start, let duration else {
        throw failure(
          "node \(node.id) lasts or begins beyond 106 days", "microseconds of one run", node)
      }
      builder.add(
        TraceGraph.Node(
          id: node.id, name: builder.names.index(of: node.name), rank: Int32(rank),
          work: work, start: start > 0 ? SimTime(picoseconds: start) : nil,
          duration: duration > 0 ? SimDuration(picoseconds: duration) : nil),
        after: parents, place: node.byteOffset)
    }
    return try builder.build(
      droppingMissingParents: droppingMissingParents, droppingCycles: droppingCycles)
  }

  private static func picoseconds(_ microseconds: Int64) -> Int64? {
    let (value, overflow) = microseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? nil : value
  }

  private func failure(_ found: String, _ expected: String, _ node: Node) -> InterchangeError {
    InterchangeError(
      path: origin, found: found, expected: expected,
      byteOffset: node.byteOffset >= 0 ? node.byteOffset : nil)
  }

  private func work(_ node: Node) throws(InterchangeError) -> TraceGraph.Work {
    switch node.kind {
    case .compute: return .compute
    case .memoryLoad: return .memory(.init(isStore: false, bytes: try bytes(node, "tensor_size")))
    case .memoryStore: return .memory(.init(isStore: true, bytes: try bytes(node, "tensor_size")))
    case .send: return .send(try message(node, peer: "comm_dst"))
    case .receive: return .receive(try message(node, peer: "comm_src"))
    case .collective:
      let number = node["comm_type"]?.number
      if let number, !Self.collectives.indices.contains(Int(clamping: number)) {
        throw failure(
          "node \(node.id) has comm_type \(number)", "a collective, 0 to 9", node)
      }
      guard let kind = number.map({ Self.collectives[Int($0)] }) ?? CollectiveKind(named: node.name)
      else { return .marker }
      let root = node["root_rank"]?.number ?? node["comm_root"]?.number
      return .collective(
        .init(
          kind: kind, bytes: try bytes(node, "comm_size"),
          root: root.flatMap { Int32(exactly: $0) }))
    case .invalid, .metadata, .storage, .batch, .checkpoint, .unknown: return .marker
    }
  }

  /// By the schema's numbers; the block-wise reduce-scatter moves what the other does.
  static let collectives: [CollectiveKind] = [
    .allReduce, .reduce, .allGather, .gather, .scatter, .broadcast, .allToAll, .reduceScatter,
    .reduceScatter, .barrier,
  ]

  private func message(
    _ node: Node, peer: String
  ) throws(InterchangeError) -> TraceGraph.Message {
    let other = node[peer]?.number
    if let other, Int32(exactly: other).map({ $0 >= 0 }) != true {
      throw failure("node \(node.id) has \(peer) \(other)", "a rank, 0 or more", node)
    }
    return TraceGraph.Message(
      peer: other.map { Int32($0) }, bytes: try bytes(node, "comm_size"),
      tag: node["comm_tag"]?.number.flatMap { Int32(exactly: $0) })
  }

  private func bytes(_ node: Node, _ name: String) throws(InterchangeError) -> ByteCount? {
    guard let value = node[name] else { return nil }
    guard let number = value.number, number >= 0, number <= 1 << 60 else {
      throw failure(
        "node \(node.id) has \(name) \(value)", "bytes, 0 or more", node)
    }
    return .bytes(number)
  }
}
