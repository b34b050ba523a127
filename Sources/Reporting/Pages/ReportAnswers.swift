import Experiments
import SimKernel

/// What results come to, as sentences and tables: the text of a page, or all of it as Markdown.
struct ReportAnswers {
  let data: ReportData
  let axes: ReportAxes
  let figures: ReportFigures
  private let sweep: SweepReport
  private let verdicts: [SweepReport.Verdict]

  init(_ figures: ReportFigures) {
    self.figures = figures
    data = figures.data
    axes = figures.axes
    sweep = SweepReport(figures.data.table, width: .max)
    verdicts = sweep.verdicts
  }

  // MARK: - Sentences

  /// The answer in a sentence or two.
  var lead: String {
    guard let shortest = data.points.min(by: { $0.time < $1.time }),
      let longest = data.points.max(by: { $0.time < $1.time })
    else { return "" }
    if data.points.count == 1 {
      let half = shortest.timeInterval.map { " \u{00B1} \(Numbers.seconds($0))" } ?? ""
      return "One point: an iteration takes \(Numbers.seconds(shortest.time))\(half); "
        + "\(shortest.errorNote)."
    }
    if verdicts.isEmpty || verdicts.allSatisfy({ $0.tied.count + $0.slower.count == 1 }) {
      return "An iteration takes from \(Numbers.seconds(shortest.time)) "
        + "(\(axes.fullName(shortest))) to \(Numbers.seconds(longest.time)) "
        + "(\(axes.fullName(longest))); "
        + (axes.variants.isEmpty
          ? "nothing that was swept compares ways to communicate."
          : "no two points differ in nothing but how gradients are communicated.")
    }
    if verdicts.count == 1 { return sentence(verdicts[0].sentence) }
    var order: [String] = []
    var alone: [String: Int] = [:]
    var shared: [String: Int] = [:]
    for verdict in verdicts {
      for point in verdict.tied {
        let name = sweep.variantName(point)
        if !order.contains(name) { order.append(name) }
        if verdict.tied.count == 1 {
          alone[name, default: 0] += 1
        } else {
          shared[name, default: 0] += 1
        }
      }
    }
    let ranked = order.enumerated().sorted { a, b in
      let own = (alone[a.1] ?? 0, shared[a.1] ?? 0)
      let other = (alone[b.1] ?? 0, shared[b.1] ?? 0)
      return own != other ? own > other : a.0 < b.0
    }.map(\.1)
    let parts = ranked.prefix(5).map { name -> String in
      switch (alone[name] ?? 0, shared[name] ?? 0) {
      case (let wins, 0): "\(name) is fastest in \(wins)"
      case (0, let ties): "\(name) ties for fastest in \(ties)"
      case (let wins, let ties): "\(name) is fastest in \(wins) and ties for it in \(ties)"
      }
    }
    let more =
      ranked.count > 5 ? "; \(ranked.count - 5) others are among the fastest somewhere" : ""
    return "Of \(verdicts.count) circumstances, " + parts.joined(separator: "; ") + more + "."
  }

  /// The sentences of `simnet run`, with what each is about.
  var sentences: [(context: String, text: String)] {
    verdicts.filter { $0.tied.count + $0.slower.count > 1 }.map {
      ($0.context, sentence($0.sentence))
    }
  }
  private func sentence(_ text: String) -> String { text + "." }

  /// What to know about the rows.
  var notes: [String] {
    var notes: [String] = []
    let replicates = Set(data.points.map(\.replicates)).sorted()
    let counts = replicates.map(String.init).joined(separator: ", ")
    notes.append(
      replicates == [1]
        ? "One replicate a point: there are no intervals, and a difference of less than 1 % is a tie."
        : "Means over replicates (\(counts) a point); intervals are 95 % by Student's t. A tie is a "
          + "difference of less than 1 %, or one whose paired interval holds zero.")
    if data.rowsWithoutTime > 0 {
      let one = data.rowsWithoutTime == 1
      notes.append(
        "\(data.rowsWithoutTime) \(one ? "row has" : "rows have") no iteration time and "
          + "\(one ? "is" : "are") left out.")
    }
    if data.missingPoints > 0 {
      let one = data.missingPoints == 1
      notes.append(
        "\(data.missingPoints) \(one ? "point is" : "points are") missing among those numbered: "
          + "\(one ? "it" : "they") failed or \(one ? "was" : "were") not run.")
    }
    return notes
  }

  // MARK: - Tables

