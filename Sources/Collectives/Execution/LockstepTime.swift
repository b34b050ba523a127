import SimKernel

/// Collectives in which all ranks do the same at any time.
extension Plan {
  /// What a collective takes whose ranks are all ready together and all finished together, and what
  /// each of them sends.
  public struct LockstepTime: Sendable, Equatable {
    public var duration: SimDuration
    /// What a rank sends.
    public var bytes: ByteCount
    /// For how long a rank's way out is taken.
    public var busy: SimDuration
  }

  /// The time of ranks in lockstep; nil if the ranks of this plan get out of step: in a tree, or if
  /// chunks differ.
  ///
  /// A rank sends one message and takes one in every round, and those of all ranks are alike; where
  /// links are shared, messages do not meet.
  /// - Parameter chunkSizes: those of an execution of which only sizes matter.
  /// - Complexity: O(ranks) to compare chunks, and O(rounds).
  public func lockstepTime(
    chunkSizes: [ByteCount], reductionRate: Bandwidth?, message: (ByteCount) -> MessageTime
  ) -> LockstepTime? {
    guard operation == .allReduce || operation == .allGather, !pads, rankCount > 1,
      chunkSizes.allSatisfy({ $0 == chunkSizes[0] })
    else { return nil }
    switch program {
    case .ring: break
    case .hypercube(let cube) where cube.isFull: break
    case .bruck(let bruck) where bruck.exchange == .gather: break
    default: return nil
    }
    let sum = reductionRate?.time(toSend: chunkSizes[0]) ?? .zero
    var result = LockstepTime(duration: .zero, bytes: .zero, busy: .zero)
    for position in 0...program.arrivalCount(at: 0) {
      let index = program.departure(0, after: position, at: 0)
      if index < 0 { continue }
      let step = program.step(index)
      let size = chunkSizes[0] * step.chunks.count
      let time = message(size)
      result.duration += time.arriving
      if step.action == .reduce { result.duration += sum * step.chunks.count }
      result.bytes += size
      result.busy += time.leaving
    }
    return result.duration == .unbounded ? nil : result
  }
}
