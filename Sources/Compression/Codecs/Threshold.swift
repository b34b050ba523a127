import SimKernel

/// Magnitudes strictly above a fixed value, with their positions.
///
/// What is sent depends on the gradient alone: nothing at all late in a training, and twice the
/// gradient, 64 bits an element, where the value is below most magnitudes. Biased.
public struct Threshold: ThresholdCodec {
  /// The magnitude that must be exceeded.
  public let value: Double
  public let index: IndexEncoding

  public init(value: Double, index: IndexEncoding = .int32) {
    self.value = value
    self.index = index
  }

  public var name: String { "threshold" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "v", value: JSONNumber.shortest(value))]
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: "nnz"),
      citation: "Strom, Scalable Distributed DNN Training Using Commodity GPU Cloud Computing, "
        + "Interspeech 2015",
      bias: .biased, sampleScaling: index == .int32 ? .scales : .needsFullTensor)
  }
  // Nothing is known of a fixed value before a gradient is: a hundredth, as for the other methods.
  public var expectedRatio: Double { 0.01 }
  public var passes: Double { 0 }
  public var isEstimated: Bool { false }
  /// What does not pass is not wanted: an empty selection stays empty.
  public var sendsLargest: Bool { false }

  public func limit(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, setting: StageSetting,
    scratch: inout CodecScratch
  ) -> ThresholdLimit { ThresholdLimit(above: value) }
}

extension Threshold {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      value: fields.required(
        "v", .nonNegative, doc: "magnitude that an element must exceed to be sent"),
      index: fields.index())
  }
}

extension FieldReader {
  /// The encoding of positions, which every codec of variable selection takes.
  mutating func index() -> IndexEncoding {
    optional(
      "index", .choice("index encoding"), default: .int32,
      doc: "how positions travel; auto takes the smallest")
  }
  /// The share of elements that an estimated threshold aims at.
  mutating func targetRatio() -> Double {
    required("ratio", .fraction, doc: "share of the elements that the threshold aims at")
  }
}
