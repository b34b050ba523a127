import SimKernel
import Validation

/// Which assumption decides between two variants of a scenario.
public struct WhatIfQuestion: Sendable {
  /// Two variants, as ``VariantPair`` reads them.
  public var between: [String]
  public var metric: String
  public var direction: MetricDirection
  /// How far each assumption is moved either way: 0.3 takes it times 0.7 and times 1.3.
  public var change: Double
  /// How far a change that flips the winner is looked for: from 1 / limit to limit times.
  public var limit: Double
  /// The relative width to which such a change is narrowed.
  public var tolerance: Double
  /// The relative difference up to which nobody is called better.
  public var tieThreshold: Double

  public init(
    between: [String], metric: String = "iteration_time_s",
    direction: MetricDirection = .lowerIsBetter, change: Double = 0.3, limit: Double = 10,
    tolerance: Double = 1e-4, tieThreshold: Double = 0.01
  ) {
    precondition(change > 0 && change < 1, "a change leaves something")
    precondition(limit > 1 && limit <= 1000 && tolerance > 0, "a search has a limit and an end")
    self.between = between
    self.metric = metric
    self.direction = direction
    self.change = change
    self.limit = limit
    self.tolerance = tolerance
    self.tieThreshold = tieThreshold
  }
}

/// What moving one assumption does.
public struct AssumptionInfluence: Sendable, Equatable {
  /// Its key under `assumptions`.
  public var assumption: String
  /// The ratio of means, B over A, with it moved down and up.
  public var ratioBelow: Double
  public var ratioAbove: Double
  /// Who is better then.
  public var winnerBelow: PairWinner
  public var winnerAbove: PairWinner
  /// How far apart the two ratios are.
  public var swing: Double { (ratioAbove - ratioBelow).magnitude }
  /// The nearest factors below and above 1 at which both are equal; nil if there is none up to the
  /// limit.
  public var flipBelow: Double?
  public var flipAbove: Double?

  /// What moving it so far, one way or the other, does to `winner`, who is better without.
  public func effect(on winner: PairWinner) -> Effect {
    for moved in [winnerBelow, winnerAbove] where moved != winner && moved != .tie {
      return winner == .tie ? .decides : .flips
    }
    return winnerBelow == winner && winnerAbove == winner ? .none : .ties
  }
  /// What becomes of a winner.
  public enum Effect: String, Sendable {
    /// Nothing.
    case none = "no"
    /// The other one is better then.
    case flips
    /// Neither is better any more.
    case ties
    /// A tie is none any more.
    case decides
  }
  /// The flip that takes the smaller change, as a ratio.
  public var nearestFlip: Double? {
    guard let below = flipBelow else { return flipAbove }
    guard let above = flipAbove else { return below }
    return 1 / below <= above ? below : above
  }
}

/// What was found for one combination of the other axes and one job.
public struct WhatIfResult: Sendable {
  /// The values of the other axes.
  public var labels: [String]
  public var job: String
  /// Means as the scenario stands.
  public var a: Double
  public var b: Double
  public var winner: PairWinner
  public var errorOfA: Double?
  public var errorOfB: Double?
  /// The most influential first; equal ones in the order of ``WhatIfQuestion/assumptions``.
  public var influences: [AssumptionInfluence]
  /// Simulated runs, of all jobs together.
  public var runs: Int

  /// B over A as the scenario stands.
  public var ratio: Double { b / a }
}

/// The answer to a ``WhatIfQuestion``.
public struct WhatIfAnswer: Sendable {
  public var question: WhatIfQuestion
  public var pair: VariantPair
  /// The names of the other axes.
  public var columns: [String]
  public var replicates: Int
  public var results: [WhatIfResult]
  /// Doubts about the scenario.
  public var warnings: [Issue]
}

extension WhatIfQuestion {
  /// What is moved, by key.
  public static let assumptions = [
    "compute_time", "codec_cost", "goodput", "link_bandwidth", "latency", "straggler_spread",
  ]

  /// Runs `file` with one assumption at a time moved, then narrows the changes that flip the winner.
  ///
  /// A scenario that scales assumptions already is moved from there. Both variants and all changes
  /// meet the same random numbers, so that the means over replicates differ by the change alone.
  /// A flip is looked for at three factors a direction before it is narrowed; two within one step are
  /// not seen.
  ///
  /// - Throws: `InvalidInput` for variants that are not there, and what a run threw.
  /// - Complexity: 49 runs of either variant and replicate, and up to log2(limit / tolerance) a flip.
  public func answer(
    _ file: ScenarioFile, options: AnswerOptions = AnswerOptions()
  ) throws -> WhatIfAnswer {
    let variants = try VariantContexts(file, between: between)
    var results: [WhatIfResult] = []
    let encodings = EncodingCache()
    for context in variants.contexts {
      var study = WhatIfStudy(
        question: self,
        evaluator: PairEvaluator(
          a: context.a, b: context.b, metric: metric, options: options,
          encodings: encodings),
        given: try Self.given(context))
      results += try study.results(labels: context.labels, jobs: variants.jobs)
    }
    return WhatIfAnswer(
      question: self, pair: variants.pair, columns: variants.columns,
      replicates: variants.replicates, results: results, warnings: variants.warnings)
  }

