import Foundation
import SimKernel

/// One published number beside the simulated one.
public struct ReproducedCase: Sendable {
  /// One label for each axis of the table.
  public var labels: [String]
  public var published: PublishedValue
  public var simulated: Double
  /// A share of the published number, or a difference from it: ``ToleranceBand/isRelative``.
  public var error: Double
  public var isWithin: Bool
  /// Why it misses its band, as the paper file explains it; nil if it does not, or nobody says.
  public var explanation: String?

  /// `4 Gbps, p3`.
  public var name: String { labels.joined(separator: ", ") }
}

/// A paper's table as the simulation gives it.
public struct Reproduction: Sendable {
  public var paper: PaperFile
  /// In the order of the table; empty if a required file is not there.
  public var cases: [ReproducedCase]

  /// How many numbers are within the band.
  public var within: Int { cases.count { $0.isWithin } }
  /// The miss with the largest error, or without any the case with the largest error.
  public var worst: ReproducedCase? {
    let misses = cases.filter { !$0.isWithin }
    return (misses.isEmpty ? cases : misses).max { $0.error.magnitude < $1.error.magnitude }
  }
  /// The mean of |error|.
  public var meanAbsoluteError: Double {
    cases.reduce(0) { $0 + $1.error.magnitude } / Double(max(1, cases.count))
  }

  /// A line for each case: paper, figure, case, published, simulated, error, band, within, explanation.
  public var csv: String {
    CSV.line([
      "paper", "figure", "case", "published", "simulated", "error", "band", "within",
      "explanation",
    ])
      + cases.map { row in
        CSV.line([
          paper.citation.short, paper.figure, row.name, row.published.text,
          JSONNumber.shortest(row.simulated), JSONNumber.shortest(row.error),
          paper.tolerance.text, row.isWithin ? "yes" : "no", row.explanation ?? "",
        ])
      }.joined()
  }
}

/// How much of a constant's choice the points it is fitted on determine, and what it does here.
public struct ConstantSensitivity: Sendable {
  /// One value that was tried.
  public struct Candidate: Sendable {
    public var value: String
    /// Mean |error| on the points of the other file; nil without one.
    public var fitError: Double?
    /// On this file's own table.
    public var own: Reproduction
  }
  public var constant: PaperConstant
  public var candidates: [Candidate]

  /// A line for each candidate: constant, value, chosen, mean error where it was fitted, mean and worst
  /// error and points within the band here.
  public static func csv(_ all: [ConstantSensitivity]) -> String {
    CSV.line([
      "constant", "value", "chosen", "fitted_on", "fit_mean_error", "mean_error", "worst_error",
      "worst_case", "within", "points",
    ])
      + all.flatMap { sensitivity in
        sensitivity.candidates.map { candidate in
          CSV.line([
            sensitivity.constant.name, candidate.value,
            candidate.value == sensitivity.constant.value ? "yes" : "no",
            sensitivity.constant.fittedOn ?? "",
            candidate.fitError.map { JSONNumber.shortest($0) } ?? "",
            JSONNumber.shortest(candidate.own.meanAbsoluteError),
            candidate.own.worst.map { JSONNumber.shortest($0.error) } ?? "",
            candidate.own.worst?.name ?? "", String(candidate.own.within),
            String(candidate.own.cases.count),
          ])
        }
      }.joined()
  }
}

/// Runs paper files; what several of them share is run once.
public struct Reproducer {
  private let options: SweepOptions
  private var known: [String: ResultTable] = [:]

  public init(_ options: SweepOptions) { self.options = options }

