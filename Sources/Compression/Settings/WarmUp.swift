import SimKernel

/// A start with less compression than later (Lin et al., Deep Gradient Compression, ICLR 2018,
/// arXiv:1712.01887, section 3.3).
///
/// DGC sends 25 %, 6.25 %, 1.5625 % and 0.4 % in its first four epochs and 0.1 % from then on:
/// `{"iterations": 4 epochs, "ratios": [0.25, 0.0625, 0.015625, 0.004]}` before `top_k:ratio=0.001`.
public struct WarmUpSettings: Sendable, Equatable {
  /// How many iterations it takes.
  public var iterations: Int
  /// What the selection keeps in stages of equal length; none at all means no compression.
  public var ratios: [Double]

  public init(iterations: Int, ratios: [Double] = []) {
    self.iterations = iterations
    self.ratios = ratios
  }

  /// The iteration of the warm-up with which stage `stage` begins; the number of iterations for the
  /// one after the last.
  func first(ofStage stage: Int) -> Int {
    ratios.isEmpty ? 0 : iterations * stage / ratios.count
  }
}

extension WarmUpSettings {
  /// Reads the record.
  init(_ fields: inout FieldReader) {
    iterations = fields.required(
      "iterations", .integer(1...1_000_000_000), doc: "how many iterations the warm-up takes")
    ratios = fields.optional(
      "ratios", .list(of: .fraction), default: [],
      doc: "shares that the selection keeps in stages of equal length; without them nothing is "
        + "compressed until the warm-up is over")
  }
}

extension CompressionSettings {
  /// The settings from iteration `first` on, until the next phase.
  public struct Phase: Sendable {
    public var first: Int
    /// Settings without a schedule of their own.
    public var settings: CompressionSettings
  }

  /// What is done when: dense before ``startIteration``, then the warm-up, then the settings
  /// themselves.
  ///
  /// Phases are in the order of their first iterations, of which the first is 0; one of no iterations
  /// is left out.
  public var phases: [Phase] {
    var settled = self
    settled.startIteration = 0
    settled.warmUp = nil
    var dense = settled
    dense.pipeline = .identity
    dense.layers = []
    var all: [Phase] = []
    if startIteration > 0 { all.append(Phase(first: 0, settings: dense)) }
    var settledFrom = startIteration
    if let warmUp {
      settledFrom += warmUp.iterations
      if warmUp.ratios.isEmpty {
        if all.isEmpty { all.append(Phase(first: 0, settings: dense)) }
      }
      for (stage, ratio) in warmUp.ratios.enumerated()
      where warmUp.first(ofStage: stage) < warmUp.first(ofStage: stage + 1) {
        all.append(
          Phase(
            first: startIteration + warmUp.first(ofStage: stage),
            settings: settled.keeping(ratio)))
      }
    }
    all.append(Phase(first: settledFrom, settings: settled))
    return all
  }

  /// The settings that hold in `iteration`, without a schedule.
  public func settings(at iteration: Int) -> CompressionSettings {
    let phases = phases
    return (phases.last { $0.first <= iteration } ?? phases[0]).settings
  }

  /// The same with `ratio` in place of the pipeline's own, and of smaller ones of the overrides.
  private func keeping(_ ratio: Double) -> CompressionSettings {
    var result = self
    result.pipeline = pipeline.keeping(ratio) ?? pipeline
    for index in layers.indices {
      if let own = layers[index].pipeline.ratio, own < ratio {
        result.layers[index].pipeline =
          layers[index].pipeline.keeping(ratio) ?? layers[index].pipeline
      }
    }
    return result
  }
}

extension CompressionPipeline {
  /// The share of the elements that the selecting stage aims at; nil if no stage has a ratio.
  public var ratio: Double? {
    for stage in stages {
      if let found = stage.parameters.first(where: { $0.key == "ratio" }) {
        return Double(found.value)
      }
    }
    return nil
  }

  /// Whether some elements are left out, so that what is sent has a support.
  public var selects: Bool { forms.contains { $0.coverage != .dense } }

  /// The same chain with `ratio` in place of that of its selecting stage; nil if there is none.
  ///
  /// - Precondition: 0 < ratio <= 1.
  public func keeping(_ ratio: Double) -> CompressionPipeline? {
    guard
      let selecting = stages.firstIndex(where: {
        $0.parameters.contains { $0.key == "ratio" }
      })
    else { return nil }
    // A label reads back as the chain, so the codec's own record takes the new ratio in.
    let texts = stages.enumerated().map { index, stage in
      if index != selecting { return stage.label }
      let parameters = stage.parameters.map { key, value in
        key + "=" + (key == "ratio" ? JSONNumber.shortest(ratio) : value)
      }
      return stage.name + ":" + parameters.joined(separator: ",")
    }
    let issues = IssueCollector()
    let result = CompressionPipeline.read(texts.joined(separator: "|"), issues: issues)
    precondition(issues.errors.isEmpty, "a chain with another ratio is as valid")
    return result
  }
}
