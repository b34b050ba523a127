import SimKernel

extension TraceGraph {
  /// The graph of the GOAL schedule at `path`; operations are called by their number in their rank.
  ///
  /// - Throws: `InterchangeError` with line and column, or with the operations of a cycle.
  public init(goal path: String) throws(InterchangeError) {
    var sink = GraphSink(builder: TraceGraphBuilder(origin: path))
    try GOALReader.read(path: path, into: &sink)
    self = try sink.graph()
  }

  /// Hands the graph to `sink` as a GOAL schedule, the operations of each rank in the order of the
  /// graph and what they wait for behind them.
  ///
  /// Durations are rounded to nanoseconds, so that they do not drift on a lane. What GOAL cannot say is refused: collectives, messages
  /// without peer or bytes, computations without a duration.
  public func write(
    to sink: inout some GOALSink, origin: String
  ) throws(InterchangeError) {
    sink.begin(ranks: rankCount)
    var byRank = [[Int32]](repeating: [], count: rankCount)
    for index in nodes.indices { byRank[Int(nodes[index].rank)].append(Int32(index)) }
    var numbers = [Int](repeating: 0, count: nodes.count)
    for rank in 0..<rankCount where !byRank[rank].isEmpty {
      sink.begin(rank: rank)
      var rounding = TickRounding(.nanoseconds(1))
      for index in byRank[rank] {
        numbers[Int(index)] = try write(nodes[Int(index)], to: &sink, &rounding, origin)
      }
      for index in byRank[rank] {
        for edge in dependencies(of: Int(index)) {
          sink.require(
            numbers[Int(index)], after: numbers[Int(edge.node)], onStart: edge.onStart)
        }
      }
    }
  }

  private func write(
    _ node: Node, to sink: inout some GOALSink, _ rounding: inout TickRounding, _ origin: String
  ) throws(InterchangeError) -> Int {
    func refused(_ what: String) -> InterchangeError {
      InterchangeError(
        path: origin, found: "node \(node.id) of rank \(node.rank) is \(what)",
        expected: "GOAL has computations with a length and messages with peer and bytes")
    }
    let cpu = UInt8(clamping: node.lane)
    switch node.work {
    case .compute, .memory:
      guard let duration = node.duration, duration >= .zero else {
        throw refused("a computation without a length")
      }
      let nanoseconds = rounding.ticks(duration, lane: node.lane)
      return sink.calculate(nanoseconds: Int(nanoseconds), cpu: cpu, line: 0)
    case .marker: return sink.calculate(nanoseconds: 0, cpu: cpu, line: 0)
    case .send(let message):
      guard let peer = message.peer, let bytes = message.bytes else {
        throw refused("a send without \(message.peer == nil ? "peer" : "bytes")")
      }
      return sink.send(
        bytes: Int(bytes.bytes), to: Int(peer), tag: message.tag ?? 0, cpu: cpu, nic: 0, line: 0)
    case .receive(let message):
      guard let bytes = message.bytes else { throw refused("a receive without bytes") }
      return sink.receive(
        bytes: Int(bytes.bytes), from: message.peer.map { Int($0) }, tag: message.tag, cpu: cpu,
        nic: 0, line: 0)
    case .collective(let collective):
      throw refused("a collective, \(collective.kind.rawValue)")
    }
  }
}

/// Collects a schedule; requirements come after the operations they are about.
private struct GraphSink: GOALSink {
  var builder: TraceGraphBuilder
  private var rank: Int32 = 0
  private var ranks = 0
  private var nodes: [TraceGraph.Node] = []
  private var waits: [(later: Int, earlier: Int, onStart: Bool)] = []

  init(builder: TraceGraphBuilder) { self.builder = builder }

  mutating func begin(ranks: Int) {
    self.ranks = ranks
  }
  mutating func begin(rank: Int) {
    flush()
    self.rank = Int32(rank)
  }

  private mutating func add(_ work: TraceGraph.Work, _ cpu: UInt8, _ duration: Int?) -> Int {
    nodes.append(
      TraceGraph.Node(
        id: UInt64(nodes.count), rank: rank, lane: Int32(cpu), work: work,
        duration: duration.map { SimDuration(picoseconds: Int64($0) * 1000) }))
    return nodes.count - 1
  }
  mutating func calculate(nanoseconds: Int, cpu: UInt8, line: Int) -> Int {
    add(.compute, cpu, nanoseconds)
  }
  mutating func send(
    bytes: Int, to destination: Int, tag: Int32, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int {
    add(
      .send(.init(peer: Int32(destination), bytes: .bytes(Int64(bytes)), tag: tag)), cpu, nil)
  }
  mutating func receive(
    bytes: Int, from source: Int?, tag: Int32?, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int {
    add(
      .receive(.init(peer: source.map { Int32($0) }, bytes: .bytes(Int64(bytes)), tag: tag)), cpu,
      nil)
  }
  mutating func require(_ later: Int, after earlier: Int, onStart: Bool) {
    waits.append((later, earlier, onStart))
  }

  /// Adds the rank that is complete.
  private mutating func flush() {
    var ends = [[UInt64]](repeating: [], count: nodes.count)
    var starts = [[UInt64]](repeating: [], count: nodes.count)
    for wait in waits {
      if wait.onStart {
        starts[wait.later].append(UInt64(wait.earlier))
      } else {
        ends[wait.later].append(UInt64(wait.earlier))
      }
    }
    for (index, node) in nodes.enumerated() {
      builder.add(node, after: ends[index], afterStart: starts[index])
    }
    nodes.removeAll(keepingCapacity: true)
    waits.removeAll(keepingCapacity: true)
  }

  mutating func graph() throws(InterchangeError) -> TraceGraph {
    flush()
    builder.rankCount = max(builder.rankCount, ranks)
    return try builder.build()
  }
}
