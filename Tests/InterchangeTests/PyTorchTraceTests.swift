import Interchange
import SimKernel
import Testing

@Suite struct PyTorchTraceTests {
  /// The same four calls in both schemas: a thread, an operator, and a collective in two layers.
  private static let flat = """
    {"schema": "1.0.1", "pid": 7, "time": "now", "start_ts": 10, "finish_ts": 30, "nodes": [
      {"name": "thread", "id": 2, "rf_id": 0, "parent": 1, "fw_parent": 0, "tid": 1, "inputs": [],
       "input_shapes": [], "outputs": []},
      {"name": "aten::add", "id": 3, "rf_id": 5, "parent": 2, "fw_parent": 0, "tid": 1,
       "inputs": [[5, 6, 0, 112, 4, "cpu"], [[7, 8, 0, 2, 8, "cpu"]], 1, "x"],
       "outputs": [[5, 6, 0, 112, 4, "cpu"]]},
      {"name": "record_param_comms", "id": 5, "rf_id": 7, "parent": 4, "fw_parent": 0, "tid": 1,
       "inputs": [[9, 9, 0, 6144, 4, "cuda:0"], 147, 0, "all_to_allv", [768], [768]],
       "outputs": []},
      {"name": "c10d::alltoall_base_", "id": 4, "rf_id": 6, "parent": 2, "fw_parent": 3, "tid": 1,
       "inputs": [[9, 9, 0, 6144, 4, "cuda:0"]], "outputs": []}]}
    """
  private static let nested = """
    {"schema": "1.1.0-chakra.0.0.4", "pid": 7, "start_ts": 10, "nodes": [
      {"id": 1, "name": "## process_group:init ##", "ctrl_deps": 2, "inputs": {"values":
        ["[{\\"pg_name\\": \\"0\\", \\"backend_config\\": \\"gloo\\", \\"group_size\\": 2, \\"ranks\\": []}]"]},
       "outputs": {"values": []}, "attrs": []},
      {"id": 2, "name": "thread", "ctrl_deps": 0, "inputs": {"values": []}, "outputs": {"values": []},
       "attrs": [{"name": "rf_id", "type": "uint64", "value": 18}]},
      {"id": 5, "name": "record_param_comms", "ctrl_deps": 2,
       "inputs": {"values": [[[1, 2, 0, 53, 8, "cuda:1"]], 34, ["0", "default_pg"], 0, "broadcast"]},
       "outputs": {"values": []}, "attrs": [
        {"name": "collective_name", "type": "string", "value": "broadcast"},
        {"name": "dtype", "type": "string", "value": "Long"},
        {"name": "in_msg_nelems", "type": "uint64", "value": 53},
        {"name": "pg_name", "type": "string", "value": "0"},
        {"name": "global_rank_start", "type": "uint64", "value": 4},
        {"name": "global_rank_stride", "type": "uint64", "value": 2},
        {"name": "pg_size", "type": "uint64", "value": 2}]}]}
    """
  private func read(_ text: String, chunk: Int = 1 << 18) throws -> PyTorchTrace {
    try PyTorchTrace(bytes: Array(text.utf8), path: "run_rank3.json", chunkSize: chunk)
  }

  @Test(arguments: [1, 5, 1 << 18]) func theFlatSchemaIsRead(_ chunk: Int) throws {
    let trace = try read(Self.flat, chunk: chunk)
    #expect(trace.schema == "1.0.1" && trace.rank == 3 && trace.span == .microseconds(20))
    #expect(trace.nodes.map(\.id) == [2, 3, 5, 4])
    #expect(trace.nodes[1].inputBytes == .bytes(464) && trace.nodes[1].outputBytes == .bytes(448))
    #expect(trace.messages.map(\.name) == ["all_to_allv", "c10d::alltoall_base_"])
    #expect(trace.messages.allSatisfy { $0.kind == .allToAll && $0.bytes == .bytes(24_576) })
    let graph = try trace.graph(durations: [5: .microseconds(9)])
    // The collective once, where it is called first; its caller is no operation of its own.
    #expect(graph.nodes.map(\.id) == [3, 4] || graph.nodes.map(\.id) == [3, 5])
    #expect(graph.nodes[0].duration == .microseconds(9) && graph.edgeCount == 1)
  }

