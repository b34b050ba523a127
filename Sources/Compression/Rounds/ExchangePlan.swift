import SimKernel

/// What the workers do with the payloads of one round.
public enum ExchangeKind: String, Sendable, CaseIterable {
  /// Everyone gets the element-wise sum: a reducing collective.
  case sum
  /// Everyone gets the element-wise maximum.
  case max
  /// Everyone gets everyone's payload.
  case gather
  /// Everyone gets the payload of one leader.
  case broadcast
}

/// One exchange of a codec's conversation.
public struct ExchangeStep: Sendable, Equatable {
  public var kind: ExchangeKind
  /// What one worker contributes, in bits: exact, or the expected size of a variable payload.
  public var bits: Int
  /// The elements of a reduction, between which it may be cut; 1 for what cannot be cut.
  public var elements: Int
  /// Whether the size differs between workers and iterations.
  public var isVariableSize: Bool
  /// What is exchanged, for people.
  public var purpose: String

  public init(
    _ kind: ExchangeKind, bits: Int, elements: Int, isVariableSize: Bool = false, purpose: String
  ) {
    self.kind = kind
    self.bits = bits
    self.elements = elements
    self.isVariableSize = isVariableSize
    self.purpose = purpose
  }

  /// The contribution rounded up to a byte.
  public var size: ByteCount { .holding(bits: Int64(bits)) }
}

/// The ordered exchanges that turn every worker's gradient into the mean; each needs the result of
/// the one before.
public struct ExchangePlan: Sendable, Equatable {
  public var steps: [ExchangeStep]

  public init(_ steps: [ExchangeStep]) { self.steps = steps }

  /// Bits that a sum of one code a worker may grow by: ceil(log2 P).
  public static func extraBits(workers: Int) -> Int {
    workers <= 1 ? 0 : Int.bitWidth - (workers - 1).leadingZeroBitCount
  }
}

/// What an exchange plan is made for.
public struct ExchangeSetup: Sendable {
  public var pipeline: CompressionPipeline
  /// Elements of the gradient.
  public var elementCount: Int
  /// Scopes with a scale of their own.
  public var scopeCount: Int
  /// Values that are left by the stages.
  public var values: Int
  public var workers: Int
  /// The tensors, for codecs that look at shapes; empty if unknown.
  public var tensors: [TensorRange] = []
  /// The measured payload of one worker; nil if there was none.
  var measuredBits: Int?
  /// The largest payload of one worker.
  var worstCaseBits: Int
}

extension CompressionPipeline {
  /// The exchanges that `workers` workers need for a gradient of `elementCount` elements.
  ///
  /// `payloadBits` is the measured payload of one worker; without it the worst case is assumed.
  public func exchangePlan(
    elementCount: Int, scope: CodecScope, tensors: [TensorRange] = [], workers: Int,
    payloadBits: Int64? = nil
  ) -> ExchangePlan {
    let scopes = ScopeBounds.count(scope, tensors, elementCount)
    var size = WorstCase(elementCount: elementCount, scopeCount: scopes)
    var values = elementCount
    for stage in stages {
      stage.worstCase(&size)
      if size.values > 0 { values = size.values }
    }
    let setup = ExchangeSetup(
      pipeline: self, elementCount: elementCount, scopeCount: scopes, values: values,
      workers: workers, tensors: tensors, measuredBits: payloadBits.map { Int($0) },
      worstCaseBits: size.bits)
    return ExchangePlan(steps(setup, from: 0))
  }

  /// The exchanges that the stages from `first` on ask for.
  func steps(_ setup: ExchangeSetup, from first: Int) -> [ExchangeStep] {
    for stage in stages[first...] {
      if let steps = stage.exchanges(setup) { return steps }
    }
    let bits = setup.measuredBits ?? setup.worstCaseBits
    switch aggregation {
    case .summable:
      return [ExchangeStep(.sum, bits: bits, elements: max(1, setup.values), purpose: "values")]
    case .gather:
      var steps: [ExchangeStep] = []
      if form.isVariableSize {
        steps.append(ExchangeStep(.gather, bits: 32, elements: 1, purpose: "payload sizes"))
      }
      steps.append(
        ExchangeStep(
          .gather, bits: bits, elements: 1, isVariableSize: form.isVariableSize,
          purpose: "payloads"))
      return steps
    }
  }
}
