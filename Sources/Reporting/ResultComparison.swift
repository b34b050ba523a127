import Experiments
import SimKernel
import Validation

/// Two result files, or two variants inside one, compared point by point.
///
/// Differences are B less A of pairs, ratios are the geometric mean of B over A. Every point and
/// metric is a comparison; all of them are one family, for which probabilities are adjusted.
public struct ResultComparison: Sendable {
  /// Who has the better values.
  public enum Outcome: String, Sendable {
    case a
    case b
    case tie
  }
  /// Why that is so.
  public enum Basis: String, Sendable {
    /// The adjusted probability of the t test decided.
    case test = "t test"
    /// Every pair has the same difference: there is nothing to estimate.
    case exact
    /// One pair: its difference is that of this seed, and nothing is known of others.
    case onePair = "one pair"
    /// The means are closer than the models of a cluster are exact.
    case threshold = "within the tie threshold"
    /// The test could not tell them apart.
    case insignificant = "not significant"
  }

  /// One point, job and metric.
  public struct Entry: Sendable {
    /// The values of ``ResultComparison/columns``.
    public var labels: [String]
    public var job: String
    public var metric: JudgedMetric
    /// Means over the pairs.
    public var a: Double
    public var b: Double
    /// The differences, and what they come to; its intervals and probabilities are nil unless
    /// ``basis`` rests on a test.
    public var comparison: Validation.Comparison
    /// Cohen's d_z; nil like ``comparison``'s Hedges' g where differences do not vary.
    public var cohensD: Double?
    /// The geometric mean of B over A and its interval by Student's t over logarithms; nil unless all
    /// values are positive.
    public var ratio: Double?
    public var ratioInterval: ClosedRange<Double>?
    public var outcome: Outcome
    public var basis: Basis
    /// Mean gradient errors; nil where unknown.
    public var errorOfA: Double?
    public var errorOfB: Double?
  }

  /// How sides and points are chosen.
  public struct Choice: Sendable {
    /// Two variants, as ``VariantPair`` reads them; nil compares whole files.
    public var between: [String]?
    /// The columns to sum up by.
    ///
    /// Nil takes every column that names a point. Given, swept columns that one of two files lacks
    /// may be averaged over.
    public var by: [String]?
    public var metrics: [JudgedMetric]
    /// The relative difference of means up to which there is a tie whatever the test says.
    public var tieThreshold: Double

    public init(
      between: [String]? = nil, by: [String]? = nil, metrics: [JudgedMetric],
      tieThreshold: Double = PointSummary.tieThreshold
    ) {
      self.between = between
      self.by = by
      self.metrics = metrics
      self.tieThreshold = tieThreshold
    }
  }

  /// What A and B are.
  public let nameOfA: String
  public let nameOfB: String
  /// The columns that name a point.
  public let columns: [String]
  /// The columns to sum up by, of ``columns``.
  public let by: [String]
  /// Swept columns that values are means over.
  public let averaged: [String]
  /// In the order of A's rows, metric by metric.
  public let entries: [Entry]
  public let metrics: [JudgedMetric]
  public let settings: ComparisonSettings
  public let tieThreshold: Double
  /// Rows that found no partner, and pairs without a number.
  public let unpairedA: Int
  public let unpairedB: Int
  public let unknown: Int

  /// Compares `a` with `b`, or two variants of `a` if there is no `b`.
  ///
  /// - Throws: `InputError` for files that do not pair; `InvalidInput` for variants and columns that
  ///   are not theirs, and for swept columns that only one file has.
  public init(
    _ a: ResultsFile, _ b: ResultsFile?, _ choice: Choice, settings: ComparisonSettings
  ) throws {
    let other = b ?? a
    let names = choice.metrics.map(\.name)
    let ofA = a.swept(except: names)
    let ofB = other.swept(except: names)
    var shared = ofA.filter(ofB.contains)
    let lone = ofA.filter { !ofB.contains($0) } + ofB.filter { !ofA.contains($0) }
    if let column = lone.first {
      let owner = ofA.contains(column) ? a.path : other.path
      if let by = choice.by, !by.contains(column) {
      } else {
        throw Self.invalid(
          "--by",
          .conflict(
            "\(column) is swept in \(owner) alone; --by "
              + "\(shared.first ?? "job") would take means over it"))
      }
    }
    var sides = (ResultPairs.Side(file: a), ResultPairs.Side(file: other))
    if let texts = choice.between {
      let labels = [a, other].flatMap { file in
        let places = shared.compactMap { file.column($0) }
        return file.rows.map { row in places.map { row[$0] } }
      }
      let pair = try VariantPair(texts, columns: shared, labels: labels)
      sides.0.variant = (pair.column, pair.a)
      sides.1.variant = (pair.column, pair.b)
      shared = pair.context.map { shared[$0] }
    }
    for column in choice.by ?? [] where column != "job" && !shared.contains(column) {
      throw Self.invalid(
        "--by",
        .unknownName(
          noun: "column", found: column,
          suggestion: Spelling.suggestion(for: column, among: shared + ["job"]),
          known: shared + ["job"]))
    }
    let pairs = try ResultPairs(
      sides.0, sides.1, columns: shared, averaging: lone, metrics: choice.metrics)
    nameOfA = sides.0.variant?.value ?? a.path
    nameOfB = sides.1.variant?.value ?? other.path
    columns = shared
    averaged = lone
    metrics = choice.metrics
    self.settings = settings
    tieThreshold = choice.tieThreshold
    unpairedA = pairs.unpairedA
    unpairedB = pairs.unpairedB
    unknown = pairs.unknown.reduce(0, +)
    entries = try Self.entries(pairs, choice, settings)
    by =
      choice.by
      ?? (shared + ["job"]).filter { name in
        let place = shared.firstIndex(of: name)
        return Set(pairs.points.map { point in place.map { point.labels[$0] } ?? point.job }).count
          > 1
      }
  }

