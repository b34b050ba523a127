import SimKernel

/// A job from one start to its next crash: events of an earlier one are void.
struct Incarnation: BitwiseCopyable, Equatable {
  var job: Int16
  var number: UInt8 = 0

  init(job: Int) { self.job = Int16(truncatingIfNeeded: job) }

  /// A job whose hosts have crashed as often as this is given up, which also ends runs that get
  /// nowhere.
  static let most = 255
}

/// An event of the jobs' queue.
struct JobEvent: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    case jobStarts, operationFinished, combined, launched, held, exchangeFinished, checkpointed
    case resent
    case linkChange, hostCrashes, hostReturns

    /// Whether it concerns one job.
    @inline(__always) var isOfJob: Bool { rawValue < Kind.linkChange.rawValue }
  }
  var kind: Kind
  /// The incarnation of the job, so that the event dies with it.
  var incarnation: UInt8
  var job: Int16
  /// A worker, a rank slot, or a host.
  var rank: Int32
  /// An operation, a step of an exchange slot, a fault, or a message.
  var index: Int32
  /// The exchange slot of `combined`, the channel of `launched`.
  var slot: Int32 = 0

  init(kind: Kind, of owner: Incarnation, rank: Int, index: Int, slot: Int = 0) {
    self.kind = kind
    incarnation = owner.number
    job = owner.job
    self.rank = Int32(truncatingIfNeeded: rank)
    self.index = Int32(truncatingIfNeeded: index)
    self.slot = Int32(truncatingIfNeeded: slot)
  }

  /// An event of no job.
  init(world kind: Kind, rank: Int, index: Int) {
    self.init(kind: kind, of: Incarnation(job: 0), rank: rank, index: index)
  }
}
