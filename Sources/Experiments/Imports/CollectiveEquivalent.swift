import Interchange
import SimKernel

/// The all-reduce that stands for another collective: of as many bytes that, around a ring, every
/// worker sends as many as the collective makes it send.
///
/// A ring all-reduce of S bytes over n ranks makes each send 2(n-1)/n S; reduce-scatter and all-to-all
/// half of it; an all-gather n-1 shards; a chain that broadcasts or reduces S bytes sends S over each
/// link (Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005).
enum CollectiveEquivalent {
  /// Bytes of the all-reduce over `workers`, at least 1 and rounded up.
  ///
  /// - Parameters:
  ///   - bytes: what one rank brings.
  ///   - group: ranks of the collective itself.
  static func allReduce(
    of kind: CollectiveKind, bytes: ByteCount, group: Int, workers: Int
  ) -> ByteCount {
    let size = Double(bytes.bytes)
    let (members, all) = (Double(max(group, 1)), Double(workers))
    let sent: Double =
      switch kind {
      case .allReduce: 2 * (members - 1) / members * size
      case .reduceScatter, .allToAll, .scatter: (members - 1) / members * size
      case .allGather, .gather: (members - 1) * size
      case .broadcast, .reduce: members > 1 ? size : 0
      case .barrier: 1
      }
    // Exact where nothing changes, whatever the divisions above round to.
    if kind == .allReduce, group == workers { return max(bytes, .bytes(1)) }
    let equal = workers > 1 ? (sent * all / (2 * (all - 1))).rounded(.up) : sent
    return .bytes(Int64(min(max(1, equal), 0x1p60)))
  }

  /// The bytes of an all-reduce over `workers` that takes `time` at `bandwidth`; nil where that is none.
  static func allReduce(
    taking time: SimDuration, at bandwidth: Bandwidth, workers: Int
  ) -> ByteCount? {
    guard time > .zero, workers > 1 else { return nil }
    let moved = Double(time.picoseconds) * bandwidth.bytesPerPicosecond
    let size = (moved * Double(workers) / (2 * Double(workers - 1))).rounded()
    return size >= 1 && size < 0x1p60 ? .bytes(Int64(size)) : nil
  }
}
