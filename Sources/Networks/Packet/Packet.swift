import SimKernel

/// A packet under way, by value in a pool; a cache line of 64 bytes.
struct Packet: BitwiseCopyable {
  enum Kind: UInt8, BitwiseCopyable {
    /// Payload, from sender to receiver.
    case data
    /// What is left of a trimmed data packet.
    case header
    /// From the receiver: a data packet has arrived.
    case acknowledgement
    /// From the receiver: a trimmed packet has arrived.
    case refusal
    /// From the receiver: send another packet.
    case pull

    /// Whether it travels towards the sender of the payload.
    var isReverse: Bool { rawValue >= 2 }
  }

  /// When the next packet on its link reaches the end, if there is one.
  var nextArrival: Int64 = 0
  /// When the data packet left its host; acknowledgements return it.
  var stamp: Int64 = 0
  /// The next one in the list that it is in, or -1.
  var next: Int32 = -1
  var flow: Int32
  /// Number of the data packet it is, or is about.
  var sequence: Int32
  /// Packets that have arrived without a gap, or the number of pulls so far.
  var value: Int32 = 0
  /// Where the path pool says which link comes next, and what it says there: read one link ahead,
  /// when nobody waits for it yet.
  var cursor: Int32
  var way: Int32
  /// The link by which it entered the switch it waits in, if pauses are counted; else -1.
  var ingress: Int32 = -1
  /// Bytes on a link.
  var wire: Int32
  var kind: Kind
  /// A full queue has marked it, or it acknowledges one that was marked.
  var isMarked = false
  /// It carries a congestion notification.
  var isNotification = false
  /// Fills the line.
  private var rest: Int64 = 0

  init(
    stamp: Int64 = 0, flow: Int32, sequence: Int32, value: Int32 = 0, cursor: Int32 = 0,
    way: Int32 = 0, wire: Int32, kind: Kind
  ) {
    self.stamp = stamp
    self.flow = flow
    self.sequence = sequence
    self.value = value
    self.cursor = cursor
    self.way = way
    self.wire = wire
    self.kind = kind
  }
}

/// What has become of packets so far.
public struct PacketCounters: Sendable, Equatable, BitwiseCopyable {
  /// Data packets that left their host, repeated ones included.
  public internal(set) var sent: Int64 = 0
  /// Data packets that were sent again.
  public internal(set) var retransmitted: Int64 = 0
  /// Data packets that reached their receiver whole.
  public internal(set) var arrived: Int64 = 0
  /// Of these, packets that had already arrived before.
  public internal(set) var duplicates: Int64 = 0
  /// Data packets that reached their receiver as a header.
  public internal(set) var trimmedArrived: Int64 = 0
  /// Data packets cut to a header.
  public internal(set) var trimmed: Int64 = 0
  /// Data packets, trimmed ones included, that a full queue dropped.
  public internal(set) var dropped: Int64 = 0
  /// Data packets, trimmed ones included, that were lost on a link or at a port that went down.
  public internal(set) var lostOnLinks: Int64 = 0
  /// Control packets sent.
  public internal(set) var controlSent: Int64 = 0
  /// Control packets that reached the sender.
  public internal(set) var controlArrived: Int64 = 0
  /// Control packets dropped or lost on links.
  public internal(set) var controlLost: Int64 = 0
  /// Packets marked by a queue.
  public internal(set) var marked: Int64 = 0
  /// Times a switch paused a link.
  public internal(set) var pauses: Int64 = 0
  /// Retransmission time-outs.
  public internal(set) var timeouts: Int64 = 0
  /// Links crossed by packets of any kind.
  public internal(set) var hops: Int64 = 0
  /// Of ``retransmitted``, packets of transfers that had been delivered already.
  public internal(set) var late: Int64 = 0
  /// Payload bytes in ``late``.
  public internal(set) var bytesLate: Int64 = 0
  /// Payload bytes in ``sent``.
  public internal(set) var bytesSent: Int64 = 0
  /// Payload bytes that arrived, duplicates included.
  public internal(set) var bytesArrived: Int64 = 0
  /// Payload bytes that were trimmed, dropped or lost on links.
  public internal(set) var bytesLost: Int64 = 0

  /// Nothing yet.
  public init() {}

  /// Data packets, trimmed ones included, that are on their way.
  public var underWay: Int64 { sent - arrived - trimmedArrived - dropped - lostOnLinks }
}

/// What has happened at the port that feeds a link.
public struct PortReport: Sendable, Equatable {
  /// The most bytes that ever waited, beside the packet being sent; exact, although a port is served
  /// only when somebody looks, because it is served before anything is added.
  public var highWaterMark: ByteCount
  public var dropped: Int
  public var trimmed: Int
  public var marked: Int
  /// Times it was paused.
  public var pauses: Int
}
