import SimKernel

extension FileSummary {
  mutating func addConfiguration() throws(InterchangeError) {
    switch format {
    case .analyticalNetwork:
      let network = try AnalyticalNetwork(path: path)
      fact("npus", network.npus)
      rows(
        "dimensions",
        network.dimensions.map {
          [
            Self.cell("shape", $0.shape.rawValue), Self.cell("count", $0.count),
            Self.cell("bandwidth", $0.bandwidth), Self.cell("latency", $0.latency),
          ]
        })
    case .systemConfiguration:
      let system = try SystemConfiguration(path: path)
      fact("scheduling_policy", system.schedulingPolicy)
      fact("endpoint_delay", system.endpointDelay)
      fact("active_chunks_per_dimension", system.activeChunksPerDimension)
      fact("preferred_dataset_splits", system.preferredDatasetSplits)
      fact("collective_optimization", system.collectiveOptimization)
      if let rate = system.localMemoryGigabytesPerSecond { fact("local_memory_gb_per_s", rate) }
      rows(
        "collectives",
        system.implementations.map {
          [
            Self.cell("kind", $0.kind.rawValue),
            Self.cell("algorithms", $0.names.joined(separator: ", ")),
          ]
        })
      if !system.otherKeys.isEmpty {
        notKept.append("the keys \(system.otherKeys.joined(separator: ", "))")
      }
    case .logicalTopology:
      fact("dimensions", try LogicalTopology(path: path).dimensions.map(String.init))
    case .remoteMemory:
      let memory = try RemoteMemoryConfiguration(path: path)
      fact("memory_type", memory.memoryType)
      fact("latency", memory.latency)
    case .ns3Configuration:
      let settings = try NS3Configuration(path: path)
      fact("settings", settings.entries.count)
      fact("packet_payload_bytes", settings.packetPayload.map { Int($0.bytes) })
      fact("buffer_bytes", settings.bufferSize.map { Int($0.bytes) })
      notKept.append("paths and congestion control settings have no counterpart in simnet")
    case .busBandwidths:
      rows(
        "bandwidths",
        try BusBandwidths(path: path).entries.map { entry in
          [
            Self.cell("group", entry.group),
            Self.cell("collective", entry.collective?.rawValue ?? "any"),
          ] + (entry.bandwidth.map { [Self.cell("bandwidth", $0)] } ?? [])
        })
    case .efficiencyTable:
      let table = try EfficiencyTable(path: path)
      fact("columns", table.columns)
      fact("sizes", table.rows.count)
    case .htsimTopology:
      let topology = try HTSimTopology(path: path)
      fact("nodes", topology.nodes)
      rows(
        "tiers",
        topology.tiers.enumerated().map { index, tier in
          [Self.cell("tier", index)] + (tier.portsDown.map { [Self.cell("ports_down", $0)] } ?? [])
            + (tier.bandwidth.map { [Self.cell("bandwidth", $0)] } ?? [])
            + (tier.linkLatency.map { [Self.cell("latency", $0)] } ?? [])
        })
    case .htsimConnections:
      let matrix = try HTSimConnections(path: path)
      fact("nodes", matrix.nodes)
      fact("connections", matrix.connections.count)
      fact(
        "bytes", Int(matrix.connections.reduce(ByteCount.zero) { $0 + ($1.size ?? .zero) }.bytes))
      if !matrix.failures.isEmpty { notKept.append("\(matrix.failures.count) failure lines") }
    default: preconditionFailure("no configuration")
    }
  }

  mutating func addTable() throws(InterchangeError) {
    switch format {
    case .ncclTests:
      let log = try NCCLTestsLog(path: path)
      fact("ranks", log.ranks)
      fact("rows", log.rows.count)
      fact("smallest_bytes", log.rows.map { Int($0.size.bytes) }.min())
      fact("largest_bytes", log.rows.map { Int($0.size.bytes) }.max())
      if !log.brokenLines.isEmpty {
        notKept.append("lines that begin like a row and are none: \(log.brokenLinesText)")
      }
    case .deepBench:
      let table = try DeepBenchTable(path: path)
      fact("rows", table.rows.count)
      var algorithms: [String] = []
      for row in table.rows where !algorithms.contains(row.algorithm) {
        algorithms.append(row.algorithm)
      }
      fact("algorithms", algorithms)
      fact("accelerators_up_to", table.rows.map(\.accelerators).max())
    case .pipeDream:
      let graph = try PipeDreamGraph(path: path)
      fact("layers", graph.layers.count)
      fact("edges", graph.edges.count)
      fact("forward", graph.layers.reduce(.zero) { $0 + $1.forward })
      fact("backward", graph.layers.reduce(.zero) { $0 + $1.backward })
      fact(
        "parameter_bytes", Int(graph.layers.reduce(ByteCount.zero) { $0 + $1.parameters }.bytes))
    case .netAIBackward:
      let log = try NetAIBackwardLog(path: path)
      fact("gradients", log.events.count)
      fact("backward", log.total)
      fact("gradient_bytes", Int(log.events.reduce(ByteCount.zero) { $0 + $1.size }.bytes))
    case .vectorAdd: fact("rows", try VectorAddLog(path: path).rows.count)
    default: preconditionFailure("no table")
    }
  }

  mutating func addGradient() throws(InterchangeError) {
    let gradient: GradientFile
    switch format {
    case .safetensors: gradient = try Safetensors.read(path: path)
    case .npy: gradient = try NPY.read(path: path)
    case .npyFolder: gradient = try NPY.readDirectory(path: path)
    default: gradient = try RawFloats.read(path: path)
    }
    fact("tensors", gradient.tensors.count)
    fact("elements", gradient.values.count)
    fact("single_precision_bytes", gradient.values.count * 4)
    if let value = gradient.firstNonFiniteValue() {
      fact("not_finite", value.total)
      fact("first_not_finite", "\(value.text) at \(value.tensor)[\(value.index)]")
    }
  }
}
