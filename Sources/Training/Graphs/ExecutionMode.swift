import SimKernel

/// How a framework executes its operations: one by one as the program reaches them, or as a graph
/// (TensorFlow Eager: Agrawal et al., MLSys 2019, arXiv:1903.01855).
public enum ExecutionMode: Sendable, Equatable {
  /// A serial host thread dispatches every operation for this long, in the order of the program.
  ///
  /// A chain of n operations of t each ends after n max(h, t) + min(h, t). No order that needs the
  /// whole graph is possible.
  case eager(dispatch: SimDuration)
  /// The program is traced into a graph once for every input signature; then the host does nothing.
  ///
  /// The chain ends after n t, the trace before it where there is one.
  case staged(trace: SimDuration)

  /// The name in settings and messages.
  public var name: String {
    switch self {
    case .eager: "eager"
    case .staged: "staged"
    }
  }
}

extension OperationGraph {
  /// The same as `mode` executes it, with a host thread where that has something to do.
  ///
  /// - Parameter isFirst: whether this is the first iteration of its input signature.
  public func executed(
    _ mode: ExecutionMode, isFirst: Bool = false
  ) throws(OperationGraphError) -> OperationGraph {
    if case .staged(let trace) = mode, !isFirst || trace == .zero { return self }
    var builder = OperationGraphBuilder(name: name)
    for resource in resources { _ = builder.resource(resource) }
    let host = builder.resource("host thread (\(mode.name))")
    for (index, operation) in operations.enumerated() {
      builder.add(
        names[index], operation.kind, on: operation.resource, for: operation.duration,
        size: operation.size, tensor: Int(operation.tensor))
      for predecessor in predecessors(of: index) {
        builder.require(OperationID(rawValue: predecessor), before: OperationID(index))
      }
    }
    switch mode {
    case .eager(let dispatch):
      var last: OperationID?
      for index in order {
        last = builder.add(
          "dispatch \(names[Int(index)])", .compute, on: host, for: dispatch,
          after: last.map { [$0] } ?? [])
        builder.require(last!, before: OperationID(rawValue: index))
      }
    case .staged(let trace):
      let traced = builder.add("trace", .compute, on: host, for: trace)
      for index in operations.indices where predecessors(of: index).isEmpty {
        builder.require(traced, before: OperationID(index))
      }
    }
    return try builder.build()
  }
}
