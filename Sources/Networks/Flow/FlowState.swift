import SimKernel

/// One transfer inside a ``FlowNetwork``.
///
/// 128 bytes; a live flow further takes 32 for its ``FlowLevel``, 16 to 24 a link of its way, 24 in the
/// finish heap and the list of live flows, and 76 while it is being solved.
struct FlowState: BitwiseCopyable {
  enum Phase: UInt8, BitwiseCopyable {
    /// The slot is unused.
    case free
    /// Started at the present instant, without a rate yet.
    case fresh
    /// Bytes are moving, or would if a link had bandwidth.
    case flowing
    /// The last byte is on its way.
    case propagating
    /// There is no way to its destination.
    case unroutable
  }

  // What a change of the rate touches comes first and fills a cache line.
  /// Bits per second since `since`; negative before the first solve.
  var rate = -1.0
  /// Bytes left at `since`.
  var remaining: Double
  var since: Int64
  /// When the last byte leaves, or while propagating arrives; `Int64.max` if never, and ``postponed`` if
  /// nobody has asked since the rate changed, which is not before ``filed``.
  var finish = Int64.max
  /// Under which time it is in the finish heap, at the latest its finish; `Int64.max` if it is not.
  var filed = Int64.max
  /// The most it may carry, in bits per second.
  var cap = Double.infinity
  var firstEntry: Int32 = 0
  var entryCount: Int32 = 0
  /// Position in the list of live flows, or -1.
  var livePosition: Int32 = -1
  var phase = Phase.fresh

  /// Bytes left when it took its present path.
  var joined: Double
  var latency = SimDuration.zero
  var transfer: Transfer

  init(_ transfer: Transfer, at now: SimTime) {
    self.transfer = transfer
    remaining = Double(transfer.size.bytes)
    joined = remaining
    since = now.picoseconds
  }

  /// A finish that is not worked out yet.
  static let postponed = Int64.min

  /// Bytes left at `now`.
  func remaining(at now: SimTime) -> Double {
    if rate <= 0 { return remaining }
    return max(0, remaining - FluidArithmetic.volume(at: rate, for: now.picoseconds - since))
  }
}

/// What holds a flow, as the last solve found it.
struct FlowLevel: BitwiseCopyable {
  /// The share of its bottleneck, or its cap over its weight.
  var level = 0.0
  /// What it takes from each link of its way, a multiple of the solver's quantum.
  var taken = 0.0
  var weight: Double
  /// The link that holds it, or one of the constants of ``MaxMinSolver/Item``.
  var bottleneck = MaxMinSolver.Item.unknown
  /// The solve in which it was last gathered.
  var stamp: Int32 = 0

  /// Whether it was frozen before a bottleneck with this share and number.
  ///
  /// Bottlenecks freeze in the order of their shares, equal ones in that of their numbers.
  @inline(__always)
  func precedes(_ level: Double, _ link: Int) -> Bool {
    self.level < level || self.level == level && bottleneck < link
  }
}

/// One link inside a ``FlowNetwork``.
struct FlowLink: BitwiseCopyable {
  /// Payload bits per second at present; 0 when down.
  var capacity: Double
  /// Weights of the flows on it; exact, see ``FluidArithmetic/weight(_:)``.
  var weight = 0.0
  /// What the flows on it take together; exact, as all are multiples of the solver's quantum.
  var taken = 0.0
  /// Weights of the flows that this link holds; 0 unless it is a bottleneck.
  var held = 0.0
  /// Its share if it is a bottleneck, else infinite.
  var level = Double.infinity
  var meter = LinkMeter()
  /// Where its flows are in the pool of members, how many, and for how many there is room.
  var firstMember: Int32 = 0
  var memberCount: Int32 = 0
  var memberRoom: Int32 = 0
  /// Its ``FlowCrowd``, or -1, and how many flows on it are in one, whosever.
  var crowd: Int32 = -1
  var crowded: Int32 = 0
  /// How often its flows were shared anew in a row; see ``FlowNetwork/reshare()``.
  var reshares: UInt8 = 0
  /// A flow left while this was a bottleneck, or the capacity changed, since the last solve.
  var isDirty = false
  /// The capacity changed since the last solve.
  var isChanged = false
  /// On the way of flows whose rates are about to change; see ``FlowNetwork/reshare()``.
  var isBeside = false
  var isUp = true
  /// Line rate.
  var bandwidth: Bandwidth
}
