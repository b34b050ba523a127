extension FileFormat {
  /// What takes a file of this format at `path`: a command, or keys of a scenario.
  public func use(of path: String) -> String {
    switch self {
    case .kineto, .pyTorchTrace, .chakra, .chakraJSON, .layerWorkload, .analyticalNetwork,
      .htsimTopology, .pipeDream, .netAIBackward, .safetensors, .npy, .npyFolder, .rawFloats:
      "simnet import \(path) -o scenario.json"
    case .systemConfiguration: "simnet import NETWORK WORKLOAD \(path) -o scenario.json"
    case .goal: "simnet goal \(path)"
    case .htsimConnections: "simnet flows --topology TOPOLOGY \(path)"
    case .ncclTests: "simnet calibrate nccl \(path)"
    case .deepBench: "simnet calibrate network \(path)"
    case .scenario: "simnet run \(path)"
    case .vectorAdd: "network.transport.reduction_rate of a scenario, by hand"
    case .logicalTopology: "none by itself: it has dimensions and no links; the network's YAML has"
    case .remoteMemory: "none: scenarios have no remote memory"
    case .ns3Configuration: "network.packet of a scenario, by hand"
    case .busBandwidths: "simnet import WORKLOAD --bandwidth RATE, with that of a group"
    case .efficiencyTable:
      "network.transport.goodput of a scenario, by hand: one ratio for all sizes"
    }
  }
}
