import Interchange
import SimKernel

/// What one worker does in an iteration, made of a recorded or synthetic trace: the graph file that a
/// scenario's `workload.model.graph` names and `simnet graph` reads.
///
/// Computation runs on one accelerator, or on a core of the host beside it; collectives are all-reduces over all workers on one network.
/// What is neither is left out, and what waited for it waits for what it waited for.
public struct ImportedGraph: Sendable {
  /// What the trace does not say.
  public struct Settings: Sendable {
    public var workers: Int
    /// Of a worker's link; makes bytes of collectives that only have a time.
    public var bandwidth: Bandwidth
    /// Of a worker's link.
    public var latency: SimDuration
    /// Of a computation that has no time; nil leaves it out.
    public var operationTime: SimDuration?

    public init(
      workers: Int, bandwidth: Bandwidth, latency: SimDuration, operationTime: SimDuration?
    ) {
      self.workers = workers
      self.bandwidth = bandwidth
      self.latency = latency
      self.operationTime = operationTime
    }
  }

  /// An operation of the graph.
  public struct Operation: Sendable {
    public var name: String
    /// Nil for a collective.
    public var duration: SimDuration?
    /// Nil for a computation.
    public var bytes: ByteCount?
    /// Whether it runs on a core of the host, beside the accelerator.
    public var isHost = false
    /// Indices of operations that it waits for, in ascending order of the trace.
    public var after: [Int32]
  }

  /// Each after what it waits for.
  public private(set) var operations: [Operation] = []
  /// What was not kept, or means something else now, one sentence each.
  public private(set) var notes: [String] = []
  /// What the trace does not say and is assumed, one sentence each.
  public private(set) var assumed: [String] = []
  /// Sends and receives that were left out.
  public private(set) var messages = 0
  private let settings: Settings
  private let name: String

  /// How long the accelerator computes.
  public var compute: SimDuration {
    operations.reduce(.zero) { $0 + ($1.isHost ? .zero : $1.duration ?? .zero) }
  }
  public var collectives: Int { operations.count { $0.bytes != nil } }
  /// Of all collectives of one worker.
  public var bytes: ByteCount { operations.reduce(.zero) { $0 + ($1.bytes ?? .zero) } }

  /// The graph of one rank's `trace`, called `name`.
  ///
  /// - Parameter onHost: which nodes a core of the host runs beside the accelerator; empty for none.
  /// - Complexity: O(operations + edges), more where what is left out joins many with many.
  public init(
    _ trace: TraceGraph, name: String, settings: Settings, onHost: [Bool] = []
  ) {
    self.settings = settings
    self.name = name
    var counts = Counts()
    var place = [Int32](repeating: -1, count: trace.nodes.count)
    // Of nodes that are left out: the kept ones that they waited for.
    var past = [[Int32]](repeating: [], count: trace.nodes.count)
    var names = UniqueNames()
    for index in trace.order.map({ Int($0) }) {
      var parents: [Int32] = []
      for edge in trace.dependencies(of: index) {
        let parent = Int(edge.node)
        // What waits for a start waits for what that waited for.
        if place[parent] >= 0, !edge.onStart {
          parents.append(place[parent])
        } else if place[parent] >= 0 {
          parents += operations[Int(place[parent])].after
        } else {
          parents += past[parent]
        }
      }
      if parents.count > 1 { parents = Self.distinct(parents) }
      let node = trace.nodes[index]
      guard let own = operation(node, trace, &counts) else {
        past[index] = parents
        continue
      }
      place[index] = Int32(operations.count)
      operations.append(
        Operation(
          name: names.unique(trace.names[node.name], id: node.id), duration: own.duration,
          bytes: own.bytes, isHost: own.bytes == nil && !onHost.isEmpty && onHost[index],
          after: parents))
    }
    thinOut()
    if !operations.isEmpty, !operations.contains(where: { $0.duration != nil && !$0.isHost }) {
      addStart()
    }
    messages = counts.messages
    notes = counts.sentences(settings)
    assumed = counts.assumptions(settings)
    if !trace.missingParents.isEmpty {
      let list = trace.missingParents.prefix(5).map {
        "node \(trace.nodes[Int($0.node)].id) waits for \($0.parent)"
      }
      let more = trace.missingParents.count > 5 ? " and \(trace.missingParents.count - 5) more" : ""
      notes.append(
        "parents that the file does not hold: \(list.joined(separator: ", "))\(more)")
    }
    if !trace.droppedEdges.isEmpty {
      let list = trace.droppedEdges.prefix(8).map {
        "\(trace.nodes[Int($0.node)].id) on \(trace.nodes[Int($0.parent)].id)"
      }
      let more = trace.droppedEdges.count > 8 ? " and \(trace.droppedEdges.count - 8) more" : ""
      notes.append(
        "edges of cycles, of which \(trace.droppedEdges.count) were dropped: node "
          + "\(list.joined(separator: ", "))\(more)")
    }
  }

