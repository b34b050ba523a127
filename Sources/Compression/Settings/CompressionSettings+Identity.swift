import SimKernel

extension CompressionSettings {
  /// Every pipeline that may be used.
  public var pipelines: [CompressionPipeline] { [pipeline] + layers.map(\.pipeline) }

  /// Every pipeline with the scope it is used under.
  public var treatments: [(pipeline: CompressionPipeline, scope: CodecScope)] {
    [(pipeline, scope)] + layers.map { ($0.pipeline, $0.scope ?? scope) }
  }

  /// Everything that decides the encoded bytes and what they decode to, as text: equal texts, equal
  /// results.
  public var identity: String {
    var parts = [
      pipeline.label, scope.description, String(minimumTensor),
      errorFeedback.map { "feedback \($0.decay)" } ?? "no feedback",
    ]
    for layer in layers {
      parts.append(
        layer.pattern.text + "=" + layer.pipeline.label + "@" + (layer.scope?.description ?? ""))
    }
    if let momentumCorrection { parts.append("momentum " + momentumCorrection.json) }
    if let warmUp {
      let ratios = warmUp.ratios.map(JSONNumber.shortest).joined(separator: ",")
      parts.append("warm-up \(warmUp.iterations) [\(ratios)]")
    }
    if startIteration > 0 { parts.append("start \(startIteration)") }
    return parts.joined(separator: " ")
  }
}
