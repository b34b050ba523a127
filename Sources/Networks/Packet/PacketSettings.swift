import SimKernel

/// What a ``PacketNetwork`` is made of: the record `network.packet`.
///
/// A message of S bytes is cut into packets of `mtu - header` payload bytes; each occupies
/// payload + `header` + `framing` bytes of a link. With the defaults 1448 of 1538 bytes are payload,
/// which is the goodput that ``Transport/tcp`` gives the fluid models.
public struct PacketSettings: Sendable, Equatable {
  /// Which way packets take where several are equally short.
  public enum PathChoice: String, CaseIterable, Sendable {
    /// All packets of a pair take the way that the fluid models give it (ECMP by hash).
    case single
    /// Each packet takes another way, all of them in turn in a random order (NDP, section 3.1).
    case spray
    /// Each switch sends each packet to the port where the fewest bytes wait.
    ///
    /// Among equals the choice is drawn. Packets overtake each other, so ``reordering`` should be large
    /// where losses are found by it.
    case adaptive
  }

  /// When a queue marks packets (RED with the instantaneous length, as DCTCP and DCQCN use it).
  public struct Marking: Sendable, Equatable {
    /// Bytes waiting above which packets begin to be marked.
    public var from: ByteCount
    /// Bytes waiting above which all packets are marked.
    public var to: ByteCount
    /// The probability of a mark just below ``to``; it grows linearly from 0 at ``from``.
    public var probability: Double
    public init(from: ByteCount, to: ByteCount, probability: Double = 1) {
      self.from = from
      self.to = to
      self.probability = probability
    }
    init(_ fields: inout FieldReader) {
      from = fields.required(
        "from", .size, doc: "bytes waiting in a port above which packets begin to be marked")
      let to = fields.optional(
        "to", .size, doc: "bytes waiting above which all are marked; the same as from if absent")
      probability = fields.optional(
        "probability", .fraction, default: 1, doc: "probability of a mark just below `to`")
      self.to = to ?? from
      if self.to < from {
        fields.report(
          "to", .outOfRange(found: self.to.shortText, expected: "at least from, \(from.shortText)"))
      }
    }
  }

  /// Priority flow control (IEEE 802.1Qbb): a switch that holds too much from a link pauses it.
  public struct Pause: Sendable, Equatable {
    /// Bytes that came by one link and wait: above this the link is paused.
    public var xoff: ByteCount
    /// It resumes at this or below.
    public var xon: ByteCount
    /// 24.47 KB is the threshold of DCQCN's switches (SIGCOMM 2015, section 4); two packets less
    /// resume.
    public init(xoff: ByteCount = .bytes(24_470), xon: ByteCount? = nil) {
      self.xoff = xoff
      self.xon = xon ?? .bytes(max(0, xoff.bytes - 3000))
    }
    init(_ fields: inout FieldReader) {
      let standard = Self()
      let xoff = fields.optional(
        "xoff", .size, default: standard.xoff,
        doc: "bytes from one link that wait in a switch before it pauses that link "
          + "(DCQCN, SIGCOMM 2015: 24.47 KB)")
      let xon = fields.optional(
        "xon", .size, doc: "the link resumes at this or below; 3000 bytes below xoff if absent")
      self.init(xoff: xoff, xon: xon)
      if self.xon > xoff {
        fields.report(
          "xon", .outOfRange(found: self.xon.shortText, expected: "at most \(xoff.shortText)"))
      }
    }
  }

  /// Bytes of the largest packet, headers of network and transport included: 1500 (Ethernet).
  public var mtu: Int
  /// Of which are no payload: 52 (IPv4 20, TCP 20, timestamps 12).
  public var header: Int
  /// Bytes a packet occupies beyond the MTU: 38 (Ethernet 14 + 4, preamble 8, gap 12).
  public var framing: Int
  /// Bytes on the wire of acknowledgements, pulls and trimmed packets: 84, the smallest Ethernet
  /// frame with preamble and gap.
  public var control: Int
  /// Bytes that may wait at a port, beside the packet being sent.
  ///
  /// By default 700 kB, what a DCTCP switch gives one busy port (SIGCOMM 2010, section 2.3.3), and
  /// for NDP eight packets (SIGCOMM 2017, section 3.1).
  public var buffer: ByteCount?
  /// Marking.
  ///
  /// By default none, except for DCTCP from 65 packets of 1500 bytes (SIGCOMM 2010, section 3.5, at
  /// 10 Gb/s) and for DCQCN from 5 KB to 200 KB with 1 % (SIGCOMM 2015, figure 14).
  public var marking: Marking?
  /// Priority flow control; off by default.
  public var pause: Pause?
  /// By default NDP sprays and everything else keeps to one way.
  public var paths: PathChoice?
  /// Packets that must be acknowledged beyond a missing one before it counts as lost: 3 (RFC 5681).
  public var reordering: Int
  /// The least retransmission time-out.
  ///
  /// By default 200 ms for Reno and a fixed window (Linux), 10 ms for DCTCP (SIGCOMM 2010, section
  /// 4) and NDP (assumed), 67 ms for DCQCN (InfiniBand's time-out 14, 4.096 us * 2^14).
  public var minimumTimeout: SimDuration?
  /// Time-outs in a row, without any acknowledgement, after which a transfer is given up and
  /// reported: 15 (Linux, `tcp_retries2`).
  public var retries: Int
  public var congestionControl: CongestionControl

