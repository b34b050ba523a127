/// The formats that simnet reads, and how it tells them apart: by what a file holds.
public enum FileFormat: String, Sendable, CaseIterable {
  case kineto
  case pyTorchTrace = "pytorch_execution_trace"
  case chakra
  case chakraJSON = "chakra_json"
  case goal
  case layerWorkload = "layer_workload"
  case analyticalNetwork = "astra_sim_network"
  case systemConfiguration = "astra_sim_system"
  case logicalTopology = "astra_sim_logical_topology"
  case remoteMemory = "astra_sim_remote_memory"
  case ns3Configuration = "ns3_configuration"
  case busBandwidths = "simai_bus_bandwidths"
  case efficiencyTable = "simai_efficiency_table"
  case htsimTopology = "htsim_topology"
  case htsimConnections = "htsim_connections"
  case ncclTests = "nccl_tests"
  case deepBench = "deepbench"
  case pipeDream = "pipedream"
  case netAIBackward = "netai_backward"
  case vectorAdd = "netai_vector_add"
  case safetensors
  case npy
  case npyFolder = "npy_folder"
  case rawFloats = "raw_floats"
  case scenario = "simnet_scenario"

  /// What people call it, and what it usually is called on disk.
  public var title: String {
    switch self {
    case .kineto: "PyTorch profiler (Kineto) trace, .json or .json.gz"
    case .pyTorchTrace: "PyTorch execution trace, .json or .json.gz"
    case .chakra: "Chakra execution trace, .et"
    case .chakraJSON: "Chakra execution trace in JSON"
    case .goal: "GOAL schedule, .goal"
    case .layerWorkload: "SimAI, AICB or ASTRA-sim workload, .txt"
    case .analyticalNetwork: "ASTRA-sim analytical network, .yml or .json"
    case .systemConfiguration: "ASTRA-sim system, .json"
    case .logicalTopology: "ASTRA-sim logical topology, .json"
    case .remoteMemory: "ASTRA-sim remote memory, .json"
    case .ns3Configuration: "ns-3 configuration of SimAI or ASTRA-sim, .conf"
    case .busBandwidths: "SimAI bus bandwidths, .yaml"
    case .efficiencyTable: "SimAI efficiency table, .csv"
    case .htsimTopology: "htsim topology, .topo"
    case .htsimConnections: "htsim connection matrix, .cm"
    case .ncclTests: "nccl-tests log"
    case .deepBench: "DeepBench all-reduce table, .csv"
    case .pipeDream: "PipeDream profile, graph.txt"
    case .netAIBackward: "NetAI'20 backward log"
    case .vectorAdd: "NetAI'20 vector-add log"
    case .safetensors: "safetensors gradients"
    case .npy: "NumPy array, .npy"
    case .npyFolder: "folder of .npy files, one a tensor (as GRACE dumps them)"
    case .rawFloats: "raw single precision, .bin, .f32 or .raw"
    case .scenario: "simnet scenario, .json"
    }
  }
}
