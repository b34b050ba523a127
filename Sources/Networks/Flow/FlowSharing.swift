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
  /// The latency with weight 2¹⁰, in picoseconds; nil if all flows weigh the same.
  private let reference: Double?

  /// Weights for flows over `links`.
  ///
  /// The reference is the smallest latency of all links, so that weights stay far from both ends of
  /// their range.
  init(_ sharing: FlowSharing, links: [Link]) {
    var smallest = SimDuration(picoseconds: .max)
    for link in links where link.latency > .zero { smallest = min(smallest, link.latency) }
    reference =
      sharing == .rttFair && smallest.picoseconds < .max ? Double(smallest.picoseconds) : nil
  }

  /// The weight of a flow over a path of `latency`; a path without any counts as one of the
  /// reference.
  ///
  /// Weights are multiples of 2⁻¹⁶ from 2⁻¹⁶ to 2¹⁰: a path of 2²⁶ times the smallest latency is
  /// the longest that is told from longer ones, and one of 2¹⁶ times is weighed to 0.1 %.
  func weight(latency: SimDuration) -> Double {
    guard let reference else { return 1 }
    let ratio = latency > .zero ? reference / Double(latency.picoseconds) : 1
    return FluidArithmetic.weight(min(max(0x1p10 * ratio, 0x1p-16), 0x1p10))
  }
}
