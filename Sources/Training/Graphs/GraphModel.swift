import SimKernel

/// A graph of operations as what every worker of a job executes in an iteration.
///
/// Its compute operations run on the worker's accelerator and its copies on a host core, in the order
/// in which they are ready; each collective becomes a tensor that is communicated as the scenario says:
/// compressed, merged, sliced or put in another order like the gradient of any model. What the graph
/// itself says of how long collectives take is not used.
extension ModelTable {
  /// The most that a graph job may have; each is an exchange of its own.
  private static var mostTensors: Int { 100_000 }

  /// The model whose gradient is what the collectives of `graph` move.
  ///
  /// Tensors come in the reverse of the order in which they are ready when nothing is communicated, as
  /// in any model: the first is ready last. A collective without bytes is only waited for.
  ///
  /// - Throws: ``GraphModelRefusal`` if workers cannot execute it, with the reason.
  public init(graph: OperationGraph) throws(GraphModelRefusal) {
    guard try graph.processor() != nil else {
      throw GraphModelRefusal(
        "it has no compute operation; simnet graph runs graphs of transfers alone")
    }
    let times = graph.readyTimes()
    var moved: [Int] = []
    for (index, operation) in graph.operations.enumerated() where operation.kind == .collective {
      if operation.size > .zero { moved.append(index) }
    }
    if moved.isEmpty {
      throw GraphModelRefusal(
        "none of its operations is a collective with bytes, so that there is nothing to communicate; "
          + "simnet graph runs it by itself")
    }
    if moved.count > Self.mostTensors {
      throw GraphModelRefusal(
        "it has \(moved.count) collectives, more than \(Self.mostTensors); cut it into iterations")
    }
    // Those that are ready last come first; of equals, the later of the program.
    moved.sort { (times.ready[$0], $0) > (times.ready[$1], $1) }
    self.init(
      name: graph.name, sample: "an iteration of the graph",
      source: "a graph of \(graph.count) operations",
      tensors: moved.enumerated().map { place, index in
        let elements = Int((graph.operations[index].size.bytes + 3) / 4)
        return ModelTensor(
          name: graph.names[index], layer: graph.names[index], shape: Self.shape(of: elements),
          elements: elements, layerIndex: place)
      })
    self.graph = GraphModel(
      graph: graph, tensors: moved.map { OperationID($0) },
      ready: moved.map { times.ready[$0] - SimTime.zero }, length: times.end - SimTime.zero)
  }
}

extension ModelTable {
  /// A matrix of so many elements, as most large tensors are, with rows of at most 4096 where that
  /// divides; a graph does not say.
  ///
  /// Gradients are made by rows and columns: one row of millions takes long, and resembles nothing.
  fileprivate static func shape(of elements: Int) -> [Int] {
    guard elements > 4096 else { return [elements] }
    for columns in stride(from: 4096, to: 1, by: -1) where elements % columns == 0 {
      return [elements / columns, columns]
    }
    return [elements]
  }
}

/// The graph behind a ``ModelTable``.
public struct GraphModel: Sendable, Equatable {
  public let graph: OperationGraph
  /// The collective of each tensor of the model.
  let tensors: [OperationID]
  /// When each tensor is ready, and when the last operation ends, if communication takes no time.
  let ready: [SimDuration]
  let length: SimDuration

  public static func == (a: GraphModel, b: GraphModel) -> Bool {
    a.graph.name == b.graph.name && a.graph.names == b.graph.names
      && a.graph.operations == b.graph.operations
      && a.graph.predecessorOffsets == b.graph.predecessorOffsets
      && a.graph.predecessors == b.graph.predecessors
  }

  /// What a worker computes: all of it until the last tensor is ready counts as backward, the rest as
  /// the update.
  var computeTimes: ComputeTimes {
    let evidence = Evidence(.measured, "durations of the graph's operations")
    let backward = ready.first ?? .zero
    return ComputeTimes(
      batch: 1, forward: .zero, backward: backward, readyOffsets: ready,
      optimizer: length - backward, forwardEvidence: evidence, backwardEvidence: evidence,
      shapeEvidence: evidence, optimizerEvidence: evidence, warnings: [])
  }

