import Experiments
import SimKernel

/// The places where two variants tie, as tables and sentences.
public struct CrossoverReport {
  private let answer: CrossoverAnswer

  /// The report of `answer`.
  public init(_ answer: CrossoverAnswer) { self.answer = answer }

  /// One row a crossing, and one for every combination that has none.
  public var document: AnswerDocument {
    AnswerDocument(heading: heading, tables: [table], notes: sentences + notes)
  }

  private var hasJobs: Bool { Set(answer.results.map(\.job)).count > 1 }

  /// `value` base units in the user's unit.
  private func shown(_ value: Double) -> String {
    let number = Numbers.significant(answer.scale.inUnits(value), 4)
    return answer.scale.unit.isEmpty ? number : number + " " + answer.scale.unit
  }
  private func shown(_ interval: ClosedRange<Double>) -> String {
    let text = Numbers.interval(
      answer.scale.inUnits(interval.lowerBound)...answer.scale.inUnits(interval.upperBound))
    return answer.scale.unit.isEmpty ? text : text + " " + answer.scale.unit
  }
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

  private var heading: [String] {
    [
      "A: \(answer.pair.a)", "B: \(answer.pair.b)",
      "\(answer.question.axis) from \(shown(answer.range.lowerBound)) to "
        + "\(shown(answer.range.upperBound)), \(answer.question.metric) "
        + "(\(answer.question.direction == .lowerIsBetter ? "lower" : "higher") is better)",
    ]
  }

  private var table: AnswerTable {
    let unit = answer.scale.unit
    var columns = answer.columns.map {
      AnswerTable.Column($0, ColumnNames.short($0, among: answer.columns), .left)
    }
    columns += [
      .init("job", hasJobs ? "job" : nil, .left), .init("a"), .init("b"), .init("axis"),
      .init("unit"), .init("crossing", "ties at"), .init("bracket_low", "search bracket"),
      .init("bracket_high"),
      .init("interval_low", "\(Numbers.percent(answer.question.confidence)) interval"),
      .init("interval_high"), .init("confidence"), .init("better_below", "better below", .left),
      .init("better_above", "better above", .left), .init("jump"),
      .init("a_gradient_rel_l2", "error A"), .init("b_gradient_rel_l2", "error B"),
      .init("replicates"), .init("replicates_that_cross"), .init("runs", "runs"),
    ]
    var table = AnswerTable(
      "crossings", columns, expendable: ["runs", "search bracket"])
    for result in answer.results {
      let head: [AnswerTable.Cell] =
        result.labels.map { .text($0) } + [
          .text(result.job), .text(answer.pair.a), .text(answer.pair.b),
          .text(answer.question.axis), .text(unit),
        ]
      func tail(_ errors: (Double?, Double?), crossing: Int) -> [AnswerTable.Cell] {
        [
          .number(errors.0, shown: error(errors.0)), .number(errors.1, shown: error(errors.1)),
          .count(answer.replicates), .count(crossing), .count(result.runs),
        ]
      }
      func units(_ value: Double?) -> Double? { value.map { answer.scale.inUnits($0) } }
      for crossing in result.crossings {
        let interval = crossing.interval
        table.add(
          head + [
            .number(units(crossing.value), shown: shown(crossing.value)),
            .number(units(crossing.bracket.lowerBound), shown: shown(crossing.bracket)),
            .number(units(crossing.bracket.upperBound)),
            .number(
              units(interval?.lowerBound),
              shown: interval.map { shown($0) }
                ?? (answer.replicates == 1 ? "one replicate" : "unknown")),
            .number(units(interval?.upperBound)), .number(answer.question.confidence),
            .text(crossing.below.rawValue, shown: name(crossing.below)),
            .text(crossing.above.rawValue, shown: name(crossing.above)),
            .text(crossing.isJump ? "yes" : "no"),
          ]
            + tail(
              (crossing.errorOfA, crossing.errorOfB),
              crossing: answer.replicates == 1
                ? 1 : crossing.replicates.count { $0 != nil }))
      }
      if result.crossings.isEmpty {
        let empty = AnswerTable.Cell.number(nil)
        table.add(
          head + [.number(nil, shown: "nowhere"), empty, empty, empty, empty]
            + [
              .number(answer.question.confidence),
              .text(result.atFrom.rawValue, shown: name(result.atFrom)),
              .text(result.atTo.rawValue, shown: name(result.atTo)), .text("no"),
            ] + tail((result.errorOfA, result.errorOfB), crossing: 0))
      }
    }
    return table
  }

