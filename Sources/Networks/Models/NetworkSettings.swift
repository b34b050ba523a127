import SimKernel

/// The fidelity of the network.
public enum NetworkModelKind: String, CaseIterable, Sendable {
  /// Latency + size/bandwidth for each transfer, nobody in the way.
  case alphaBeta = "alpha_beta"
  /// Fluid flows with max-min fair shares of every link.
  case flow
}

/// How traffic is modelled: the record under the scenario key `network`.
public struct NetworkSettings: Sendable, Equatable {
  public var model: NetworkModelKind
  public var transport: Transport

  public init(model: NetworkModelKind = .flow, transport: Transport = .tcp) {
    self.model = model
    self.transport = transport
  }

  public init(_ fields: inout FieldReader) {
    model = fields.optional(
      "model", .choice("network model"), default: .flow,
      doc: "fidelity: alpha_beta (no contention) or flow (max-min fair sharing)")
    transport = fields.variant(
      "transport", TransportCatalog.registry, default: "tcp",
      doc: "what turns line rate into goodput and latency")
  }

  /// A network over `topology` at time zero.
  public func makeNetwork(_ topology: Topology) -> any NetworkModel & ~Copyable {
    switch model {
    case .alphaBeta: AlphaBetaNetwork(topology, transport: transport)
    case .flow: FlowNetwork(topology, transport: transport)
    }
  }
}
