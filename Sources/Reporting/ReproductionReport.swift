import Experiments
import SimKernel

/// Papers' tables beside what simulations give, with the misses left in.
public struct ReproductionReport {
  private let reproductions: [Reproduction]
  private let sensitivities: [(paper: String, constants: [ConstantSensitivity])]

  /// The report of `reproductions`, and of what constants of papers do, by the papers' names.
  public init(
    _ reproductions: [Reproduction],
    sensitivities: [(paper: String, constants: [ConstantSensitivity])] = []
  ) {
    self.reproductions = reproductions
    self.sensitivities = sensitivities
  }

  /// A summary with a line a paper, then every miss with its explanation, then the constants.
  public var document: AnswerDocument {
    AnswerDocument(
      tables: [summary, misses, constants], notes: notes)
  }

  /// An error as a share, or as the difference that it is.
  private func shown(_ error: Double, _ band: ToleranceBand) -> String {
    let sign = error > 0 ? "+" : ""
    return band.isRelative
      ? sign + Numbers.fixed(error * 100, 1) + " %" : sign + Numbers.significant(error, 3)
  }

  private var summary: AnswerTable {
    var table = AnswerTable(
      "papers",
      [
        .init("name", "reproduced", .left), .init("paper", nil, .left),
        .init("figure", nil, .left), .init("points", "points"), .init("within", "within"),
        .init("band", "band"), .init("mean_absolute_error", "mean |error|"),
        .init("worst_case", "worst", .left), .init("worst_error", "error"),
        .init("obtained", nil, .left),
      ])
    for reproduction in reproductions {
      let paper = reproduction.paper
      let worst = reproduction.worst
      table.add([
        .text(paper.name), .text(paper.citation.short), .text(paper.figure),
        .count(reproduction.cases.count), .count(reproduction.within),
        .text(paper.tolerance.text),
        worst == nil
          ? .number(nil)
          : .number(
            reproduction.meanAbsoluteError,
            shown: paper.tolerance.isRelative
              ? Numbers.fixed(reproduction.meanAbsoluteError * 100, 1) + " %"
              : Numbers.significant(reproduction.meanAbsoluteError, 3)),
        .text(worst?.name ?? "left out: a file is missing"),
        .number(worst?.error, shown: worst.map { shown($0.error, paper.tolerance) }),
        .text(paper.obtained),
      ])
    }
    return table
  }

  private var misses: AnswerTable {
    var table = AnswerTable(
      "misses",
      [
        .init("name", "missed", .left), .init("case", "case", .left),
        .init("published", "published"), .init("simulated", "simulated"), .init("error", "error"),
        .init("explanation", nil, .left),
      ])
    for reproduction in reproductions {
      for row in reproduction.cases where !row.isWithin {
        table.add([
          .text(reproduction.paper.name), .text(row.name), .text(row.published.text),
          .number(row.simulated),
          .number(row.error, shown: shown(row.error, reproduction.paper.tolerance)),
          .text(row.explanation ?? "unexplained"),
        ])
      }
    }
    return table
  }

  private var constants: AnswerTable {
    var table = AnswerTable(
      "constants",
      [
        .init("name", "constant of", .left), .init("constant", "constant", .left),
        .init("value", "value"), .init("chosen", "chosen", .left),
        .init("fit_mean_error", "mean |error| of the fit"),
        .init("mean_absolute_error", "mean |error| here"), .init("within", "within"),
        .init("worst_case", "worst", .left), .init("worst_error", "error"),
      ])
    for (name, constants) in sensitivities {
      for sensitivity in constants {
        for candidate in sensitivity.candidates {
          let band = candidate.own.paper.tolerance
          func mean(_ value: Double?) -> AnswerTable.Cell {
            .number(
              value,
              shown: value.map {
                band.isRelative ? Numbers.fixed($0 * 100, 1) + " %" : Numbers.significant($0, 3)
              })
          }
          table.add([
            .text(name), .text(sensitivity.constant.name), .text(candidate.value),
            .text(candidate.value == sensitivity.constant.value ? "yes" : ""),
            mean(candidate.fitError), mean(candidate.own.meanAbsoluteError),
            .count(candidate.own.within), .text(candidate.own.worst?.name ?? ""),
            .number(
              candidate.own.worst?.error, shown: candidate.own.worst.map { shown($0.error, band) }),
          ])
        }
      }
    }
    return table
  }

  /// Why points are missed, each reason once, and what was left out.
  private var notes: [String] {
    var notes: [String] = []
    for reproduction in reproductions {
      let paper = reproduction.paper
      if let file = paper.missingFile {
        notes.append("\(paper.name): left out, since \(file) is not there")
        continue
      }
      var told: [(reason: String, cases: Int)] = []
      for row in reproduction.cases where !row.isWithin {
        let reason = row.explanation ?? "unexplained"
        if let known = told.firstIndex(where: { $0.reason == reason }) {
          told[known].cases += 1
        } else {
          told.append((reason, 1))
        }
      }
      for (reason, cases) in told {
        notes.append("\(paper.name): \(cases) missed: \(reason)")
      }
    }
    return notes
  }
}
