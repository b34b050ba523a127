import SimKernel

/// How senders of a ``PacketNetwork`` decide when the next packet may leave: the record
/// `network.packet.congestion_control`.
public enum CongestionControl: Sendable, Equatable {
  /// A window that never changes.
  case fixed(FixedWindow)
  /// TCP Reno with selective acknowledgements.
  case reno(Reno)
  /// Data Center TCP.
  case dctcp(DCTCP)
  /// Rate control of RoCEv2.
  case dcqcn(DCQCN)
  /// Receiver-driven, with packets trimmed instead of dropped.
  case ndp(NDP)

  /// A constant window: at most so many packets are unacknowledged.
  public struct FixedWindow: Sendable, Equatable {
    /// Packets under way; the default holds the 125 kB that 10 Gb/s carries in 100 us.
    public var window: Int
    public init(window: Int = 86) { self.window = window }
  }

  /// Slow start, congestion avoidance and fast retransmit (RFC 5681; Jacobson, SIGCOMM 1988,
  /// doi:10.1145/52324.52356), with losses found by selective acknowledgements (RFC 6675).
  public struct Reno: Sendable, Equatable {
    /// Packets of the first window: 10 (RFC 6928).
    public var initialWindow: Int
    public init(initialWindow: Int = 10) { self.initialWindow = initialWindow }
  }

  /// Reno that shrinks its window by the share of marked packets (Alizadeh et al., SIGCOMM 2010,
  /// doi:10.1145/1851182.1851192).
  public struct DCTCP: Sendable, Equatable {
    /// Packets of the first window: 10 (RFC 6928).
    public var initialWindow: Int
    /// Weight g of the newest window in the share of marked packets: 1/16 (section 3.3).
    public var gain: Double
    public init(initialWindow: Int = 10, gain: Double = 1.0 / 16) {
      self.initialWindow = initialWindow
      self.gain = gain
    }
  }

  /// Rate control by congestion notifications (Zhu et al., SIGCOMM 2015,
  /// doi:10.1145/2785956.2787484); defaults from its figure 14 unless said otherwise.
  ///
  /// Senders start at the line rate of their interface. Notifications travel in acknowledgements.
  public struct DCQCN: Sendable, Equatable {
    /// Weight g of a notification in the congestion estimate alpha: 1/256.
    public var gain: Double
    /// Least time between two notifications to a sender: 50 us.
    public var notificationInterval: SimDuration
    /// Without a notification for so long, alpha decays: 55 us.
    public var decayInterval: SimDuration
    /// Time of one rate increase: 55 us.
    public var increaseInterval: SimDuration
    /// Bytes of one rate increase: 10 MB.
    public var increaseBytes: ByteCount
    /// Increases that only return to the rate before the last notification: 5.
    public var recoverySteps: Int
    /// Growth of the target rate in each further increase: 40 Mb/s.
    public var additiveIncrease: Bandwidth
    /// Growth once both timer and byte counter are past recovery, a step: ten additive ones
    /// (assumed; the paper leaves it open).
    public var hyperIncrease: Bandwidth
    /// The least rate: 10 Mb/s (assumed; the paper names none).
    public var minimumRate: Bandwidth
    public init(
      gain: Double = 1.0 / 256, notificationInterval: SimDuration = .microseconds(50),
      decayInterval: SimDuration = .microseconds(55),
      increaseInterval: SimDuration = .microseconds(55),
      increaseBytes: ByteCount = .megabytes(10), recoverySteps: Int = 5,
      additiveIncrease: Bandwidth = .megabitsPerSecond(40),
      hyperIncrease: Bandwidth = .megabitsPerSecond(400),
      minimumRate: Bandwidth = .megabitsPerSecond(10)
    ) {
      self.gain = gain
      self.notificationInterval = notificationInterval
      self.decayInterval = decayInterval
      self.increaseInterval = increaseInterval
      self.increaseBytes = increaseBytes
      self.recoverySteps = recoverySteps
      self.additiveIncrease = additiveIncrease
      self.hyperIncrease = hyperIncrease
      self.minimumRate = minimumRate
    }
  }

  /// The first window leaves at line rate; after that the receiver pulls packet by packet, paced to
  /// its link, and full switches trim packets to headers that overtake data (Handley et al.,
  /// SIGCOMM 2017, doi:10.1145/3098822.3098825).
  public struct NDP: Sendable, Equatable {
    /// Packets that leave unasked: 30 (section 6.1).
    public var initialWindow: Int
    /// Share of the receiver's link that pulls ask for.
    ///
    /// 1. Two-way traffic with small packets trims less below that, since acknowledgements and
    /// pulls need room.
    public var pullRate: Double
    public init(initialWindow: Int = 30, pullRate: Double = 1) {
      self.initialWindow = initialWindow
      self.pullRate = pullRate
    }
  }