  /// The factors that the scenario applies by itself, which both variants must share.
  private static func given(_ context: VariantContexts.Context) throws(InvalidInput) -> [Double] {
    var factors: [Double] = []
    for name in assumptions {
      let own = context.a.root.get(["assumptions", name])?.number ?? 1
      guard own == context.b.root.get(["assumptions", name])?.number ?? 1 else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--between"]),
            problem: .conflict("the two variants differ in assumptions.\(name) already"))
        ])
      }
      factors.append(own)
    }
    return factors
  }
}

/// Moves the assumptions under one combination of the other axes.
private struct WhatIfStudy {
  let question: WhatIfQuestion
  var evaluator: PairEvaluator
  /// The factors as the scenario stands.
  let given: [Double]

  private func settings(_ moved: Int?, _ factor: Double) -> [Setting] {
    WhatIfQuestion.assumptions.indices.map { index in
      let value = given[index] * (index == moved ? factor : 1)
      return Setting(
        path: ["assumptions", WhatIfQuestion.assumptions[index]],
        node: JSONNode(.number(JSONNumber(min(1000, max(0.001, value))))))
    }
  }

  private func winner(_ sample: PairSample, _ job: Int) -> PairWinner {
    PairWinner(
      sample.a[job].mean, sample.b[job].mean, question.direction, threshold: question.tieThreshold)
  }

  /// Factors at which a flip is looked for, from 1 outwards.
  private func scan() -> [Double] {
    let root = DeterministicMath.exp(DeterministicMath.log(question.limit) / 3)
    return [root, root * root, question.limit]
  }

  mutating func results(labels: [String], jobs: [String]) throws -> [WhatIfResult] {
    let count = WhatIfQuestion.assumptions.count
    let outward = scan()
    let factors =
      [1 - question.change, 1 + question.change] + outward.map { 1 / $0 } + outward
    var all = [settings(nil, 1)]
    for index in 0..<count { all += factors.map { settings(index, $0) } }
    let samples = try evaluator.samples(at: all)
    let base = samples[0]
    func sample(_ index: Int, _ factor: Int) -> PairSample {
      samples[1 + index * factors.count + factor]
    }
    var results: [WhatIfResult] = []
    for job in jobs.indices {
      let difference = base.difference(job)
      var influences: [AssumptionInfluence] = []
      for index in 0..<count {
        let (below, above) = (sample(index, 0), sample(index, 1))
        var influence = AssumptionInfluence(
          assumption: WhatIfQuestion.assumptions[index],
          ratioBelow: below.b[job].mean / below.a[job].mean,
          ratioAbove: above.b[job].mean / above.a[job].mean,
          winnerBelow: winner(below, job), winnerAbove: winner(above, job))
        if difference != 0 {
          // The moved ones are looks as well, between 1 and the scan or within it.
          var known = factors.indices.map { (factors[$0], sample(index, $0).difference(job)) }
          known.append((1, difference))
          known.sort { $0.0 < $1.0 }
          influence.flipBelow = try flip(
            index, job, known.filter { $0.0 <= 1 }.reversed(), difference)
          influence.flipAbove = try flip(index, job, known.filter { $0.0 >= 1 }, difference)
        }
        influences.append(influence)
      }
      let order = influences.indices.sorted {
        (-influences[$0].swing, $0) < (-influences[$1].swing, $1)
      }
      results.append(
        WhatIfResult(
          labels: labels, job: jobs[job], a: base.a[job].mean, b: base.b[job].mean,
          winner: winner(base, job), errorOfA: base.a[job].error,
          errorOfB: base.b[job].error, influences: order.map { influences[$0] }, runs: 0))
    }
    for index in results.indices { results[index].runs = evaluator.runs }
    return results
  }

  /// The factor nearest to 1 at which the difference loses its sign, on the scale of ratios; `known`
  /// begins at 1.
  private mutating func flip(
    _ index: Int, _ job: Int, _ known: [(factor: Double, difference: Double)],
    _ difference: Double
  ) throws -> Double? {
    let sign = SignChange.sign(difference)
    guard let out = known.firstIndex(where: { SignChange.sign($0.difference) != sign }), out > 0
    else { return nil }
    func place(_ at: Int) -> (x: Double, value: Double) {
      (DeterministicMath.log(known[at].factor), known[at].difference)
    }
    let (inner, outer) = (place(out - 1), place(out))
    var change = SignChange(
      inner.x < outer.x ? inner : outer, inner.x < outer.x ? outer : inner,
      tolerance: question.tolerance)
    while !change.isDone {
      let x = change.next
      let found = try evaluator.samples(at: [settings(index, DeterministicMath.exp(x))])
      change.take(x, found[0].difference(job))
    }
    return DeterministicMath.exp(change.estimate)
  }
}
