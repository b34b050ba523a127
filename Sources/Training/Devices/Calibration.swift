import SimKernel

/// The share of a device's peak that training reaches, seen on the models somebody ran.
///
/// A step is 6 operations a multiply-accumulate of the forward pass: 2 forward, 4 backward.
enum Calibration {
  /// Operations of forward and backward over one sample.
  static func operationsPerSample(_ macs: Int) -> Double { 6 * Double(macs) }

  /// The share of its peak that `device` reaches on models like `modelClass`.
  ///
  /// The mean over the nearest group of records that is not empty: the same class on this device,
  /// then other classes on it, then its relatives with the same arithmetic, then with the same
  /// units. Within a group, layer-wise measurements exclude totals, so that the models of a
  /// comparison stand on one footing.
  static func efficiency(
    of device: DeviceProfile, _ precision: Precision, _ modelClass: ModelClass
  ) -> Sourced<Double> {
    if let own = measured(on: device, precision, modelClass) { return own }
    if let fixed = device.fixedEfficiency { return fixed }
    guard let unit = device.peak(precision)?.unit else {
      preconditionFailure("efficiency is asked for arithmetic the device has")
    }
    for name in [device.timedAs] + device.relatives {
      let isSelf = name == device.timedAs
      let same = observations.filter { $0.device == name && $0.unit == unit }
      let exact = same.filter { $0.precision == precision }
      for group in isSelf ? [exact] : [exact, same] where !group.isEmpty {
        for candidate in classes(nearestTo: modelClass) {
          if let mean = mean(group.filter { $0.modelClass == candidate }) {
            let close = isSelf && candidate == modelClass
            return Sourced(
              mean.value, close ? .derived : .assumed,
              "\(percent(mean.value)) of the peak, as \(mean.models) on the \(name)")
          }
        }
      }
    }
    return Sourced(0.3, .assumed, "30 % of the peak, a guess: no model was measured")
  }

  /// The share that the models of the device's own profile reach, those of the nearest class.
  private static func measured(
    on device: DeviceProfile, _ precision: Precision, _ modelClass: ModelClass
  ) -> Sourced<Double>? {
    guard let peak = device.peak(precision)?.operationsPerSecond else { return nil }
    let shares = device.models.compactMap { entry -> (ModelClass, String, Double)? in
      guard entry.precision.arithmetic == precision.arithmetic,
        let model = ModelCatalog.summary(named: entry.model)
      else { return nil }
      let macs = model.forwardMACsPerSample + model.attentionScoreMACs
      let share =
        operationsPerSample(macs) * Double(entry.batch) / (entry.step.seconds * peak)
      return share > 0 && share <= 1 ? (model.modelClass, model.name, share) : nil
    }
    for candidate in classes(nearestTo: modelClass) {
      let group = shares.filter { $0.0 == candidate }
      if group.isEmpty { continue }
      let mean = group.reduce(0) { $0 + $1.2 } / Double(group.count)
      var names: [String] = []
      for entry in group where !names.contains(entry.1) { names.append(entry.1) }
      return Sourced(
        mean, candidate == modelClass ? .derived : .assumed,
        "\(percent(mean)) of the peak, as measured for \(names.joined(separator: ", ")) on the "
          + device.name)
    }
    return nil
  }

  // MARK: - Observations

  /// What one record says about a share of the peak.
  private struct Observation: Sendable {
    var device: String
    var precision: Precision
    var unit: ArithmeticUnit
    var modelClass: ModelClass
    var model: String
    var isLayerwise: Bool
    var share: Double
  }

  private static let observations: [Observation] = TimingRecord.all.compactMap { record in
    guard let device = DeviceCatalog.profile(named: record.device),
      let peak = device.peak(record.precision),
      let model = ModelCatalog.summary(named: record.model)
    else { return nil }
    let optimizer = OptimizerKind.usual(for: model.modelClass).time(
      parameters: model.parameters, memory: device.memoryBandwidth.value)
    let seconds = (record.step - optimizer).seconds
    let work =
      operationsPerSample(model.forwardMACsPerSample + model.attentionScoreMACs)
      * Double(record.batch)
    let share = work / (seconds * peak.operationsPerSecond)
    // Above the peak the count of operations cannot be what ran, such as heads that skip words.
    guard share > 0, share <= 1 else { return nil }
    return Observation(
      device: record.device, precision: record.precision, unit: peak.unit,
      modelClass: model.modelClass, model: record.model, isLayerwise: record.log != nil,
      share: share)
  }

  private static func classes(nearestTo modelClass: ModelClass) -> [ModelClass] {
    switch modelClass {
    case .batchNormConvolution: [.batchNormConvolution, .convolution, .attention]
    case .convolution: [.convolution, .batchNormConvolution, .attention]
    case .attention: [.attention, .convolution, .batchNormConvolution]
    }
  }

  private static func mean(_ group: [Observation]) -> (value: Double, models: String)? {
    let layerwise = group.filter(\.isLayerwise)
    let used = layerwise.isEmpty ? group : layerwise
    if used.isEmpty { return nil }
    let value = used.reduce(0) { $0 + $1.share } / Double(used.count)
    let kind = layerwise.isEmpty ? "published for " : "measured for "
    return (value, kind + used.map(\.model).joined(separator: ", "))
  }

  private static func percent(_ share: Double) -> String {
    "\(Int((share * 100).rounded())) %"
  }
}
