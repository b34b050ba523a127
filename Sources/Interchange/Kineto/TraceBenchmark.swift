/// Work for measuring how fast traces are read: an input of any size, the reading, and a bare pass
/// over the same bytes to compare with.
public enum TraceBenchmark {
  /// A Kineto trace of `events` events, about 230 bytes each, shaped as PyTorch writes them.
  ///
  /// A third are operators, a third launches, a third kernels.
  public static func kineto(events: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(events * 260 + 200)
    func add(_ text: String) { bytes.append(contentsOf: text.utf8) }
    add("{\n  \"schemaVersion\": 1,\n  \"distributedInfo\": {\"backend\": \"nccl\", \"rank\": 0,")
    add(" \"world_size\": 2},\n  \"traceEvents\": [\n")
    for event in 0..<events {
      let time = "44868794\(50_000_000 + event * 3 / 1000 % 10_000_000).\(100 + event * 3 % 900)"
      if event > 0 { add(",\n") }
      switch event % 3 {
      case 0:
        add("  {\n    \"ph\": \"X\", \"cat\": \"cpu_op\", \"name\": \"aten::op_\(event % 97)\",")
        add(" \"pid\": 2254958, \"tid\": 2254958,\n    \"ts\": \(time), \"dur\": 2.5,\n")
        add("    \"args\": {\n      \"External id\": \(event),\"Record function id\": 0,")
        add(
          " \"Sequence number\": \(event), \"Fwd thread id\": 0, \"Ev Idx\": \(event)\n    }\n  }")
      case 1:
        add("  {\n    \"ph\": \"X\", \"cat\": \"cuda_runtime\", \"name\": \"cudaLaunchKernel\",")
        add(" \"pid\": 2254958, \"tid\": 2254958,\n    \"ts\": \(time), \"dur\": 1.25,\n")
        add("    \"args\": {\n      \"cbid\": 211, \"correlation\": \(event)\n    }\n  }")
      default:
        add("  {\n    \"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"void at::native::")
        add("vectorized_elementwise_kernel<4, at::native::f\(event % 31)>(int)\", \"pid\": 0,")
        add(" \"tid\": 7,\n    \"ts\": \(time), \"dur\": 1.875,\n    \"args\": {\n")
        add("      \"External id\": \(event - 2), \"queued\": 0, \"device\": 0, \"context\": 1,")
        add(" \"stream\": 7, \"correlation\": \(event - 1),\n      \"registers per thread\": 16,")
        add(" \"shared memory\": 0, \"grid\": [1, 1, 1], \"block\": [128, 1, 1]\n    }\n  }")
      }
    }
    add("\n  ],\n  \"traceName\": \"synthetic.json\"\n}\n")
    return bytes
  }

  /// Reads a trace event by event.
  ///
  /// - Returns: the number of events, and the sum of their starts, so that nothing is left out.
  public static func readKineto(
    _ bytes: [UInt8]
  ) throws(InterchangeError) -> (events: Int, checksum: Int64) {
    var reader = try KinetoReader(bytes: bytes, path: "benchmark")
    var checksum: Int64 = 0
    while let event = try reader.next() { checksum &+= event.start.picoseconds }
    return (reader.eventCount, checksum)
  }

  /// A Chakra trace of `nodes` nodes, about 900 bytes each, shaped as converters of PyTorch's traces
  /// write them, as a `.et` file.
  public static func chakra(nodes count: Int) -> [UInt8] {
    let list = (0..<6).map { "[\($0), \($0 + 1), 0, 512, 4, 'cuda:0']" }.joined(separator: ", ")
    let tensors = ChakraTrace.Tensors(
      values: "[[\(list)]]", shapes: "[[[512], [512], [512], [512], [512], [512]]]",
      types: "['GenericList[Tensor(float),Tensor(float),Tensor(float),Tensor(float)]']")
    var attributes: [ChakraTrace.Attribute] = [
      .init("is_cpu_op", .bool(true)),
      .init("op_schema", .string("aten::operator(Tensor[] tensors) -> Tensor")),
    ]
    for (value, name) in ["rf_id", "fw_parent", "seq_id", "scope", "tid", "fw_tid"].enumerated() {
      attributes.append(.init(name, .integer(Int64(value))))
    }
    var nodes: [ChakraTrace.Node] = []
    nodes.reserveCapacity(count)
    for index in 0..<count {
      let id = UInt64(index)
      let name = "aten::operator_\(index % 97)(\(index))"
      nodes.append(
        ChakraTrace.Node(
          id: id, name: name, kind: .compute, controlParents: index > 0 ? [id / 2] : [],
          dataParents: index > 0 ? [id - 1] : [], startMicroseconds: id * 10,
          durationMicroseconds: 7, inputs: tensors, outputs: tensors, attributes: attributes))
    }
    return ChakraFile.bytes(of: ChakraTrace(version: "0.0.4", nodes: nodes, origin: "benchmark"))
  }

  /// Looks at every byte: the number of quotes.
  public static func scan(_ bytes: [UInt8]) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
      var count = 0
      for byte in bytes where byte == 0x22 { count &+= 1 }
      return count
    }
  }
}