  // MARK: - Sentences

  private func named(_ winner: PairWinner, _ errors: (Double?, Double?)) -> String {
    switch winner {
    case .a: "\(answer.pair.a) (gradient error \(error(errors.0)))"
    case .b: "\(answer.pair.b) (gradient error \(error(errors.1)))"
    case .tie: "neither"
    }
  }

  private var sentences: [String] {
    answer.results.flatMap { result -> [String] in
      let names = (hasJobs ? [result.job] : []) + result.labels
      let head = names.isEmpty ? "" : names.joined(separator: ", ") + ": "
      if result.crossings.isEmpty {
        let errors = (result.errorOfA, result.errorOfB)
        if result.atFrom == .tie {
          return [
            head + "a tie over the whole range, \(named(.a, errors)) and \(named(.b, errors))"
          ]
        }
        let isClose = [result.gainAtFrom, result.gainAtTo].allSatisfy {
          $0.magnitude <= PointSummary.tieThreshold
        }
        return [
          head + "\(named(result.atFrom, errors)) is "
            + (isClose
              ? "ahead by less than \(Numbers.percent(PointSummary.tieThreshold)), which is a tie,"
              : "better than \(named(result.atFrom == .a ? .b : .a, errors))")
            + " over the whole range; B / A goes from "
            + "\(Numbers.significant(1 + result.gainAtFrom, 4)) to "
            + "\(Numbers.significant(1 + result.gainAtTo, 4))"
        ]
      }
      return result.crossings.map { crossing in
        let errors = (crossing.errorOfA, crossing.errorOfB)
        let place = shown(crossing.value) + (crossing.interval.map { " \(shown($0))" } ?? "")
        let below = named(crossing.below, errors)
        let above = named(crossing.above, errors)
        if crossing.below == .tie {
          return head + "\(above) pulls ahead from \(place) on; below is a tie"
        }
        if crossing.above == .tie {
          return head + "\(below) stops paying off at \(place); above is a tie"
        }
        return head + "\(below) stops paying off at \(place); above it \(above) is better"
          + (crossing.isJump ? ", by a jump" : "")
      }
    }
  }

  private var notes: [String] {
    var notes: [String] = []
    let crossings = answer.results.flatMap(\.crossings)
    if answer.replicates > 1, !crossings.isEmpty {
      notes.append(
        "the interval is that of the places where each of the \(answer.replicates) replicates ties, "
          + "by \(answer.replicates >= 30 ? "bootstrap" : "Student's t") on "
          + (answer.isLogarithmic ? "the logarithm of the axis" : "the axis"))
    } else if !crossings.isEmpty {
      notes.append(
        "one replicate: the bracket is where the search stopped; set \"replicates\" for an interval"
      )
    }
    let lost = crossings.filter { $0.replicates.contains { $0 == nil } }.count
    if lost > 0 {
      notes.append(
        "\(lost) of \(crossings.count) crossings are not met by every replicate, so that they have "
          + "no interval: the variants are closer there than replicates can tell")
    }
    let runs = answer.results.reduce(into: [[String]: Int]()) { $0[$1.labels] = $1.runs }
      .values.reduce(0, +)
    notes.append(
      "\(runs) runs; crossings were looked for in \(answer.question.intervals) intervals of equal "
        + (answer.isLogarithmic ? "ratio" : "width"))
    return notes
  }
}
