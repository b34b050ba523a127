import Compression
import SimKernel
import Training

/// What is known of a device, as text: how good its profile is, and all of its numbers.
public enum DeviceReport {
  /// The size at which measured and derived codec times are compared.
  static let comparedSize = ByteCount(4 << 20)
  /// The batch at which times of models are shown that were not measured.
  static let shownBatch = 32

  // MARK: - Quality

  /// Source, date and quality of a profile, one sentence each.
  public static func quality(of device: DeviceProfile) -> [String] {
    guard let measurement = device.measurement else {
      var lines = [
        "profile: not measured by simnet; compute times are published or derived, as their "
          + "evidence says"
      ]
      if let costs = device.codecCosts {
        lines.append("codecs: \(fits(costs)); \(costs.evidence.sentence)")
      } else {
        lines.append("codecs: derived from declared launches and memory traffic")
      }
      return lines
    }
    var lines = [
      "profile: measured on \(measurement.date), \(measurement.hardware), torch "
        + "\(measurement.torch), clock \(measurement.clock), threads \(measurement.threads), "
        + measurement.statistic.replacing("_", with: " ")
    ]
    if !measurement.command.isEmpty { lines.append("command: \(measurement.command)") }
    if !device.models.isEmpty {
      let names = device.models.reduce(into: [String]()) { names, entry in
        if !names.contains(entry.model) { names.append(entry.model) }
      }
      var line = "models: \(names.count) measured (\(names.joined(separator: ", ")))"
      let gaps = device.models.compactMap(\.layerGap)
      if let low = gaps.min(), let high = gaps.max() {
        line +=
          "; layers and what lies between them sum to \(signed(low)) ... \(signed(high)) of the step"
      }
      lines.append(line)
    }
    if let costs = device.codecCosts { lines.append("codecs: \(fits(costs))") }
    if let overlap = device.overlap {
      lines.append(
        "overlap: backward takes \(Numbers.fixed(overlap.compute, 2)) times as long beside a codec, "
          + "a codec \(Numbers.fixed(overlap.side, 2)) times beside backward")
    }
    return lines
  }

  /// What a listing says about all devices together.
  public static func coverage(of devices: [DeviceProfile]) -> String {
    let gpus = devices.filter { $0.measurement?.kind == .cuda }.map(\.name)
    if gpus.isEmpty {
      return
        "No measured GPU profile is built in: the times of GPUs above are published, derived or "
        + "assumed. Measure one: Tools/profile_device.py --device cuda -o my-gpu.json"
    }
    return "Measured GPU profiles: \(gpus.joined(separator: ", "))."
  }

  private static func fits(_ costs: CodecCosts) -> String {
    let all = costs.entries.flatMap { [$0.encode, $0.decode] }
    var line = "\(costs.entries.count) measured"
    let fits = all.compactMap { $0.samples?.fit.rSquared ?? $0.rSquared }
    if let low = fits.min(), let high = fits.max() {
      line += ", R^2 \(Numbers.fixed(low, 3)) ... \(Numbers.fixed(high, 3))"
    }
    if let worst = all.compactMap(\.samples?.fit.largestError).max() {
      let interpolated = all.filter(\.isInterpolated).count
      line +=
        ", largest error of a fit \(percent(worst)); \(interpolated) of \(all.count) "
        + "interpolated (R^2 below \(JSONNumber.shortest(CodecSamples.leastRSquared)) or an error "
        + "above \(percent(CodecSamples.mostError)))"
    }
    return line
  }

  // MARK: - Tables

  /// Compute times by model, then codecs, then overlap; the device's other numbers are not repeated.
  public static func tables(of device: DeviceProfile, width: Int) -> String {
    var parts: [String] = [compute(device, width)]
    if let costs = device.codecCosts { parts.append(codecs(device, costs, width)) }
    if !device.overlaps.isEmpty { parts.append(overlaps(device.overlaps, width)) }
    return parts.joined(separator: "\n")
  }

  private static func compute(_ device: DeviceProfile, _ width: Int) -> String {
    if device.models.isEmpty { return estimates(device, width) }
    var table = TextTable([
      (title: "model", alignment: .left), (title: "batch", alignment: .right),
      (title: "precision", alignment: .left), (title: "forward ms", alignment: .right),
      (title: "backward ms", alignment: .right), (title: "layers ms", alignment: .right),
      (title: "between ms", alignment: .right), (title: "sum/step", alignment: .right),
      (title: "quartiles", alignment: .right), (title: "derived/measured", alignment: .right),
    ])
    let derived = device.withoutMeasurements
    for entry in device.models {
      var ratio = ""
      if let model = ModelCatalog.table(named: entry.model) {
        let times = derived.computeTimes(
          model: model, batch: entry.batch, precision: entry.precision)
        ratio = Numbers.fixed((times.forward + times.backward).seconds / entry.step.seconds, 2)
      }
      table.add([
        entry.model, String(entry.batch), entry.precision.rawValue,
        milliseconds(entry.forward), milliseconds(entry.backward),
        entry.layers.isEmpty ? "" : milliseconds(entry.layerSum),
        entry.between.map(milliseconds) ?? "", entry.layerGap.map(signed) ?? "",
        entry.spread.map(percent) ?? "", ratio,
      ])
    }
    return "compute, measured; every other model runs at the share of the peak that these reach\n"
      + table.text(width: width)
      + "sum/step: layers that own parameters and what lies between them, timed with hooks, against\n"
      + "the step without; the difference is what measuring costs, and noise. derived/measured: what\n"
      + "multiply-accumulates and the peak alone say\n"
  }

