import SimKernel

/// Follows the messages of a recorded run from their queue to their arrival.
///
/// - Complexity: O(1) a message; memory O(messages on their way + those not handed over yet).
struct TransferLog {
  private struct Key: Hashable {
    var job: Int32
    var slot: Int32
    var step: Int32
  }
  // Looked up only, never walked: the order of `finished` is that of the notices.
  private var open: [Key: TransferSpan] = [:]
  private var finished: [TransferSpan] = []

  private static func key(_ job: Int, _ slot: Int, _ step: Int) -> Key {
    Key(
      job: Int32(truncatingIfNeeded: job), slot: Int32(truncatingIfNeeded: slot),
      step: Int32(truncatingIfNeeded: step))
  }

  /// The exchange in `send`'s slot has asked for it; `span` says who is who.
  mutating func queue(_ send: PlannedSend, as span: TransferSpan) {
    if send.source == send.destination { return }
    let old = open.updateValue(span, forKey: Self.key(send.job, send.slot, send.step))
    // A sender may hear of its arrival late; by then the slot may serve another iteration.
    if let old, old.delivered != .never { finish(old) }
  }

  /// Its sender takes it up.
  mutating func start(_ send: PlannedSend, at now: SimTime) {
    open[Self.key(send.job, send.slot, send.step)]?.start = now
  }

  /// The last byte has left.
  mutating func leave(job: Int, slot: Int, step: Int, at now: SimTime) {
    note(Self.key(job, slot, step)) { $0.left = now }
  }

  /// The last byte has arrived.
  mutating func deliver(job: Int, slot: Int, step: Int, at now: SimTime) {
    note(Self.key(job, slot, step)) { $0.delivered = now }
  }

  private mutating func note(_ key: Key, _ change: (inout TransferSpan) -> Void) {
    guard var span = open[key] else { return }
    change(&span)
    if span.left != .never, span.delivered != .never {
      open[key] = nil
      finish(span)
    } else {
      open[key] = span
    }
  }

  private mutating func finish(_ span: TransferSpan) {
    var span = span
    // A sender that waits for the acknowledgement is busy after the arrival; its bytes are not.
    span.left = min(span.left, span.delivered)
    finished.append(span)
  }

  /// Forgets the messages of `job` that are on their way.
  mutating func forget(job: Int) {
    open = open.filter { $0.key.job != Int32(truncatingIfNeeded: job) }
  }

  /// Hands over what has arrived.
  mutating func hand(to recorder: any TimelineRecorder) {
    if finished.isEmpty { return }
    recorder.record(finished)
    finished.removeAll(keepingCapacity: true)
  }
}