  /// The table of `paper` as the simulation gives it; without cases if a required file is not there.
  ///
  /// - Throws: `InvalidInput`, what a run threw, ``AnswerInterrupted``.
  public mutating func reproduce(_ paper: PaperFile) throws -> Reproduction {
    if paper.missingFile != nil { return Reproduction(paper: paper, cases: []) }
    let table = try results(of: paper)
    let finder = CaseFinder(paper)
    let simulated = try paper.published.cases.map { published -> Double in
      let pairs = finder.pairs(published.labels) ?? []
      let values = try pairs.map { pair -> Double in
        let own = try value(of: paper, at: pair.point, in: table)
        if paper.measure.reference.isEmpty { return own }
        return paper.measure.compared(
          own, with: try value(of: paper, at: pair.reference, in: table))
      }
      return paper.measure.reduced(values)
    }
    let within = paper.tolerance.isWithin(paper.published, simulated)
    return Reproduction(
      paper: paper,
      cases: paper.published.cases.indices.map { index in
        let published = paper.published.cases[index]
        return ReproducedCase(
          labels: published.labels, published: published.value, simulated: simulated[index],
          error: paper.tolerance.error(simulated[index], published.value),
          isWithin: within[index],
          explanation: within[index]
            ? nil
            : paper.explanations.first {
              $0.covers(published.labels, axes: paper.published.axes)
            }?.reason)
      })
  }

  /// What every candidate for the constants of `paper` comes to, on the points each is fitted on and on
  /// its own.
  ///
  /// - Throws: as ``reproduce(_:)``, and if the file that a constant is fitted on cannot be read.
  public mutating func sensitivity(of paper: PaperFile) throws -> [ConstantSensitivity] {
    var all: [ConstantSensitivity] = []
    for constant in paper.constants {
      guard let path = constant.path, !constant.candidates.isEmpty else { continue }
      let other = try constant.fittedOn.map {
        try PaperFile.read(URL(fileURLWithPath: $0, relativeTo: paper.directory).path)
      }
      var candidates: [ConstantSensitivity.Candidate] = []
      for value in constant.candidates {
        func changed(_ paper: PaperFile) throws -> PaperFile {
          var changed = paper
          changed.experiment = try paper.experiment.setting(path, to: value)
          return changed
        }
        candidates.append(
          .init(
            value: SweepAxis.label(value),
            fitError: try other.map { try reproduce(changed($0)).meanAbsoluteError },
            own: try reproduce(changed(paper))))
      }
      all.append(ConstantSensitivity(constant: constant, candidates: candidates))
    }
    return all
  }

  private mutating func results(of paper: PaperFile) throws -> ResultTable {
    let columns = [paper.measure.column] + (paper.measure.divisor.map { [$0] } ?? [])
    let comparing = columns.contains { ResultColumns.comparisons.contains($0) }
    let key = paper.experiment.identity + (comparing ? " compared" : "")
    if let table = known[key] { return table }
    let table = try paper.experiment.run(options, comparing: comparing)
    known[key] = table
    return table
  }

  /// The measured number of a point: the mean over its replicates.
  private func value(of paper: PaperFile, at point: Int, in table: ResultTable) throws -> Double {
    let measure = paper.measure
    let job = measure.job ?? table.rows.first.map { table.cell("job", $0) }
    let rows = table.rows.filter {
      table.cell("point", $0) == String(point) && table.cell("job", $0) == job
    }
    guard !rows.isEmpty else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["measure", "job"]),
          problem: .invalid(
            found: "there is no job \"\(job ?? "")\"", expected: "name a job of the scenario"))
      ])
    }
    let values = try rows.map { row in
      try number(measure.column, table, row)
        / (measure.divisor.map { try number($0, table, row) } ?? 1)
    }
    return measure.scale * values.reduce(0, +) / Double(values.count)
  }

  private func number(_ column: String, _ table: ResultTable, _ row: [String]) throws -> Double {
    if let number = table.number(column, row), number.isFinite { return number }
    throw InvalidInput([
      Issue(
        path: FieldPath(["measure", "column"]),
        problem: .invalid(
          found: "\(column) is \"\(table.cell(column, row))\" at point \(table.cell("point", row))",
          expected: "name a column that holds a number"))
    ])
  }
}
