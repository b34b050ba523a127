import SimKernel

/// What stands under `communication` about compression: the pipeline and its decorators.
public struct CompressionSettings: Sendable {
  /// A pipeline for the tensors whose names fit.
  public struct LayerOverride: Sendable {
    public var pattern: NamePattern
    public var pipeline: CompressionPipeline
    /// The scope of these tensors; nil keeps the general one.
    public var scope: CodecScope?

    public init(pattern: NamePattern, pipeline: CompressionPipeline, scope: CodecScope? = nil) {
      self.pattern = pattern
      self.pipeline = pipeline
      self.scope = scope
    }
  }

  /// What is done with tensors that no override names.
  public var pipeline: CompressionPipeline
  /// nil without error feedback.
  public var errorFeedback: ErrorFeedbackSettings?
  /// nil without momentum correction, whose residual takes the place of error feedback's.
  public var momentumCorrection: MomentumCorrectionSettings?
  /// nil without a warm-up.
  public var warmUp: WarmUpSettings?
  /// The first iteration that is compressed.
  public var startIteration: Int
  /// Tensors of fewer elements travel uncompressed.
  public var minimumTensor: Int
  public var scope: CodecScope
  /// The first that fits decides.
  public var layers: [LayerOverride]

  public init(
    pipeline: CompressionPipeline = .identity, errorFeedback: ErrorFeedbackSettings? = nil,
    minimumTensor: Int = 0, scope: CodecScope = .model, layers: [LayerOverride] = [],
    momentumCorrection: MomentumCorrectionSettings? = nil, warmUp: WarmUpSettings? = nil,
    startIteration: Int = 0
  ) {
    self.pipeline = pipeline
    self.errorFeedback = errorFeedback
    self.momentumCorrection = momentumCorrection
    self.warmUp = warmUp
    self.startIteration = startIteration
    self.minimumTensor = minimumTensor
    self.scope = scope
    self.layers = layers
  }

  /// Reads the keys from the record they stand in.
  public init(_ fields: inout FieldReader) {
    let stages = fields.variants(
      "compression", CodecCatalog.registry,
      doc: "codecs in the order in which they encode: a list, one codec, or a text such as "
        + "\"top_k:ratio=0.01|fp16|zstd:level=3\"",
      expand: CompressionPipeline.parse)
    let found = IssueCollector()
    pipeline = CompressionPipeline(stages: stages, issues: found)
    for issue in found.issues { fields.report("compression", issue.problem) }
    errorFeedback = fields.optional(
      "error_feedback", .errorFeedback, default: nil,
      doc: "adds what compression lost to the next gradient: true, or {\"decay\": 0.9}")
    momentumCorrection = fields.optional(
      "momentum_correction", .momentumCorrection, default: nil,
      doc: "adds momentum up before compression, as deep gradient compression does: true, or "
        + "{\"factor\": 0.9, \"masking\": true, \"nesterov\": false, \"clipping\": norm}; replaces "
        + "error_feedback and the optimizer's momentum")
    warmUp = fields.optionalRecord(
      "warm_up", doc: "less compression in the first iterations, in stages, or none",
      WarmUpSettings.init)
    startIteration = fields.optional(
      "start_iteration", .integer(0...1_000_000_000), default: 0,
      doc: "the first iteration that is compressed; a warm-up begins there")
    minimumTensor = fields.optional(
      "minimum_tensor", .count(0), default: 0,
      doc: "tensors of fewer elements travel uncompressed")
    scope = fields.optional(
      "scope", .scope, default: .model,
      doc: "over which elements one scale or selection reaches: the model, a layer, or a bucket")
    layers = fields.optional(
      "layers", .layerOverrides, default: [],
      doc: "other pipelines for tensors whose names fit a pattern; the first that fits decides")
    check(fields)
  }

  /// Refuses decorators that contradict one another or the pipeline.
  private func check(_ fields: FieldReader) {
    if errorFeedback != nil, momentumCorrection != nil {
      fields.report(
        "momentum_correction",
        .conflict(
          "momentum_correction keeps what was not sent itself, so error_feedback would add it twice; "
            + "remove error_feedback"))
    }
    if let warmUp, !warmUp.ratios.isEmpty, pipeline.ratio == nil {
      fields.report(
        "warm_up",
        .conflict(
          "the ratios of warm_up take the place of that of a selecting codec, but \(pipeline.label) "
            + "has none; leave the ratios out for a dense warm-up"))
    }
  }

