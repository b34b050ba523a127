import Compression
import SimKernel

/// What one direction of a codec costs: launch + bytes / bandwidth + elements x time an element.
public struct CodecCost: Sendable, Equatable {
  /// What every call costs, whatever the size.
  public var launch: SimDuration
  /// Bytes of the values that enter an encode, or leave a decode, a second; nil costs nothing.
  public var bandwidth: Bandwidth?
  /// On top of that, nanoseconds an element.
  public var nanosecondsPerElement: Double
  /// How well a fit explained the times it was made from; nil if there was none.
  public var rSquared: Double?
  /// The times that ``launch`` and ``bandwidth`` were fitted to, if the profile has them.
  public var samples: CodecSamples?

  /// The fit of `samples`, which stand in for it where it is poor.
  public init(_ samples: CodecSamples) {
    self = samples.fit.cost
    self.samples = samples
  }

  public init(
    launch: SimDuration, bandwidth: Bandwidth? = nil, nanosecondsPerElement: Double = 0,
    rSquared: Double? = nil
  ) {
    self.launch = launch
    self.bandwidth = bandwidth
    self.nanosecondsPerElement = nanosecondsPerElement
    self.rSquared = rSquared
  }

  /// Whether times are interpolated between samples, because the fit is poor.
  public var isInterpolated: Bool { samples?.isInterpolated ?? false }

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    let samples = CodecSamples.read(&fields)
    launch = fields.optional(
      "launch", .duration, default: .zero, doc: "what every call costs, whatever the size")
    bandwidth = fields.optional(
      "bandwidth", .bandwidth,
      doc: "bytes of float32 values encoded or decoded a second; without it they cost nothing")
    nanosecondsPerElement = fields.optional(
      "ns_per_element", .nonNegative, default: 0, doc: "on top of that, nanoseconds an element")
    rSquared = fields.optional(
      "r2", .number(in: 0...1),
      doc: "how well the fit explains the measured times; informs, changes nothing")
    let isGiven = bandwidth != nil || nanosecondsPerElement != 0 || launch != .zero
    if let samples {
      if isGiven || rSquared != nil {
        fields.report(
          nil, .conflict("times of several sizes are fitted; leave launch, bandwidth and r2 out"))
      }
      self = CodecCost(samples)
    } else if !isGiven, !fields.has("sizes_bytes") {
      fields.report(
        nil,
        .conflict("a cost of nothing at all; give \"launch\", \"bandwidth\" or \"ns_per_element\""))
    }
  }

  /// The time for `bytes` of values, to the nearest whole one, that are `elements` in number; rounded
  /// up.
  ///
  /// Nothing for no elements: nothing is launched then. Where the fit of samples is poor, the time
  /// lies on the lines between them.
  public func time(bytes: Double, elements: Double) -> SimDuration {
    if elements <= 0 { return .zero }
    if let samples, samples.isInterpolated { return samples.time(bytes: bytes) }
    var time = launch
    if let bandwidth { time += bandwidth.time(toSend: ByteCount(Int64(bytes.rounded()))) }
    if nanosecondsPerElement > 0 { time += .seconds(nanosecondsPerElement * elements * 1e-9) }
    return time
  }
}

/// The measured costs of codecs on one device.
public struct CodecCosts: Sendable, Equatable {
  /// Where the codecs of a profile run.
  public enum Place: String, Sendable, CaseIterable {
    /// On a host core: gradients are copied there and back, and the worker's CPU stream is busy,
    /// wherever the scenario places codecs.
    case cpu
    /// On the accelerator, on the stream the scenario says; codecs that a scenario places on the CPU
    /// are not covered.
    case accelerator
  }

  /// One pipeline.
  public struct Entry: Sendable, Equatable {
    /// As ``CompressionPipeline/label`` spells it.
    public var pipeline: String
    public var encode: CodecCost
    public var decode: CodecCost

    public init(pipeline: String, encode: CodecCost, decode: CodecCost) {
      self.pipeline = pipeline
      self.encode = encode
      self.decode = decode
    }
  }

  public var entries: [Entry]
  public var place: Place
  /// How the numbers came to be known.
  public var evidence: Evidence

  public init(entries: [Entry], place: Place, evidence: Evidence) {
    self.entries = entries
    self.place = place
    self.evidence = evidence
  }

  /// The time to encode and to decode `elements` elements once with `pipeline`, whether it is the sum
  /// of its stages, and whether samples of a poor fit were interpolated; nil if neither the pipeline nor all of its stages are known.
  ///
  /// A stage is charged for the bytes that enter it: those of the values the stages before leave, or
  /// all bytes for a stage that packs whatever comes.
  public func times(
    of pipeline: CompressionPipeline, elements: Int
  ) -> (encode: SimDuration, decode: SimDuration, isSum: Bool, isInterpolated: Bool)? {
    let count = Double(elements)
    if let entry = entry(pipeline.label) {
      return (
        entry.encode.time(bytes: 4 * count, elements: count),
        entry.decode.time(bytes: 4 * count, elements: count), false,
        entry.encode.isInterpolated || entry.decode.isInterpolated
      )
    }
    guard pipeline.stages.count > 1 else { return nil }
    var encode = SimDuration.zero
    var decode = SimDuration.zero
    var load = StageLoad.gradient
    var isInterpolated = false
    for (index, stage) in pipeline.stages.enumerated() {
      guard let entry = entry(stage.label) else { return nil }
      isInterpolated =
        isInterpolated || entry.encode.isInterpolated || entry.decode.isInterpolated
      let packsAll = pipeline.forms[index + 1].content == .opaque
      let bytes = count * (packsAll ? load.bytes : load.values * load.bytesPerValue)
      encode += entry.encode.time(bytes: bytes, elements: count * load.values)
      decode += entry.decode.time(bytes: bytes, elements: count * load.values)
      load = stage.cost(entering: load).leaving
    }
    return (encode, decode, true, isInterpolated)
  }

  private func entry(_ label: String) -> Entry? { entries.first { $0.pipeline == label } }
}
