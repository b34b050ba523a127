import Experiments
import SimKernel
import Validation

/// A comparison as tables: every point, then who wins where.
public struct ComparisonReport {
  private let comparison: ResultComparison

  /// The report of `comparison`.
  public init(_ comparison: ResultComparison) { self.comparison = comparison }

  /// Both tables and what they come to.
  public var document: AnswerDocument {
    AnswerDocument(
      heading: heading, tables: [points, summary], notes: verdicts + notes)
  }

  private var percent: String { Numbers.percent(comparison.settings.confidence) }
  private var hasJobs: Bool { Set(comparison.entries.map(\.job)).count > 1 }
  private var hasMetrics: Bool { comparison.metrics.count > 1 }

  private var heading: [String] {
    let metrics = comparison.metrics.map { metric in
      "\(metric.name) (\(metric.direction == .lowerIsBetter ? "lower" : "higher") is better)"
    }
    return [
      "A: \(comparison.nameOfA)", "B: \(comparison.nameOfB)",
      "compared: \(metrics.joined(separator: ", "))",
    ]
  }

  // MARK: - Points

  private var points: AnswerTable {
    var columns: [AnswerTable.Column] = [.init("a"), .init("b")]
    columns += comparison.columns.map {
      .init($0, ColumnNames.short($0, among: comparison.columns), .left)
    }
    columns += [
      .init("job", hasJobs ? "job" : nil, .left),
      .init("metric", hasMetrics ? "metric" : nil, .left),
      .init("better_is"), .init("pairs", "pairs"), .init("a_mean", "A"), .init("b_mean", "B"),
      .init("difference", "B - A"), .init("confidence"), .init("t_low", "\(percent) by t"),
      .init("t_high"), .init("bootstrap_low", "\(percent) by bootstrap"), .init("bootstrap_high"),
      .init("ratio", "B / A"), .init("ratio_low", "\(percent) of B / A"), .init("ratio_high"),
      .init("cohens_dz"), .init("hedges_g", "g"), .init("p"), .init("p_adjusted", "adjusted p"),
      .init("better", "better", .left), .init("basis"),
      .init("a_gradient_rel_l2", "error A"), .init("b_gradient_rel_l2", "error B"),
    ]
    var table = AnswerTable(
      "comparisons", columns,
      expendable: [
        "\(percent) by bootstrap", "\(percent) of B / A", "g", "adjusted p", "pairs",
        "\(percent) by t",
      ])
    for entry in comparison.entries { table.add(cells(of: entry)) }
    return table
  }

  private func cells(of entry: ResultComparison.Entry) -> [AnswerTable.Cell] {
    let found = entry.comparison
    let certain = entry.basis == .onePair ? "one pair" : found.pairs == 1 ? "one pair" : "exact"
    var cells: [AnswerTable.Cell] = [.text(comparison.nameOfA), .text(comparison.nameOfB)]
    cells += entry.labels.map { .text($0) }
    cells += [
      .text(entry.job), .text(entry.metric.name), .text(entry.metric.direction.rawValue),
      .count(found.pairs), .number(entry.a), .number(entry.b), .number(found.difference),
      .number(comparison.settings.confidence),
    ]
    cells += Self.interval(found.studentInterval, without: certain)
    cells += Self.interval(found.bootstrapInterval, without: certain)
    cells.append(
      .number(entry.ratio, shown: entry.ratio.map { Numbers.significant($0, 4) + "x" }))
    cells += Self.interval(entry.ratioInterval, without: entry.ratio == nil ? "" : certain)
    cells += [
      .number(entry.cohensD),
      .number(found.effectSize, shown: found.effectSize.map { Numbers.significant($0, 3) }),
      .number(found.probability),
      .number(
        found.adjustedProbability,
        shown: found.adjustedProbability.map { Numbers.significant($0, 2) }),
      .text(entry.outcome.rawValue, shown: Self.shown(entry.outcome)),
      .text(entry.basis.rawValue), .number(entry.errorOfA, shown: Self.error(entry.errorOfA)),
      .number(entry.errorOfB, shown: Self.error(entry.errorOfB)),
    ]
    return cells
  }

  private static func interval(
    _ interval: ClosedRange<Double>?, without: String
  ) -> [AnswerTable.Cell] {
    let shown = interval.map { Numbers.interval($0) }
    return [
      .number(interval?.lowerBound, shown: shown ?? without), .number(interval?.upperBound),
    ]
  }
  private static func shown(_ outcome: ResultComparison.Outcome) -> String {
    switch outcome {
    case .a: "A"
    case .b: "B"
    case .tie: "tie"
    }
  }
  private static func error(_ value: Double?) -> String {
    value.map { Numbers.significant($0, 3) } ?? "unknown"
  }

  // MARK: - Who wins where

  private struct Score {
    var wins = [0, 0, 0]
    var errorsOfA: [Double?] = []
    var errorsOfB: [Double?] = []

