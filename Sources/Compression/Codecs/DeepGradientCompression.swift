import SimKernel

/// Magnitudes that reach a threshold which a sample suggests (the selection of DGC).
///
/// One element in a hundred is drawn, with replacement; the threshold is the k-th largest of those
/// with k = max(1, floor(0.01 n ratio)), multiplied by 1.3 while more than 1.3 n ratio elements reach
/// it and by 0.7 while fewer than 0.7 n ratio do, up to ten times, as GRACE does. A gradient of mostly
/// zeros can give a threshold of 0, which every element reaches: then the payload is twice the
/// gradient. Momentum correction, clipping and masking are ``MomentumCorrection``, and the schedule of
/// ratios is ``WarmUpSettings``: both go with any selection.
public struct DeepGradientCompression: ThresholdCodec {
  /// The share of the elements that is drawn.
  public static let sampleShare = 0.01
  /// How often the threshold is adjusted at most.
  public static let adjustments = 10
  /// The share of the elements that is wanted.
  public let ratio: Double
  public let index: IndexEncoding

  public init(ratio: Double, index: IndexEncoding = .int32) {
    self.ratio = ratio
    self.index = index
  }

  public var name: String { "dgc" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: "nnz"),
      citation: "Lin, Han, Mao, Wang and Dally, Deep Gradient Compression, ICLR 2018, "
        + "arXiv:1712.01887",
      bias: .biased, sampleScaling: index == .int32 ? .scales : .needsFullTensor,
      isRandomised: true)
  }
  public var expectedRatio: Double { ratio }
  // The check, the sample, and two counts on average.
  public var passes: Double { 3 }

  public func limit(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, setting: StageSetting,
    scratch: inout CodecScratch
  ) -> ThresholdLimit {
    let size = max(1, Int(Double(count) * Self.sampleShare))
    let sample = scratch.temporary(of: UInt32.self, size)
    let bins = scratch.temporary(of: UInt32.self, RadixSelect.binCount)
    let hash = CounterHash(setting.random.split(start))
    for draw in 0..<size {
      // In bounds: a 32-bit fraction of the count is below it.
      let place = Int((UInt64(hash.bits(draw)) &* UInt64(count)) >> 32)
      sample[draw] = source[place].bitPattern & 0x7FFF_FFFF
    }
    let wanted = Double(count) * ratio
    let k = min(size, max(1, Int(wanted * Self.sampleShare)))
    var threshold = Float(bitPattern: RadixSelect.kthLargest(sample, size, k: k, bins: bins))
    for _ in 0..<Self.adjustments {
      let passed = Double(
        ThresholdSelection.count(source, count, ThresholdRule(atLeast: threshold)))
      if passed > 1.3 * wanted {
        threshold = min(threshold * 1.3, .greatestFiniteMagnitude)
      } else if passed < 0.7 * wanted {
        threshold *= 0.7
      } else {
        break
      }
    }
    return ThresholdLimit(atLeast: threshold)
  }
}

extension DeepGradientCompression {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(ratio: fields.targetRatio(), index: fields.index())
  }
}