  public init(
    mtu: Int = 1500, header: Int = 52, framing: Int = 38, control: Int = 84,
    buffer: ByteCount? = nil, marking: Marking? = nil, pause: Pause? = nil,
    paths: PathChoice? = nil, reordering: Int = 3, minimumTimeout: SimDuration? = nil,
    retries: Int = 15, congestionControl: CongestionControl = .dctcp(CongestionControl.DCTCP())
  ) {
    precondition(header >= 0 && mtu > header, "a packet has room for payload")
    precondition(mtu + framing <= 1 << 20 && framing >= 0, "a packet has at most a MiB")
    precondition(control >= 1, "a control packet has a size")
    self.mtu = mtu
    self.header = header
    self.framing = framing
    self.control = control
    self.buffer = buffer
    self.marking = marking
    self.pause = pause
    self.paths = paths
    self.reordering = reordering
    self.minimumTimeout = minimumTimeout
    self.retries = retries
    self.congestionControl = congestionControl
  }

  public init(_ fields: inout FieldReader) {
    let standard = Self()
    let mtu = fields.optional(
      "mtu", .integer(64...65_536), default: standard.mtu,
      doc: "bytes of the largest packet, headers of network and transport included")
    var header = fields.optional(
      "header", .integer(0...1024), default: standard.header,
      doc: "bytes of a packet, within the MTU, that are no payload (IPv4, TCP, timestamps: 52)")
    if header >= mtu {
      fields.report(
        "header", .outOfRange(found: String(header), expected: "less than mtu = \(mtu)"))
      header = 0
    }
    let framing = fields.optional(
      "framing", .integer(0...1024), default: standard.framing,
      doc: "bytes a packet occupies on a link beyond the MTU (Ethernet, preamble and gap: 38)")
    let control = fields.optional(
      "control", .integer(1...1024), default: standard.control,
      doc: "bytes on the wire of acknowledgements, pulls and trimmed packets")
    let buffer = fields.optional(
      "buffer", .size,
      doc: "bytes that may wait at a port; 700 kB if absent (DCTCP, SIGCOMM 2010), 8 packets for "
        + "ndp (SIGCOMM 2017)")
    let marking = fields.optionalRecord(
      "ecn",
      doc: "when a port marks packets; if absent dctcp marks from 97.5 kB, dcqcn from 5 kB to "
        + "200 kB with 1 %, others never", Marking.init)
    let pause = fields.optionalRecord(
      "pfc", doc: "priority flow control: switches pause links instead of dropping; off if absent",
      Pause.init)
    let paths: PathChoice? = fields.optional(
      "paths", .choice("path choice"),
      doc: "single: one way a pair, as in the fluid models; spray: each packet another way; "
        + "adaptive: each switch takes the port with the shortest queue; if "
        + "absent ndp sprays and others do not")
    let reordering = fields.optional(
      "reordering", .integer(1...1_000_000), default: standard.reordering,
      doc: "acknowledged packets beyond a missing one that make it count as lost (RFC 5681: 3)")
    let minimumTimeout = fields.optional(
      "min_rto", .positiveDuration,
      doc: "least retransmission time-out; if absent 200 ms for reno and fixed, 10 ms for dctcp "
        + "and ndp, 67 ms for dcqcn")
    let retries = fields.optional(
      "retries", .integer(1...100), default: standard.retries,
      doc: "time-outs in a row after which a transfer is given up and reported (Linux: 15)")
    let congestionControl = fields.variant(
      "congestion_control", CongestionControl.registry, default: "dctcp",
      doc: "when the next packet may leave")
    self.init(
      mtu: mtu, header: header, framing: framing, control: control, buffer: buffer,
      marking: marking, pause: pause, paths: paths, reordering: reordering,
      minimumTimeout: minimumTimeout, retries: retries, congestionControl: congestionControl)
  }

  /// Whether packets of one pair take several ways where they can.
  public var spreads: Bool { pathChoice != .single }

  /// ``paths``, or what the congestion control asks for.
  var pathChoice: PathChoice {
    if let paths { return paths }
    if case .ndp = congestionControl { return .spray }
    return .single
  }

  /// Share of a link's line rate that payload can use: what the fluid models call goodput.
  public var payloadShare: Double { Double(mtu - header) / Double(mtu + framing) }
}
