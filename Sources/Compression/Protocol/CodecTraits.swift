/// What a codec says about itself: data for `list`, for validation and for the documentation.
public struct CodecTraits: Sendable {
  /// How the mean of the decoded gradient over the codec's random draws relates to the gradient.
  public enum Bias: String, Sendable, CaseIterable {
    /// Every bit comes back.
    case exact
    /// The mean is the gradient.
    case unbiased
    /// The mean is not the gradient; where the error is large, error feedback makes up for it.
    case biased
  }

  /// Whether the error and size of a sample stand for those of the whole tensor.
  public enum SampleScaling: String, Sendable, CaseIterable {
    /// Bits per element and relative error of a sample are those of the tensor.
    case scales
    /// So they are within buckets of a fixed size, but not over a whole tensor or model: the scale of
    /// a sample is not that of all elements.
    case scalesInBuckets = "scales_in_buckets"
    /// They are not: the full tensor has to be encoded.
    case needsFullTensor = "needs_full_tensor"

    /// Whether a sample will not do under `scope`.
    public func needsFullTensor(_ scope: CodecScope) -> Bool {
      switch self {
      case .scales: return false
      case .scalesInBuckets:
        if case .bucket = scope { return false }
        return true
      case .needsFullTensor: return true
      }
    }
  }

  /// The payload in bits, as `reference` formulas are written: `8n+32*ceil(n/B)`.
  public var payloadFormula: String
  /// Where the method was published.
  public var citation: String
  public var bias: Bias
  public var sampleScaling: SampleScaling
  /// Whether random numbers take part.
  public var isRandomised: Bool

  public init(
    payloadFormula: String, citation: String, bias: Bias,
    sampleScaling: SampleScaling = .scales, isRandomised: Bool = false
  ) {
    self.payloadFormula = payloadFormula
    self.citation = citation
    self.bias = bias
    self.sampleScaling = sampleScaling
    self.isRandomised = isRandomised
  }
}

/// How the payloads of several workers become one gradient.
public enum Aggregation: String, Sendable, CaseIterable {
  /// Payloads add element by element: they ride reducing collectives.
  case summable
  /// Payloads are gathered, and every one is decoded.
  case gather
}