    mutating func add(_ entry: ResultComparison.Entry) {
      switch entry.outcome {
      case .a: wins[0] += 1
      case .tie: wins[1] += 1
      case .b: wins[2] += 1
      }
      errorsOfA.append(entry.errorOfA)
      errorsOfB.append(entry.errorOfB)
    }
  }

  /// The gradient error of a side over several points: its range, if it has one.
  private static func span(_ errors: [Double?]) -> (low: Double, high: Double, shown: String)? {
    var known: [Double] = []
    for error in errors {
      guard let error else { return nil }
      known.append(error)
    }
    guard let low = known.min(), let high = known.max() else { return nil }
    let ends = [low, high].map { Numbers.significant($0, 3) }
    return (low, high, ends[0] == ends[1] ? ends[0] : ends.joined(separator: "-"))
  }

  private func values(of column: String) -> (ResultComparison.Entry) -> String {
    guard let place = comparison.columns.firstIndex(of: column) else { return { $0.job } }
    return { $0.labels[place] }
  }

  private var summary: AnswerTable {
    var table = AnswerTable(
      "who_wins_where",
      [
        .init("metric", hasMetrics ? "metric" : nil, .left), .init("column", "where", .left),
        .init("value", "", .left), .init("a_wins", "A wins"), .init("ties", "ties"),
        .init("b_wins", "B wins"), .init("a_error_low", "error A"), .init("a_error_high"),
        .init("b_error_low", "error B"), .init("b_error_high"),
      ])
    for metric in comparison.metrics {
      let entries = comparison.entries.filter { $0.metric == metric }
      for column in comparison.by {
        let value = values(of: column)
        var order: [String] = []
        var scores: [String: Score] = [:]
        for entry in entries {
          if scores[value(entry)] == nil { order.append(value(entry)) }
          scores[value(entry), default: Score()].add(entry)
        }
        for name in order {
          guard let score = scores[name] else { continue }
          let (a, b) = (Self.span(score.errorsOfA), Self.span(score.errorsOfB))
          table.add([
            .text(metric.name),
            .text(column, shown: ColumnNames.short(column, among: comparison.columns)), .text(name),
            .count(score.wins[0]), .count(score.wins[1]), .count(score.wins[2]),
            .number(a?.low, shown: a?.shown ?? "unknown"), .number(a?.high),
            .number(b?.low, shown: b?.shown ?? "unknown"), .number(b?.high),
          ])
        }
      }
    }
    return table
  }

  /// One sentence a metric; each side has its gradient error beside its wins.
  private var verdicts: [String] {
    comparison.metrics.map { metric in
      var score = Score()
      for entry in comparison.entries where entry.metric == metric { score.add(entry) }
      let total = score.wins.reduce(0, +)
      func side(_ name: String, _ wins: Int, _ errors: [Double?]) -> String {
        "\(name) (gradient error \(Self.span(errors)?.shown ?? "unknown")) wins \(wins)"
      }
      return "\(metric.name): of \(total) "
        + (total == 1 ? "comparison " : "comparisons ")
        + side("A, \(comparison.nameOfA)", score.wins[0], score.errorsOfA) + ", "
        + side("B, \(comparison.nameOfB)", score.wins[2], score.errorsOfB)
        + "; \(score.wins[1]) \(score.wins[1] == 1 ? "is a tie" : "are ties")"
    }
  }

  // MARK: - What to know

  private var notes: [String] {
    var notes: [String] = []
    let settings = comparison.settings
    let tested = comparison.entries.count { $0.comparison.probability != nil }
    let threshold = Numbers.percent(comparison.tieThreshold)
    if tested > 0 {
      let correction: String =
        switch settings.correction {
        case .none: "as they are"
        case .holm: "by Holm's method"
        case .benjaminiHochberg: "by Benjamini and Hochberg's method"
        }
      notes.append(
        "a tie is a difference within \(threshold) or one that the paired t test at \(percent) "
          + "confidence cannot tell from none; probabilities of the \(tested) "
          + "\(tested == 1 ? "test" : "tests") adjusted \(correction); ratios are geometric means of "
          + "pairs; g is Hedges' g of the differences")
    } else {
      notes.append("a tie is a difference within \(threshold)")
    }
    if comparison.entries.contains(where: {
      $0.basis != .onePair && $0.comparison.pairs > 1 && $0.comparison.probability == nil
    }) {
      notes.append(
        "exact: all pairs have the same difference, so that there is nothing to estimate")
    }
    if comparison.entries.contains(where: { $0.comparison.pairs == 1 }) {
      notes.append(
        "one pair: the difference is that of one seed; set \"replicates\" for an interval")
    }
    if !comparison.averaged.isEmpty {
      notes.append("means over \(comparison.averaged.joined(separator: ", "))")
    }
    for (name, count) in [("A", comparison.unpairedA), ("B", comparison.unpairedB)] where count > 0
    {
      notes.append("\(count) of \(name)'s values have no partner and are left out")
    }
    if comparison.unknown > 0 {
      notes.append("\(comparison.unknown) pairs without a number on both sides are left out")
    }
    return notes
  }
}