  /// What is done with a tensor.
  public func treatment(
    ofTensor name: String, elements: Int
  ) -> (pipeline: CompressionPipeline, scope: CodecScope) {
    if elements < minimumTensor { return (.identity, scope) }
    if let match = layers.first(where: { $0.pattern.matches(name) }) {
      return (match.pipeline, match.scope ?? scope)
    }
    return (pipeline, scope)
  }

  /// Whether every tensor is treated alike, whatever its name and size.
  public var isUniform: Bool { minimumTensor <= 0 && layers.isEmpty }

  /// The pipeline of a tensor.
  public func pipeline(forTensor name: String, elements: Int = .max) -> CompressionPipeline {
    treatment(ofTensor: name, elements: elements).pipeline
  }
}

extension FieldKind where Value == ErrorFeedbackSettings? {
  /// `true`, `false`, or `{"decay": number}`.
  public static var errorFeedback: FieldKind<ErrorFeedbackSettings?> {
    let expectation = "true, false or {\"decay\": 0 < number <= 1}"
    return FieldKind(
      expectation: expectation, example: "true",
      schema: #"{"anyOf":[{"type":"boolean"},{"type":"object","additionalProperties":false,"#
        + #""properties":{"decay":{"type":"number","exclusiveMinimum":0,"maximum":1}}}]}"#,
      placeholder: { nil },
      read: { node in
        if case .bool(let on) = node.value { return .success(on ? ErrorFeedbackSettings() : nil) }
        guard node.members != nil else { return .failure(.wrongType(node, expectation, "true")) }
        let issues = IssueCollector()
        let decay = FieldReader.read(node, issues: issues) {
          $0.optional("decay", .fraction, default: 1, doc: "what is left of the residual")
        }
        return issues.found() ?? .success(ErrorFeedbackSettings(decay: decay))
      },
      show: { settings in
        guard let settings else { return "false" }
        return settings.decay == 1
          ? "true" : #"{"decay":\#(JSONNumber.shortest(settings.decay))}"#
      })
  }
}

extension FieldKind where Value == [CompressionSettings.LayerOverride] {
  /// An object from name patterns to pipelines, or to `{"compression": ..., "scope": ...}`.
  static var layerOverrides: FieldKind<[CompressionSettings.LayerOverride]> {
    let expectation = "an object from tensor name patterns to codecs"
    return FieldKind(
      expectation: expectation, example: #"{"fc*": "none"}"#, schema: #"{"type":"object"}"#,
      placeholder: { [] },
      read: { node in
        guard let members = node.members else {
          return .failure(.wrongType(node, expectation, #"{"fc*": "none"}"#))
        }
        var overrides: [CompressionSettings.LayerOverride] = []
        for member in members {
          let issues = IssueCollector()
          let path = FieldPath([member.key])
          var scope: CodecScope?
          let pipeline: CompressionPipeline
          if member.node.members != nil, member.node["codec"] == nil {
            (pipeline, scope) = FieldReader.read(member.node, path: path, issues: issues) {
              fields in
              let chain = fields.required(
                "compression", .any("codecs", example: #""none""#), doc: "codecs of these tensors")
              return (
                CompressionPipeline.read(
                  chain, path: path.appending("compression"), issues: issues),
                fields.optional("scope", .scope, doc: "scope of these tensors")
              )
            }
          } else {
            pipeline = CompressionPipeline.read(member.node, path: path, issues: issues)
          }
          if let failure: Result<Value, Issue.Problem.Found> = issues.found() { return failure }
          overrides.append(
            .init(pattern: NamePattern(member.key), pipeline: pipeline, scope: scope))
        }
        return .success(overrides)
      },
      show: { overrides in
        let members = overrides.map {
          "\(JSONNode.quoted($0.pattern.text)):\(JSONNode.quoted($0.pipeline.label))"
        }
        return "{" + members.joined(separator: ",") + "}"
      })
  }
}

extension IssueCollector {
  /// The first error as a kind reports it; nil if there is none.
  func found<Value>() -> Result<Value, Issue.Problem.Found>? {
    errors.first.map {
      .failure(.init($0.problem, deeper: $0.path.parts, position: $0.position))
    }
  }
}
