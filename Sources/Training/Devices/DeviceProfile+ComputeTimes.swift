import SimKernel

extension DeviceProfile {
  /// How long one worker computes for a micro-batch of `batch` samples of `model`.
  ///
  /// Taken from the best there is: times in the user's own table, the measurements of the profile,
  /// layer-wise logs, a published total split forward:backward = 1:2, or operations over the share of
  /// the peak that similar models reach. Forward and backward are proportional to the batch, unless
  /// the profile has the model at several (no other source separates the fixed part of the affine
  /// model); a warning says when the batch is not one that was measured.
  ///
  /// - Precondition: `batch` is at least 1.
  /// - Complexity: linear in the tensors.
  public func computeTimes(
    model: ModelTable, batch: Int, precision: Precision, optimizer: OptimizerKind = .sgdMomentum
  ) -> ComputeTimes {
    precondition(batch >= 1, "a micro-batch has at least one sample")
    var (arithmetic, warnings) = available(precision)
    var times = estimate(model, batch, arithmetic, &warnings)
    times.adoptUserTimes(of: model)
    times.optimizer = optimizerTime(optimizer, model: model)
    times.optimizerEvidence = Evidence(
      .derived,
      "\(optimizer.accesses) fp32 reads and writes a parameter over the memory bandwidth"
        + " (\(optimizer.rawValue), fused)")
    let resident = ByteCount(Int64(model.parameters) * Int64(optimizer.residentVectors) * 4)
    if resident > memory.value {
      times.warnings.append(
        "parameters, gradients and optimizer state take \(resident.bytes / 1_000_000_000) GB, more"
          + " than the \(memory.value.bytes / 1_000_000_000) GB of the \(name)")
    }
    return times
  }

  /// The arithmetic that `precision` runs as here, and what the user should know about it.
  private func available(_ precision: Precision) -> (Precision, [String]) {
    let isMeasured = models.contains { $0.precision.arithmetic == precision.arithmetic }
    if isMeasured || peak(precision) != nil { return (precision.arithmetic, []) }
    return (
      .fp32, ["the \(name) has no units for \(precision.rawValue); timed as fp32"]
    )
  }

  private func estimate(
    _ model: ModelTable, _ batch: Int, _ precision: Precision, _ warnings: inout [String]
  ) -> ComputeTimes {
    if let own = measuredTimes(model, batch, precision, warnings) { return own }
    if let other = TimingRecord.all.first(where: {
      $0.log != nil && $0.device == timedAs && $0.model == model.name && $0.precision != precision
    }) {
      warnings.append(
        "\(other.precision.rawValue) times of \(model.name) on the \(timedAs) are from a slower set-up"
          + " than \(precision.rawValue) ones; comparing the two exaggerates the gain")
    }
    // A user's table may carry a catalogued name; only the catalogued tensors were measured.
    if let record = TimingRecord.find(device: timedAs, precision: precision, model: model.name),
      let summary = ModelCatalog.summary(named: model.name), summary.source == model.source,
      summary.parameters == model.parameters
    {
      if let offsets = record.log?.readyOffsets(model.tensors) {
        return measured(record, offsets, model, batch, warnings)
      }
      return published(record, model, batch, warnings)
    }
    return calibrated(model, batch, precision, warnings)
  }

  // MARK: - Measured

  private func measured(
    _ record: TimingRecord, _ offsets: [SimDuration], _ model: ModelTable, _ batch: Int,
    _ warnings: [String]
  ) -> ComputeTimes {
    let update = optimizerTime(.usual(for: model.modelClass), model: model)
    let total = offsets.first ?? .zero
    let forward = record.step - total - update
    var warnings = warnings
    if batch != record.batch {
      warnings.append(
        "\(model.name) on the \(timedAs) was measured at batch \(record.batch) only; times at batch"
          + " \(batch) are in proportion")
    }
    func scaled(_ time: SimDuration) -> SimDuration {
      Self.scaled(time, by: batch, over: record.batch)
    }
    let provenance: Provenance = batch == record.batch ? .measured : .derived
    return ComputeTimes(
      batch: batch, forward: scaled(forward), backward: scaled(total),
      readyOffsets: offsets.map(scaled), optimizer: .zero,
      forwardEvidence: Evidence(
        .derived,
        "measured step (\(record.step)) less measured backward and derived optimizer: assumes the"
          + " step held nothing else, such as loading data; \(record.source)"),
      backwardEvidence: Evidence(
        provenance, "layer-wise log at batch \(record.batch); \(record.source)"),
      shapeEvidence: Evidence(
        provenance,
        "layer-wise log, events matched to tensors by size; \(record.source)"),
      optimizerEvidence: Evidence(.derived, ""), warnings: warnings)
  }

  // MARK: - Published

