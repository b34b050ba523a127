import SimKernel

/// How a job survives the crash of a host: the `workload.recovery` record.
///
/// All workers stop while a checkpoint is written, as with a synchronous save between two barriers.
/// After a crash all of them go on from the last one, or from the start if there is none.
public struct RecoverySettings: Sendable, Equatable {
  /// Iterations between two checkpoints; nil writes none.
  public var every: Int?
  /// What writing one takes, if it is given as a time.
  public var time: SimDuration?
  /// The rate at which the parameters and the state of the optimizer are written otherwise.
  public var writeRate: Bandwidth?
  /// From a crash until the job knows of it.
  public var detection: SimDuration
  /// From there, or from the host's return, until workers compute again.
  public var restart: SimDuration

  /// A job that begins anew at once.
  public init(
    every: Int? = nil, time: SimDuration? = nil, writeRate: Bandwidth? = nil,
    detection: SimDuration = .zero, restart: SimDuration = .zero
  ) {
    self.every = every
    self.time = time
    self.writeRate = writeRate
    self.detection = detection
    self.restart = restart
  }

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    every = fields.optional(
      "checkpoint_every", .count(),
      doc:
        "iterations between two checkpoints, warm-up included; by default there are none, and a job "
        + "begins anew after a crash")
    time = fields.optional(
      "checkpoint_time", .duration, doc: "how long all workers stop for a checkpoint")
    writeRate = fields.optional(
      "write_rate", .bandwidth,
      doc:
        "instead of checkpoint_time: the rate at which parameters and optimizer state are written, "
        + "once for the whole job")
    detection = fields.optional(
      "detection_time", .duration, default: .zero,
      doc: "from the crash of a host until the job knows of it")
    restart = fields.optional(
      "restart_time", .duration, default: .zero,
      doc: "from then, or from the host's return if that is later, until workers compute again: "
        + "starting processes, reading the checkpoint")
    if time != nil, writeRate != nil {
      fields.report(
        "write_rate", .conflict("checkpoint_time says it already; give one of the two"))
    }
    if every == nil, time != nil || writeRate != nil {
      fields.report(
        time == nil ? "write_rate" : "checkpoint_time",
        .conflict("no checkpoint is written; give \"checkpoint_every\""))
    }
    if every != nil, time == nil, writeRate == nil {
      fields.report(
        "checkpoint_every",
        .conflict(
          "what a checkpoint costs decides how many are worth it; give \"checkpoint_time\" or "
            + "\"write_rate\""))
    }
    if let rate = writeRate, rate.bitsPerSecond == 0 {
      fields.report(
        "write_rate", .invalid(found: "no bandwidth", expected: "a rate above zero"))
    }
  }

  /// What a checkpoint of `state` takes.
  func writeTime(of state: ByteCount) -> SimDuration {
    if let time { return time }
    return writeRate?.time(toSend: state) ?? .zero
  }
}

/// The same for a job whose state is known.
public struct RecoveryPlan: Sendable, Equatable {
  /// Iterations between two checkpoints; nil writes none.
  public var every: Int?
  /// How long workers stop for one.
  public var writing = SimDuration.zero
  public var detection = SimDuration.zero
  public var restart = SimDuration.zero

  /// A job that begins anew at once.
  public init() {}

  /// Whether a checkpoint precedes `iteration`.
  @inline(__always) func isDue(before iteration: Int) -> Bool {
    guard let every else { return false }
    return iteration > 0 && iteration % every == 0
  }
}
