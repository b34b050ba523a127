import SimKernel

/// Where the gradients come from that are really encoded: the `gradients` record.
public enum GradientSettings: Sendable {
  case synthetic(SyntheticSettings)
  case files(RecordedSettings)

  /// Files whose content can change a result.
  public var files: [String] {
    switch self {
    case .synthetic: []
    case .files(let settings): settings.files
    }
  }

  /// Everything that decides the values, as text.
  var identity: String {
    switch self {
    case .synthetic(let settings):
      "synthetic \(settings.stage.rawValue) \(settings.family?.rawValue ?? "auto") "
        + "\(settings.sample) \(settings.workers)"
    case .files(let settings): "files \(settings.files.joined(separator: ","))"
    }
  }

  /// How many workers' gradients are really encoded; the others repeat them.
  var representatives: Int {
    switch self {
    case .synthetic(let settings): settings.workers
    case .files(let settings): settings.files.count
    }
  }
}

/// Gradients made by ``SyntheticGradients``.
public struct SyntheticSettings: Sendable {
  public var stage: TrainingStage
  public var family: GradientFamily?
  /// Elements of a model that are encoded where a sample is enough.
  public var sample: Int
  public var workers: Int

  init(_ fields: inout FieldReader) {
    stage = fields.optional(
      "stage", .choice("stage"), default: .middle,
      doc: "how far training has come: late gradients are sparser and less alike")
    family = fields.optional(
      "family", .choice("family"),
      doc: "whose recorded gradients are imitated; by default what the layers suggest")
    sample = fields.optional(
      "sample", .count(1024), default: SampledLayout.defaultBudget,
      doc: "elements of a model that are encoded, where a codec's sample stands for the whole")
    workers = fields.optional(
      "workers", .count(), default: 4,
      doc: "workers whose gradients are really encoded; the others repeat them in turn")
  }
}

/// Gradients read from files, one a worker.
public struct RecordedSettings: Sendable {
  public var files: [String]

  init(_ fields: inout FieldReader) {
    files = fields.required(
      "files", .list(of: .text("a path", example: "gradients/w0.safetensors"), atLeast: 1),
      doc: "one safetensors, npy or raw float32 file a worker, relative to the scenario; workers "
        + "beyond them repeat them in turn. A gradient of another model stands in for this one")
  }
}

/// The members of `gradients`.
public enum GradientCatalog {
  public static let registry = Registry<GradientSettings>(
    noun: "gradient source", discriminator: "source",
    entries: [
      .init(
        "synthetic",
        summary: "seeded values with the marginals, layer scales, sparsity and correlations of "
          + "recorded gradients"
      ) { .synthetic(SyntheticSettings(&$0)) },
      .init("files", summary: "recorded gradients from safetensors, npy or raw float32 files") {
        .files(RecordedSettings(&$0))
      },
    ])
}