  /// The fastest under each set of circumstances with their gradient errors, and the next one that is no
  /// tie.
  var winners: AnswerTable {
    var table = AnswerTable(
      "who_wins_where",
      [
        .init("where", "where", .left), .init("fastest", "fastest", .left),
        .init("iteration_time_s", "iteration (ms)"), .init("half_width_s", "\u{00B1} 95 % (ms)"),
        .init("speedup_over_fp32", "vs fp32"), .init("speedup_over_fp16", "vs fp16"),
        .init("gradient_rel_l2", "gradient error", .left), .init("next", "next, no tie", .left),
        .init("next_factor", "slower by"),
      ], expendable: ["\u{00B1} 95 % (ms)", "vs fp32", "vs fp16", "next, no tie", "slower by"])
    for verdict in verdicts where verdict.tied.count + verdict.slower.count > 1 {
      let best = verdict.best
      let names = verdict.tied.map { sweep.variantName($0) }.joined(separator: "; ")
      let next = verdict.slower.min { $0.time < $1.time }
      let half = best.timeInterval
      table.add([
        .text(verdict.context),
        .text(verdict.tied.count > 1 ? "tie: " + names : names),
        Self.milliseconds(best.time),
        .number(half, shown: half.map { Numbers.significant($0 * 1e3, 2) }),
        Self.factor(best.mean("speedup_over_fp32")), Self.factor(best.mean("speedup_over_fp16")),
        .text(
          verdict.tied.map { point in
            point.mean("gradient_rel_l2").map { Numbers.significant($0, 3) } ?? "unknown"
          }.joined(separator: "; ")),
        .text(next.map { sweep.variantName($0) } ?? ""),
        .number(
          next.map { $0.time / best.time - 1 },
          shown: next.map { Numbers.fixed(($0.time / best.time - 1) * 100, 1) + " %" }),
      ])
    }
    return table
  }

  /// Where every variant is faster than the better baseline.
  var payoffs: AnswerTable? {
    // A line of a single place says no more than the table of all points.
    guard !axes.isScattered, let payoffs = sweep.payoffs, !payoffs.lines.isEmpty else { return nil }
    var table = AnswerTable(
      "pays_off",
      payoffs.titles.map { .init($0, $0, .left) } + [
        .init("faster_at", "faster at", .left), .init("tie_at", "tie at", .left),
        .init("slower_at", "slower at", .left),
      ])
    for line in payoffs.lines { table.add((line.labels + line.places).map { .text($0) }) }
    return table
  }

  /// Every pair of series that changes places along the axis.
  var crossings: AnswerTable? {
    let found = figures.pairCrossings()
    guard !found.isEmpty, let x = axes.x else { return nil }
    let name = ColumnNames.short(x, among: data.table.swept).replacing("_", with: " ")
    var table = AnswerTable(
      "crossings",
      [
        .init("where", Set(found.map(\.panel)) == [""] ? nil : "where", .left),
        .init("below", "faster below", .left), .init("above", "faster above", .left),
        .init("crossing", "\(name), interpolated"), .init("from", "between"), .init("to", "and"),
      ])
    for crossing in found {
      table.add([
        .text(crossing.panel), .text(axes.seriesNames[crossing.below]),
        .text(axes.seriesNames[crossing.above]),
        .number(crossing.x, shown: figures.crossingText(crossing.x)),
        .number(
          crossing.between.lowerBound, shown: figures.crossingText(crossing.between.lowerBound)),
        .number(
          crossing.between.upperBound, shown: figures.crossingText(crossing.between.upperBound)),
      ])
    }
    return table
  }

  /// What the inputs rest on, and which versions made the rows.
  var sources: AnswerTable {
    var table = AnswerTable(
      "sources",
      [.init("input", "input", .left), .init("rests_on", "rests on", .left)])
    for line in sweep.inputLines { table.add([.text(line.title), .text(line.text)]) }
    for (column, title) in [
      ("network_model", "network model"), ("transport", "transport"), ("gradient_sample", "sample"),
      ("study", "study"), ("simnet_version", "simnet"), ("libzstd_version", "libzstd"),
      ("seed", "seed"), ("scenario_hash", "scenario hash"),
    ] {
      var seen: Set<String> = []
      var values: [String] = []
      for point in data.points {
        let value = point.text(column)
        if !value.isEmpty, seen.insert(value).inserted { values.append(value) }
      }
      if values.isEmpty { continue }
      let shown = values.prefix(4).joined(separator: "; ")
      table.add([
        .text(title), .text(values.count > 4 ? shown + "; and \(values.count - 4) more" : shown),
      ])
    }
    return table
  }

