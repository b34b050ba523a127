import Collectives
import Networks
import SimKernel

/// What one message takes between two hosts of a star, asked of the network model itself.
struct MessageTiming {
  private let topology: Topology
  private let network: NetworkSettings
  /// By size; only looked up.
  private var known: [ByteCount: MessageTime] = [:]

  init(_ pair: StarCables.Pair, network: NetworkSettings) {
    topology = pair.makeTopology()
    self.network = network
  }

  /// The time of a message of `size` that meets nobody; nil if it never arrives.
  ///
  /// - Complexity: a run of one message for every new size.
  mutating func time(_ size: ByteCount) -> MessageTime? {
    if let time = known[size] { return time }
    let request = FlowRequest(
      source: topology.accelerators[0], destination: topology.accelerators[1], size: size)
    let outcome: FlowOutcome
    switch network.model {
    case .alphaBeta:
      var model = AlphaBetaNetwork(topology, transport: network.transport)
      outcome = runFlows([request], on: &model)[0]
    case .flow:
      var model = FlowNetwork(topology, transport: network.transport, sharing: network.sharing)
      outcome = runFlows([request], on: &model)[0]
    case .loggp, .packet: return nil
    }
    guard let left = outcome.senderFree, let arrived = outcome.delivered else { return nil }
    let time = MessageTime(leaving: left - .zero, arriving: arrived - .zero)
    known[size] = time
    return time
  }
}
