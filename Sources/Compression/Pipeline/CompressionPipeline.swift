import SimKernel

/// A checked chain of codecs: `top_k:ratio=0.01|fp16|zstd:level=3`.
public struct CompressionPipeline: Sendable {
  /// The stages in the order in which they encode; at least one.
  public let stages: [any Codec]
  /// The form of the record before every stage, and after the last.
  public let forms: [PayloadForm]
  /// The chain as text, with the parameters that differ from their defaults.
  public let label: String
  /// Names the chain in the frames it makes.
  let labelHash: UInt32

  /// Type-checks `stages`; no stages at all mean no compression.
  ///
  /// A stage that cannot follow the one before is reported at its index under `path` with the reason,
  /// and left out, so that one pass finds all faults.
  public init(
    stages: [any Codec], path: FieldPath = FieldPath(["compression"]),
    position: TextPosition? = nil, issues: IssueCollector
  ) {
    var accepted: [any Codec] = []
    var forms: [PayloadForm] = [.gradient]
    for (index, stage) in stages.enumerated() {
      switch stage.accept(forms[forms.count - 1]) {
      case .success(let form):
        accepted.append(stage)
        forms.append(form)
      case .failure(let mismatch):
        issues.report(
          Issue(
            path: path.appending(String(index)), position: position,
            problem: .conflict(mismatch.reason)))
      }
    }
    self.init(accepted, forms)
  }

  /// The chain that does nothing.
  public static var identity: CompressionPipeline {
    CompressionPipeline([], [.gradient])
  }

  private init(_ stages: [any Codec], _ forms: [PayloadForm]) {
    self.stages = stages.isEmpty ? [Identity()] : stages
    self.forms = stages.isEmpty ? [.gradient, .gradient] : forms
    label = self.stages.map(\.label).joined(separator: "|")
    var hash = StableHash()
    hash.combine(label)
    labelHash = UInt32(truncatingIfNeeded: hash.words.0)
  }

  /// What the record is after the last stage.
  public var form: PayloadForm { forms[forms.count - 1] }
  /// How payloads of several workers become one.
  public var aggregation: Aggregation { form.aggregation }
  /// Whether every bit comes back.
  public var isLossless: Bool { stages.allSatisfy(\.isLossless) }
  /// Whether nothing is done at all.
  public var isIdentity: Bool { stages.allSatisfy { $0 is Identity } }

  /// What is known of the chain without a gradient.
  public var declaration: PipelineDeclaration { PipelineDeclaration(self) }

  /// float32 numbers that a worker's codecs remember of a gradient of `tensors`.
  public func rememberedFloats(elementCount: Int, tensors: [TensorRange]) -> Int {
    stages.reduce(0) { $0 + $1.rememberedFloats(elementCount: elementCount, tensors: tensors) }
  }

  /// The largest payload of a gradient of `elementCount` elements, in bits.
  public func worstCasePayloadBits(
    elementCount: Int, scope: CodecScope, tensors: [TensorRange] = []
  ) -> Int64 {
    var size = WorstCase(
      elementCount: elementCount, scopeCount: ScopeBounds.count(scope, tensors, elementCount))
    for stage in stages { stage.worstCase(&size) }
    return Int64(size.bits)
  }
  /// The largest frame of a gradient of `elementCount` elements.
  public func worstCaseBytes(
    elementCount: Int, scope: CodecScope, tensors: [TensorRange] = []
  ) -> ByteCount {
    let bits = worstCasePayloadBits(elementCount: elementCount, scope: scope, tensors: tensors)
    let scopes = ScopeBounds.count(scope, tensors, elementCount)
    let framing = Frame.overhead(tensorCount: scopes, streamCount: 8)
    return ByteCount.holding(bits: bits) + ByteCount(Int64(framing + 4 * scopes))
  }
}

/// What is known of a chain without a gradient: the declarations of its stages put together.
public struct PipelineDeclaration: Sendable {
  /// Formulas of the stages, joined by ` -> `.
  public var payloadFormula: String
  public var citations: [String]
  /// Biased if a stage is; exact if all are.
  public var bias: CodecTraits.Bias
  public var sampleScaling: CodecTraits.SampleScaling
  public var isRandomised: Bool
  public var aggregation: Aggregation
  public var isVariableSize: Bool
  /// Cost of encoding one gradient.
  public var encode: CodecWork
  /// Cost of decoding one payload.
  public var decode: CodecWork
  /// Expected bytes per gradient element, before any gradient was seen.
  public var expectedBytesPerElement: Double

  init(_ pipeline: CompressionPipeline) {
    let traits = pipeline.stages.map(\.traits)
    let working = traits.count > 1 ? traits.filter { $0.payloadFormula != "32n" } : traits
    payloadFormula = (working.isEmpty ? traits : working).map(\.payloadFormula)
      .joined(separator: " -> ")
    citations = traits.map(\.citation)
    bias =
      traits.contains { $0.bias == .biased }
      ? .biased : traits.contains { $0.bias == .unbiased } ? .unbiased : .exact
    sampleScaling =
      traits.contains { $0.sampleScaling == .needsFullTensor }
      ? .needsFullTensor
      : traits.contains { $0.sampleScaling == .scalesInBuckets } ? .scalesInBuckets : .scales
    isRandomised = traits.contains { $0.isRandomised }
    aggregation = pipeline.aggregation
    isVariableSize = pipeline.form.isVariableSize
    encode = .none
    decode = .none
    var load = StageLoad.gradient
    for stage in pipeline.stages {
      let cost = stage.cost(entering: load)
      encode = encode + cost.encode
      decode = cost.decode + decode
      load = cost.leaving
    }
    expectedBytesPerElement = load.bytes
  }
}
