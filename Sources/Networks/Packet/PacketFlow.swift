import SimKernel

/// One transfer inside a ``PacketNetwork``: what its sender and its receiver know.
struct PacketFlow: BitwiseCopyable {
  enum Phase: UInt8, BitwiseCopyable {
    /// The slot is unused.
    case free
    case open
    /// There is no open way, or it was given up; see `wait`.
    case blocked
    /// Everything has arrived and is acknowledged.
    case finished
    case cancelled
  }
  /// Why a blocked transfer waits.
  enum Wait: UInt8, BitwiseCopyable { case path, silence, time, size }

  var transfer: Transfer
  var phase = Phase.open
  var wait = Wait.path
  var isInRing = false
  var isInPullRing = false
  var hasTimer = false
  var hasPace = false
  var isSenderFree = false
  var isDelivered = false
  /// The next flow in its port's ring, and in its pull ring.
  var ringNext: Int32 = -1
  var pullNext: Int32 = -1
  /// Packets in the network that belong to it; its slot is not reused before they are gone.
  var alive: Int32 = 0
  var generation: UInt32 = 0

  // Paths: towards the receiver and back.
  var forward = PathSet.none
  var backward = PathSet.none
  var forwardSpray = SprayState()
  var backwardSpray = SprayState()

  // Sender.
  /// Packets in all, and payload of the last one.
  var total: Int32 = 1
  var lastPayload: Int32 = 0
  /// The first packet that was never sent.
  var nextNew: Int32 = 0
  /// All packets below it are acknowledged.
  var cumulative: Int32 = 0
  var acknowledged: Int32 = 0
  var inFlight: Int32 = 0
  /// Packets sent again, each time counted, and their payload.
  var retransmissions: Int32 = 0
  var bytesRepeated: Int64 = 0
  /// Packets known to be lost and not sent again, and where to look for the first.
  var lostCount: Int32 = 0
  var lostLow: Int32 = 0
  /// The highest packet acknowledged, and how far losses were looked for.
  var highest: Int32 = -1
  var lossScan: Int32 = 0
  /// The window is not cut again before this packet is acknowledged.
  var recover: Int32 = 0
  var window = 1.0
  var threshold = Double.infinity
  /// DCTCP.
  ///
  /// Share of marked packets, and the window over which it is observed. DCQCN: alpha.
  var alpha = 1.0
  var observeEnd: Int32 = 0
  var observed: Int32 = 0
  var observedMarked: Int32 = 0
  // DCQCN.
  var rate = 0.0
  var target = 0.0
  var lastDecay: Int64 = 0
  var lastIncrease: Int64 = 0
  var counted: Int64 = 0
  var timeSteps: Int32 = 0
  var byteSteps: Int32 = 0
  /// Picoseconds a byte of payload at the transport's cap; 0 without one.
  var capGap = 0.0
  /// When pacing lets the next packet leave.
  var nextSend: Int64 = 0
  var smoothed: Int64 = 0
  var variation: Int64 = 0
  var deadline = Int64.max
  var backoff: Int32 = 0
  // NDP: packets it may send unasked or was asked for, and the last pull seen.
  var credits: Int32 = 0
  var lastPull: Int32 = 0

  // Receiver.
  var received: Int32 = 0
  var receivedCumulative: Int32 = 0
  var nextNotification: Int64 = 0
  /// NDP: packets that should still arrive unasked, pulls to send, pulls sent.
  var expected: Int32 = 0
  var pullsDue: Int32 = 0
  var pullsSent: Int32 = 0

  // Bit sets of packets, `words` words each.
  var words: Int32 = 0
  var acknowledgedBits: Int32 = 0
  var lostBits: Int32 { acknowledgedBits + words }
  var receivedBits: Int32 { acknowledgedBits + 2 * words }

  init(_ transfer: Transfer) { self.transfer = transfer }

  var isWaitingToSend: Bool { lostCount > 0 || nextNew < total }
}

/// What a pair of hosts remembers from one transfer to the next, as a connection does.
struct ConnectionMemory: BitwiseCopyable {
  var window: Double
  var threshold: Double
  var alpha: Double
  var rate: Double
  var target: Double
  var smoothed: Int64
  var variation: Int64
  /// When it was last used.
  var used: Int64
}
