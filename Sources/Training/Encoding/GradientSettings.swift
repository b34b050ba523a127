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
        + "\(settings.sample)"
    case .files(let settings): "files \(settings.files.joined(separator: ","))"
    }
  }

  /// How many workers' gradients are really encoded; the others repeat them.
  ///
  /// `byHops` says that errors add up or supports unite from worker to worker, so that more of them
  /// are encoded unless the scenario says how many.
  func representatives(byHops: Bool) -> Int {
    switch self {
    case .synthetic(let settings): settings.workers ?? (byHops ? 16 : 4)
    case .files(let settings): settings.files.count
    }
  }

  /// What is learnt of compression beyond the error of one step.
  var study: StudySettings {
    switch self {
    case .synthetic(let settings): settings.study
    case .files(let settings): settings.study
    }
  }
}

/// Gradients made by ``SyntheticGradients``.
public struct SyntheticSettings: Sendable {
  public var stage: TrainingStage
  public var family: GradientFamily?
  /// Elements of a model that are encoded where a sample is enough.
  public var sample: Int
  /// Workers that are really encoded; nil for 4, or 16 where it depends on their number.
  public var workers: Int?
  public var study: StudySettings

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
      "workers", .count(),
      doc:
        "workers whose gradients are really encoded, the others repeat them in turn: by default 4, "
        + "and 16 where errors add up or supports unite on the way and a sample is enough")
    study = StudySettings.read(&fields)
  }
}

/// Gradients read from files, one a worker.
public struct RecordedSettings: Sendable {
  public var files: [String]
  public var study: StudySettings

  init(_ fields: inout FieldReader) {
    files = fields.required(
      "files", .list(of: .text("a path", example: "gradients/w0.safetensors"), atLeast: 1),
      doc: "one safetensors, npy or raw float32 file a worker, relative to the scenario; workers "
        + "beyond them repeat them in turn. A gradient of another model stands in for this one")
    study = StudySettings.read(&fields)
  }
}

/// How far compression is followed beyond the error of one step: the `study` record.
public struct StudySettings: Sendable, Equatable {
  /// Iterations over which the update is accumulated.
  public var steps: Int
  /// Seeds behind bias and variance.
  public var seeds: Int
  /// Elements of a model that take part.
  public var sample: Int

  public init(steps: Int = 8, seeds: Int = 4, sample: Int = 1 << 15) {
    self.steps = steps
    self.seeds = seeds
    self.sample = sample
  }

  private init(_ fields: inout FieldReader) {
    self.init()
    steps = fields.optional(
      "steps", .count(0), default: steps,
      doc: "iterations over which residuals and the update are followed; 0 makes no study")
    seeds = fields.optional(
      "seeds", .count(), default: seeds,
      doc: "seeds behind bias and variance of codecs that draw random numbers")
    sample = fields.optional(
      "sample", .count(1024), default: sample,
      doc: "elements of the model that take part; codecs whose sample does not stand for the whole "
        + "are studied only where this is all of it")
  }

  static func read(_ fields: inout FieldReader) -> StudySettings {
    fields.defaultedRecord(
      "study", doc: "what is learnt of compression beyond the error of one step", StudySettings.init
    )
  }

  /// Everything that decides the numbers, as text.
  var identity: String { "\(steps) steps \(seeds) seeds \(sample) elements" }
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
