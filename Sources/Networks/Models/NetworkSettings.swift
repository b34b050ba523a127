import SimKernel

/// The fidelity of the network.
public enum NetworkModelKind: String, CaseIterable, Sendable {
  /// Latency + size/bandwidth for each transfer, nobody in the way.
  case alphaBeta = "alpha_beta"
  /// LogGP: endpoints take one message after the other, the network is free.
  case loggp
  /// Fluid flows with max-min fair shares of every link.
  case flow
  /// Packets through switches with finite queues, under a congestion control.
  case packet
}

/// How traffic is modelled: the record under the scenario key `network`.
public struct NetworkSettings: Sendable, Equatable {
  public var model: NetworkModelKind
  public var transport: Transport
  /// Who gets how much of a shared link under ``NetworkModelKind/flow``.
  public var sharing: FlowSharing
  /// What others take of links; see ``Background``.
  public var background: [BackgroundLoad]
  /// What ``NetworkModelKind/loggp`` takes besides.
  public var loggp: LogGPSettings
  /// What the packet model is made of.
  public var packet: PacketSettings

  public init(
    model: NetworkModelKind = .flow, transport: Transport = .tcp, sharing: FlowSharing = .maxMin,
    background: [BackgroundLoad] = [], loggp: LogGPSettings = LogGPSettings(),
    packet: PacketSettings = PacketSettings()
  ) {
    self.model = model
    self.transport = transport
    self.sharing = sharing
    self.background = background
    self.loggp = loggp
    self.packet = packet
  }

  public init(_ fields: inout FieldReader) {
    model = fields.optional(
      "model", .choice("network model"), default: .flow,
      doc: "fidelity: alpha_beta (no contention), loggp (endpoints take one message after the "
        + "other), flow (max-min fair sharing) or packet (queues, loss and congestion control)")
    transport = fields.variant(
      "transport", TransportCatalog.registry, default: "tcp",
      doc: "what turns line rate into goodput and latency")
    sharing = fields.optional(
      "sharing", .choice("sharing"), default: .maxMin,
      doc: "of links under the flow model: max_min (all alike) or rtt_fair (by 1/latency of the "
        + "path, as TCP's flows share, and SimGrid's)")
    if sharing != .maxMin, model != .flow {
      fields.report(
        "sharing",
        .invalid(
          found: "\(sharing.rawValue) with the \(model.rawValue) model",
          expected: "only flow shares links by a rule, so leave it out or use flow"))
    }
    background = fields.records(
      "background", doc: "what others take of links all the time", BackgroundLoad.init)
    loggp =
      fields.optionalRecord(
        "loggp", doc: "parameters of the loggp model; by default those of path and transport",
        LogGPSettings.init) ?? LogGPSettings()
    packet = fields.defaultedRecord(
      "packet", doc: "packets, queues and congestion control of the packet model",
      PacketSettings.init)
    if model == .packet, transport.hostCap != nil {
      fields.report(
        "transport",
        .invalid(
          found: "host_cap with the packet model",
          expected: "caps of hosts are not modelled by packets, so leave host_cap out or use flow"))
    }
  }

  /// A network over `topology` at time zero.
  public func makeNetwork(_ topology: Topology) -> any NetworkModel & ~Copyable {
    switch model {
    case .alphaBeta: AlphaBetaNetwork(topology, transport: transport)
    case .loggp: LogGPNetwork(topology, transport: transport, settings: loggp)
    case .flow: FlowNetwork(topology, transport: transport, sharing: sharing)
    case .packet: PacketNetwork(topology, transport: transport, settings: packet)
    }
  }
}
