import SimKernel

/// Which of two values of a metric is the better one.
public enum MetricDirection: String, Sendable, CaseIterable {
  /// As for times and errors.
  case lowerIsBetter = "lower"
  /// As for accuracies and throughputs.
  case higherIsBetter = "higher"
}

/// One baseline compared with one candidate over the pairs they share.
public struct Comparison: Sendable, Equatable {
  /// Who is better.
  public enum Winner: String, Sendable {
    /// The baseline, significantly.
    case baseline
    /// The candidate, significantly.
    case candidate
    /// Nobody that these pairs could tell.
    case undecided
  }

  /// The number of pairs.
  public var pairs: Int
  /// The mean of candidate less baseline.
  public var difference: Double
  /// Student's interval of it.
  public var studentInterval: ClosedRange<Double>?
  /// The bootstrap's interval of it.
  public var bootstrapInterval: ClosedRange<Double>?
  /// Hedges' g, the difference in units of its spread without small-sample bias.
  public var effectSize: Double?
  /// The probability of such a difference by chance, by the t test; nil below two pairs.
  public var probability: Double?
  /// The same, adjusted for all comparisons made together.
  public var adjustedProbability: Double?
  /// Who is better, at the adjusted probability.
  public var winner: Winner

  /// A comparison; what is left out is unknown.
  public init(
    pairs: Int, difference: Double, studentInterval: ClosedRange<Double>? = nil,
    bootstrapInterval: ClosedRange<Double>? = nil, effectSize: Double? = nil,
    probability: Double? = nil, adjustedProbability: Double? = nil, winner: Winner
  ) {
    self.pairs = pairs
    self.difference = difference
    self.studentInterval = studentInterval
    self.bootstrapInterval = bootstrapInterval
    self.effectSize = effectSize
    self.probability = probability
    self.adjustedProbability = adjustedProbability
    self.winner = winner
  }
}

/// How comparisons are made.
public struct ComparisonSettings: Sendable {
  /// Which value is the better one.
  public var direction: MetricDirection
  /// The confidence of every interval; 1 - confidence is the level of every test.
  public var confidence: Double
  /// The adjustment for the number of comparisons.
  public var correction: MultipleComparisons
  /// How pairs are resampled.
  public var bootstrap: Bootstrap
  /// The seed of the resampling; comparison i draws from its own stream.
  public var seed: UInt64

  /// Settings for a metric whose better values `direction` tells.
  public init(
    direction: MetricDirection = .lowerIsBetter, confidence: Double = 0.95,
    correction: MultipleComparisons = .holm, bootstrap: Bootstrap = Bootstrap(), seed: UInt64 = 1
  ) {
    self.direction = direction
    self.confidence = confidence
    self.correction = correction
    self.bootstrap = bootstrap
    self.seed = seed
  }

  /// Every comparison of a family, in its order, tested together.
  ///
  /// A comparison of fewer than two pairs is undecided and does not count among those adjusted for.
  /// A family may mix metrics: `directions` then says for each comparison what ``direction`` says for
  /// all.
  public func compare(
    _ family: [PairedDifferences], directions: [MetricDirection]? = nil
  ) -> [Comparison] {
    precondition(
      directions.map { $0.count == family.count } ?? true, "a comparison has one direction")
    let testable = family.indices.filter { family[$0].count >= 2 }
    let probabilities = family.map(\.studentProbability)
    var adjusted = [Double?](repeating: nil, count: family.count)
    let values = correction.adjusted(testable.compactMap { probabilities[$0] })
    for (index, value) in zip(testable, values) { adjusted[index] = value }
    let purpose = RandomPurpose("bootstrap")
    return family.indices.map { index in
      let differences = family[index]
      return Comparison(
        pairs: differences.count, difference: differences.mean,
        studentInterval: differences.studentInterval(confidence: confidence),
        bootstrapInterval: bootstrap.interval(
          of: differences, confidence: confidence,
          stream: RandomStream(seed: seed, purpose: purpose, entity: index)),
        effectSize: differences.hedgesG, probability: probabilities[index],
        adjustedProbability: adjusted[index],
        winner: winner(
          differences.mean, probability: adjusted[index], directions?[index] ?? direction))
    }
  }

  private func winner(
    _ difference: Double, probability: Double?, _ direction: MetricDirection
  ) -> Comparison.Winner {
    guard let probability, probability <= 1 - confidence, difference != 0 else {
      return .undecided
    }
    switch direction {
    case .lowerIsBetter: return difference < 0 ? .candidate : .baseline
    case .higherIsBetter: return difference > 0 ? .candidate : .baseline
    }
  }
}