  @Test(arguments: [1, 5, 1 << 18]) func theNestedSchemaIsRead(_ chunk: Int) throws {
    let trace = try read(Self.nested, chunk: chunk)
    #expect(trace.groups.map(\.size) == [2] && trace.groups[0].backend == "gloo")
    #expect(trace.messages.count == 1 && trace.messages[0].bytes == .bytes(424))
    #expect(trace.nodes[1].recordID == 18)
    let graph = try trace.graph()
    #expect(graph.groups == [TraceGraph.Group(name: "0", ranks: [4, 6], size: 2)])
  }

  @Test func faultsAreNamed() throws {
    let missing = Self.flat.replacing("\"parent\": 4", with: "\"parent\": 44")
    let message = positionedError("a missing parent") { _ = try read(missing).graph() }
    #expect(message.contains("node 5 waits for 44"))
    let cycle = Self.flat.replacing(
      "\"id\": 4, \"rf_id\": 6, \"parent\": 2",
      with: "\"id\": 4, \"rf_id\": 6, \"parent\": 5")
    #expect(positionedError("a cycle") { _ = try read(cycle).graph() }.contains("a cycle of 2"))
    let schema = Self.flat.replacing("1.0.1", with: "2.0")
    #expect(positionedError("a schema") { _ = try read(schema) }.contains("schema 2.0"))
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedTracesAreRead() throws {
    for (name, schema, nodes) in [
      ("pytorch-et-param/resnet_et.json.gz", "1.1.0-chakra.0.0.4", 14_392),
      ("pytorch-et-param/resnet_2gpu_et.json.gz", "1.1.0-chakra.0.0.4", 14_392),
      ("pytorch-et-param/linear_et.json.gz", "1.0.1", 931),
      ("recorded-ddp/pytorch_et_gloo2_resnet18_rank0.json.gz", "1.1.1-chakra.0.0.4", 2651),
    ] {
      let trace = try PyTorchTrace(path: SharedTraces.path(name))
      #expect(trace.schema == schema && trace.nodes.count == nodes)
      let graph = try trace.graph()
      #expect(!graph.nodes.isEmpty)
    }
    for rank in 0..<8 {
      let name = "pytorch-et-param/dlrm8/dlrm_eg_\(rank).json.gz"
      let trace = try PyTorchTrace(path: SharedTraces.path(name))
      #expect(trace.rank == rank)
      let summary = try trace.graph().summary
      // Five all-to-alls and three all-reduces, each recorded in three layers.
      let counts = summary.rows.map { "\($0.kind) \($0.count)" }
      #expect(counts.contains("all_reduce 3") && counts.contains("all_to_all 5"), "\(counts)")
    }
    let own = try PyTorchTrace(
      path: SharedTraces.path("recorded-ddp/pytorch_et_gloo2_resnet18_rank1.json.gz"))
    let rows = try own.graph().summary.rows
    #expect(rows.contains { $0.kind == "all_reduce" && $0.count == 2 })
    #expect(rows.contains { $0.kind == "broadcast" && $0.count == 2 })
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func damagedCopiesAreRefusedWithAByte() throws {
    let name = "pytorch-et-param/linear_et.json.gz"
    for (number, copy) in damagedCopies(of: try SharedTraces.bytes(name)).enumerated() {
      _ = positionedError("\(name) \(number)") { _ = try PyTorchTrace(bytes: copy, path: name) }
    }
    for (number, copy) in damagedCopies(of: Array(Self.nested.utf8)).enumerated() {
      _ = positionedError("nested \(number)") { _ = try PyTorchTrace(bytes: copy, path: "n") }
    }
  }
}
