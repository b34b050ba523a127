import SimKernel

/// An operation of an ``OperationGraph``, counted in the order they were added.
public struct OperationID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// A place where operations of an ``OperationGraph`` run, one at a time.
public struct GraphResourceID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// What workers execute as a graph of operations with durations, resources and dependencies: the
/// input of schedulers that order transfers by what waits for them.
///
/// Every operation runs on one resource - a processor, a channel, a host thread - for a known time
/// once all its predecessors have ended. Nothing here depends on a network: a transfer has the
/// whole bandwidth of its channel. ``GraphRun`` executes a graph, ``OperationGraphBuilder`` makes
/// one. Ids are 32-bit and edges lie in two flat arrays, so that 10^6 operations are ordinary.
public struct OperationGraph: Sendable {
  /// What an operation does.
  public enum Kind: String, CaseIterable, Sendable, BitwiseCopyable {
    /// Work of a processor.
    case compute
    /// Data that arrives, such as parameters from a server.
    case receive
    /// Data that leaves, such as a gradient on its way to a server.
    case send
    /// Data that all workers exchange, such as an all-reduce.
    case collective
    /// A copy between memories of one machine.
    case memory

    /// Whether messages cross a network, so that it can be ordered, sliced and pay overheads.
    public var isTransfer: Bool {
      switch self {
      case .receive, .send, .collective: true
      case .compute, .memory: false
      }
    }
  }

  /// One operation.
  public struct Operation: Sendable, BitwiseCopyable, Equatable {
    public var kind: Kind
    public var resource: GraphResourceID
    /// The parameter tensor it belongs to, counted in forward order, or -1.
    public var tensor: Int32
    /// How long it occupies its resource.
    public var duration: SimDuration
    /// What it moves; 0 for operations that move nothing, or nothing that matters.
    public var size: ByteCount
  }

  /// One resource.
  public struct Resource: Sendable, Equatable {
    public var name: String
    /// What its transfers get; nil where durations are given and no size can be turned into one.
    public var bandwidth: Bandwidth?
    /// What every transfer on it takes besides.
    public var latency: SimDuration

    public init(name: String, bandwidth: Bandwidth? = nil, latency: SimDuration = .zero) {
      self.name = name
      self.bandwidth = bandwidth
      self.latency = latency
    }

    /// How long `size` takes, rounded up to a picosecond; nil without a bandwidth.
    public func time(toMove size: ByteCount) -> SimDuration? {
      bandwidth.map { $0.time(toSend: size) + latency }
    }
  }

  /// Names the graph in reports.
  public let name: String
  public let resources: [Resource]
  public let operations: [Operation]
  /// The name of each operation; all differ.
  public let names: [String]
  /// Predecessors of operation i: `predecessors[predecessorOffsets[i]..<predecessorOffsets[i + 1]]`.
  public let predecessorOffsets: [Int32]
  public let predecessors: [Int32]
  /// Successors of operation i: `successors[successorOffsets[i]..<successorOffsets[i + 1]]`.
  public let successorOffsets: [Int32]
  public let successors: [Int32]
  /// The operations so that each comes after its predecessors: as added where that is such an
  /// order, which makes it the order of the program.
  public let order: [Int32]

  init(
    name: String, resources: [Resource], operations: [Operation], names: [String],
    edges: GraphEdges, order: [Int32]
  ) {
    self.name = name
    self.resources = resources
    self.operations = operations
    self.names = names
    predecessorOffsets = edges.predecessorOffsets
    predecessors = edges.predecessors
    successorOffsets = edges.successorOffsets
    successors = edges.successors
    self.order = order
  }

  /// `other` with operations of other lengths.
  init(_ other: OperationGraph, operations: [Operation]) {
    precondition(operations.count == other.count, "only what operations take changes")
    name = other.name
    resources = other.resources
    self.operations = operations
    names = other.names
    predecessorOffsets = other.predecessorOffsets
    predecessors = other.predecessors
    successorOffsets = other.successorOffsets
    successors = other.successors
    order = other.order
  }

  /// The number of operations.
  public var count: Int { operations.count }

  /// The predecessors of operation `index`.
  public func predecessors(of index: Int) -> ArraySlice<Int32> {
    predecessors[Int(predecessorOffsets[index])..<Int(predecessorOffsets[index + 1])]
  }
  /// The successors of operation `index`.
  public func successors(of index: Int) -> ArraySlice<Int32> {
    successors[Int(successorOffsets[index])..<Int(successorOffsets[index + 1])]
  }
  /// The operations of one kind, in the order they were added.
  public func operations(of kind: Kind) -> [OperationID] {
    operations.indices.filter { operations[$0].kind == kind }.map { OperationID($0) }
  }
  /// The operation called `name`.
  ///
  /// - Complexity: O(operations).
  public func operation(named name: String) -> OperationID? {
    names.firstIndex(of: name).map { OperationID($0) }
  }

  /// How long each resource is busy when every operation takes its own duration.
  public var loads: [SimDuration] {
    var loads = [SimDuration](repeating: .zero, count: resources.count)
    for operation in operations { loads[operation.resource.index] += operation.duration }
    return loads
  }

  /// The longest chain of operations that wait for one another, resources being free.
  ///
  /// - Complexity: O(operations + edges).
  public var longestChain: SimDuration {
    var ends = [SimDuration](repeating: .zero, count: count)
    var longest = SimDuration.zero
    for index in order {
      var start = SimDuration.zero
      for predecessor in predecessors(of: Int(index)) {
        start = max(start, ends[Int(predecessor)])
      }
      ends[Int(index)] = start + operations[Int(index)].duration
      longest = max(longest, ends[Int(index)])
    }
    return longest
  }

  /// No execution ends before this: the busiest resource, or the longest chain if that is longer.
  public var makespanBound: SimDuration { max(loads.max() ?? .zero, longestChain) }
}
