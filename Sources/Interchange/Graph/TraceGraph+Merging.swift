import SimKernel

extension TraceGraph {
  /// One graph of what several ranks do, each of which is a graph of its own.
  ///
  /// Operations of two ranks meet in the messages between them only; groups are not kept.
  ///
  /// - Throws: `InterchangeError` if two graphs are of one rank, or name nodes twice.
  public init(merging graphs: [TraceGraph], origin: String) throws(InterchangeError) {
    var builder = TraceGraphBuilder(origin: origin)
    for graph in graphs {
      for (index, node) in graph.nodes.enumerated() {
        var own = node
        own.name = builder.names.index(of: graph.names[node.name])
        if case .collective(var collective) = own.work {
          collective.group = -1
          own.work = .collective(collective)
        }
        var (after, afterStart): ([UInt64], [UInt64]) = ([], [])
        for edge in graph.dependencies(of: index) {
          let id = graph.nodes[Int(edge.node)].id
          if edge.onStart { afterStart.append(id) } else { after.append(id) }
        }
        builder.add(own, after: after, afterStart: afterStart)
      }
      builder.rankCount = max(builder.rankCount, graph.rankCount)
    }
    self = try builder.build()
  }
}
