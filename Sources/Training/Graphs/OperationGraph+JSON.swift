import SimKernel

/// The JSON form of a graph.
extension OperationGraph {
  /// What a graph file is, for documentation.
  public static var fileDescription: RecordDescription {
    .of(name: "simnet_graph", summary: "operations with resources, durations and dependencies") {
      _ = GraphRecord(&$0)
    }
  }

  /// The graph that `root` describes.
  ///
  ///     {"simnet_graph": 1, "name": "two receives",
  ///      "resources": [{"name": "gpu"}, {"name": "nic", "bandwidth": "1 Gbps"}],
  ///      "operations": [
  ///        {"name": "r1", "kind": "receive", "resource": "nic", "bytes": "1 MB"},
  ///        {"name": "op1", "kind": "compute", "resource": "gpu", "duration": "3 ms",
  ///         "after": ["r1"]}]}
  ///
  /// An operation may wait for a later one. `bytes` without a `duration` take what the bandwidth and
  /// latency of their resource make of them; a `channel` stands in for those of every resource with
  /// such an operation.
  ///
  /// - Throws: `InvalidInput` with the place of everything that is wrong.
  /// - Complexity: O(operations + edges).
  public static func read(
    _ root: JSONNode, channel: GraphChannel? = nil
  ) throws(InvalidInput) -> OperationGraph {
    let issues = IssueCollector()
    let record = FieldReader.read(root, issues: issues, GraphRecord.init)
    try issues.throwIfInvalid()
    return try record.graph(root, channel: channel)
  }
}

/// The file as it was written.
private struct GraphRecord {
  struct Operation {
    var name: String
    var kind: OperationGraph.Kind
    var resource: String
    var duration: SimDuration?
    var size: ByteCount?
    var tensor: Int?
    var after: [String]
  }
  var name: String
  var resources: [OperationGraph.Resource]
  var operations: [Operation]

