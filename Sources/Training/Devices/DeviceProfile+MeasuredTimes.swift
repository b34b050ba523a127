import SimKernel

extension DeviceProfile {
  /// What the profile's own measurements say about `model`; nil if it was not measured in
  /// `precision`, one of the three kinds of arithmetic.
  ///
  /// A batch that was measured is taken as it is. Between two batches, and beyond them, times lie on
  /// the line through the two nearest (the affine model: a fixed part and one a sample); with one
  /// batch only they are in proportion. A user's table under a catalogued name is not the model that
  /// was measured.
  func measuredTimes(
    _ model: ModelTable, _ batch: Int, _ precision: Precision, _ warnings: [String]
  ) -> ComputeTimes? {
    guard let summary = ModelCatalog.summary(named: model.name), summary.source == model.source,
      summary.parameters == model.parameters
    else { return nil }
    let entries = models.filter {
      $0.model == summary.name && $0.precision.arithmetic == precision
    }.sorted { $0.batch < $1.batch }
    guard let nearest = entries.min(by: { distance($0, batch) < distance($1, batch) }) else {
      return nil
    }
    let others = entries.filter { $0.batch != nearest.batch }
    if nearest.batch == batch || others.isEmpty {
      return times(nearest, model, batch, warnings)
    }
    // The neighbours of the batch, or the two at the end it lies beyond.
    let above = others.first { $0.batch > batch }
    let below = others.last { $0.batch < batch }
    let other =
      (nearest.batch > batch ? below ?? above : above ?? below) ?? nearest
    return times(between: nearest, other, model, batch, warnings)
  }

  private func distance(_ entry: MeasuredModel, _ batch: Int) -> Int {
    abs(entry.batch - batch)
  }

  /// One batch, as it is or in proportion.
  private func times(
    _ entry: MeasuredModel, _ model: ModelTable, _ batch: Int, _ warnings: [String]
  ) -> ComputeTimes {
    func scaled(_ time: SimDuration) -> SimDuration {
      Self.scaled(time, by: batch, over: entry.batch)
    }
    var warnings = warnings
    if batch != entry.batch {
      warnings.append(
        "\(model.name) on the \(name) was measured at batch \(entry.batch) only; times at batch"
          + " \(batch) are in proportion")
    }
    return assemble(
      model, batch, forward: scaled(entry.forward), backward: scaled(entry.backward),
      offsets: entry.readyOffsets(model.tensors)?.map(scaled),
      known: batch == entry.batch ? .measured : .derived, "at batch \(entry.batch)", warnings)
  }

  /// On the line through two batches.
  private func times(
    between a: MeasuredModel, _ b: MeasuredModel, _ model: ModelTable, _ batch: Int,
    _ warnings: [String]
  ) -> ComputeTimes {
    func line(_ first: SimDuration, _ second: SimDuration) -> SimDuration {
      let slope = Double((second - first).picoseconds) / Double(b.batch - a.batch)
      let fixed = Double(first.picoseconds) - slope * Double(a.batch)
      // Noise can turn a small fixed part or a small slope negative; then proportion is the better
      // guess.
      if slope <= 0 || fixed < 0 { return Self.scaled(first, by: batch, over: a.batch) }
      return .decimal(fixed + slope * Double(batch), unit: 1)
    }
    var offsets: [SimDuration]?
    if let first = a.readyOffsets(model.tensors), let second = b.readyOffsets(model.tensors) {
      offsets = zip(first, second).map(line)
    }
    let (low, high) = (min(a.batch, b.batch), max(a.batch, b.batch))
    let isInside = low < batch && batch < high
    return assemble(
      model, batch, forward: line(a.forward, b.forward), backward: line(a.backward, b.backward),
      offsets: offsets, known: .derived,
      "on the line through batches \(low) and \(high)",
      warnings + [
        "\(model.name) on the \(name) was measured at batches \(low) and \(high); times at batch"
          + " \(batch) lie \(isInside ? "between" : "beyond") them, on the line through both"
      ])
  }

  private func assemble(
    _ model: ModelTable, _ batch: Int, forward: SimDuration, backward: SimDuration,
    offsets: [SimDuration]?, known: Provenance, _ place: String, _ warnings: [String]
  ) -> ComputeTimes {
    let sentence = modelEvidence?.sentence ?? "given in a device profile"
    // A profile of the user's own says itself how its numbers are known.
    let given = modelEvidence?.provenance ?? .overridden
    let evidence = Evidence(max(known, given), "\(place); \(sentence)")
    var ready = offsets ?? BackwardShape.readyOffsets(model, backward: backward)
    if offsets != nil {
      // Lines of their own may cross by a little.
      var latest = SimDuration.zero
      for index in ready.indices.reversed() {
        latest = min(backward, max(latest, ready[index]))
        ready[index] = latest
      }
      ready[0] = backward
    }
    return ComputeTimes(
      batch: batch, forward: forward, backward: backward, readyOffsets: ready, optimizer: .zero,
      forwardEvidence: evidence, backwardEvidence: evidence,
      shapeEvidence: offsets == nil
        ? Evidence(.derived, "in proportion to the layers' multiply-accumulates") : evidence,
      optimizerEvidence: Evidence(.derived, ""), warnings: warnings)
  }
}