  private static func invalid(_ option: String, _ problem: Issue.Problem) -> InvalidInput {
    InvalidInput([Issue(path: FieldPath([option]), problem: problem)])
  }

  // MARK: - Entries

  private static func entries(
    _ pairs: ResultPairs, _ choice: Choice, _ settings: ComparisonSettings
  ) throws -> [Entry] {
    var family: [PairedDifferences] = []
    var places: [(point: Int, metric: Int)] = []
    for metric in choice.metrics.indices {
      for (index, point) in pairs.points.enumerated() where !point.a[metric].isEmpty {
        family.append(
          try PairedDifferences(baseline: point.a[metric], candidate: point.b[metric]))
        places.append((index, metric))
      }
    }
    let tested = family.indices.filter { index in
      let (point, metric) = places[index]
      return family[index].count >= 2
        && !isExact(family[index], pairs.points[point].a[metric] + pairs.points[point].b[metric])
    }
    let results = settings.compare(
      tested.map { family[$0] },
      directions: tested.map { choice.metrics[places[$0].metric].direction })
    var comparisons = family.map { differences in
      Validation.Comparison(
        pairs: differences.count, difference: differences.mean, winner: .undecided)
    }
    for (index, result) in zip(tested, results) { comparisons[index] = result }
    var isTested = [Bool](repeating: false, count: family.count)
    for index in tested { isTested[index] = true }
    return try family.indices.map { index in
      let point = pairs.points[places[index].point]
      let metric = choice.metrics[places[index].metric]
      let a = point.a[places[index].metric]
      let b = point.b[places[index].metric]
      var entry = Entry(
        labels: point.labels, job: point.job, metric: metric, a: mean(a), b: mean(b),
        comparison: comparisons[index], cohensD: isTested[index] ? family[index].cohensD : nil,
        outcome: .tie, basis: .threshold, errorOfA: point.errorOfA, errorOfB: point.errorOfB)
      if (a + b).allSatisfy({ $0 > 0 }) {
        let logarithms = try PairedDifferences(
          baseline: a.map(DeterministicMath.log), candidate: b.map(DeterministicMath.log))
        entry.ratio = DeterministicMath.exp(logarithms.mean)
        if isTested[index],
          let interval = logarithms.studentInterval(confidence: settings.confidence)
        {
          entry.ratioInterval =
            DeterministicMath.exp(interval.lowerBound)...DeterministicMath.exp(interval.upperBound)
        }
      }
      (entry.outcome, entry.basis) = judge(
        entry, isTested: isTested[index], threshold: choice.tieThreshold)
      return entry
    }
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// Whether differences agree up to the rounding of the values they come from.
  private static func isExact(_ differences: PairedDifferences, _ values: [Double]) -> Bool {
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    return differences.standardDeviation <= 1e-14 * largest
  }

  private static func judge(
    _ entry: Entry, isTested: Bool, threshold: Double
  ) -> (Outcome, Basis) {
    let difference = entry.comparison.difference
    let kind: Basis = isTested ? .test : entry.comparison.pairs == 1 ? .onePair : .exact
    if difference == 0, !isTested { return (.tie, kind) }
    if difference.magnitude <= threshold * min(entry.a.magnitude, entry.b.magnitude) {
      return (.tie, .threshold)
    }
    if isTested {
      switch entry.comparison.winner {
      case .baseline: return (.a, .test)
      case .candidate: return (.b, .test)
      case .undecided: return (.tie, .insignificant)
      }
    }
    let isLower = entry.metric.direction == .lowerIsBetter
    return ((difference < 0) == isLower ? .b : .a, kind)
  }
}
