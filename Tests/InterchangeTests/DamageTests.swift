import Foundation
import Interchange
import SimKernel
import Testing

/// Ten damaged copies of each kind of file that simnet writes itself give ten messages with a place.
@Suite struct DamageTests {
  private static func graph(_ ranks: Int) throws -> TraceGraph {
    var builder = TraceGraphBuilder(origin: "own")
    for rank in 0..<ranks {
      for index in 0..<20 {
        let peer = Int32((rank + 1) % ranks)
        let other = Int32((rank + ranks - 1) % ranks)
        let work: TraceGraph.Work =
          switch index % 3 {
          case 0: .compute
          case 1: .send(.init(peer: peer, bytes: .bytes(4096), tag: Int32(index)))
          default: .receive(.init(peer: other, bytes: .bytes(4096), tag: Int32(index - 1)))
          }
        builder.add(
          TraceGraph.Node(
            id: UInt64(index), name: builder.names.index(of: "operation \(index)"),
            rank: Int32(rank), work: work, duration: index % 3 == 0 ? .microseconds(5) : nil),
          after: index > 0 ? [UInt64(index - 1)] : [])
      }
    }
    return try builder.build()
  }

  private func expectPlaces(
    _ label: String, _ bytes: [UInt8], filler: UInt8 = 1, cuts: Int = 5,
    _ read: ([UInt8]) throws -> Void
  ) throws {
    try read(bytes)
    for (number, copy) in damagedCopies(of: bytes, filler: filler, cuts: cuts).enumerated() {
      _ = positionedError("\(label) \(number)") { try read(copy) }
    }
  }

  @Test func chakra() throws {
    let trace = try ChakraTrace(Self.graph(2), rank: 0, origin: "own.0.et")
    try expectPlaces("chakra", ChakraFile.bytes(of: trace), filler: 255) {
      _ = try ChakraFile.read(bytes: $0, path: "own.0.et")
    }
  }

  @Test func kineto() throws {
    try expectPlaces("kineto", TraceBenchmark.kineto(events: 30)) {
      _ = try KinetoTrace(bytes: $0, path: "own.json")
    }
  }

  @Test func chakraJSON() throws {
    let text = """
      {"workload_graph": [
        {"id": 1, "name": "gemm", "node_type": 4, "ctrl_deps": [], "data_deps": []},
        {"id": 2, "name": "sum", "node_type": 7, "ctrl_deps": [1], "data_deps": [],
         "comm_type": 0, "comm_size": 1000}], "workload_name": "w", "ngpus": 8}
      """
    try expectPlaces("chakra json", Array(text.utf8)) {
      _ = try ChakraJSON.read(bytes: $0, path: "own.json")
    }
  }

  @Test func configurations() throws {
    let network =
      "topology: [ Ring ]\nnpus_count: [ 8 ]\nbandwidth: [ 50.0 ]\nlatency: [ 500.0 ]\n"
    try expectPlaces("network", Array(network.utf8), cuts: 0) {
      _ = try AnalyticalNetwork(bytes: $0, path: "own.yml")
    }
    let system = """
      {"scheduling-policy": "LIFO", "endpoint-delay": 10, "active-chunks-per-dimension": 1,
       "preferred-dataset-splits": 4, "all-reduce-implementation": ["ring"],
       "all-gather-implementation": ["ring"], "reduce-scatter-implementation": ["ring"],
       "all-to-all-implementation": ["ring"], "collective-optimization": "localBWAware"}
      """
    try expectPlaces("system", Array(system.utf8)) {
      _ = try SystemConfiguration(bytes: $0, path: "own.json")
    }
    try expectPlaces("memory", Array("{\"memory-type\": \"NO_MEMORY_EXPANSION\"}".utf8)) {
      _ = try RemoteMemoryConfiguration(bytes: $0, path: "own.json")
    }
  }