  private static func estimates(_ device: DeviceProfile, _ width: Int) -> String {
    var table = TextTable(
      [
        (title: "model", alignment: .left), (title: "forward ms", alignment: .right),
        (title: "backward ms", alignment: .right), (title: "known", alignment: .left),
        (title: "source", alignment: .left),
      ], isProse: true)
    for name in ModelCatalog.names {
      guard let model = ModelCatalog.table(named: name) else { continue }
      let times = device.computeTimes(model: model, batch: shownBatch, precision: .fp32)
      table.add([
        name, milliseconds(times.forward), milliseconds(times.backward),
        times.backwardEvidence.provenance.rawValue, times.backwardEvidence.sentence,
      ])
    }
    return "compute at batch \(shownBatch) in fp32\n" + table.text(width: width)
  }

  private static func codecs(
    _ device: DeviceProfile, _ costs: CodecCosts, _ width: Int
  ) -> String {
    var table = TextTable([
      (title: "pipeline", alignment: .left), (title: "encode: launch us", alignment: .right),
      (title: "GB/s", alignment: .right), (title: "R^2", alignment: .right),
      (title: "error", alignment: .right), (title: "used", alignment: .left),
      (title: "measured/derived", alignment: .right),
      (title: "decode: launch us", alignment: .right), (title: "GB/s", alignment: .right),
      (title: "R^2", alignment: .right), (title: "error", alignment: .right),
      (title: "used", alignment: .left), (title: "measured/derived", alignment: .right),
    ])
    let derived = device.withoutMeasurements
    let elements = Int(comparedSize.bytes / 4)
    for entry in costs.entries {
      let issues = IssueCollector()
      let pipeline = CompressionPipeline.read(entry.pipeline, issues: issues)
      let expected = derived.derivedCodecTimes(of: pipeline, elements: elements)
      table.add(
        [entry.pipeline] + cells(entry.encode, expected.encode, elements)
          + cells(entry.decode, expected.decode, elements))
    }
    let place = costs.place == .cpu ? "a host core, besides a copy" : "the device itself"
    return "codecs, on \(place); measured/derived at \(comparedSize.shortText)\n"
      + table.text(width: width)
  }

  private static func cells(
    _ cost: CodecCost, _ derived: SimDuration, _ elements: Int
  ) -> [String] {
    let rate = cost.bandwidth.map {
      Numbers.significant(Double($0.bitsPerSecond) / 8e9, 3)
    }
    let fit = cost.samples?.fit.rSquared ?? cost.rSquared
    let time = cost.time(bytes: Double(elements * 4), elements: Double(elements))
    return [
      Numbers.fixed(cost.launch.seconds * 1e6, 2), rate ?? "inf",
      fit.map { Numbers.fixed($0, 3) } ?? "",
      cost.samples.map { percent($0.fit.largestError) } ?? "",
      cost.isInterpolated ? "samples" : "fit",
      derived > .zero ? Numbers.significant(time.seconds / derived.seconds, 3) : "",
    ]
  }

  private static func overlaps(_ overlaps: [MeasuredOverlap], _ width: Int) -> String {
    var table = TextTable([
      (title: "codec", alignment: .left), (title: "beside backward of", alignment: .left),
      (title: "batch", alignment: .right), (title: "gradient", alignment: .right),
      (title: "backward x", alignment: .right), (title: "codec x", alignment: .right),
    ])
    for entry in overlaps {
      table.add([
        entry.pipeline, entry.model, String(entry.batch), entry.size.shortText,
        Numbers.fixed(entry.slowdown.compute, 2), Numbers.fixed(entry.slowdown.side, 2),
      ])
    }
    return "overlap of a codec with backward\n" + table.text(width: width)
  }

  private static func milliseconds(_ time: SimDuration) -> String {
    Numbers.fixed(time.seconds * 1e3, 3)
  }

  private static func percent(_ share: Double) -> String {
    Numbers.fixed(share * 100, 0) + " %"
  }

  private static func signed(_ share: Double) -> String {
    (share < 0 ? "-" : "+") + Numbers.fixed(share.magnitude * 100, 1) + " %"
  }
}
