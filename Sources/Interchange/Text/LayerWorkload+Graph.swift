import SimKernel

extension LayerWorkload {
  /// One iteration of one rank: forward through the layers, then backward, every collective waited
  /// for before the next computation of its pass, except for those of weight gradients, which only
  /// the layer's update waits for.
  ///
  /// That is how ASTRA-sim runs the data-parallel strategies. Groups are named as the file names
  /// them; their ranks follow from ``parameters`` and are left open.
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
    func addPhase(_ layer: Layer, _ phase: Phase, _ what: String, isBlocking: Bool) -> UInt64? {
      if phase.compute > .zero {
        last = add("\(layer.name) \(what)", .compute, phase.compute, after: last.map { [$0] } ?? [])
      }
      guard let kind = phase.collective else { return nil }
      var group: Int32 = -1
      if !phase.group.isEmpty {
        group = builder.group(TraceGraph.Group(name: phase.group, ranks: [], size: 0))
      }
      let work = TraceGraph.Work.collective(.init(kind: kind, bytes: phase.bytes, group: group))
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
}