  private func published(
    _ record: TimingRecord, _ model: ModelTable, _ batch: Int, _ warnings: [String]
  ) -> ComputeTimes {
    let usual = OptimizerKind.usual(for: model.modelClass)
    let passes = record.step - optimizerTime(usual, model: model)
    var warnings = warnings
    if record.isBatchStated, batch != record.batch {
      warnings.append(
        "\(model.name) on the \(timedAs) is published at batch \(record.batch); times at batch \(batch)"
          + " are in proportion")
    } else if !record.isBatchStated, batch * 4 < record.batch {
      warnings.append(
        "the published rate of \(model.name) on the \(timedAs) is for full batches; at batch \(batch)"
          + " the device will be slower")
    }
    let stated =
      record.isBatchStated
      ? "at batch \(record.batch)"
      : "batch not stated, taken as \(record.batch)"
    return split(
      Self.scaled(passes, by: batch, over: record.batch), model, batch,
      Evidence(
        .derived,
        "published total of a \(record.accelerator) (\(record.precision.rawValue), \(stated)) less"
          + " the \(usual.rawValue) step, split forward:backward = 1:2; \(record.source)"),
      warnings)
  }

  // MARK: - Calibrated

  private func calibrated(
    _ model: ModelTable, _ batch: Int, _ precision: Precision, _ warnings: [String]
  ) -> ComputeTimes {
    var macs = model.totalMACsPerSample
    var warnings = warnings
    // Other models may be measured in arithmetic of which the profile has no peak.
    let known = peak(precision) == nil ? Precision.fp32 : precision
    if known != precision {
      warnings.append(
        "\(model.name) was not measured in \(precision.rawValue) on the \(name); timed as fp32")
    }
    guard let peak = peak(known) else {
      preconditionFailure("a device profile has a peak for fp32")
    }
    let efficiency = Calibration.efficiency(of: self, known, model.modelClass)
    if macs == 0 {
      // One multiply-accumulate a parameter is a linear layer's; anything is better than no time.
      macs = model.parameters
      warnings.append(
        "\(model.name) has no multiply-accumulates; one a parameter and sample is assumed, give"
          + " compute.forward and compute.backward for better")
    }
    let operations = Calibration.operationsPerSample(macs) * Double(batch)
    let passes = SimDuration.seconds(operations / (peak.operationsPerSecond * efficiency.value))
    return split(
      passes, model, batch,
      Evidence(
        efficiency.evidence.provenance,
        "6 operations a multiply-accumulate at \(efficiency.evidence.sentence), split"
          + " forward:backward = 1:2; peak from \(peak.evidence.sentence)"),
      warnings)
  }

  /// Forward and backward from their sum.
  private func split(
    _ passes: SimDuration, _ model: ModelTable, _ batch: Int, _ evidence: Evidence,
    _ warnings: [String]
  ) -> ComputeTimes {
    let forward = SimDuration(picoseconds: max(1, passes.picoseconds / 3))
    let backward = SimDuration(picoseconds: max(1, (passes - forward).picoseconds))
    return ComputeTimes(
      batch: batch, forward: forward, backward: backward,
      readyOffsets: BackwardShape.readyOffsets(model, backward: backward), optimizer: .zero,
      forwardEvidence: evidence, backwardEvidence: evidence,
      shapeEvidence: Evidence(
        .derived,
        "in proportion to the layers' multiply-accumulates; memory-bound layers get no time, so"
          + " early layers are too short"),
      optimizerEvidence: Evidence(.derived, ""), warnings: warnings)
  }

  /// `time * batch / reference`, rounded up once, exact in integers; saturates.
  static func scaled(_ time: SimDuration, by batch: Int, over reference: Int) -> SimDuration {
    if batch == reference || time == .unbounded { return time }
    let divisor = UInt64(reference)
    let (high, low) = UInt64(max(0, time.picoseconds)).multipliedFullWidth(by: UInt64(batch))
    if high >= divisor { return .unbounded }
    let (quotient, remainder) = divisor.dividingFullWidth((high, low))
    if quotient >= UInt64(Int64.max) { return .unbounded }
    return SimDuration(picoseconds: Int64(quotient) + (remainder == 0 ? 0 : 1))
  }
}

extension ComputeTimes {
  /// Replaces what the user's own table has times for, in proportion to the batch.
  mutating func adoptUserTimes(of model: ModelTable) {
    guard let measuredBatch = model.measuredBatch else { return }
    let evidence = Evidence(
      batch == measuredBatch ? .measured : .derived,
      "the model table \(model.source), at batch \(measuredBatch)")
    let times = model.tensors.map(\.times)
    func scaled(_ time: SimDuration) -> SimDuration {
      DeviceProfile.scaled(time, by: batch, over: measuredBatch)
    }
    var hasForward = false
    var hasBackward = false
    if times.contains(where: { $0?.forward != nil }) {
      forward = scaled(times.reduce(.zero) { $0 + ($1?.forward ?? .zero) })
      forwardEvidence = evidence
      hasForward = true
    }
    if times.allSatisfy({ $0?.ready != nil }) {
      readyOffsets = times.map { scaled($0?.ready ?? .zero) }
      hasBackward = true
    } else if times.contains(where: { $0?.backward != nil }) {
      var elapsed = SimDuration.zero
      for index in times.indices.reversed() {
        elapsed += times[index]?.backward ?? .zero
        readyOffsets[index] = scaled(elapsed)
      }
      hasBackward = true
    }
    if hasBackward {
      backward = readyOffsets[0]
      backwardEvidence = evidence
      shapeEvidence = evidence
    }
    if hasForward && hasBackward { warnings = [] }
    if batch != measuredBatch, hasForward || hasBackward {
      warnings.append(
        "\(model.name) was measured at batch \(measuredBatch); times at batch \(batch) are in"
          + " proportion")
    }
  }
}
