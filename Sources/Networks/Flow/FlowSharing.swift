import SimKernel

/// Who gets how much of a link that flows share.
public enum FlowSharing: String, CaseIterable, Sendable {
  /// Everyone alike: the limit of long flows under a fair congestion control or fair queues.
  case maxMin = "max_min"
  /// In inverse proportion to the round-trip time of a flow's path, as flows under Reno and its kin
  /// do that see the same losses (Lakshman and Madhow, *IEEE/ACM ToN* 5(3), 1997); SimGrid's default.
  case rttFair = "rtt_fair"
}

/// The weights that ``FlowSharing`` gives to flows.
struct SharingWeights {
  private let sharing: FlowSharing
  /// The least latency that is told from none.
  ///
  /// A path counts as at least as long, so that weights go to a limit as latencies go to zero. A
  /// metre of cable takes 5 ns.
  private static let leastLatency = SimDuration.nanoseconds(1)

  init(_ sharing: FlowSharing) { self.sharing = sharing }

  /// The weight of a flow over a path of `latency`: 2²⁰ ns over the latency.
  ///
  /// It does not depend on the other links of a network. Weights are multiples of 2⁻¹⁶, so that paths of
  /// up to 1 ms are weighed to 10⁻⁵ and of 100 ms to 0.1 %; from a microsecond on they are at most
  /// 2¹⁰, which leaves room for a flow's own weight.
  func weight(latency: SimDuration) -> Double {
    if sharing == .maxMin { return 1 }
    let counted = Double(max(latency, Self.leastLatency).picoseconds)
    let weight = 0x1p20 * Double(Self.leastLatency.picoseconds) / counted
    return FluidArithmetic.weight(max(weight, 0x1p-16))
  }
}
