import SimKernel

/// What an operation of a worker does: decides the stream it runs on and the account it is charged to.
public enum OperationKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case forward, backward, encode, exchange, decode, optimizer
  /// Moving a tensor between buffers of a host; charged to communication.
  case copy
  /// Nothing but waiting, on no stream's account; charged to communication.
  case hold
  /// An operation of a graph.
  case compute

  /// Whether it is part of the forward or backward pass, or of a graph in their place.
  var isCompute: Bool { self == .forward || self == .backward || self == .compute }
}

/// Where an operation runs on a worker; each place runs one operation at a time.
public enum StreamKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The accelerator's main stream: forward, backward, optimizer.
  case compute
  /// A second stream of the same accelerator; what overlaps there slows both down.
  case side
  /// A host core.
  case cpu
  /// The communication library's stream: exchanges, admitted by the schedule.
  case communication
}

/// One iteration of one worker as a graph: operations with durations, streams and dependencies.
///
/// The graph is a template. Workers are instances that hold counters, never copies, and iterations
/// are unrolled lazily: a worker's counters are refilled when it may go on. Without carried edges that
/// is once all of an iteration is over; with them (see ``carry(from:to:)``) once its forward and
/// backward operations are, while its exchanges may go on into the next.
public struct JobGraph: Sendable {
  /// One operation.
  public struct Operation: Sendable, BitwiseCopyable {
    public var kind: OperationKind
    public var stream: StreamKind
    /// How long it takes alone; exchanges take as long as the network needs.
    public var duration: SimDuration
    /// The index of the exchange, or -1.
    public var exchange: Int32
    /// The communication unit it belongs to, or -1.
    public var unit: Int32
  }

  public private(set) var operations: [Operation] = []
  /// How many predecessors each operation waits for.
  public private(set) var predecessorCounts: [Int32] = []
  private var edges: [(from: Int32, to: Int32)] = []
  private var carriedEdges: [(from: Int32, to: Int32)] = []
  /// Successors of operation i: `successors[offsets[i]..<offsets[i + 1]]`, ascending.
  public private(set) var successorOffsets: [Int32] = [0]
  public private(set) var successors: [Int32] = []
  /// How many operations of the iteration before each operation waits for.
  public private(set) var carriedCounts: [Int32] = []
  /// Operations of the next iteration that wait for operation i, as ``successors``.
  public private(set) var carriedOffsets: [Int32] = [0]
  public private(set) var carriedSuccessors: [Int32] = []
  /// Whether anything is carried from one iteration into the next, so that two may run at once.
  public var overlapsIterations: Bool { !carriedSuccessors.isEmpty }

  public init() {}

  /// Adds an operation that starts after all of `predecessors`; operations of one stream that are
  /// ready at the same instant run in the order they were added.
  @discardableResult
  public mutating func add(
    _ kind: OperationKind, on stream: StreamKind, for duration: SimDuration = .zero,
    exchange: Int = -1, unit: Int = -1, after predecessors: [Int] = []
  ) -> Int {
    let index = operations.count
    operations.append(
      Operation(
        kind: kind, stream: stream, duration: duration, exchange: Int32(exchange),
        unit: Int32(unit)))
    predecessorCounts.append(Int32(predecessors.count))
    carriedCounts.append(0)
    for predecessor in predecessors {
      precondition(predecessor < index, "an operation can only wait for earlier ones")
      edges.append((Int32(predecessor), Int32(index)))
    }
    return index
  }

  /// Lets `operation` of every iteration but the first also wait for `earlier` of the iteration
  /// before.
  public mutating func carry(from earlier: Int, to operation: Int) {
    carriedEdges.append((Int32(earlier), Int32(operation)))
    carriedCounts[operation] += 1
  }

  /// Builds the successor lists; call once after the last ``add(_:on:for:exchange:unit:after:)``.
  public mutating func finish() {
    (successorOffsets, successors) = Self.lists(edges, operations.count)
    (carriedOffsets, carriedSuccessors) = Self.lists(carriedEdges, operations.count)
    edges = []
    carriedEdges = []
  }

  private static func lists(
    _ edges: [(from: Int32, to: Int32)], _ count: Int
  ) -> (offsets: [Int32], targets: [Int32]) {
    var counts = [Int32](repeating: 0, count: count + 1)
    for edge in edges { counts[Int(edge.from) + 1] += 1 }
    for index in 0..<count { counts[index + 1] += counts[index] }
    var targets = [Int32](repeating: 0, count: edges.count)
    var cursor = counts
    for edge in edges {
      targets[Int(cursor[Int(edge.from)])] = edge.to
      cursor[Int(edge.from)] += 1
    }
    return (counts, targets)
  }
}
