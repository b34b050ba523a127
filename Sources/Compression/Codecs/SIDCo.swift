import SimKernel

/// Elements beyond a quantile of exponential distributions fitted in stages (SIDCo-E).
///
/// Stage by stage the threshold grows by mean(|x| - threshold) ln(1 / delta) over the elements above
/// it; delta is a quarter, and in the last stage what is left of the ratio. More stages follow the
/// tail better. Zeros are no part of the fit. Stages that the ratio leaves no room for are left out.
public struct SIDCo: ThresholdCodec {
  /// The share that every stage but the last keeps.
  public static let stageShare = 0.25
  /// The share of the elements that would be kept if their magnitudes were exponential.
  public let ratio: Double
  public let stages: Int
  public let index: IndexEncoding

  public init(ratio: Double, stages: Int = 2, index: IndexEncoding = .int32) {
    self.ratio = ratio
    self.stages = stages
    self.index = index
  }

  public var name: String { "sidco_e" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if stages != 2 { result.append(("stages", String(stages))) }
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: "nnz"),
      citation: "Abdelmoniem et al., An Efficient Statistical-based Gradient Compression "
        + "Technique for Distributed Training Systems, MLSys 2021, arXiv:2101.10761",
      bias: .biased, sampleScaling: index == .int32 ? .scales : .needsFullTensor)
  }
  public var expectedRatio: Double { ratio }
  public var passes: Double { 1 + 2 * Double(shares.count) }

  /// The shares of the stages; their product is the ratio.
  private var shares: [Double] {
    var result: [Double] = []
    var rest = ratio
    while result.count + 1 < stages, rest / Self.stageShare < 1 {
      result.append(Self.stageShare)
      rest /= Self.stageShare
    }
    return result + [rest]
  }

  public func limit(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, setting: StageSetting,
    scratch: inout CodecScratch
  ) -> ThresholdLimit {
    var threshold = 0.0
    for share in shares {
      let (sum, passed) = ThresholdSelection.excess(source, count, above: Float(threshold))
      if passed == 0 { break }
      threshold -= sum / Double(passed) * DeterministicMath.log(share)
    }
    return ThresholdLimit(above: threshold)
  }
}

extension SIDCo {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.targetRatio(),
      stages: fields.optional(
        "stages", .integer(1...16), default: 2,
        doc: "fits, each of the tail of the one before; all but the last keep a quarter"),
      index: fields.index())
  }
}