  private static func distinct(_ list: [Int32]) -> [Int32] {
    let sorted = list.sorted()
    var kept: [Int32] = []
    for entry in sorted where kept.last != entry { kept.append(entry) }
    return kept
  }

  /// What `node` becomes; nil if it is left out.
  private func operation(
    _ node: TraceGraph.Node, _ trace: TraceGraph, _ counts: inout Counts
  ) -> (duration: SimDuration?, bytes: ByteCount?)? {
    switch node.work {
    case .compute:
      if let duration = node.duration, duration >= .zero {
        return duration > .zero ? (duration, nil) : nil
      }
      counts.untimed += 1
      return settings.operationTime.map { ($0, nil) }
    case .memory:
      if let duration = node.duration, duration > .zero { return (duration, nil) }
      counts.memory += 1
      return nil
    case .collective(let collective): return message(collective, node, trace, &counts)
    case .send(let message), .receive(let message):
      counts.messages += 1
      counts.messageBytes += message.bytes ?? .zero
      return nil
    case .marker:
      counts.markers += 1
      return nil
    }
  }

  private func message(
    _ own: TraceGraph.Collective, _ node: TraceGraph.Node, _ trace: TraceGraph,
    _ counts: inout Counts
  ) -> (duration: SimDuration?, bytes: ByteCount?)? {
    var members = settings.workers
    if own.group >= 0 {
      let group = trace.groups[Int(own.group)]
      if group.size > 0, group.size < settings.workers { members = group.size }
      if group.size == 0 { counts.add(group: group.name) }
    }
    if members < settings.workers { counts.parts += 1 }
    if own.kind != .allReduce { counts.add(kind: own.kind) }
    if let bytes = own.bytes {
      return (
        nil,
        CollectiveEquivalent.allReduce(
          of: own.kind, bytes: bytes, group: members, workers: settings.workers)
      )
    }
    if let time = node.duration,
      let bytes = CollectiveEquivalent.allReduce(
        taking: time, at: settings.bandwidth, workers: settings.workers)
    {
      counts.byTime += 1
      return (nil, bytes)
    }
    counts.unknown += 1
    return nil
  }

  /// Puts an operation that takes no time before all others: workers compute something.
  private mutating func addStart() {
    for index in operations.indices {
      operations[index].after = operations[index].after.map { $0 + 1 }
      if operations[index].after.isEmpty { operations[index].after = [0] }
    }
    var name = "start"
    while operations.contains(where: { $0.name == name }) { name += "'" }
    operations.insert(Operation(name: name, duration: .zero, after: []), at: 0)
  }

  /// Drops edges to what an operation's other parents wait for anyway, as far as their own parents say.
  private mutating func thinOut() {
    var seen = [Int32](repeating: -1, count: operations.count)
    for index in operations.indices where operations[index].after.count > 1 {
      for parent in operations[index].after {
        for other in operations[Int(parent)].after { seen[Int(other)] = Int32(index) }
      }
      // Parents come before what waits for them, so that theirs are thin already; what they lost is
      // behind one of those they kept.
      operations[index].after = operations[index].after.filter { seen[Int($0)] != Int32(index) }
    }
  }

