import SimKernel

/// One running collective: tells its driver what to send, and hears what has arrived.
///
/// The driver reports that a rank's payload is ready, that the network delivered a step, or that a
/// combine is over; the execution appends what happens at once. It knows no clock.
///
///     var execution = CollectiveExecution(plan: plan, payloads: gradients)
///     execution.ready(RankID(0), algebra: &algebra, actions: &actions)
///     // actions: [.send(step: 0, source: 0, destination: 1, size: ...)]
///
/// A rank neither sends nor reduces before it is ready; what arrives earlier waits in its receive
/// buffer. Ranks that bring no payload (servers, receivers of a broadcast) are ready from the start.
/// A rank combines one message at a time, and a combine that takes no time is done inline. A rank is
/// finished when it is ready and has applied everything that ends at it; it may still be sending.
///
/// There are two ways to carry payloads, which agree where both apply: real ones through a
/// ``PayloadAlgebra`` (state O(ranks x chunks)), or sizes known up front (state O(ranks + chunks)).
public struct CollectiveExecution: Sendable {
  /// What the driver has to do.
  public enum Action: Hashable, Sendable, BitwiseCopyable {
    /// Hand `size` bytes to the network now, and call `delivered(step:)` when they have arrived.
    case send(step: Int, source: RankID, destination: RankID, size: ByteCount)
    /// Keep `rank` reducing for `duration`, which is not zero, then call `combined(step:)`.
    case combine(step: Int, rank: RankID, duration: SimDuration)
    /// The rank has its result.
    case finished(RankID)
  }

  public let plan: Plan
  private let isDense: Bool
  private var progress: Progress
  private var sizes: ChunkSizes
  private var buffers: PayloadBuffers

  /// An execution that moves real payloads; `payloads[r]` is that of rank r.
  ///
  /// - Parameter payloads: one for every rank that contributes; ranks that do not may have any, or be
  ///   left out at the end.
  /// - Parameter paddedSize: what every chunk of a padding plan takes on the wire. If nil, the
  ///   ranks wait for one another and take the largest size among their payloads.
  public init(plan: Plan, payloads: [PayloadID], paddedSize: ByteCount? = nil) {
    self.plan = plan
    isDense = false
    progress = Progress(plan)
    sizes = ChunkSizes()
    buffers = PayloadBuffers(plan, payloads: payloads, paddedSize: paddedSize)
  }

  /// An execution of which only sizes matter: a sum of equal chunks keeps their size.
  ///
  /// - Parameter chunkSizes: the size of every chunk of the plan; of an all-gather or gather, of every
  ///   rank's payload; of an all-to-all, of the block for every rank, or from every rank for every
  ///   rank. See ``Plan/chunkSizes(of:unit:)``.
  /// - Parameter reductionRate: how fast a rank sums; nil costs nothing.
  public init(plan: Plan, chunkSizes: [ByteCount], reductionRate: Bandwidth? = nil) {
    precondition(chunkSizes.count == plan.sizeCount, "one size for every chunk of the plan")
    self.plan = plan
    isDense = true
    progress = Progress(plan)
    sizes = ChunkSizes(plan, chunkSizes, reductionRate: reductionRate)
    buffers = PayloadBuffers()
  }

  /// An execution in which every contributing payload has `size`, cut between multiples of `unit`.
  public init(
    plan: Plan, size: ByteCount, unit: Int64 = 1, reductionRate: Bandwidth? = nil
  ) {
    self.init(
      plan: plan, chunkSizes: plan.chunkSizes(of: size, unit: unit), reductionRate: reductionRate)
  }

  // MARK: - Events

  /// The payload of `rank` exists now.
  ///
  /// Ranks that contribute nothing need not be announced.
  /// - Precondition: no rank that contributes is announced twice.
  /// - Complexity: O(1) for each action it causes.
  public mutating func ready(
    _ rank: RankID, algebra: inout some PayloadAlgebra, actions: inout [Action]
  ) {
    if isDense { return ready(rank, actions: &actions) }
    if plan.pads, !buffers.mayStart(afterJoining: rank, algebra: algebra) { return }
    if plan.pads, let waiting = buffers.takeWaiting() {
      for rank in waiting {
        progress.ready(rank, plan, &buffers, &algebra, &actions)
      }
    } else {
      progress.ready(rank, plan, &buffers, &algebra, &actions)
    }
  }

  /// The message of `step` has arrived.
  public mutating func delivered(
    step: Int, algebra: inout some PayloadAlgebra, actions: inout [Action]
  ) {
    if isDense { return delivered(step: step, actions: &actions) }
    progress.delivered(step, plan, &buffers, &algebra, &actions)
  }

  /// The combine that `step` caused is over.
  public mutating func combined(
    step: Int, algebra: inout some PayloadAlgebra, actions: inout [Action]
  ) {
    if isDense { return combined(step: step, actions: &actions) }
    progress.combined(step, plan, &buffers, &algebra, &actions)
  }

  /// As ``ready(_:algebra:actions:)``, for an execution of which only sizes matter.
  public mutating func ready(_ rank: RankID, actions: inout [Action]) {
    precondition(isDense, "real payloads need their algebra")
    var none = ByteAlgebra()
    progress.ready(rank, plan, &sizes, &none, &actions)
  }
  /// As ``delivered(step:algebra:actions:)``, for an execution of which only sizes matter.
  public mutating func delivered(step: Int, actions: inout [Action]) {
    precondition(isDense, "real payloads need their algebra")
    var none = ByteAlgebra()
    progress.delivered(step, plan, &sizes, &none, &actions)
  }
  /// As ``combined(step:algebra:actions:)``, for an execution of which only sizes matter.
  public mutating func combined(step: Int, actions: inout [Action]) {
    precondition(isDense, "real payloads need their algebra")
    var none = ByteAlgebra()
    progress.combined(step, plan, &sizes, &none, &actions)
  }

  // MARK: - State

  /// Whether every rank is finished, and with it every step.
  public var isComplete: Bool { progress.unfinished == 0 }
  /// Whether `rank` has its result.
  public func isFinished(_ rank: RankID) -> Bool { progress.ranks[rank.index].isFinished }

  /// The chunks that `rank` ended with and their payloads, in ascending order; empty where only sizes
  /// matter.
  ///
  /// - Precondition: the rank is finished.
  public func result(of rank: RankID) -> [(chunk: Int, payload: PayloadID)] {
    precondition(isFinished(rank), "a result is taken from a rank that is finished")
    if isDense { return [] }
    return plan.finalChunks(of: rank).map { chunk in
      (Int(chunk), buffers.held(Int(chunk), at: rank.index, plan))
    }
  }

  /// Who waits for whom, one line a rank, for the report of a deadlock; empty when complete.
  ///
  /// - Parameter limit: the most ranks that are named.
  public func pendingDescription(limit: Int = 8) -> String {
    var lines: [String] = []
    for rank in 0..<plan.rankCount where !progress.ranks[rank].isFinished {
      if lines.count == limit {
        lines.append("... and \(progress.unfinished - limit) more ranks")
        break
      }
      var reason = progress.waitingReason(of: rank, plan)
      if plan.pads, buffers.waits(rank) {
        reason = "waits for the size of every other rank's payload"
      }
      lines.append("rank \(rank) \(reason)")
    }
    return lines.joined(separator: "\n")
  }
}