  @Test func tables() throws {
    let deepBench = """
      source_file,sheet,num_floats,num_accelerators,num_nodes,mean_time_ms,reported_gbyte_per_s,algorithm
      Own,s,100000,2,,0.09,8.8,MPI
      Own,s,3097600,2,,2.5,9.9,MPI
      """
    try expectPlaces("deepbench", Array(deepBench.utf8), cuts: 0) {
      _ = try DeepBenchTable(bytes: $0, path: "own.csv")
    }
    let costs =
      "forward_compute_time=1.0, backward_compute_time=2.0, activation_size=8.0, parameter_size=4.0"
    let graph = "node1 -- Linear -- \(costs)\nnode2 -- ReLU -- \(costs)\n\tnode1 -- node2\n"
    try expectPlaces("pipedream", Array(graph.utf8), cuts: 0) {
      _ = try PipeDreamGraph(bytes: $0, path: "own.txt")
    }
    let topology = """
      Nodes 16
      Tiers 2
      Podsize 4
      Tier 0
      Downlink_speed_Gbps 100
      Radix_Up 2
      Radix_Down 2
      Downlink_Latency_ns 1000
      Tier 1
      Downlink_speed_Gbps 100
      Radix_Down 4
      Downlink_Latency_ns 1000

      """
    try expectPlaces("topology", Array(topology.utf8), cuts: 0) {
      _ = try HTSimTopology(bytes: $0, path: "own.topo")
    }
    let matrix = "Nodes 4\nConnections 2\n0->1 start 0 size 2000\n2->3 start 0 size 2000\n"
    try expectPlaces("matrix", Array(matrix.utf8), cuts: 0) {
      _ = try HTSimConnections(bytes: $0, path: "own.cm")
    }
  }

  /// Other programs write into the same stream: what is no row is passed, and a row that is damaged is
  /// named by its line.
  @Test func logs() {
    let row = "1024  256  float  sum  -1  50.00  2.00  3.50  0  40.00  2.50  4.38  0"
    let lines = (0..<12).map { $0 == 3 ? "host: NCCL INFO Launch mode Parallel" : row }
    for number in 0..<12 where number != 3 {
      var damaged = lines
      damaged[number] = String(row.prefix(30 - 2 * (number % 4)))
      let log = NCCLTestsLog(text: damaged.joined(separator: "\n"))
      #expect(log.brokenLines == [number + 1] && log.rows.count == 10)
    }
    #expect(NCCLTestsLog(text: lines.joined(separator: "\n")).brokenLines == [])
  }

  @Test func goal() throws {
    var writer = GOALWriter()
    try Self.graph(3).write(to: &writer, origin: "own")
    let folder = try ScratchFolder()
    try expectPlaces("goal", writer.bytes) {
      _ = try TraceGraph(goal: try folder.file("own.goal", $0))
    }
  }

  @Test func layerWorkload() throws {
    let text = LayerWorkloadTests.small + "\n"
    try expectPlaces("workload", Array(text.utf8)) {
      _ = try LayerWorkload(bytes: $0, path: "own.txt")
    }
  }

  /// Where values are damaged they are numbers still; those that are none are found by tensor.
  @Test(arguments: ["own.safetensors", "own.npy"])
  func gradients(_ name: String) throws {
    let folder = try ScratchFolder()
    let gradient = GradientFile(
      origin: "own",
      tensors: [.init(name: "weight", shape: [64], offset: 0, count: 64)],
      values: (0..<64).map { Float($0) })
    try gradient.write(path: folder.path(name))
    for (number, copy) in damagedCopies(of: try folder.bytes(name), filler: 255).enumerated() {
      let path = try folder.file(name, copy)
      do throws(InterchangeError) {
        try GradientFile.read(path: path).checkFinite()
        Issue.record("\(name) \(number) was read")
      } catch {
        #expect(error.path.contains(name))
        #expect(
          error.byteOffset != nil || error.found.contains("[")
            || error.found.contains("byte") || error.found.contains("header"), "\(error)")
      }
    }
  }

  /// A folder of one tensor a file, of which one is damaged.
  @Test func aFolderOfGradients() throws {
    let folder = try ScratchFolder()
    let values = (0..<64).map { Float($0) }
    for name in ["a.npy", "b.npy", "c.npy"] {
      try GradientFile(
        origin: "own", tensors: [.init(name: "weight", shape: [64], offset: 0, count: 64)],
        values: values
      ).write(path: folder.path(name))
    }
    #expect(try GradientFile.read(path: folder.path).tensors.count == 3)
    for (number, copy) in damagedCopies(of: try folder.bytes("b.npy"), filler: 255).enumerated() {
      _ = try folder.file("b.npy", copy)
      do throws(InterchangeError) {
        try GradientFile.read(path: folder.path).checkFinite()
        Issue.record("copy \(number) was read")
      } catch {
        // The file, or the tensor that is called like it.
        #expect(
          error.path.contains("b.npy") && error.byteOffset != nil || error.found.contains("b["),
          "\(error)")
      }
    }
  }
}