  /// The file.
  ///
  /// - Complexity: O(operations + edges).
  public var text: String {
    let workers = Double(max(settings.workers, 2))
    // What a ring makes of the links, for `simnet graph`, which knows no network.
    let rate = settings.bandwidth.scaled(by: workers / (2 * (workers - 1)))
    let latency = settings.latency.scaled(by: 4 * (workers - 1))
    var text = "{\n  \"simnet_graph\": 1,\n  \"name\": \(JSONNode.quoted(name)),\n"
    text += "  \"resources\": [\n    {\"name\": \"accelerator\"},\n"
    if operations.contains(where: \.isHost) { text += "    {\"name\": \"host\"},\n" }
    text += "    {\"name\": \"network\", \"bandwidth\": \(JSONNode.quoted(rate.description)), "
    text += "\"latency\": \(JSONNode.quoted(latency.shortText))}\n  ],\n  \"operations\": ["
    for (index, own) in operations.enumerated() {
      text += index > 0 ? ",\n    " : "\n    "
      text += "{\"name\": \(JSONNode.quoted(own.name)), "
      if let bytes = own.bytes {
        text += "\"kind\": \"collective\", \"resource\": \"network\", "
        text += "\"bytes\": \"\(bytes.bytes) B\""
      } else {
        text +=
          own.isHost
          ? "\"kind\": \"memory\", \"resource\": \"host\", "
          : "\"kind\": \"compute\", \"resource\": \"accelerator\", "
        text += "\"duration\": \"\((own.duration ?? .zero).shortText)\""
      }
      if !own.after.isEmpty {
        let names = own.after.map { JSONNode.quoted(operations[Int($0)].name) }
        text += ", \"after\": [\(names.joined(separator: ", "))]"
      }
      text += "}"
    }
    return text + "\n  ]\n}\n"
  }
}

/// Names that all differ: the first of its kind keeps it, others get the number of their node.
private struct UniqueNames {
  private var known: Set<String> = []

  mutating func unique(_ name: String, id: UInt64) -> String {
    var candidate = name.isEmpty ? "node \(id)" : name
    if known.insert(candidate).inserted { return candidate }
    candidate += " #\(id)"
    while !known.insert(candidate).inserted { candidate += "'" }
    return candidate
  }
}

/// What happened to nodes that are not kept as they are.
private struct Counts {
  var untimed = 0
  var memory = 0
  var messages = 0
  var messageBytes = ByteCount.zero
  var markers = 0
  var parts = 0
  var byTime = 0
  var unknown = 0
  private var kinds: [(kind: CollectiveKind, count: Int)] = []
  private var groups: [String] = []

  mutating func add(kind: CollectiveKind) {
    if let index = kinds.firstIndex(where: { $0.kind == kind }) {
      kinds[index].count += 1
    } else {
      kinds.append((kind, 1))
    }
  }
  mutating func add(group: String) {
    if !groups.contains(group) { groups.append(group) }
  }

  func sentences(_ settings: ImportedGraph.Settings) -> [String] {
    var list: [String] = []
    for (kind, count) in kinds {
      list.append(
        "\(count) \(kind.rawValue): all-reduces instead that make a worker send as many bytes")
    }
    if parts > 0 {
      list.append(
        "\(parts) collectives of some workers only: all-reduces over all of them instead that make a "
          + "worker send as many bytes")
    }
    if !groups.isEmpty {
      list.append("the groups \(groups.joined(separator: ", ")): all workers meet instead")
    }
    if unknown > 0 { list.append("\(unknown) collectives with neither bytes nor a time") }
    if messages > 0 {
      list.append(
        "\(messages) sends and receives of \(messageBytes.shortText): a graph has no messages between "
          + "two workers")
    }
    if untimed > 0, settings.operationTime == nil {
      list.append("\(untimed) operations without a time (--operation-time gives them one)")
    }
    if memory > 0 { list.append("\(memory) memory operations without a time") }
    if markers > 0 { list.append("\(markers) nodes that only order others; their order is kept") }
    return list
  }

  func assumptions(_ settings: ImportedGraph.Settings) -> [String] {
    var list: [String] = []
    if byTime > 0 {
      list.append(
        "\(byTime) collectives without bytes move what their recorded time moves at "
          + "\(settings.bandwidth)")
    }
    if untimed > 0, let time = settings.operationTime {
      list.append(
        "\(untimed) operations without a time take \(time.shortText) each (--operation-time)")
    }
    return list
  }
}
