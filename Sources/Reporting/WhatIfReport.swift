import Experiments
import SimKernel

/// Which assumption decides between two variants, the most influential first.
public struct WhatIfReport {
  private let answer: WhatIfAnswer

  /// The report of `answer`.
  public init(_ answer: WhatIfAnswer) { self.answer = answer }

  /// A table of every assumption, and what it comes to.
  public var document: AnswerDocument {
    AnswerDocument(heading: heading, tables: [table], notes: sentences + notes)
  }

  private var hasJobs: Bool { Set(answer.results.map(\.job)).count > 1 }
  private var down: String { "-" + Numbers.percent(answer.question.change) }
  private var up: String { "+" + Numbers.percent(answer.question.change) }

  private func error(_ value: Double?) -> String {
    value.map { Numbers.significant($0, 3) } ?? "unknown"
  }
  private func name(_ winner: PairWinner) -> String {
    switch winner {
    case .a: answer.pair.a
    case .b: answer.pair.b
    case .tie: "tie"
    }
  }
  private func ratio(_ value: Double) -> String { Numbers.significant(value, 4) + "x" }

  private var heading: [String] {
    [
      "A: \(answer.pair.a)", "B: \(answer.pair.b)",
      "\(answer.question.metric) "
        + "(\(answer.question.direction == .lowerIsBetter ? "lower" : "higher") is better), one "
        + "assumption at a time \(down) and \(up)",
    ]
  }

  private var table: AnswerTable {
    var columns = answer.columns.map {
      AnswerTable.Column($0, ColumnNames.short($0, among: answer.columns), .left)
    }
    columns += [
      .init("job", hasJobs ? "job" : nil, .left), .init("a"), .init("b"),
      .init("assumption", "assumption", .left), .init("change"), .init("ratio", "B / A"),
      .init("better"), .init("ratio_below", "at \(down)"), .init("ratio_above", "at \(up)"),
      .init("swing", "swing"), .init("better_below", "better at \(down)", .left),
      .init("better_above", "better at \(up)", .left), .init("effect", "effect", .left),
      .init("flip_below", "flips below"), .init("flip_above", "flips above"),
      .init("a_gradient_rel_l2", "error A"), .init("b_gradient_rel_l2", "error B"),
    ]
    var table = AnswerTable(
      "influences", columns, expendable: ["B / A", "better at \(down)", "better at \(up)"])
    for result in answer.results {
      for influence in result.influences {
        table.add(
          result.labels.map { .text($0) } + [
            .text(result.job), .text(answer.pair.a), .text(answer.pair.b),
            .text(influence.assumption), .number(answer.question.change),
            .number(result.ratio, shown: ratio(result.ratio)), .text(result.winner.rawValue),
            .number(influence.ratioBelow, shown: ratio(influence.ratioBelow)),
            .number(influence.ratioAbove, shown: ratio(influence.ratioAbove)),
            .number(influence.swing, shown: Numbers.significant(influence.swing, 2)),
            .text(influence.winnerBelow.rawValue, shown: name(influence.winnerBelow)),
            .text(influence.winnerAbove.rawValue, shown: name(influence.winnerAbove)),
            .text(influence.effect(on: result.winner).rawValue),
            .number(influence.flipBelow, shown: influence.flipBelow.map(ratio) ?? "-"),
            .number(influence.flipAbove, shown: influence.flipAbove.map(ratio) ?? "-"),
            .number(result.errorOfA, shown: error(result.errorOfA)),
            .number(result.errorOfB, shown: error(result.errorOfB)),
          ])
      }
    }
    return table
  }

  // MARK: - Sentences

  private var sentences: [String] {
    answer.results.map { result in
      let names = (hasJobs ? [result.job] : []) + result.labels
      let head = names.isEmpty ? "" : names.joined(separator: ", ") + ": "
      let both =
        "\(answer.pair.a) (gradient error \(error(result.errorOfA))) and \(answer.pair.b) "
        + "(gradient error \(error(result.errorOfB)))"
      let within = Numbers.percent(answer.question.change)
      func those(_ effect: AssumptionInfluence.Effect) -> [String] {
        result.influences.filter { $0.effect(on: result.winner) == effect }.map(\.assumption)
      }
      if result.winner == .tie {
        return head + "a tie of \(both), B / A is \(ratio(result.ratio)); "
          + (those(.decides).isEmpty
            ? "no assumption moved by \(within) decides it"
            : "within \(within) it is decided by \(those(.decides).joined(separator: ", "))")
      }
      let isA = result.winner == .a
      let distance = max(result.ratio, 1 / result.ratio)
      let verdict =
        "\(name(result.winner)) (gradient error \(error(isA ? result.errorOfA : result.errorOfB))) "
        + "is better by a factor of \(Numbers.significant(distance, 4)) than "
        + "\(name(isA ? .b : .a)) (gradient error \(error(isA ? result.errorOfB : result.errorOfA)))"
      let changes = [("flips", AssumptionInfluence.Effect.flips), ("becomes a tie", .ties)]
        .compactMap { what, effect in
          those(effect).isEmpty ? nil : "\(what) by \(those(effect).joined(separator: ", "))"
        }
      if !changes.isEmpty {
        return head + verdict + "; within \(within) that \(changes.joined(separator: " and "))"
      }
      let nearest = result.influences.compactMap { influence in
        influence.nearestFlip.map { (influence.assumption, $0) }
      }.min { max($0.1, 1 / $0.1) < max($1.1, 1 / $1.1) }
      let rest =
        nearest.map { "the nearest flip is \($0.0) times \(Numbers.significant($0.1, 3))" }
        ?? "nor does any up to a factor of \(Numbers.significant(answer.question.limit, 3))"
      return head + verdict + "; no assumption moved by \(within) flips that, \(rest)"
    }
  }

  private var notes: [String] {
    let runs = answer.results.reduce(into: [[String]: Int]()) { $0[$1.labels] = $1.runs }
      .values.reduce(0, +)
    return [
      "a tie is a difference within \(Numbers.percent(answer.question.tieThreshold))",
      "swing is the distance of the two ratios; flips are the factors nearest to 1 at which both are "
        + "equal, looked for from 1/\(Numbers.significant(answer.question.limit, 3)) to "
        + "\(Numbers.significant(answer.question.limit, 3)); goodput stays at most 1; "
        + "link_bandwidth and latency are those between hosts",
      "\(runs) runs, means over \(answer.replicates) "
        + (answer.replicates == 1 ? "replicate" : "replicates"),
    ]
  }
}
