import SimKernel

/// How compute times vary between workers and iterations: a factor for each.
public protocol StragglerModel: Sendable {
  /// The factor on forward and backward of `worker` in `iteration`; at least 0.
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double
  /// Whether every worker has the same factor in every iteration.
  var isConstant: Bool { get }
}

extension StragglerModel {
  public var isConstant: Bool { false }
}

/// The members of `stragglers.compute`.
public enum StragglerCatalog {
  public static let registry = Registry<any StragglerModel>(
    noun: "distribution", discriminator: "distribution",
    entries: single.entries + [
      .init("per_worker", summary: "a distribution for each worker, such as for unequal devices") {
        StragglerCatalog.perWorker(&$0)
      }
    ])

  /// Distributions that hold no others.
  static let single = Registry<any StragglerModel>(
    noun: "distribution", discriminator: "distribution",
    entries: [
      .init("none", summary: "every worker computes at the same speed") { _ in
        ConstantStraggler(value: 1)
      },
      .init("constant", summary: "all compute times times one factor") {
        ConstantStraggler(
          value: $0.required("factor", .positive, doc: "multiplies every compute time"))
      },
      .init("normal", summary: "1 + sigma z, not below 0, for each worker and iteration") {
        NormalStraggler(
          sigma: $0.required("sigma", .nonNegative, doc: "standard deviation of the factor"))
      },
      .init("lognormal", summary: "exp(sigma z), median 1, for each worker and iteration") {
        LognormalStraggler(
          sigma: $0.required("sigma", .nonNegative, doc: "standard deviation of the logarithm"))
      },
      .init("exponential", summary: "(1 - share) + share x Exp(1), mean 1") {
        ExponentialStraggler(
          share: $0.optional(
            "share", .fraction, default: 1, doc: "the part of the compute time that is random"))
      },
      .init("one_slow", summary: "one worker is slower than the others by a factor") {
        OneSlowWorker(
          worker: RankID($0.optional("worker", .count(0), default: 0, doc: "which worker is slow")),
          value: $0.required("factor", .positive, doc: "multiplies that worker's compute times"))
      },
    ])
}

extension StragglerCatalog {
  private static func perWorker(_ fields: inout FieldReader) -> any StragglerModel {
    let models = fields.variants(
      "workers", single,
      doc:
        "distributions of the first worker, the second and so on, from the first again where there "
        + "are more workers")
    if models.isEmpty {
      fields.report(
        "workers",
        .invalid(
          found: "no distributions",
          expected: #"give at least one, such as {"distribution": "constant", "factor": 2}"#))
      return none
    }
    return PerWorkerStraggler(models: models)
  }
}

/// Each worker by a model of its own, over and over.
private struct PerWorkerStraggler: StragglerModel {
  let models: [any StragglerModel]
  var isConstant: Bool { models.count == 1 && models[0].isConstant }
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    models[worker.index % models.count].factor(worker: worker, iteration: iteration, random: random)
  }
}

private struct ConstantStraggler: StragglerModel {
  let value: Double
  var isConstant: Bool { true }
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double { value }
}

private struct NormalStraggler: StragglerModel {
  let sigma: Double
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    var stream = random
    return max(0, 1 + sigma * stream.normal())
  }
}

private struct LognormalStraggler: StragglerModel {
  let sigma: Double
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    var stream = random
    return DeterministicMath.exp(sigma * stream.normal())
  }
}

private struct ExponentialStraggler: StragglerModel {
  let share: Double
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    var stream = random
    return (1 - share) + share * stream.exponential()
  }
}

private struct OneSlowWorker: StragglerModel {
  let worker: RankID
  let value: Double
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    worker == self.worker ? value : 1
  }
}

extension StragglerCatalog {
  /// Every worker computes at the same speed.
  public static var none: any StragglerModel { ConstantStraggler(value: 1) }
}
