import SimKernel

/// How long one worker computes for one micro-batch, and when each gradient is ready.
public struct ComputeTimes: Sendable {
  /// Samples in the micro-batch.
  public var batch: Int
  public var forward: SimDuration
  public var backward: SimDuration
  /// For each tensor in forward order: when its gradient is ready after backward starts.
  ///
  /// Never increases with the index; the first tensor's is ``backward``.
  public var readyOffsets: [SimDuration]
  /// One update of all parameters, whatever the batch.
  public var optimizer: SimDuration
  public var forwardEvidence: Evidence
  public var backwardEvidence: Evidence
  /// How backward time is laid over the tensors.
  public var shapeEvidence: Evidence
  public var optimizerEvidence: Evidence
  /// What the variation between workers rests on, where that is not the scenario's as it stands.
  public var spreadEvidence: Evidence?
  /// What the user should know, such as a batch far from any measured one.
  public var warnings: [String]

  public init(
    batch: Int, forward: SimDuration, backward: SimDuration, readyOffsets: [SimDuration],
    optimizer: SimDuration, forwardEvidence: Evidence, backwardEvidence: Evidence,
    shapeEvidence: Evidence, optimizerEvidence: Evidence, warnings: [String]
  ) {
    self.batch = batch
    self.forward = forward
    self.backward = backward
    self.readyOffsets = readyOffsets
    self.optimizer = optimizer
    self.forwardEvidence = forwardEvidence
    self.backwardEvidence = backwardEvidence
    self.shapeEvidence = shapeEvidence
    self.optimizerEvidence = optimizerEvidence
    self.warnings = warnings
  }

  /// Forward, backward and optimizer: an iteration of one worker that does not communicate.
  public var step: SimDuration { forward + backward + optimizer }

  /// For each tensor in forward order: when forward first needs it, after forward starts.
  ///
  /// A layer's share of forward is taken to be that of backward, so this mirrors ``readyOffsets``.
  /// Never decreases with the index.
  public var neededOffsets: [SimDuration] {
    readyOffsets.map { forward - rescaled($0, to: forward, rounding: .down) }
  }

  /// The pieces of evidence by the part they stand for, in the order of a report.
  public var evidence: [(part: String, evidence: Evidence)] {
    [
      ("forward", forwardEvidence), ("backward", backwardEvidence),
      ("gradient ready times", shapeEvidence), ("optimizer", optimizerEvidence),
    ] + (spreadEvidence.map { [("straggler spread", $0)] } ?? [])
  }

  /// The same with the times of `override`; ready times keep their shape.
  public func overridden(by override: ComputeOverride) -> ComputeTimes {
    var times = self
    let evidence = Evidence(.overridden, "given in the scenario")
    if let forward = override.forward {
      times.forward = forward
      times.forwardEvidence = evidence
    }
    if let backward = override.backward {
      times.readyOffsets = readyOffsets.map { rescaled($0, to: backward) }
      times.backward = backward
      times.backwardEvidence = evidence
    }
    if let optimizer = override.optimizer {
      times.optimizer = optimizer
      times.optimizerEvidence = evidence
    }
    if override.forward != nil, override.backward != nil { times.warnings = [] }
    return times
  }

  /// `offset * total / backward`, exact in integers so that the last stays the total.
  private func rescaled(
    _ offset: SimDuration, to total: SimDuration, rounding: FloatingPointRoundingRule = .up
  ) -> SimDuration {
    if backward == .zero || total == .unbounded { return total }
    let divisor = UInt64(backward.picoseconds)
    let (high, low) = UInt64(offset.picoseconds).multipliedFullWidth(by: UInt64(total.picoseconds))
    // offset <= backward, so the quotient is at most `total` and fits.
    let (quotient, remainder) = divisor.dividingFullWidth((high, low))
    return SimDuration(picoseconds: Int64(quotient) + (remainder == 0 || rounding == .down ? 0 : 1))
  }
}

/// `"compute": {"forward": "...", "backward": "...", "optimizer": "..."}` of a scenario.
public struct ComputeOverride: Sendable, Equatable {
  public var forward: SimDuration?
  public var backward: SimDuration?
  public var optimizer: SimDuration?

  public init(
    forward: SimDuration? = nil, backward: SimDuration? = nil, optimizer: SimDuration? = nil
  ) {
    self.forward = forward
    self.backward = backward
    self.optimizer = optimizer
  }

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    forward = fields.optional(
      "forward", .duration, doc: "forward time of one micro-batch, instead of the device's")
    backward = fields.optional(
      "backward", .duration,
      doc: "backward time of one micro-batch; gradient ready times keep their proportions")
    optimizer = fields.optional(
      "optimizer", .duration, doc: "time of one optimizer step, instead of the device's")
  }
}
