import SimKernel

extension FileSummary {
  /// Streams through the trace, whatever its size; only counts are kept.
  mutating func addKineto() throws(InterchangeError) {
    var reader = try KinetoReader(path: path)
    var phases = [Int](repeating: 0, count: KinetoEvent.Phase.allCases.count)
    var categories: [(count: Int, duration: SimDuration)] = []
    var lanes: Set<Int64> = []
    var streams: Set<Int64> = []
    var first = SimDuration.unbounded
    var last = SimDuration(picoseconds: .min)
    while let event = try reader.next() {
      phases[Int(event.phase.rawValue)] += 1
      guard event.phase == .complete else { continue }
      let category = Int(event.category)
      while categories.count <= category { categories.append((0, .zero)) }
      categories[category].count += 1
      categories[category].duration += event.duration
      first = min(first, event.start)
      last = max(last, event.start + event.duration)
      lanes.insert(Int64(event.process) << 32 | Int64(event.thread))
      if event.stream >= 0 { streams.insert(Int64(event.device) << 32 | Int64(event.stream)) }
    }
    let header = reader.header
    fact("schema_version", header.schemaVersion)
    fact("rank", header.rank)
    fact("world_size", header.worldSize)
    fact("backend", header.backend)
    if !header.devices.isEmpty { fact("devices", header.devices) }
    fact("events", reader.eventCount)
    fact("text_bytes", reader.offset)
    fact("threads_and_streams", lanes.count)
    fact("streams", streams.count)
    if first < last { fact("span", last - first) }
    rows(
      "categories",
      categories.enumerated().filter { $0.element.count > 0 }.map { index, entry in
        let name = reader.names[Int32(index)]
        return [
          Self.cell("category", name.isEmpty ? "(none)" : name), Self.cell("count", entry.count),
          Self.cell("duration", entry.duration),
        ]
      })
    rows("collectives", Self.collectives(reader.collectives.map { ($0.name, $0.bytes) }))
    keepNote(phases, header)
  }

  private mutating func keepNote(_ phases: [Int], _ header: KinetoHeader) {
    let names = [
      "", "instants", "metadata records", "flow arrows", "begin or end events", "counters",
      "events of other phases",
    ]
    let left = zip(phases, names).dropFirst().filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    if !left.isEmpty { notKept.append(left.joined(separator: ", ")) }
    if !header.otherKeys.isEmpty {
      notKept.append("the keys \(header.otherKeys.joined(separator: ", "))")
    }
    if header.rank == nil {
      notKept.append("no rank is said (no distributedInfo); name it when importing")
    }
  }

  /// Messages by name, in the order of first appearance.
  static func collectives(_ messages: [(name: String, bytes: ByteCount?)]) -> [[JSONMember]] {
    var places: [String: Int] = [:]
    var rows: [(name: String, count: Int, bytes: Int64, without: Int)] = []
    for message in messages {
      let place = places[message.name] ?? rows.count
      if place == rows.count {
        places[message.name] = place
        rows.append((message.name, 0, 0, 0))
      }
      rows[place].count += 1
      rows[place].bytes += message.bytes?.bytes ?? 0
      rows[place].without += message.bytes == nil ? 1 : 0
    }
    return rows.map { row in
      var cells = [
        cell("name", row.name), cell("count", row.count), cell("bytes", Int(row.bytes)),
      ]
      if row.without > 0 { cells.append(cell("without_bytes", row.without)) }
      return cells
    }
  }

  mutating func addPyTorch() throws(InterchangeError) {
    let trace = try PyTorchTrace(path: path)
    fact("schema", trace.schema)
    fact("rank", trace.rank)
    fact("time", trace.time)
    fact("nodes", trace.nodes.count)
    fact("names", trace.names.count - 1)
    fact("threads", Set(trace.nodes.map(\.thread)).count)
    fact("span", trace.span)
    rows(
      "groups",
      trace.groups.map {
        [Self.cell("name", $0.name), Self.cell("size", $0.size), Self.cell("backend", $0.backend)]
      })
    rows("collectives", Self.collectives(trace.messages.map { ($0.name, $0.bytes) }))
    add(try trace.graph().summary)
    notKept.append("values, shapes and devices of tensors, of which the bytes are summed")
    notKept.append("times: the format has none for its nodes; the Kineto trace of the run has")
    if !trace.otherKeys.isEmpty {
      notKept.append("the keys \(trace.otherKeys.joined(separator: ", "))")
    }
  }

  mutating func addChakra(_ trace: ChakraTrace) throws(InterchangeError) {
    fact("schema", trace.schema ?? "not said")
    fact("rank", trace.rank)
    fact("nodes", trace.nodes.count)
    var kinds: [(kind: ChakraTrace.Kind, count: Int)] = []
    for node in trace.nodes {
      if let place = kinds.firstIndex(where: { $0.kind == node.kind }) {
        kinds[place].count += 1
      } else {
        kinds.append((node.kind, 1))
      }
    }
    rows("kinds", kinds.map { [Self.cell("kind", $0.kind.name), Self.cell("count", $0.count)] })
    let tensors = trace.nodes.count { $0.inputs != nil || $0.outputs != nil }
    if tensors > 0 { notKept.append("the tensors of \(tensors) nodes") }
    for entry in kinds {
      switch entry.kind {
      case .storage, .batch, .checkpoint, .unknown, .invalid:
        notKept.append("what \(entry.count) \(entry.kind.name) nodes do; they keep their order")
      default: break
      }
    }
    let graph: TraceGraph
    do throws(InterchangeError) {
      graph = try trace.graph(droppingMissingParents: true)
    } catch {
      // The nodes can be counted all the same.
      notKept.append("its graph, which cannot be run: \(error.found)")
      return
    }
    add(graph.summary)
    if let first = graph.missingParents.first {
      notKept.append(
        "\(graph.missingParents.count) parents that the file does not hold, such as "
          + "\(first.parent), for which node \(graph.nodes[Int(first.node)].id) waits")
    }
  }

  mutating func addWorkload() throws(InterchangeError) {
    let workload = try LayerWorkload(path: path)
    fact("parallelism", workload.parallelism)
    for parameter in workload.parameters { fact(parameter.name, Int(parameter.value)) }
    fact("layers", workload.layers.count)
    add(try workload.graph(origin: path).summary)
    if workload.layers.contains(where: { !$0.rest.isEmpty }) {
      notKept.append("columns after the twelfth")
    }
    notKept.append("the ranks of groups, which follow from the first line")
  }
}
