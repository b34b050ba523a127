import SimKernel

/// What a recorded or synthetic trace makes one rank, or all of them, do: operations and what each
/// waits for, whatever format they came from.
///
/// Operations are numbered from 0 in the order of the file; every edge leads to another operation of
/// the graph, and there is no cycle: ``TraceGraphBuilder`` sees to both. Across ranks operations meet
/// in collectives and in pairs of send and receive, which carry what matches them.
public struct TraceGraph: Sendable, Equatable {
  /// One operation.
  public struct Node: Sendable, Equatable {
    /// What the file calls it, for messages; unique within a rank.
    public var id: UInt64
    /// Index into ``TraceGraph/names``.
    public var name: Int32
    /// Global rank.
    public var rank: Int32
    /// What runs one operation after the other.
    ///
    /// A stream, a thread, a CPU of GOAL. Lanes of a rank count from 0; how they are ordered is in
    /// the edges, too.
    public var lane: Int32
    public var work: Work
    /// When it began in the recording, after the earliest of its file; nil where nobody recorded it.
    public var start: SimTime?
    /// How long it took in the recording; nil where nobody recorded it.
    public var duration: SimDuration?

    public init(
      id: UInt64, name: Int32 = 0, rank: Int32, lane: Int32 = 0, work: Work,
      start: SimTime? = nil, duration: SimDuration? = nil
    ) {
      self.id = id
      self.name = name
      self.rank = rank
      self.lane = lane
      self.work = work
      self.start = start
      self.duration = duration
    }
  }

  /// What an operation does.
  public enum Work: Sendable, Equatable {
    /// Takes ``Node/duration`` of its lane.
    case compute
    /// Loads from or stores to memory or storage outside of the accelerator.
    case memory(MemoryAccess)
    case collective(Collective)
    case send(Message)
    case receive(Message)
    /// Orders others and takes no time: metadata, markers, parents of what runs inside them.
    case marker
  }

  public struct MemoryAccess: Sendable, Equatable {
    public var isStore: Bool
    /// nil where the trace does not say.
    public var bytes: ByteCount?
    public init(isStore: Bool, bytes: ByteCount?) {
      self.isStore = isStore
      self.bytes = bytes
    }
  }

  public struct Collective: Sendable, Equatable {
    public var kind: CollectiveKind
    /// What one rank brings: the whole gradient of an all-reduce, one shard of an all-gather.
    ///
    /// nil where the trace does not say.
    public var bytes: ByteCount?
    /// Index into ``TraceGraph/groups``; -1 for all ranks.
    public var group: Int32
    /// The rank that a broadcast, reduce, gather or scatter has as its root; nil if none is named.
    public var root: Int32?
    public init(kind: CollectiveKind, bytes: ByteCount?, group: Int32 = -1, root: Int32? = nil) {
      self.kind = kind
      self.bytes = bytes
      self.group = group
      self.root = root
    }
  }

  public struct Message: Sendable, Equatable {
    /// The other rank; nil for a receive from anyone, or where the trace does not say.
    public var peer: Int32?
    public var bytes: ByteCount?
    /// Sends and receives of a pair of ranks match by tag, in order; nil matches any.
    public var tag: Int32?
    public init(peer: Int32?, bytes: ByteCount?, tag: Int32?) {
      self.peer = peer
      self.bytes = bytes
      self.tag = tag
    }
  }

  /// Ranks that meet in collectives.
  public struct Group: Sendable, Equatable {
    public var name: String
    /// Global ranks in their order; empty where only the number is known.
    public var ranks: [Int32]
    public var size: Int
    public init(name: String, ranks: [Int32], size: Int) {
      self.name = name
      self.ranks = ranks
      self.size = size
    }
  }

  /// What an operation waits for.
  public struct Edge: Sendable, Equatable, BitwiseCopyable {
    /// Index of the earlier operation.
    public var node: Int32
    /// Whether its start is enough, not its end.
    public var onStart: Bool
    public init(node: Int32, onStart: Bool = false) {
      self.node = node
      self.onStart = onStart
    }
  }

  public internal(set) var nodes: [Node]
  public internal(set) var names: NameTable
  public internal(set) var groups: [Group]
  /// Ranks that the trace belongs to or describes; some may have no operation.
  public internal(set) var rankCount: Int
  /// Every node's edges one after the other; where a node's begin, and one entry more.
  var edges: [Edge]
  var edgeStarts: [Int32]
  /// The nodes in an order in which each comes after what it waits for.
  ///
  /// The earliest in the file first.
  public internal(set) var order: [Int32]

  /// Parents that the file names and does not hold, where the reader was told to go on without them.
  public internal(set) var missingParents: [MissingParent]

  /// Edges of cycles that were dropped, where the reader was told to; see ``TraceGraphBuilder``.
  public internal(set) var droppedEdges: [DroppedEdge] = []

  /// An edge that was part of a cycle: one node no longer waits for another.
  public struct DroppedEdge: Sendable, Equatable {
    /// Index of the node that waited.
    public var node: Int32
    /// Index of what it waited for.
    public var parent: Int32
  }

  public struct MissingParent: Sendable, Equatable {
    /// Index of the node that waits.
    public var node: Int32
    /// What it waits for, as the file calls it.
    public var parent: UInt64
  }

  /// What `node` waits for, in the order of the file.
  public func dependencies(of node: Int) -> ArraySlice<Edge> {
    edges[Int(edgeStarts[node])..<Int(edgeStarts[node + 1])]
  }
  /// All edges there are.
  public var edgeCount: Int { edges.count }

  /// Operations by what they do, with their bytes and recorded durations.
  public var summary: TraceSummary { TraceSummary(self) }
}