  /// An operation of the graph, or all that becomes of a communication unit.
  enum Node {
    case operation(Int)
    case unit(Int)
  }

  /// The nodes of an iteration in which `units` are what is communicated, each after those it waits
  /// for; nil if units wait for one another.
  ///
  /// A unit waits for what its collectives wait for, and what waits for one of them waits for all units
  /// that hold a part of it. Of nodes that may come next, the first of the program does.
  ///
  /// - Complexity: O((operations + edges + units) log operations), times the parts of a tensor.
  func nodes(_ units: [[TensorID]]) -> [Node]? {
    let count = graph.count
    var unitsOf = [[Int]](repeating: [], count: count)
    for (unit, members) in units.enumerated() {
      for tensor in members { unitsOf[tensors[tensor.index].index].append(unit) }
    }
    var position = [Int](repeating: 0, count: count + units.count)
    for (place, operation) in graph.order.enumerated() { position[Int(operation)] = place }
    /// The nodes that stand for an operation.
    func nodes(of operation: Int) -> [Int] {
      unitsOf[operation].isEmpty ? [operation] : unitsOf[operation].map { count + $0 }
    }
    var missing = [Int](repeating: 0, count: count + units.count)
    for operation in 0..<count {
      for earlier in graph.predecessors(of: operation) {
        let sources = nodes(of: Int(earlier)).count
        for node in nodes(of: operation) { missing[node] += sources }
      }
    }
    for (unit, members) in units.enumerated() {
      position[count + unit] =
        members.map { position[tensors[$0.index].index] }.max() ?? count
    }
    var ready = ReadyHeap()
    for node in missing.indices where missing[node] == 0 {
      if node >= count || unitsOf[node].isEmpty { ready.insert(node, key: Int64(position[node])) }
    }
    var sorted: [Node] = []
    while let node = ready.popFirst() {
      sorted.append(node < count ? .operation(node) : .unit(node - count))
      let operations = node < count ? [node] : units[node - count].map { tensors[$0.index].index }
      for operation in operations {
        for later in graph.successors(of: operation) {
          for next in nodes(of: Int(later)) {
            missing[next] -= 1
            if missing[next] == 0 { ready.insert(next, key: Int64(position[next])) }
          }
        }
      }
    }
    let plain = unitsOf.reduce(0) { $0 + ($1.isEmpty ? 1 : 0) }
    return sorted.count == plain + units.count ? sorted : nil
  }

  /// Why workers would never get through `schedule`; nil if they do.
  func refusal(of schedule: SchedulePlan) -> String? {
    if nodes(schedule.units.map(\.tensors)) != nil { return nil }
    return
      "it joins collectives of which one waits for the other; take per_tensor, or smaller buckets"
  }
}

/// Why workers cannot execute a graph.
public struct GraphModelRefusal: Error, Equatable, CustomStringConvertible {
  public var description: String
  init(_ reason: String) { description = reason }
}

extension OperationGraph {
  /// The one resource that computes; nil if nothing does.
  fileprivate func processor() throws(GraphModelRefusal) -> GraphResourceID? {
    var found: GraphResourceID?
    for (index, operation) in operations.enumerated() {
      switch operation.kind {
      case .compute:
        if let found, found != operation.resource {
          throw GraphModelRefusal(
            "it computes on \(resources[found.index].name) and on "
              + "\(resources[operation.resource.index].name), but a worker has one accelerator; make "
              + "host work \"memory\" operations")
        }
        found = operation.resource
      case .receive, .send:
        throw GraphModelRefusal(
          "\(names[index]) is a \(operation.kind.rawValue), which names no peer; make it a "
            + "collective of all workers, or run the graph by itself with simnet graph")
      case .memory, .collective: break
      }
    }
    return found
  }

  /// When each operation is ready and all are over, if collectives take no time and each resource runs
  /// what is ready in the order of readiness.
  fileprivate func readyTimes() -> (ready: [SimTime], end: SimTime) {
    var free = operations
    for index in free.indices where free[index].kind == .collective { free[index].duration = .zero }
    let copy = OperationGraph(self, operations: free)
    var run = GraphRun(copy)
    let timeline = run.run(GraphRun.stream(seed: 1))
    return (timeline.readyTimes, SimTime.zero + timeline.makespan)
  }
}
