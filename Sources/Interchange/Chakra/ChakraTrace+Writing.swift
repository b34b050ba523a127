import SimKernel

extension ChakraTrace {
  /// What `rank` does in `graph`, so that ASTRA-sim's feeder can run it.
  ///
  /// Ids and names stay; all parents are data parents. Durations and starts are rounded to
  /// microseconds, the format's tick, durations so that they do not drift on a lane. Groups and waiting for a start only cannot be said: the
  /// first are named in the attribute `pg_name`, the second is refused.
  public init(_ graph: TraceGraph, rank: Int, origin: String) throws(InterchangeError) {
    self.init(
      version: "0.0.4", attributes: [Attribute("schema", .string("1.1.1-chakra.0.0.4"))],
      nodes: [], origin: origin)
    var rounding = TickRounding(.microseconds(1))
    for (index, node) in graph.nodes.enumerated() where node.rank == rank {
      var parents: [UInt64] = []
      for edge in graph.dependencies(of: index) {
        guard !edge.onStart else {
          throw InterchangeError(
            path: origin,
            found: "node \(node.id) waits for the start of \(graph.nodes[Int(edge.node)].id)",
            expected: "Chakra waits for ends only")
        }
        parents.append(graph.nodes[Int(edge.node)].id)
      }
      let (kind, attributes) = Self.fields(node.work, graph)
      nodes.append(
        Node(
          id: node.id, name: graph.names[node.name], kind: kind, dataParents: parents,
          startMicroseconds: Self.microseconds(node.start?.picoseconds ?? 0),
          durationMicroseconds: node.duration.map {
            UInt64(rounding.ticks(max(.zero, $0), lane: node.lane))
          } ?? 0,
          attributes: [Attribute("is_cpu_op", .bool(false))] + attributes))
    }
  }

  private static func microseconds(_ picoseconds: Int64) -> UInt64 {
    UInt64(max(0, picoseconds) / 1_000_000 + (max(0, picoseconds) % 1_000_000 >= 500_000 ? 1 : 0))
  }

  private static func fields(
    _ work: TraceGraph.Work, _ graph: TraceGraph
  ) -> (Kind, [Attribute]) {
    func size(_ bytes: ByteCount?, _ name: String = "comm_size") -> [Attribute] {
      bytes.map { [Attribute(name, .integer($0.bytes))] } ?? []
    }
    func message(_ message: TraceGraph.Message, _ peer: String) -> [Attribute] {
      var list = size(message.bytes)
      if let other = message.peer { list.append(Attribute(peer, .integer(Int64(other)))) }
      if let tag = message.tag { list.append(Attribute("comm_tag", .integer(Int64(tag)))) }
      return list
    }
    switch work {
    case .compute: return (.compute, [])
    case .marker: return (.metadata, [])
    case .memory(let access):
      return (access.isStore ? .memoryStore : .memoryLoad, size(access.bytes, "tensor_size"))
    case .send(let value): return (.send, message(value, "comm_dst"))
    case .receive(let value): return (.receive, message(value, "comm_src"))
    case .collective(let value):
      let number = collectives.firstIndex(of: value.kind)!
      var list = [Attribute("comm_type", .integer(Int64(number)))] + size(value.bytes)
      if let root = value.root { list.append(Attribute("root_rank", .integer(Int64(root)))) }
      if value.group >= 0 {
        list.append(Attribute("pg_name", .string(graph.groups[Int(value.group)].name)))
      }
      return (.collective, list)
    }
  }
}
