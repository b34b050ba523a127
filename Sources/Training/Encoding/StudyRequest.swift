import Compression
import SimKernel

/// What compression does to a model's gradients beyond the error of one step: the study behind the
/// columns on bias, contraction, residuals and accumulated updates.
///
/// It follows a small part of the model over several iterations, as one communication unit, with
/// every decorator on.
struct StudyRequest {
  let settings: StudySettings
  let compression: CompressionSettings
  let strategy: CommunicationStrategy
  let servers: Int
  /// The workers whose mean each representative encodes.
  let representatives: [[Int]]
  let type: GradientType

  /// Studies the gradients of `source`, which samples its tensors by ``layout(of:)``.
  ///
  /// - Returns: the study and what it rests on; nil and why where there is none.
  func run(
    _ source: some GradientSource, random: RandomStream, workspace: inout EncodingWorkspace
  ) throws -> (study: CompressionStudy?, sample: String) {
    let layout = source.layout
    var offset = 0
    let ranges = zip(source.tensors, layout.sampledElements).map { tensor, count in
      defer { offset += count }
      return TensorRange(
        name: tensor.name, offset: offset, count: count,
        shape: count == tensor.elements ? tensor.shape : [])
    }
    let plan = CompressionPlan(settings: settled, tensors: ranges)
    // Groups of one exchange share a scheme; what adds as it is comes through all of them alike.
    let scheme =
      plan.groups.map { strategy.scheme(for: $0.pipeline, servers: servers) }
      .first { $0 != .collective } ?? .collective
    if let reason = CompressedExchange.refusal(of: plan.settings, scheme: scheme) {
      return (nil, "none: \(reason)")
    }
    // The closure below needs the rest of the workspace.
    var scratch = CodecScratch()
    swap(&scratch, &workspace.scratch)
    defer { swap(&scratch, &workspace.scratch) }
    let study = try CompressionStudy(
      plan: plan, scheme: scheme, workers: representatives.count, steps: settings.steps,
      seeds: settings.seeds, random: random, scratch: &scratch
    ) { worker, iteration in
      var gradient = workspace.studied(
        at: iteration * representatives.count + worker, representatives[worker],
        iteration: iteration, from: source)
      type.round(&gradient)
      return gradient
    }
    return (
      study,
      "\(layout.elementCount) of \(layout.modelElements) elements, "
        + "\(representatives.count) workers, \(study.steps) steps, \(study.seeds) seeds"
    )
  }

  /// Why no part of `elements` elements can be studied; nil if one can.
  func obstacle(elements: Int) -> String? {
    if settings.steps == 0 { return "none: not asked for" }
    if elements <= settings.sample { return nil }
    for (pipeline, scope) in compression.treatments
    where pipeline.declaration.sampleScaling.needsFullTensor(scope) {
      return
        "none: a sample does not stand for \(pipeline.label) in scope \(scope); bucketed codecs "
        + "can be sampled, or set gradients.study.sample to \(elements)"
    }
    return nil
  }

  /// The part of a model that takes part.
  func layout(of tensors: [GradientTensor]) -> SampledLayout {
    SampledLayout(tensors, budget: settings.sample)
  }

  /// The settings without their slow start: the study is of what comes after it.
  private var settled: CompressionSettings {
    compression.phases.last?.settings ?? compression
  }
}
