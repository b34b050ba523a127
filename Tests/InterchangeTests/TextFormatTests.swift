import Interchange
import SimKernel
import Testing

/// What reading a text as some format says.
private func fault(_ text: String, _ read: ([UInt8]) throws -> Void) -> String {
  positionedError(text) { try read(Array(text.utf8)) }
}

@Suite struct LayerWorkloadTests {
  static let small = """
    HYBRID_TRANSFORMER_FWD_IN_BCKWD model_parallel_NPU_group: 2 ep: 16 all_gpus: 32 pp_comm 5
    2
    attention -1 1750 REDUCESCATTER 64 875 ALLGATHER 32 1 NONE 0 100
    moe\t-1\t7\tALLTOALL_EP\t8\t9\tNONE\t0\t3\tALLREDUCE_DP_EP\t1024\t0 extra
    """
  private func read(_ text: String) throws -> LayerWorkload {
    try LayerWorkload(bytes: Array(text.utf8), path: "w.txt")
  }

  @Test func columnsHaveTheirMeaning() throws {
    let workload = try read(Self.small)
    #expect(workload.parameter("ep") == 16 && workload.parameter("pp_comm") == 5)
    let layer = workload.layers[0]
    #expect(layer.forward.compute == .nanoseconds(1750) && layer.forward.bytes == .bytes(64))
    #expect(layer.forward.collective == .reduceScatter && layer.dependency == nil)
    #expect(layer.inputGradient.collective == .allGather && layer.weightGradient.collective == nil)
    #expect(workload.layers[1].forward.group == "EP" && workload.layers[1].rest == ["extra"])
    #expect(workload.layers[1].weightGradient.group == "DP_EP")
    let graph = try workload.graph(origin: "w.txt")
    #expect(graph.rankCount == 32)
    // An all-gather of two ranks: 32 bytes are what both have in the end.
    #expect(
      graph.nodes.contains {
        if case .collective(let own) = $0.work {
          own.kind == .allGather && own.bytes == .bytes(16)
        } else {
          false
        }
      })
    #expect(graph.summary.rows.map(\.count).reduce(0, +) == graph.nodes.count)
  }

  @Test func whatIsWrittenIsReadAsItWas() throws {
    var workload = try read(Self.small)
    var again = try read(workload.text)
    for index in workload.layers.indices {
      workload.layers[index].line = 0
      again.layers[index].line = 0
    }
    #expect(again == workload)
  }

  @Test(arguments: [
    ("DATAA\n0", "w.txt:1: a first line without a parallelism"),
    ("DATA\nx", "w.txt:2: the number of layers is \"x\""),
    ("DATA ep:", "w.txt:1: \"ep\" without a number"),
    ("DATA\n1\na -1 1", "w.txt:3: a layer of 3 columns"),
    ("DATA\n2\na -1 1 NONE 0 1 NONE 0 1 NONE 0 1", "w.txt:3: the end after 1 layers"),
    ("DATA\n0\na -1 1 NONE 0 1 NONE 0 1 NONE 0 1", "w.txt:3: a layer beyond the 0 announced"),
    ("DATA\n1\na -1 -1 NONE 0 1 NONE 0 1 NONE 0 1", "w.txt:3: the forward time is \"-1\""),
    ("DATA\n1\na -1 1 ALLREDUCES 0 1 NONE 0 1 NONE 0 1", "w.txt:3: the forward collective is"),
    ("DATA\n1\na 0 1 NONE 0 1 NONE 0 1 NONE 0 1", "w.txt:3: the dependency is \"0\""),
  ]) func faultsAreNamedWithTheirLine(_ text: String, _ expected: String) {
    let message = fault(text) { _ = try LayerWorkload(bytes: $0, path: "w.txt") }
    #expect(message.hasPrefix(expected), "\(message)")
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedWorkloadsAreRead() throws {
    let large = try LayerWorkload(path: SharedTraces.path("simai/workload_analytical.txt"))
    #expect(large.layers.count == 1789 && large.parameter("all_gpus") == 9216)
    let groups = try large.graph(origin: "large").groups
    #expect(groups.contains { $0.name == "TP" && $0.size == 2 })
    #expect(groups.contains { $0.name == "DP_EP" && $0.size == 24 })
    #expect(groups.contains { $0.name == "DP" && $0.size == 384 })
    #expect(
      try LayerWorkload(path: SharedTraces.path("simai/microAllReduce.txt")).layers.count == 2)
  }
}

