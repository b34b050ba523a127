import SimKernel

extension PyTorchTrace {
  /// Reads the trace at `path`, plain or gzip'd.
  ///
  /// - Complexity: O(bytes); 100 bytes a node.
  /// - Throws: `InterchangeError` with the byte, counted in the unpacked text.
  public init(path: String, chunkSize: Int = 1 << 18) throws(InterchangeError) {
    var reader = PyTorchTraceReader(
      json: try JSONStream(try ByteStream(path: path, chunkSize: chunkSize)), origin: path)
    try reader.read()
    self = reader.trace
  }

  /// Reads a trace in memory, called `path` in messages.
  public init(
    bytes: [UInt8], path: String, chunkSize: Int = 1 << 18
  ) throws(InterchangeError) {
    var reader = PyTorchTraceReader(
      json: try JSONStream(
        try ByteStream(InputFile(path: path, contents: bytes), chunkSize: chunkSize)),
      origin: path)
    try reader.read()
    self = reader.trace
  }
}

/// The state of reading one trace.
private struct PyTorchTraceReader: ~Copyable {
  var json: JSONStream
  var trace: PyTorchTrace
  private var known = NameCache()
  private let keys = Keys()

  private struct Keys {
    let id = JSONKey("id")
    let name = JSONKey("name")
    let parent = JSONKey("parent")
    let controlParent = JSONKey("ctrl_deps")
    let recordID = JSONKey("rf_id")
    let thread = JSONKey("tid")
    let forwardParent = JSONKey("fw_parent")
    let inputs = JSONKey("inputs")
    let outputs = JSONKey("outputs")
    let attributes = JSONKey("attrs")
    let values = JSONKey("values")
    let value = JSONKey("value")
    let collectiveName = JSONKey("collective_name")
    let elementType = JSONKey("dtype")
    let elements = JSONKey("in_msg_nelems")
    let groupName = JSONKey("pg_name")
    let groupSize = JSONKey("pg_size")
    let groupStart = JSONKey("global_rank_start")
    let groupStride = JSONKey("global_rank_stride")
  }

  /// What is gathered about one node.
  private struct Draft {
    var id: UInt64?
    var parent: UInt64?
    var inputs = TensorSum()
    var outputs = TensorSum()
    var message = KinetoMessage()
    var groupStart: Int?
    var groupStride: Int?
  }

  /// The tensors of a value, and the words beside them.
  private struct TensorSum {
    var bytes: Int64 = 0
    var hasTensors = false
    /// The id of the first tensor; -1 if there is none.
    var first: Int64 = -1
    /// The first words outside of tensors, which say what `record_param_comms` records.
    var words: [String] = []
  }

  init(json: consuming JSONStream, origin: String) {
    self.json = json
    trace = PyTorchTrace(
      schema: "", nodes: [], names: NameTable(), messages: [], groups: [], origin: origin,
      otherKeys: [])
  }

  mutating func read() throws(InterchangeError) {
    var hasNodes = false
    try json.beginObject()
    while let key = try json.nextName() {
      switch key {
      case "schema": trace.schema = try json.string()
      case "pid": trace.process = try json.integer()
      case "time": trace.time = try json.string()
      case "start_ts": trace.start = try json.integer()
      case "finish_ts": trace.finish = try json.integer()
      case "nodes":
        hasNodes = true
        try json.beginArray()
        while try json.nextElement() { try readNode() }
      default:
        trace.otherKeys.append(key)
        try json.skip()
      }
    }
    try json.finish()
    guard hasNodes, !trace.schema.isEmpty else {
      throw json.failure(
        "an object without \(hasNodes ? "schema" : "nodes")", "a PyTorch execution trace", at: 0)
    }
    guard trace.schema.hasPrefix("1.0.") || trace.schema.hasPrefix("1.1.") else {
      throw json.failure(
        "schema \(trace.schema)", "1.0.x or 1.1.x; record the trace with PyTorch 2.0 to 2.7",
        at: 0)
    }
  }

  private mutating func readNode() throws(InterchangeError) {
    _ = try json.peek()
    let place = json.offset
    var draft = Draft()
    var node = PyTorchTrace.Node(
      id: 0, parent: 0, name: 0, recordID: -1, thread: 0, forwardParent: 0, inputBytes: .zero,
      outputBytes: .zero, message: -1, byteOffset: place)
    try json.beginObject()
    while let key = try json.nextKey() {
      if key == keys.id {
        draft.id = try json.unsigned()
      } else if key == keys.name {
        node.name = try json.name(in: &trace.names, &known)
      } else if key == keys.parent || key == keys.controlParent {
        draft.parent = try json.unsigned()
      } else if key == keys.inputs {
        try readTensors(&draft.inputs)
      } else if key == keys.outputs {
        try readTensors(&draft.outputs)
      } else if key == keys.attributes {
        try json.beginArray()
        while try json.nextElement() { try readAttribute(&node, &draft) }
      } else if try !readMember(key, &node, &draft) {
        try json.skip()
      }
    }
    guard let id = draft.id, let parent = draft.parent else {
      throw json.failure(
        "a node without \(draft.id == nil ? "id" : "a parent")",
        "id, and parent (schema 1.0) or ctrl_deps (1.1)", at: place)
    }
    node.id = id
    node.parent = parent
    node.inputBytes = .bytes(draft.inputs.bytes)
    node.outputBytes = .bytes(draft.outputs.bytes)
    try addMessage(&node, draft)
    trace.nodes.append(node)
  }

