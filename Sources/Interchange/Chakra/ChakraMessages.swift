/// Between the messages of the wire and the neutral values.
extension ChakraAttribute {
  var neutral: ChakraTrace.Attribute { ChakraTrace.Attribute(name, neutralValue) }

  private var neutralValue: ChakraTrace.Value {
    switch value {
    case nil: .none
    case .doubleVal(let v): .double(v)
    case .floatVal(let v): .float(v)
    case .int32Val(let v): .integer(Int64(v))
    case .int64Val(let v): .integer(v)
    case .sint32Val(let v): .integer(Int64(v))
    case .sint64Val(let v): .integer(v)
    case .sfixed32Val(let v): .integer(Int64(v))
    case .sfixed64Val(let v): .integer(v)
    case .uint32Val(let v): .unsigned(UInt64(v))
    case .uint64Val(let v): .unsigned(v)
    case .fixed32Val(let v): .unsigned(UInt64(v))
    case .fixed64Val(let v): .unsigned(v)
    case .boolVal(let v): .bool(v)
    case .stringVal(let v): .string(v)
    case .bytesVal(let v): .bytes([UInt8](v))
    case .doubleList(let v): .doubles(v.values)
    case .floatList(let v): .doubles(v.values.map(Double.init))
    case .int32List(let v): .integers(v.values.map(Int64.init))
    case .int64List(let v): .integers(v.values)
    case .sint32List(let v): .integers(v.values.map(Int64.init))
    case .sint64List(let v): .integers(v.values)
    case .sfixed32List(let v): .integers(v.values.map(Int64.init))
    case .sfixed64List(let v): .integers(v.values)
    case .uint32List(let v): .unsigneds(v.values.map(UInt64.init))
    case .uint64List(let v): .unsigneds(v.values)
    case .fixed32List(let v): .unsigneds(v.values.map(UInt64.init))
    case .fixed64List(let v): .unsigneds(v.values)
    case .boolList(let v): .bools(v.values)
    case .stringList(let v): .strings(v.values)
    case .bytesList(let v): .byteLists(v.values.count)
    }
  }
}

extension ChakraTrace.Attribute {
  /// In the widest type of its kind, as ASTRA-sim's feeder and chakra's converters write them.
  var message: ChakraAttribute {
    var message = ChakraAttribute()
    message.name = name
    switch value {
    case .none: break
    case .integer(let v): message.value = .int64Val(v)
    case .unsigned(let v): message.value = .uint64Val(v)
    case .double(let v): message.value = .doubleVal(v)
    case .float(let v): message.value = .floatVal(v)
    case .bool(let v): message.value = .boolVal(v)
    case .string(let v): message.value = .stringVal(v)
    case .bytes(let v): message.value = .bytesVal(.init(v))
    case .integers(let v):
      var list = ChakraInt64List()
      list.values = v
      message.value = .int64List(list)
    case .unsigneds(let v):
      var list = ChakraUint64List()
      list.values = v
      message.value = .uint64List(list)
    case .doubles(let v):
      var list = ChakraDoubleList()
      list.values = v
      message.value = .doubleList(list)
    case .bools(let v):
      var list = ChakraBoolList()
      list.values = v
      message.value = .boolList(list)
    case .strings(let v):
      var list = ChakraStringList()
      list.values = v
      message.value = .stringList(list)
    case .byteLists(let count):
      var list = ChakraBytesList()
      list.values = .init(repeating: .init(), count: count)
      message.value = .bytesList(list)
    }
    return message
  }
}

extension ChakraTrace.Node {
  init(_ message: ChakraNode, at offset: Int) {
    self.init(
      id: message.id, name: message.name, kind: ChakraTrace.Kind(message.type.rawValue),
      controlParents: message.ctrlDeps, dataParents: message.dataDeps,
      startMicroseconds: message.startTimeMicros, durationMicroseconds: message.durationMicros,
      inputs: message.hasInputs ? ChakraTrace.Tensors(message.inputs) : nil,
      outputs: message.hasOutputs ? ChakraTrace.Tensors(message.outputs) : nil,
      attributes: message.attr.map(\.neutral), byteOffset: offset)
  }

  var message: ChakraNode {
    var message = ChakraNode()
    message.id = id
    message.name = name
    message.type = ChakraNodeType(rawValue: kind.number) ?? .invalidNode
    // Whole arrays at once: appending to a repeated field copies it every time.
    message.ctrlDeps = controlParents
    message.dataDeps = dataParents
    message.startTimeMicros = startMicroseconds
    message.durationMicros = durationMicroseconds
    if let inputs { message.inputs = inputs.message }
    if let outputs { message.outputs = outputs.message }
    message.attr = attributes.map(\.message)
    return message
  }
}

extension ChakraTrace.Tensors {
  init(_ message: ChakraIOInfo) {
    self.init(values: message.values, shapes: message.shapes, types: message.types)
  }
  var message: ChakraIOInfo {
    var message = ChakraIOInfo()
    message.values = values
    message.shapes = shapes
    message.types = types
    return message
  }
}