  /// What it is called in scenarios.
  public var name: String {
    switch self {
    case .fixed: "fixed"
    case .reno: "reno"
    case .dctcp: "dctcp"
    case .dcqcn: "dcqcn"
    case .ndp: "ndp"
    }
  }

  /// Every congestion control by the value of `kind`.
  public static let registry = Registry<CongestionControl>(
    noun: "congestion control", discriminator: "kind",
    entries: [
      .init("fixed", summary: "a constant window: closed forms, and fabrics without loss") {
        .fixed(FixedWindow(&$0))
      },
      .init("reno", summary: "TCP: slow start, fast retransmit, time-outs (RFC 5681, 6675)") {
        .reno(Reno(&$0))
      },
      .init("dctcp", summary: "TCP that slows down by the share of marked packets") {
        .dctcp(DCTCP(&$0))
      },
      .init("dcqcn", summary: "rate control of RoCEv2 by congestion notifications") {
        .dcqcn(DCQCN(&$0))
      },
      .init("ndp", summary: "receiver-driven: packets are trimmed, then pulled") {
        .ndp(NDP(&$0))
      },
    ])
}

extension CongestionControl.FixedWindow {
  init(_ fields: inout FieldReader) {
    window = fields.optional(
      "window", .integer(1...1_000_000), default: Self().window,
      doc: "packets that may be unacknowledged")
  }
}

extension CongestionControl.Reno {
  init(_ fields: inout FieldReader) {
    initialWindow = fields.optional(
      "initial_window", .integer(1...1_000_000), default: Self().initialWindow,
      doc: "packets of the first window of a connection (RFC 6928: 10)")
  }
}

extension CongestionControl.DCTCP {
  init(_ fields: inout FieldReader) {
    initialWindow = fields.optional(
      "initial_window", .integer(1...1_000_000), default: Self().initialWindow,
      doc: "packets of the first window of a connection (RFC 6928: 10)")
    gain = fields.optional(
      "gain", .fraction, default: Self().gain,
      doc: "weight g of the newest window in the share of marked packets (SIGCOMM 2010: 1/16)")
  }
}

extension CongestionControl.DCQCN {
  init(_ fields: inout FieldReader) {
    let standard = Self()
    gain = fields.optional(
      "gain", .fraction, default: standard.gain,
      doc: "weight g of a notification in the congestion estimate (SIGCOMM 2015: 1/256)")
    notificationInterval = fields.optional(
      "notification_interval", .duration, default: standard.notificationInterval,
      doc: "least time between two notifications to a sender (SIGCOMM 2015: 50 us)")
    decayInterval = fields.optional(
      "decay_interval", .positiveDuration, default: standard.decayInterval,
      doc: "without a notification for so long the estimate decays (SIGCOMM 2015: 55 us)")
    increaseInterval = fields.optional(
      "increase_interval", .positiveDuration, default: standard.increaseInterval,
      doc: "time of one rate increase (SIGCOMM 2015: 55 us)")
    increaseBytes = fields.optional(
      "increase_bytes", .size, default: standard.increaseBytes,
      doc: "bytes of one rate increase (SIGCOMM 2015: 10 MB)")
    recoverySteps = fields.optional(
      "recovery_steps", .integer(0...1000), default: standard.recoverySteps,
      doc: "increases that only return to the former rate (SIGCOMM 2015: 5)")
    additiveIncrease = fields.optional(
      "additive_increase", .bandwidth, default: standard.additiveIncrease,
      doc: "growth of the target rate in each further increase (SIGCOMM 2015: 40 Mb/s)")
    hyperIncrease = fields.optional(
      "hyper_increase", .bandwidth, default: standard.hyperIncrease,
      doc: "growth once timer and byte counter are both past recovery (assumed: 400 Mb/s)")
    minimumRate = fields.optional(
      "minimum_rate", .bandwidth, default: standard.minimumRate,
      doc: "the least rate of a sender (assumed: 10 Mb/s)")
  }
}

extension CongestionControl.NDP {
  init(_ fields: inout FieldReader) {
    initialWindow = fields.optional(
      "initial_window", .integer(1...1_000_000), default: Self().initialWindow,
      doc: "packets that leave before the receiver pulls (SIGCOMM 2017: 30)")
    pullRate = fields.optional(
      "pull_rate", .fraction, default: Self().pullRate,
      doc: "share of the receiver's link that pulls ask for (SIGCOMM 2017: 1)")
  }
}

extension FieldKind where Value == SimDuration {
  /// A length of time above 0.
  static var positiveDuration: FieldKind<SimDuration> {
    let any = FieldKind<SimDuration>.duration
    let expectation = "a duration above 0 with its unit"
    return FieldKind(
      expectation: expectation, example: any.example, schema: any.schema,
      placeholder: { any.placeholder() },
      read: { node in
        any.read(node).flatMap { value in
          value > .zero
            ? .success(value)
            : .failure(.init(.outOfRange(found: any.show(value), expected: expectation)))
        }
      },
      show: any.show)
  }
}