  private static func milliseconds(_ seconds: Double?) -> AnswerTable.Cell {
    .number(seconds, shown: seconds.map { Numbers.milliseconds($0) })
  }
  private static func factor(_ value: Double?) -> AnswerTable.Cell {
    .number(value, shown: value.map { Numbers.significant($0, 3) + "\u{00D7}" })
  }

  // MARK: - All points

  private static let measured: [(column: String, title: String)] = [
    ("iteration_time_s", "iteration (ms)"), ("samples_per_s", "samples/s"),
    ("speedup_over_fp32", "vs fp32"), ("speedup_over_fp16", "vs fp16"),
    ("compute_time_s", "compute (ms)"), ("exposed_encode_s", "encode (ms)"),
    ("exposed_communication_s", "comm (ms)"), ("exposed_decode_s", "decode (ms)"),
    ("straggler_wait_s", "wait (ms)"), ("compression_ratio", "payload"), ("wire_ratio", "wire"),
    ("wire_bytes", "sent (MB)"), ("scaling_efficiency", "efficiency"),
    ("gradient_rel_l2", "error"), ("accumulated_rel_l2", "summed error"),
    ("busiest_link_share", "busiest link"),
  ]

  /// One row a point, at most `limit`.
  func points(limit: Int = .max) -> AnswerTable {
    let names = axes.columns.isEmpty ? data.table.swept : axes.columns
    let columns = Self.measured.filter { entry in
      data.points.contains { ReportData.value(entry.column, $0) != nil }
    }
    let texts = ["error_feedback", "bottleneck"].filter { column in
      data.points.contains { !$0.text(column).isEmpty }
    }
    var header = names.map {
      AnswerTable.Column($0, ColumnNames.short($0, among: names), .left)
    }
    for entry in columns {
      header.append(.init(entry.column, entry.title))
      if entry.column == "iteration_time_s", data.points.contains(where: { $0.replicates > 1 }) {
        header.append(.init("iteration_time_half_width_s", "\u{00B1} 95 % (ms)"))
      }
    }
    header += texts.map { .init($0, $0.replacing("_", with: " "), .left) }
    header.append(.init("replicates", "replicates"))
    var table = AnswerTable("points", header)
    for point in data.points.prefix(limit) {
      var cells: [AnswerTable.Cell] = names.map { .text(data.label($0, point)) }
      for entry in columns {
        cells.append(Self.cell(entry.column, point))
        if entry.column == "iteration_time_s", header.contains(where: { $0.name.contains("half") })
        {
          let half = point.timeInterval
          cells.append(.number(half, shown: half.map { Numbers.significant($0 * 1e3, 2) }))
        }
      }
      cells += texts.map { .text(point.text($0)) }
      cells.append(.count(point.replicates))
      table.add(cells)
    }
    return table
  }

  private static func cell(_ column: String, _ point: PointSummary) -> AnswerTable.Cell {
    guard let value = point.mean(column) else { return .number(nil) }
    if !value.isFinite { return .text(value.description) }
    switch ChartText.unit(of: column) {
    case .seconds: return milliseconds(value)
    case .factor: return factor(value)
    case .bytes: return .number(value, shown: Numbers.significant(value / 1e6, 4))
    case .share: return .number(value, shown: Numbers.fixed(value * 100, 1) + " %")
    default: return .number(value, shown: Numbers.significant(value, 3 + (value > 99 ? 1 : 0)))
    }
  }

  // MARK: - Markdown

  /// The answer and the tables for a merge request or a paper's notes.
  func markdown(title: String) -> String {
    var text = "# \(Self.inline(title))\n\n\(Self.inline(lead))\n"
    let sentences = sentences
    if sentences.count > 1 {
      text +=
        "\n"
        + sentences.map { "- **\(Self.inline($0.context))**: \(Self.inline($0.text))\n" }.joined()
    }
    text += "\n" + notes.map { Self.inline($0) + "\n" }.joined()
    func section(_ title: String, _ table: AnswerTable?) {
      guard let table, table.count > 0 else { return }
      text += "\n## \(title)\n\n" + table.markdown
    }
    section("Who wins where", winners)
    section(SweepReport.Payoffs.title, payoffs)
    section("Where the faster one changes", crossings)
    section("All points", points())
    section("What the numbers rest on", sources)
    return text
  }
  /// Names may hold what Markdown would read as marks.
  private static func inline(_ text: String) -> String {
    var result = ""
    for character in text {
      if "\\`*_{}[]<>#|".contains(character) { result.append("\\") }
      result.append(character == "\n" ? " " : character)
    }
    return result
  }
}
