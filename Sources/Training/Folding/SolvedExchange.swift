import Collectives
import SimKernel

/// An exchange whose ends are computed at once, when its last rank is ready.
enum SolvedExchange {
  /// Ranks may be ready at different times, and finished at different times.
  case ring(RingTimes)
  /// All ranks are ready together and finished together.
  case lockstep(Plan.LockstepTime)
  /// As if all chunks of the ring were as large as the largest.
  case rounded(Plan.LockstepTime, RingTimes)

  /// The time of ranks that are ready together and finished together; nil if they are not.
  var lockstep: Plan.LockstepTime? {
    switch self {
    case .ring: nil
    case .lockstep(let time), .rounded(let time, _): time
    }
  }
  /// Whether the time is that of larger chunks.
  var isRounded: Bool {
    if case .rounded = self { return true }
    return false
  }

  /// What all ranks send together.
  func sentBytes(workers: Int) -> ByteCount {
    switch self {
    case .ring(let ring), .rounded(_, let ring): ring.sentBytes
    case .lockstep(let lockstep): lockstep.bytes * workers
    }
  }
  /// What each rank sends, and for how long.
  func loads(workers: Int) -> [(bytes: ByteCount, busy: SimDuration)] {
    switch self {
    case .ring(let ring), .rounded(_, let ring): ring.loads
    case .lockstep(let lockstep):
      Array(repeating: (lockstep.bytes, lockstep.busy), count: workers)
    }
  }
}
