import SimKernel

extension LayerWorkload {
  /// One iteration of one rank: forward through the layers, then backward, every collective waited
  /// for before the next computation of its pass, except for those of weight gradients, which only
  /// the layer's update waits for.
  ///
  /// That is how ASTRA-sim runs the data-parallel strategies. Groups are named as the file names
  /// them, or TP and DP where it does not; their sizes follow from ``parameters``, and their ranks
  /// are left open. SimAI's all-gathers count what all ranks have in the end, as nccl-tests do.
  public func graph(origin: String, rank: Int = 0) throws(InterchangeError) -> TraceGraph {
    var builder = TraceGraphBuilder(origin: origin)
    var last: UInt64?
    var id: UInt64 = 0
    func add(
      _ name: String, _ work: TraceGraph.Work, _ duration: SimDuration?, after: [UInt64]
    ) -> UInt64 {
      let node = TraceGraph.Node(
        id: id, name: builder.names.index(of: name), rank: Int32(rank), work: work,
        duration: duration)
      builder.add(node, after: after)
      id += 1
      return id - 1
    }
    let sizes = groupSizes
    func addPhase(_ layer: Layer, _ phase: Phase, _ what: String, isBlocking: Bool) -> UInt64? {
      if phase.compute > .zero {
        last = add("\(layer.name) \(what)", .compute, phase.compute, after: last.map { [$0] } ?? [])
      }
      guard let kind = phase.collective else { return nil }
      var group: Int32 = -1
      var bytes = phase.bytes
      // What updates weights goes over data-parallel ranks, all else over those that share a layer.
      let own = !phase.group.isEmpty ? phase.group : sizes.isEmpty ? "" : isBlocking ? "TP" : "DP"
      if !own.isEmpty {
        let size = sizes.first { $0.name == own }?.size ?? 0
        group = builder.group(TraceGraph.Group(name: own, ranks: [], size: size))
        if kind == .allGather, size > 1, bytes > .zero {
          bytes = .bytes((bytes.bytes - 1) / Int64(size) + 1)
        }
      }
      let work = TraceGraph.Work.collective(.init(kind: kind, bytes: bytes, group: group))
      let message = add("\(layer.name) \(what)", work, nil, after: last.map { [$0] } ?? [])
      if isBlocking { last = message }
      return message
    }
    for layer in layers { _ = addPhase(layer, layer.forward, "forward", isBlocking: true) }
    for layer in layers.reversed() {
      let message = addPhase(layer, layer.weightGradient, "weight gradient", isBlocking: false)
      _ = addPhase(layer, layer.inputGradient, "input gradient", isBlocking: true)
      if layer.update > .zero {
        _ = add(
          "\(layer.name) update", .compute, layer.update,
          after: [message, last].compactMap { $0 }.reduce(into: []) { list, node in
            if !list.contains(node) { list.append(node) }
          })
      }
    }
    if let count = parameter("all_gpus"), count > 0, count < 1 << 30 {
      builder.rankCount = max(builder.rankCount, Int(count))
    }
    return try builder.build()
  }

  /// Ranks in a group of each kind, for a first line that says them as SimAI does; empty otherwise.
  private var groupSizes: [(name: String, size: Int)] {
    guard let all = parameter("all_gpus"), let tensor = parameter("model_parallel_NPU_group"),
      (1...1 << 30).contains(all), (1...all).contains(tensor)
    else { return [] }
    let stages = min(max(1, parameter("pp") ?? 1), all)
    let experts = min(max(1, parameter("ep") ?? 1), all)
    let data = max(1, all / tensor / stages)
    return [
      ("TP", Int(tensor)), ("DP", Int(data)), ("EP", Int(experts)),
      ("DP_EP", Int(max(1, data / experts))),
    ]
  }
}