  /// What schema 1.0 has in the node and 1.1 in its attributes; false for anything else.
  private mutating func readMember(
    _ key: JSONKey, _ node: inout PyTorchTrace.Node, _ draft: inout Draft
  ) throws(InterchangeError) -> Bool {
    if key == keys.recordID {
      node.recordID = try json.integer()
    } else if key == keys.thread {
      node.thread = Int32(clamping: try json.integer())
    } else if key == keys.forwardParent {
      node.forwardParent = try json.unsigned()
    } else if key == keys.collectiveName {
      draft.message.name = try json.string()
    } else if key == keys.elementType {
      draft.message.elementType = try json.string()
    } else if key == keys.elements {
      draft.message.elements = try json.integer()
    } else if key == keys.groupName {
      draft.message.groupName = try json.string()
    } else if key == keys.groupSize {
      draft.message.groupSize = Int(try json.integer())
    } else if key == keys.groupStart {
      draft.groupStart = Int(try json.integer())
    } else if key == keys.groupStride {
      draft.groupStride = Int(try json.integer())
    } else {
      return false
    }
    return true
  }

  /// `{"name": "rf_id", "type": "uint64", "value": 2}`, the name first as PyTorch writes it.
  private mutating func readAttribute(
    _ node: inout PyTorchTrace.Node, _ draft: inout Draft
  ) throws(InterchangeError) {
    var name = JSONKey.none
    try json.beginObject()
    while let key = try json.nextKey() {
      if key == keys.name {
        name = try json.word()
      } else if key == keys.value, try readMember(name, &node, &draft) {
        continue
      } else {
        try json.skip()
      }
    }
  }
}

extension PyTorchTraceReader {
  /// Tensors: a list, or an object whose `values` is that list.
  private mutating func readTensors(_ sum: inout TensorSum) throws(InterchangeError) {
    guard try json.peek() == .object else { return try readValue(&sum) }
    try json.beginObject()
    while let key = try json.nextKey() {
      if key == keys.values { try readValue(&sum) } else { try json.skip() }
    }
  }

  /// A tensor is `[id, storage, offset, elements, bytes of one, device]`; lists hold tensors,
  /// numbers and words.
  private mutating func readValue(_ sum: inout TensorSum) throws(InterchangeError) {
    guard try json.peek() == .array else {
      if try json.peek() == .string {
        let word = try json.string()
        if sum.words.count < 8 { sum.words.append(word) }
      } else {
        try json.skip()
      }
      return
    }
    var numbers: (Int64, Int64) = (0, 0)
    var id: Int64 = -1
    var count = 0
    var isTensor = true
    try json.beginArray()
    while try json.nextElement() {
      let kind = try json.peek()
      if kind == .number {
        numbers = (numbers.1, try json.number().integer ?? -1)
        if count == 0 { id = numbers.1 }
      } else if kind == .string, count == 5, isTensor {
        let device = try json.string()
        let (bytes, overflow) = numbers.0.multipliedReportingOverflow(by: numbers.1)
        if !overflow, bytes >= 0, numbers.1 <= 16 {
          sum.bytes = sum.bytes.addingReportingOverflow(bytes).partialValue
          sum.hasTensors = true
          if sum.first < 0 { sum.first = id }
        } else if sum.words.count < 8 {
          sum.words.append(device)
        }
      } else {
        isTensor = false
        try readValue(&sum)
      }
      if kind != .number { isTensor = false }
      count += 1
    }
  }

  private mutating func addMessage(
    _ node: inout PyTorchTrace.Node, _ draft: Draft
  ) throws(InterchangeError) {
    let name = trace.names[node.name]
    if name == "## process_group:init ##", let text = draft.inputs.words.first {
      readGroups(text)
      return
    }
    var called = draft.message.name
    if called == nil, name == "record_param_comms" {
      // Schema 1.0 has the name among the inputs, beside the names of groups in some versions.
      called =
        draft.inputs.words.first { CollectiveKind(named: $0) != nil || $0 == "wait" }
        ?? draft.inputs.words.first
    }
    let isLibrary = CollectiveKind(communicationName: name) != nil
    guard called != nil || isLibrary else { return }
    let text = called ?? name
    var bytes = draft.message.bytes
    if bytes == nil, draft.inputs.hasTensors { bytes = .bytes(draft.inputs.bytes) }
    node.message = Int32(trace.messages.count)
    trace.messages.append(
      PyTorchTrace.Message(
        name: text, kind: CollectiveKind(named: text), bytes: bytes,
        groupName: draft.message.groupName, groupSize: draft.message.groupSize,
        groupStart: draft.groupStart, groupStride: draft.groupStride, tensor: draft.inputs.first))
  }

  /// The list of groups, JSON in a string; one that cannot be read says nothing.
  private mutating func readGroups(_ text: String) {
    guard let list = try? JSONNode.parse(text, origin: trace.origin).elements else { return }
    for group in list {
      trace.groups.append(
        PyTorchTrace.Group(
          name: group["pg_name"]?.string ?? "", description: group["pg_desc"]?.string ?? "",
          backend: group["backend_config"]?.string ?? "",
          size: group["group_size"]?.number.flatMap { Int(exactly: $0) } ?? 0,
          ranks: group["ranks"]?.elements?.compactMap { $0.number.flatMap { Int(exactly: $0) } }
            ?? []))
    }
  }
}