@Suite struct ConfigurationTests {
  private static let yaml = """
    # a network
    topology: [ Ring, FullyConnected, Switch ]
    npus_count: [ 2, 8, 4 ]  # number of NPUs
    bandwidth: [ 200.0, 100, 0.5 ]  # GB/s
    latency: [ 50.0, 936.25, 2000 ]  # ns
    """

  @Test func anAnalyticalNetworkHasUnits() throws {
    let network = try AnalyticalNetwork(bytes: Array(Self.yaml.utf8), path: "n.yml")
    #expect(
      network.npus == 64 && network.dimensions.map(\.shape) == [.ring, .fullyConnected, .switch])
    #expect(
      network.dimensions.map(\.bandwidth.bitsPerSecond) == [
        1_600_000_000_000, 800_000_000_000, 4_000_000_000,
      ])
    #expect(network.dimensions.map(\.latency.picoseconds) == [50_000, 936_250, 2_000_000])
    let json = """
      {"topology": ["Ring", "FullyConnected", "Switch"], "npus_count": [2, 8, 4],
       "bandwidth": [200.0, 100, 0.5], "latency": [50, 936.25, 2000]}
      """
    #expect(try AnalyticalNetwork(bytes: Array(json.utf8), path: "n.json") == network)
  }

  @Test(arguments: [
    ("Ring, FullyConnected", "Torus, FullyConnected", "n.yml:2: the topology \"Torus\""),
    ("2, 8, 4", "2, 8", "n.yml:3: 3, 2, 3, 3 dimensions"),
    ("# GB/s", "# Gb/s", "n.yml:4: bandwidth in Gb/s"),
    ("# ns", "# us", "n.yml:5: latency in us"),
    ("latency:", "latancy:", "n.yml:5: the key \"latancy\""),
    ("200.0", "0", "n.yml:4: bandwidth is \"0\""), ("50.0", "-1", "n.yml:5: latency is \"-1\""),
    ("2, 8, 4 ]", "2, 8, 4", "n.yml:3: a list that does not end"),
    ("2, 8, 4", "2, , 4", "n.yml:3: an empty place"),
    ("latency: [", "npus_count: [", "n.yml:5: the key \"npus_count\" again"),
  ]) func faultsAreNamedWithTheirLine(_ old: String, _ new: String, _ expected: String) {
    let message = fault(Self.yaml.replacing(old, with: new)) {
      _ = try AnalyticalNetwork(bytes: $0, path: "n.yml")
    }
    #expect(message.hasPrefix(expected), "\(message)")
  }

  @Test func systemKeysThatASTRASimWouldPassOverAreRefused() throws {
    let good =
      "{\"scheduling-policy\": \"LIFO\", \"endpoint-delay\": 10, \"local-mem-bw\": 1600,\n"
      + "\"all-reduce-implementation\": [\"ring\", \"direct\"], \"boost-mode\": 0}"
    let system = try SystemConfiguration(bytes: Array(good.utf8), path: "s.json")
    #expect(system.endpointDelay == .nanoseconds(10) && system.isBoosted == false)
    #expect(system.implementations.map(\.names) == [["ring", "direct"]])
    let message = fault(good.replacing("all-reduce-imp", with: "all-reduse-imp")) {
      _ = try SystemConfiguration(bytes: $0, path: "s.json")
    }
    #expect(message.hasPrefix("s.json:2: the key \"all-reduse-implementation\"; did you mean"))
  }

  @Test func busBandwidthsMayBeNull() throws {
    let text = "test\nTP:\nallreduce,: 300\nDP:\nalltoall,: null\nPP:\nbusbw: 47.5\n"
    let table = try BusBandwidths(bytes: Array(text.utf8), path: "b.yaml")
    #expect(table.entries.map(\.group) == ["TP", "DP", "PP"])
    #expect(
      table.entries.map { $0.bandwidth?.bitsPerSecond } == [
        2_400_000_000_000, nil, 380_000_000_000,
      ])
    #expect(table.entries.map(\.collective) == [.allReduce, .allToAll, nil])
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedConfigurationsAreRead() throws {
    let network = try AnalyticalNetwork(
      path: SharedTraces.path("astra-sim/network/analytical/HGX-H100-validated.yml"))
    #expect(network.npus == 8 && network.dimensions[0].shape == .switch)
    #expect(network.dimensions[0].latency == .picoseconds(936_250))
    for name in SharedTraces.files("astra-", ".yml") {
      _ = try AnalyticalNetwork(path: SharedTraces.path(name))
    }
    for name in SharedTraces.files("astra-sim/system/", ".json") {
      #expect(!(try SystemConfiguration(path: SharedTraces.path(name))).implementations.isEmpty)
    }
    let dims = try LogicalTopology(
      path: SharedTraces.path("astra-sim/network/ns3/sample_16nodes_2D.json"))
    #expect(dims.dimensions == [8, 2])
    let conf = try NS3Configuration(path: SharedTraces.path("simai/SimAI.conf"))
    #expect(conf.packetPayload == .bytes(9000) && conf.bufferSize == .mebibytes(32))
    #expect(try BusBandwidths(path: SharedTraces.path("simai/busbw.yaml")).entries.count == 13)
    #expect(try EfficiencyTable(path: SharedTraces.path("simai/nic_ratio.csv")).rows.count == 11)
  }
}