  init(_ fields: inout FieldReader) {
    _ = fields.required("simnet_graph", .integer(1...1), doc: "version of the format")
    name = fields.optional("name", .text(), default: "graph", doc: "names the graph in reports")
    _ = fields.optional("source", .text(), doc: "where the graph comes from")
    resources = fields.records(
      "resources", doc: "where operations run, one at a time: processors, channels, host threads"
    ) { fields in
      OperationGraph.Resource(
        name: fields.required("name", .text(), doc: "all differ"),
        bandwidth: fields.optional(
          "bandwidth", .bandwidth, doc: "turns the bytes of its operations into durations"),
        latency: fields.optional(
          "latency", .duration, default: .zero, doc: "added to durations made from bytes"))
    }
    operations = fields.records("operations", doc: "what is executed, in the order of the program")
    {
      fields in
      let operation = Operation(
        name: fields.required("name", .text(), doc: "all differ"),
        kind: fields.required("kind", .choice("kind"), doc: "what the operation does"),
        resource: fields.required("resource", .text(example: "gpu"), doc: "where it runs"),
        duration: fields.optional("duration", .duration, doc: "how long it takes"),
        size: fields.optional("bytes", .size, doc: "what it moves; may stand for the duration"),
        tensor: fields.optional(
          "tensor", .integer(0...Int(Int32.max) - 1), doc: "the parameter, in forward order"),
        after: fields.optional(
          "after", .list(of: .text()), default: [], doc: "names of operations it waits for"))
      if operation.duration == nil, operation.size == nil {
        fields.report(
          nil, .missingKey(expected: "a duration, or bytes", example: #""duration": "3 ms""#))
      }
      return operation
    }
    if operations.isEmpty {
      fields.report(
        "operations",
        .missingKey(
          expected: "a list of operations", example: #"[{"name": "op1", "kind": "compute", ...}]"#))
    }
  }

  /// Names become ids; the JSON is asked again only where a fault needs its place.
  func graph(_ root: JSONNode, channel: GraphChannel?) throws(InvalidInput) -> OperationGraph {
    let issues = IssueCollector()
    func report(_ list: String, _ index: Int, _ key: String, _ problem: Issue.Problem) {
      let element = root[list]?.elements?[index]
      let node = element?[key]
      issues.report(
        Issue(
          path: FieldPath([list, String(index), key]),
          position: node?.position ?? element?.position, problem: problem))
    }
    func numbered(_ names: [String], _ list: String, _ noun: String) -> [String: Int] {
      var ids = [String: Int](minimumCapacity: names.count)
      for (index, name) in names.enumerated() {
        if let first = ids[name] {
          report(
            list, index, "name",
            .invalid(
              found: "a second \(noun) \"\(name)\"", expected: "the first is \(list)[\(first)]"))
        } else {
          ids[name] = index
        }
      }
      return ids
    }
    func unknown(_ noun: String, _ name: String, _ names: [String]) -> Issue.Problem {
      .unknownName(
        noun: noun, found: name,
        // Thousands of names take long to compare.
        suggestion: names.count > 4096 ? nil : Spelling.suggestion(for: name, among: names),
        known: names)
    }
    let resourceNames = resources.map(\.name)
    let operationNames = operations.map(\.name)
    let resourceIDs = numbered(resourceNames, "resources", "resource")
    let operationIDs = numbered(operationNames, "operations", "operation")

    var isOverridden = [Bool](repeating: false, count: resources.count)
    for operation in operations where operation.duration == nil {
      if let id = resourceIDs[operation.resource] { isOverridden[id] = channel != nil }
    }
    var builder = OperationGraphBuilder(name: name)
    for (index, resource) in resources.enumerated() {
      if let channel, isOverridden[index] {
        _ = builder.resource(
          resource.name, bandwidth: channel.bandwidth, latency: channel.latency)
      } else {
        _ = builder.resource(resource)
      }
    }
    for (index, operation) in operations.enumerated() {
      guard let resource = resourceIDs[operation.resource] else {
        report(
          "operations", index, "resource", unknown("resource", operation.resource, resourceNames))
        continue
      }
      if operation.duration == nil, resources[resource].bandwidth == nil, channel == nil {
        report(
          "operations", index, "bytes",
          .conflict(
            "resource \"\(operation.resource)\" has no bandwidth to make a duration of; give it one, "
              + "or give the operation a duration"))
      }
      let id = OperationID(index)
      for (place, other) in operation.after.enumerated() {
        guard let earlier = operationIDs[other] else {
          let node = root["operations"]?.elements?[index]["after"]?.elements?[place]
          issues.report(
            Issue(
              path: FieldPath(["operations", String(index), "after", String(place)]),
              position: node?.position, problem: unknown("operation", other, operationNames)))
          continue
        }
        builder.require(OperationID(earlier), before: id)
      }
      builder.add(
        operation.name, operation.kind, on: GraphResourceID(resource),
        for: operation.duration ?? (issues.errors.isEmpty ? nil : .zero),
        size: operation.size ?? .zero, tensor: operation.tensor ?? -1)
    }
    try issues.throwIfInvalid()
    do {
      return try builder.build()
    } catch {
      var position = root["operations"]?.position
      if case .circle(let names) = error, let index = operationIDs[names[0]] {
        position = root["operations"]?.elements?[index].position
      }
      throw InvalidInput([error.issue(at: FieldPath(["operations"]), position)])
    }
  }
}

extension OperationGraphError {
  /// What to do about it.
  public var advice: String {
    switch self {
    case .duplicateOperation, .duplicateResource: "give one of them another name"
    case .circle: "remove one of the dependencies"
    case .missingDuration: "give a duration or a bandwidth"
    case .negative: "give values from 0"
    case .tooLarge: "give shorter durations or a smaller graph"
    }
  }

  /// The fault as one of an input.
  public func issue(at path: FieldPath, _ position: TextPosition?) -> Issue {
    Issue(
      path: path, position: position,
      problem: .invalid(found: "\(self)", expected: advice))
  }
}
