import SimKernel

/// How urgent the messages of a job are, where endpoints send by priority.
struct MessageOrder {
  /// By exchange; smaller goes first.
  private let priorities: [Int32]
  /// Whether servers draw the order of their replies.
  private let drawsReplies: Bool
  private let workers: Int
  private let seed: UInt64
  private let replicate: Int
  private let job: Int

  init(_ plan: JobPlan, job: Int) {
    let isFIFO = plan.sending.order == .fifo
    priorities = plan.exchanges.map { isFIFO ? 0 : $0.ticket.priority }
    drawsReplies = plan.admission.order == .random && !isFIFO
    workers = plan.workers
    seed = plan.seed
    replicate = plan.replicate
    self.job = job
  }

  /// The urgency of `exchange`.
  @inline(__always)
  func priority(of exchange: Int) -> Int32 { priorities[exchange] }

  /// The urgency of a message: under a random order, that of a reply is drawn anew for each worker and
  /// iteration.
  @inline(__always)
  func priority(
    of exchange: Int, iteration: Int, from sender: Int, to receiver: Int
  ) -> Int32 {
    drawsReplies && sender >= workers
      ? drawn(exchange, iteration, receiver) : priorities[exchange]
  }

  private func drawn(_ exchange: Int, _ iteration: Int, _ receiver: Int) -> Int32 {
    var random = RandomStream(
      seed: seed, replicate: replicate, purpose: RandomPurpose("reply order"),
      entity: (job << 56) ^ (exchange << 40) ^ (receiver << 20) ^ iteration)
    return Int32(truncatingIfNeeded: random.next() >> 33)
  }
}
