import SimKernel

/// Elements beyond the quantile of a normal distribution fitted to the scope (Gaussian-k).
///
/// The threshold is the population's standard deviation times the normal quantile of 1 - ratio / 2,
/// around the mean, without refinement. Gradients have heavier tails than a normal, so for small
/// ratios many times the wanted number pass: thirteen times at 0.1 % of a digits classifier.
public struct GaussianK: ThresholdCodec {
  /// The share of the elements that would be kept if they were normal.
  public let ratio: Double
  public let index: IndexEncoding

  public init(ratio: Double, index: IndexEncoding = .int32) {
    self.ratio = ratio
    self.index = index
  }

  public var name: String { "gaussian_k" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: "nnz"),
      citation: "Shi, Chu, Cheung and See, Understanding Top-k Sparsification in Distributed Deep "
        + "Learning, 2019, arXiv:1911.08772",
      bias: .biased, sampleScaling: index == .int32 ? .scales : .needsFullTensor)
  }
  public var expectedRatio: Double { ratio }
  public var passes: Double { 2 }

  public func limit(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, setting: StageSetting,
    scratch: inout CodecScratch
  ) -> ThresholdLimit {
    let mean = Reductions.sum(source, count) / Double(count)
    let square = Reductions.sumOfSquares(source, count) / Double(count)
    let deviation = max(0, square - mean * mean).squareRoot()
    let quantile = ratio >= 1 ? 0 : -DeterministicMath.normalQuantile(ratio / 2)
    return ThresholdLimit(above: quantile * deviation, center: Float(mean))
  }
}

extension GaussianK {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(ratio: fields.targetRatio(), index: fields.index())
  }
}
