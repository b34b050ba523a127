import SimKernel

/// What a ``TraceGraph`` holds, counted.
public struct TraceSummary: Sendable, Equatable {
  /// One kind of operation.
  public struct Row: Sendable, Equatable {
    /// `compute`, `send`, `all_reduce`, ...
    public var kind: String
    public var count = 0
    /// Of those that say it.
    public var bytes = ByteCount.zero
    public var duration = SimDuration.zero
    /// Operations that do not say how many bytes they move.
    public var withoutBytes = 0
    /// Operations that do not say how long they take.
    public var withoutDuration = 0
  }
  /// Kinds that occur: compute, memory, messages, collectives, markers.
  public var rows: [Row]
  public var ranks: Int
  public var edges: Int
  /// From the earliest start to the latest end, where they were recorded.
  public var span: SimDuration?

  init(_ graph: TraceGraph) {
    let kinds =
      ["compute", "memory_load", "memory_store", "send", "receive"]
      + CollectiveKind.allCases.map(\.rawValue) + ["marker"]
    var rows = kinds.map { Row(kind: $0) }
    var first: SimTime?
    var last = SimTime.zero
    for node in graph.nodes {
      let (place, bytes) = Self.place(node.work)
      rows[place].count += 1
      if let bytes {
        rows[place].bytes += bytes
      } else if place != 0, place != rows.count - 1 {
        rows[place].withoutBytes += 1
      }
      if let duration = node.duration {
        rows[place].duration += duration
      } else {
        rows[place].withoutDuration += 1
      }
      if let start = node.start {
        first = min(first ?? start, start)
        last = max(last, start + (node.duration ?? .zero))
      }
    }
    self.rows = rows.filter { $0.count > 0 }
    ranks = graph.rankCount
    edges = graph.edgeCount
    span = first.map { last - $0 }
  }

  private static func place(_ work: TraceGraph.Work) -> (Int, ByteCount?) {
    let collectives = CollectiveKind.allCases
    switch work {
    case .compute: return (0, nil)
    case .memory(let access): return (access.isStore ? 2 : 1, access.bytes)
    case .send(let message): return (3, message.bytes)
    case .receive(let message): return (4, message.bytes)
    case .collective(let collective):
      return (5 + collectives.firstIndex(of: collective.kind)!, collective.bytes)
    case .marker: return (5 + collectives.count, nil)
    }
  }
}