@Suite struct TableTests {
  @Test func aPipeDreamGraphHasMillisecondsAndBytes() throws {
    let text =
      "node1 -- Conv(3, 64) -- forward_compute_time=1.5, backward_compute_time=2.25, "
      + "activation_size=822083584.000, parameter_size=7168.000\nnode2 -- a -- b -- "
      + "forward_compute_time=0.000, backward_compute_time=0.001, activation_size=1.0, "
      + "parameter_size=0.0\n\tnode1 -- node2"
    let graph = try PipeDreamGraph(bytes: Array(text.utf8), path: "g.txt")
    #expect(
      graph.layers[0].forward == .microseconds(1500) && graph.layers[0].parameters == .bytes(7168))
    #expect(graph.edges.map(\.from) == [0] && graph.edges.map(\.to) == [1])
    let other = fault(text.replacing("node1 -- node2", with: "node1 -- node3")) {
      _ = try PipeDreamGraph(bytes: $0, path: "g.txt")
    }
    #expect(other.hasPrefix("g.txt:3: an edge with \"node3\""))
    #expect(throws: InterchangeError.self) {
      _ = try PipeDreamGraph(bytes: Array((text + "\n\tnode2 -- node1").utf8), path: "g.txt")
    }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedTablesAreRead() throws {
    #expect(
      try DeepBenchTable(path: SharedTraces.path("deepbench/allreduce.csv")).rows.count == 203)
    for name in SharedTraces.files("pipedream-profiles/", ".graph.txt") {
      let graph = try PipeDreamGraph(path: SharedTraces.path(name))
      #expect(graph.layers.count > 10 && graph.edges.count >= graph.layers.count - 4)
    }
    for (name, events) in [("resnet50", 161), ("resnet101", 314), ("vgg16", 58)] {
      let log = try NetAIBackwardLog(
        path: SharedTraces.path("netai-training-bottleneck/\(name).bk.log"))
      #expect(log.events.count == events)
    }
    let path = SharedTraces.path("netai-training-bottleneck/cuda_vec_add.log")
    #expect(try VectorAddLog(path: path).rows.count == 25)
  }
}

@Suite struct HTSimFormatTests {
  @Test func aTopologyAndAMatrixHaveUnits() throws {
    let topology = try HTSimTopology(
      bytes: Array(
        "Nodes 8\nTiers 2\nTier 0\nDownlink_speed_Gbps 200\nDownlink_Latency_ns 1.5\nTier 1\nDownlink_speed_Gbps 0.5\nDownlink_Latency_ns 0\n"
          .utf8),
      path: "a.topo")
    #expect(topology.tiers.map { $0.bandwidth!.bitsPerSecond } == [200_000_000_000, 500_000_000])
    #expect(topology.tiers[0].linkLatency == .picoseconds(1500))
    let matrix = try HTSimConnections(
      bytes: Array("Nodes 4\nConnections 2\n0->3 id 1 start 5 size 7\n3->0 trigger 1\n".utf8),
      path: "a.cm")
    #expect(matrix.connections.map(\.size) == [.bytes(7), nil])
    #expect(matrix.connections[0].start == SimTime(picoseconds: 5))
    let message = fault("Nodes 4\nConnections 1\n0->4 start 0") {
      _ = try HTSimConnections(bytes: $0, path: "a.cm")
    }
    #expect(message.hasPrefix("a.cm:3: the destination is \"4\""))
  }
}
