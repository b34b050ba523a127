import SimKernel

/// Counts what one link carries: payload bytes, and time with at least one active transfer.
struct LinkMeter: BitwiseCopyable {
  /// Transfers on the link now.
  private(set) var active: Int32 = 0
  private var since: Int64 = 0
  private var busy: Int64 = 0
  /// Bytes of transfers that have left the link; sums of whole bytes are exact below 2^53.
  private var carried = 0.0

  mutating func enter(at now: SimTime) {
    if active == 0 { since = now.picoseconds }
    active += 1
  }
  mutating func leave(at now: SimTime, carrying bytes: Double) {
    active -= 1
    carried += bytes
    if active == 0 { busy += now.picoseconds - since }
  }
  /// The account at `now` when transfers that are still active have carried `bytes` so far.
  func usage(at now: SimTime, including bytes: Double) -> LinkUsage {
    LinkUsage(
      carried: ByteCount(Int64(carried + bytes)),
      busy: SimDuration(picoseconds: busy + (active > 0 ? now.picoseconds - since : 0)))
  }
}
