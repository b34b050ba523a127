import SimKernel

/// Messages that never arrive, and are sent again after a time-out, whatever the network.
///
/// What is lost depends on the message and on how often it was lost before, and on nothing else of the
/// run: the same messages are lost under another network or order.
struct MessageLosses {
  private struct Key: Hashable {
    var job: Int32
    var slot: Int32
    var step: Int32
    init(_ job: Int, _ slot: Int, _ step: Int) {
      self.job = Int32(truncatingIfNeeded: job)
      self.slot = Int32(truncatingIfNeeded: slot)
      self.step = Int32(truncatingIfNeeded: step)
    }
  }
  private struct Open {
    var send: PlannedSend
    var losses: Int32
  }
  private struct Rule {
    var loss: Double
    var timeout: SimDuration
    var seed: UInt64
    var replicate: Int
  }

  private let rules: [Rule]
  // Looked up only, never walked towards results.
  private var open: [Key: Open] = [:]

  init(_ plans: [JobPlan]) {
    rules = plans.map {
      Rule(
        loss: $0.sending.loss, timeout: $0.sending.resendAfter, seed: $0.seed,
        replicate: $0.replicate)
    }
  }

  /// Whether `job` loses messages at all.
  @inline(__always) func isPossible(_ job: Int) -> Bool { rules[job].loss > 0 }
  /// How long `job` waits for a message to arrive before it sends it again.
  func timeout(of job: Int) -> SimDuration { rules[job].timeout }

  /// `send` leaves, perhaps once more.
  mutating func note(_ send: PlannedSend) {
    if send.source == send.destination { return }
    open[Key(send.job, send.slot, send.step), default: Open(send: send, losses: 0)].send = send
  }

  /// The message that arrives, if it is lost; otherwise it is done with.
  ///
  /// `iteration` is the one that the slot serves.
  mutating func drop(job: Int, slot: Int, step: Int, iteration: Int) -> PlannedSend? {
    let key = Key(job, slot, step)
    guard var entry = open[key] else { return nil }
    let rule = rules[job]
    let message = RandomStream.mix(UInt64(slot) << 32 | UInt64(UInt32(truncatingIfNeeded: step)))
    let draw = message ^ UInt64(iteration) << 16 ^ UInt64(UInt32(bitPattern: entry.losses))
    var random = RandomStream(
      seed: rule.seed, replicate: rule.replicate, purpose: RandomPurpose("message loss"),
      entity: Int(truncatingIfNeeded: RandomStream.mix(draw) ^ UInt64(job)))
    if random.uniform() >= rule.loss {
      open[key] = nil
      return nil
    }
    entry.losses += 1
    open[key] = entry
    return entry.send
  }

  /// Forgets what `job` had on its way.
  mutating func forget(job: Int) {
    if !isPossible(job) { return }
    open = open.filter { $0.key.job != Int32(truncatingIfNeeded: job) }
  }
}
