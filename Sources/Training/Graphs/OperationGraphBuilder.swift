import SimKernel

/// Why operations do not make a graph.
public enum OperationGraphError: Error, Equatable, Sendable {
  /// Two operations of one name.
  case duplicateOperation(String)
  /// Two resources of one name.
  case duplicateResource(String)
  /// Operations that wait for one another, each before the one it waits for.
  case circle([String])
  /// Neither a duration nor, with a size, a bandwidth to compute it from.
  case missingDuration(operation: String, resource: String)
  /// A negative duration or size.
  case negative(operation: String)
  /// The durations add up to more than half the range of time, or there are too many operations.
  case tooLarge
}

extension OperationGraphError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .duplicateOperation(let name): "two operations are called \"\(name)\""
    case .duplicateResource(let name): "two resources are called \"\(name)\""
    case .circle(let names):
      names.count == 1
        ? "operation \"\(names[0])\" waits for itself"
        : "operations wait for one another: "
          + (names.prefix(12) + [names.count > 12 ? "..." : names[0]]).joined(separator: " after ")
    case .missingDuration(let operation, let resource):
      "operation \"\(operation)\" has no duration, and resource \"\(resource)\" no bandwidth to "
        + "compute it from a size"
    case .negative(let operation):
      "operation \"\(operation)\" has a negative duration or size"
    case .tooLarge:
      "the durations add up to more than 53 days, or there are 2^31 operations or edges"
    }
  }
}

/// Collects resources, operations and dependencies, then checks them once.
///
///     var builder = OperationGraphBuilder(name: "two transfers")
///     let gpu = builder.resource("gpu"), nic = builder.resource("nic")
///     let r1 = builder.add("r1", .receive, on: nic, for: .microseconds(2))
///     builder.add("op1", .compute, on: gpu, for: .microseconds(3), after: [r1])
///     let graph = try builder.build()
public struct OperationGraphBuilder: Sendable {
  public var name: String
  private var resources: [OperationGraph.Resource] = []
  private var operations: [OperationGraph.Operation] = []
  private var names: [String] = []
  private var from: [Int32] = []
  private var to: [Int32] = []
  private var firstWithoutDuration: Int?

  /// Nothing yet.
  public init(name: String) { self.name = name }

  /// The number of operations so far.
  public var count: Int { operations.count }

  /// Adds a resource.
  public mutating func resource(
    _ name: String, bandwidth: Bandwidth? = nil, latency: SimDuration = .zero
  ) -> GraphResourceID {
    resource(OperationGraph.Resource(name: name, bandwidth: bandwidth, latency: latency))
  }

  /// Adds a resource.
  public mutating func resource(_ resource: OperationGraph.Resource) -> GraphResourceID {
    resources.append(resource)
    return GraphResourceID(resources.count - 1)
  }

  /// Adds an operation that starts after all of `predecessors`.
  ///
  /// Without a `duration` it takes what its resource needs for `size`.
  @discardableResult
  public mutating func add(
    _ name: String, _ kind: OperationGraph.Kind, on resource: GraphResourceID,
    for duration: SimDuration? = nil, size: ByteCount = .zero, tensor: Int = -1,
    after predecessors: [OperationID] = []
  ) -> OperationID {
    precondition(resources.indices.contains(resource.index), "resources are added first")
    let id = OperationID(operations.count)
    let length: SimDuration
    if size.bytes < 0 {
      length = SimDuration(picoseconds: -1)
    } else if let known = duration ?? resources[resource.index].time(toMove: size) {
      length = known
    } else {
      length = .zero
      firstWithoutDuration = firstWithoutDuration ?? operations.count
    }
    operations.append(
      OperationGraph.Operation(
        kind: kind, resource: resource, tensor: Int32(tensor), duration: length, size: size))
    names.append(name)
    for predecessor in predecessors { require(predecessor, before: id) }
    return id
  }

  /// Makes `later` wait for `earlier`, which may be added before or after it.
  public mutating func require(_ earlier: OperationID, before later: OperationID) {
    from.append(earlier.rawValue)
    to.append(later.rawValue)
  }

  /// The graph.
  ///
  /// - Throws: ``OperationGraphError`` at the first fault.
  /// - Complexity: O(operations + edges).
  public func build() throws(OperationGraphError) -> OperationGraph {
    guard operations.count < Int32.max, from.count < Int32.max else { throw .tooLarge }
    if let index = firstWithoutDuration {
      throw .missingDuration(
        operation: names[index], resource: resources[operations[index].resource.index].name)
    }
    var total = SimDuration.zero
    for (index, operation) in operations.enumerated() {
      if operation.duration < .zero { throw .negative(operation: names[index]) }
      total += operation.duration
    }
    // Half the range leaves room for overheads and noise.
    if total.picoseconds > Int64.max / 2 { throw .tooLarge }
    if let name = Self.firstRepeated(resources.map(\.name)) { throw .duplicateResource(name) }
    if let name = Self.firstRepeated(names) { throw .duplicateOperation(name) }
    let edges = GraphEdges(count: operations.count, from: from, to: to)
    let order = edges.topologicalOrder()
    if order.count < operations.count {
      throw .circle(edges.circle(outside: order).map { names[$0] })
    }
    return OperationGraph(
      name: name, resources: resources, operations: operations, names: names, edges: edges,
      order: order)
  }

  /// The first name that was there before; the set only answers whether.
  private static func firstRepeated(_ names: [String]) -> String? {
    var seen = Set<String>(minimumCapacity: names.count)
    return names.first { !seen.insert($0).inserted }
  }
}
