/// Reads Chakra traces in the JSON form that ASTRA-sim's feeder takes.
///
/// That is one object with `workload_graph`, an array of nodes with `Id`, `Name`, `NodeType`,
/// `ctrlDeps`, `data_deps`, `runtime` (microseconds) and attributes as plain members. Keys of nodes
/// are compared without case and underscores, since no two writers agree on them.
public enum ChakraJSON {
  /// Reads the trace at `path`, plain or gzip'd.
  public static func read(
    path: String, chunkSize: Int = 1 << 18
  ) throws(InterchangeError) -> ChakraTrace {
    var json = try JSONStream(try ByteStream(path: path, chunkSize: chunkSize))
    return try read(&json, path)
  }

  /// Reads a trace in memory, called `path` in messages.
  public static func read(
    bytes: [UInt8], path: String, chunkSize: Int = 1 << 18
  ) throws(InterchangeError) -> ChakraTrace {
    var json = try JSONStream(
      try ByteStream(InputFile(path: path, contents: bytes), chunkSize: chunkSize))
    return try read(&json, path)
  }

  private static func read(
    _ json: inout JSONStream, _ path: String
  ) throws(InterchangeError) -> ChakraTrace {
    var trace = ChakraTrace(version: "", nodes: [], origin: path)
    var isComplete = false
    try json.beginObject()
    while let key = try json.nextName() {
      switch key {
      case "workload_graph":
        isComplete = true
        try json.beginArray()
        while try json.nextElement() { trace.nodes.append(try node(&json)) }
      case "schema", "version": trace.version = try json.string()
      default:
        if let value = try value(&json) { trace.attributes.append(.init(key, value)) }
      }
    }
    try json.finish()
    guard isComplete else {
      throw json.failure(
        "an object without workload_graph", "a Chakra trace in JSON", at: 0)
    }
    return trace
  }

  private static func node(
    _ json: inout JSONStream
  ) throws(InterchangeError) -> ChakraTrace.Node {
    _ = try json.peek()
    let place = json.offset
    var id: UInt64?
    var node = ChakraTrace.Node(id: 0, name: "", kind: .invalid, byteOffset: place)
    try json.beginObject()
    while let key = try json.nextName() {
      switch key.lowercased().filter({ $0 != "_" }) {
      case "id": id = try json.unsigned()
      case "name": node.name = try json.string()
      case "nodetype", "type":
        let number = try json.integer()
        node.kind = ChakraTrace.Kind(Int(clamping: number))
      case "ctrldeps": node.controlParents = try parents(&json)
      case "datadeps": node.dataParents = try parents(&json)
      case "runtime", "durationmicros": node.durationMicroseconds = try json.unsigned()
      case "starttimemicros": node.startMicroseconds = try json.unsigned()
      default:
        if let value = try value(&json) { node.attributes.append(.init(key, value)) }
      }
    }
    guard let id else {
      throw json.failure("a node without Id", "an id for each node", at: place)
    }
    node.id = id
    return node
  }

  private static func parents(_ json: inout JSONStream) throws(InterchangeError) -> [UInt64] {
    var parents: [UInt64] = []
    try json.beginArray()
    while try json.nextElement() { parents.append(try json.unsigned()) }
    return parents
  }

  /// An attribute; nil for a null, an object, or a list of lists, which no attribute can be.
  private static func value(
    _ json: inout JSONStream
  ) throws(InterchangeError) -> ChakraTrace.Value? {
    switch try json.peek() {
    case .string: return .string(try json.string())
    case .bool: return .bool(try json.bool())
    case .number:
      let number = try json.number()
      if let whole = number.integer { return .integer(whole) }
      if let whole = number.scaled(byTenTo: 0).flatMap({ UInt64(exactly: $0) }),
        number.exponent >= 0
      {
        return .unsigned(whole)
      }
      return .double(number.nearestDouble)
    case .array:
      var texts: [String] = []
      var numbers: [Int64] = []
      var bools: [Bool] = []
      try json.beginArray()
      while try json.nextElement() {
        switch try json.peek() {
        case .string: texts.append(try json.string())
        case .bool: bools.append(try json.bool())
        case .number: numbers.append(try json.number().integer ?? 0)
        default: try json.skip()
        }
      }
      if !texts.isEmpty { return .strings(texts) }
      return bools.isEmpty ? .integers(numbers) : .bools(bools)
    case .object, .null:
      try json.skip()
      return nil
    }
  }
}
