import SimKernel

/// The output port that feeds one link, and the link behind it.
///
/// A port knows when it is free, so what waits is served when somebody looks: before a packet is
/// added, and when the packet in front reaches the end of the link. Nothing between two looks can
/// change what would have been served, so the outcome is that of serving on time, with one event a
/// packet and link, and one event pending a link. Ports of hosts, where a message's last byte must be
/// noticed on time, and all ports under flow control are woken at each end of transmission.
struct PacketPort: BitwiseCopyable {
  // What every packet touches comes first: two cache lines of 64 bytes.

  /// When the packet being sent has left.
  var busyUntil: Int64 = 0
  /// When the front packet on the link reaches its end.
  var headArrival: Int64 = 0
  /// Time of a full packet, and of a control packet.
  var fullTime: Int64 = 0
  var controlTime: Int64 = 0
  var latency: Int64
  /// Lists of packets: on the link, waiting data, waiting control.
  var flightHead: Int32 = -1
  var flightTail: Int32 = -1
  var dataHead: Int32 = -1
  var controlHead: Int32 = -1
  /// Control packets served in a row.
  var controlRun: UInt8 = 0
  var isUp = true
  var isOpen = true
  var isPaused = false
  /// It is woken at each end of transmission while something waits.
  var isEager = false
  var hasWake = false
  /// A waiting packet goes before the flows of this host.
  var isQueueNext = true
  var hasPullEvent = false

  var dataTail: Int32 = -1
  var controlTail: Int32 = -1
  /// Flows of this host that may send, in turn.
  var ringHead: Int32 = -1
  var ringTail: Int32 = -1
  /// Payload bytes and time of what was sent.
  var carried: Int64 = 0
  var busy: Int64 = 0
  /// Bytes waiting in the queue of data, and in that of control packets.
  var queued: Int64 = 0
  var queuedControl: Int64 = 0
  var highWater: Int64 = 0
  /// Flows whose next pull is due at the end of this link, in turn.
  var pullHead: Int32 = -1
  var pullTail: Int32 = -1

  // The third line.

  /// When the next pull may leave, and the time between two.
  var nextPull: Int64 = 0
  var pullInterval: Int64 = 0
  var bandwidth: Bandwidth
  /// Bytes that came by this link and wait in the switch at its end.
  var held: Int64 = 0
  var dropped: Int32 = 0
  var trimmed: Int32 = 0
  var marked: Int32 = 0
  var pauses: Int32 = 0
  /// The switch at the end of the link has asked this port to pause.
  var isPausing = false
  /// Fills the line, so that no port shares one with another.
  private var rest: Int64 = 0

  init(_ link: Link, latency: SimDuration) {
    bandwidth = link.bandwidth
    self.latency = min(latency.picoseconds, Int64.max / 4)
  }

  /// Whether something waits that may be sent.
  var hasMore: Bool { controlHead >= 0 || (!isPaused && (dataHead >= 0 || ringHead >= 0)) }

  /// The time of `wire` bytes, rounded up to a picosecond.
  func time(_ wire: Int32) -> Int64 { bandwidth.time(toSend: ByteCount(Int64(wire))).picoseconds }
}
