import Experiments
import SimKernel

/// A sweep as a person reads it: a table, the answers, and what they rest on.
public struct SweepReport {
  private let table: ResultTable
  private let points: [PointSummary]
  private let width: Int
  private let style: TextStyle
  private let hasJobs: Bool

  /// The report of `table` for a terminal of `width` columns that shows what `style` says.
  public init(_ table: ResultTable, width: Int = 140, style: TextStyle = .plain) {
    self.table = table
    self.width = width
    self.style = style
    points = PointSummary.all(of: table)
    hasJobs = Set(points.map(\.job)).count > 1
  }

  /// Everything, for standard output.
  public var text: String {
    if points.isEmpty { return "no finished points\n" }
    let models = ModelComparison(table)?.text(width: width) ?? ""
    return [pointTable, models, answers, inputs].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  // MARK: - The table

  /// One line a point, and what the columns mean.
  public var pointTable: String {
    let (table, omitted) = fittedPoints
    var notes = [
      "times in ms along the critical path; payload and wire are ratios to the raw gradient; "
        + "error is |mean decoded - mean| / |mean|"
        + (hasStudy ? ", summed that of the update over several steps" : "")
        + ", ef is error feedback"
    ]
    if style.hasColors, !variantIndices.isEmpty {
      notes[0] += "; green is what is fastest or ties with it"
    }
    if !omitted.isEmpty {
      notes.append(
        "left out at this width: \(omitted.reversed().joined(separator: ", ")); "
          + "--format csv has everything")
    }
    return table.text(width: width, style: style)
      + notes.flatMap { WrappedText.lines($0, indent: 0, width: width) }
      .map { style.set($0, .faint) }.joined(separator: "\n")
      + "\n"
  }

  /// The titles, then one line a point, with empty lines between circumstances.
  public var pointLines: [String] { fittedPoints.table.lines(width: width, style: style) }

  private var fittedPoints: (table: TextTable, omitted: [String]) {
    var columns: [(String, TextTable.Alignment)] = table.swept.map { (shortName($0), .left) }
    if hasJobs { columns.append(("job", .left)) }
    columns += [
      ("iteration", .right), ("+-95%", .right), ("vs fp32", .right), ("vs fp16", .right),
      ("compute", .right), ("encode", .right), ("comm", .right), ("decode", .right),
      ("wait", .right), ("payload", .right), ("wire", .right), ("error", .right),
    ]
    if hasStudy { columns.append(("summed", .right)) }
    columns += [("ef", .left), ("bottleneck", .left)]
    var text = TextTable(columns.map { (title: $0.0, alignment: $0.1) })
    let fastest = style.hasColors ? fastestPoints : []
    var previous: [String]?
    for (index, point) in points.enumerated() {
      let group = contextIndices.map { point.labels[$0] }
      if let previous, previous != group { text.addBreak() }
      previous = group
      text.add(
        point.labels + (hasJobs ? [point.job] : []) + cells(of: point),
        fastest.contains(index) ? .best : .plain)
    }
    return text.fitting(width: width, expendable: Self.expendable)
  }

  /// The places of points that are fastest under their circumstances, or tie with what is; none where
  /// nothing is compared.
  private var fastestPoints: Set<Int> {
    if variantIndices.isEmpty { return [] }
    var best: [[String]: Int] = [:]
    func circumstances(_ point: PointSummary) -> [String] {
      contextIndices.map { point.labels[$0] } + [point.job]
    }
    for (index, point) in points.enumerated() {
      let key = circumstances(point)
      if let other = best[key], points[other].time <= point.time { continue }
      best[key] = index
    }
    return Set(
      points.indices.filter { index in
        let winner = points[best[circumstances(points[index])]!]
        return points[index].compare(with: winner) == .tie
      })
  }

  /// Columns that go where there is no room, the least telling first; what stays always has a winner's
  /// gradient error beside its time.
  private static let expendable = [
    "wire", "wait", "summed", "decode", "encode", "compute", "payload", "+-95%", "comm",
    "bottleneck",
    "vs fp16", "ef", "vs fp32",
  ]

  /// Whether any point says how the error adds up over steps.
  private var hasStudy: Bool { points.contains { $0.mean("accumulated_rel_l2") != nil } }

  private func cells(of point: PointSummary) -> [String] {
    func error(_ column: String) -> String {
      point.mean(column).map { Numbers.significant($0, 3) } ?? ""
    }
    func milliseconds(_ column: String) -> String {
      point.mean(column).map { Numbers.milliseconds($0) } ?? ""
    }
    func ratio(_ column: String, _ suffix: String = "x") -> String {
      point.mean(column).map { Numbers.significant($0, 3) + suffix } ?? ""
    }
    return [
      milliseconds("iteration_time_s"),
      point.timeInterval.map { Numbers.significant($0 * 1e3, 2) } ?? "",
      ratio("speedup_over_fp32"), ratio("speedup_over_fp16"), milliseconds("compute_time_s"),
      milliseconds("exposed_encode_s"), milliseconds("exposed_communication_s"),
      milliseconds("exposed_decode_s"), milliseconds("straggler_wait_s"),
      ratio("compression_ratio"), ratio("wire_ratio"),
    ] + [error("gradient_rel_l2")] + (hasStudy ? [error("accumulated_rel_l2")] : [])
      + [point.text("error_feedback"), point.text("bottleneck")]
  }

  // MARK: - The answers

  /// Swept columns that change how gradients are communicated: what is compared.
  private var variantIndices: [Int] { Self.variants(of: table.swept) }
  /// The other swept columns: the circumstances.
  private var contextIndices: [Int] {
    let variants = variantIndices
    return table.swept.indices.filter { !variants.contains($0) }
  }

  /// The places in `swept` of what is compared: how gradients are communicated, or, where that is not
  /// swept, the files that results came from.
  static func variants(of swept: [String]) -> [Int] {
    let communication = swept.indices.filter { swept[$0].contains("communication") }
    return communication.isEmpty ? swept.indices.filter { swept[$0] == "file" } : communication
  }

  /// Who is fastest under one set of circumstances.
  public struct Verdict: Sendable {
    /// The circumstances.
    public var context: String
    /// The fastest point.
    public var best: PointSummary
    /// All that no test tells apart from it, itself among them.
    public var tied: [PointSummary]
    /// The others.
    public var slower: [PointSummary]
    /// As a sentence; no winner is named without its gradient error.
    public var sentence: String
  }

  /// A verdict for every set of circumstances; none if nothing is compared.
  public var verdicts: [Verdict] {
    if variantIndices.isEmpty { return [] }
    return groups.map { group in
      let best = group.min { $0.time < $1.time }!
      let isTied = group.map { $0.compare(with: best) == .tie }
      return Verdict(
        context: contextName(best), best: best,
        tied: zip(group, isTied).filter(\.1).map(\.0),
        slower: zip(group, isTied).filter { !$0.1 }.map(\.0),
        sentence: verdict(group))
    }
  }

  /// Who is fastest under which circumstances, and where each variant stops paying off.
  public var answers: String {
    if variantIndices.isEmpty { return "" }
    var lines: [String] = []
    for verdict in verdicts {
      var sentence = WrappedText.lines(
        verdict.sentence, head: verdict.context + ": ", indent: 4, width: width)
      let rest = sentence[0].dropFirst(verdict.context.count)
      sentence[0] = style.set(verdict.context, .strong) + rest
      lines += sentence
    }
    if let payoffs {
      lines += [""] + titled("\(Payoffs.title):")
      lines.append(payoffs.text(width: width, style: style).trimmingEnd)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Points that differ only in how they communicate.
  private var groups: [[PointSummary]] {
    var order: [[String]] = []
    var groups: [[String]: [PointSummary]] = [:]
    for point in points {
      let key = contextIndices.map { point.labels[$0] } + [point.job]
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(point)
    }
    return order.map { groups[$0]! }
  }

  /// How a point communicates, as sentences name it.
  public func variantName(_ point: PointSummary) -> String {
    variantIndices.map { point.labels[$0] }.filter { !$0.isEmpty }.joined(separator: ", ")
  }
  private func contextName(_ point: PointSummary) -> String {
    let jobs = hasJobs ? [point.job] : []
    let names = jobs + contextIndices.map { point.labels[$0] }.filter { !$0.isEmpty }
    return names.isEmpty ? "all" : names.joined(separator: ", ")
  }

  private func verdict(_ group: [PointSummary]) -> String {
    let best = group.min { $0.time < $1.time }!
    let tied = group.filter { $0.compare(with: best) == .tie }
    let speedups =
      [("speedup_over_fp32", "fp32"), ("speedup_over_fp16", "fp16")].compactMap { column, name in
        best.mean(column).map { "\(Numbers.significant($0, 3))x over \(name)" }
      }.joined(separator: ", ")
    if tied.count > 1 {
      let names = tied.map { "\(variantName($0)) (\($0.errorNote))" }.joined(separator: "; ")
      return "a tie at \(Numbers.seconds(best.time)) (\(speedups)) between \(names)"
    }
    return "\(variantName(best)) is fastest at \(Numbers.seconds(best.time)), \(speedups); "
      + best.errorNote
  }

  /// Where each variant is faster than both baselines, where it ties and where it is slower.
  public struct Payoffs: Sendable {
    public static let title = "Pays off against the better of fp32 and fp16"
    /// What tells lines apart.
    public var titles: [String]
    /// The values of ``titles``, then the places: faster, tied, slower.
    public var lines: [(labels: [String], places: [String])]
    /// What each line gains over the better baseline, place by place along the axis; nil where one is
    /// not known.
    public var gains: [[Double?]]

    func text(width: Int, style: TextStyle = .plain) -> String {
      let range = gainRange
      let hasCurves = style.hasBlocks && range != nil && gains.contains { $0.count > 2 }
      var text = TextTable(
        titles.map { (title: $0, alignment: .left) } + (hasCurves ? [("gain", .left)] : [])
          + [("faster at", .left), ("tie at", .left), ("slower at", .left)], isProse: true)
      var previous: String?
      for (line, gains) in zip(lines, gains) {
        if let previous, previous != line.labels[0], titles.count > 1 { text.addBreak() }
        previous = line.labels[0]
        let curve = hasCurves ? [Sparkline.text(gains.map(Self.height), in: range!)] : []
        text.add(line.labels + curve + line.places)
      }
      guard hasCurves, let range else { return text.text(width: width, style: style) }
      let ends = [range.lowerBound, range.upperBound].map {
        Numbers.significant(DeterministicMath.exp($0), 3) + "x"
      }
      let note =
        "gain over the better of fp32 and fp16 along the axis, logarithmic: \u{2581} \(ends[0]), "
        + "\u{2588} \(ends[1])"
      return text.text(width: width, style: style)
        + WrappedText.lines(note, indent: 0, width: width).map { style.set($0, .faint) + "\n" }
        .joined()
    }

    /// How high a gain is drawn.
    private static func height(_ gain: Double?) -> Double? {
      gain.flatMap { $0 > 0 && $0.isFinite ? DeterministicMath.log($0) : nil }
    }

    /// From the least to the largest height; nil without two that differ.
    private var gainRange: ClosedRange<Double>? {
      let heights = gains.flatMap { $0 }.compactMap(Self.height)
      guard let low = heights.min(), let high = heights.max(), low < high else { return nil }
      return low...high
    }
  }

  /// Along the last circumstance that is a quantity; nil without one, or without anything to compare.
  public var payoffs: Payoffs? {
    guard !variantIndices.isEmpty, let axis = contextIndices.last(where: { isQuantity($0) }) else {
      return nil
    }
    let others = contextIndices.filter { $0 != axis } + variantIndices
    var order: [[String]] = []
    var series: [[String]: [PointSummary]] = [:]
    for point in points {
      let key = others.map { point.labels[$0] } + [point.job]
      if series[key] == nil { order.append(key) }
      series[key, default: []].append(point)
    }
    var result = Payoffs(titles: others.map { shortName(table.swept[$0]) }, lines: [], gains: [])
    for key in order {
      let line = series[key]!
      // A variant that is its own baseline has nothing to pay off against.
      if line.allSatisfy({ isBaseline($0) }) { continue }
      var places: [[String]] = [[], [], []]
      for point in line {
        switch point.compareWithBaselines() {
        case .faster: places[0].append(point.labels[axis])
        case .tie: places[1].append(point.labels[axis])
        case .slower: places[2].append(point.labels[axis])
        }
      }
      result.lines.append((Array(key.dropLast()), places.map(Self.listed)))
      result.gains.append(
        line.map { point in
          let gains = ["speedup_over_fp32", "speedup_over_fp16"].compactMap { point.mean($0) }
          return gains.count == 2 ? min(gains[0], gains[1]) : gains.first
        })
    }
    return result
  }

  /// `places` as a list that says a common unit once: `1, 10, 25 Gbps`.
  private static func listed(_ places: [String]) -> String {
    guard let last = places.last else { return "-" }
    guard let space = last.lastIndex(of: " ") else { return places.joined(separator: ", ") }
    let unit = last[space...]
    guard places.allSatisfy({ $0.hasSuffix(unit) }) else { return places.joined(separator: ", ") }
    return places.map { $0.dropLast(unit.count) }.joined(separator: ", ") + unit
  }

  private func isBaseline(_ point: PointSummary) -> Bool {
    point.text("strategy") != "all_gather" && ["none", "fp16"].contains(point.text("compression"))
  }
  private func isQuantity(_ column: Int) -> Bool {
    points.allSatisfy { $0.labels[column].first?.isNumber == true }
      && Set(points.map { $0.labels[column] }).count > 1
  }

  // MARK: - What it rests on

  /// Which parts of the inputs are measured, published, derived or assumed, in two lines each; the
  /// sentences are in the columns.
  public var inputs: String {
    let lines = inputLines.flatMap { line in
      let head = "  " + line.title + String(repeating: " ", count: 12 - line.title.count)
      return WrappedText.lines(line.text, head: head, indent: 14, width: width, limit: 2)
    }
    if lines.isEmpty { return "" }
    let title = titled("What the numbers rest on (in full in the *_source columns of the CSV):")
    return (title + lines).joined(separator: "\n") + "\n"
  }

  private func titled(_ text: String) -> [String] {
    WrappedText.lines(text, indent: 0, width: width).map { style.set($0, .strong) }
  }

  /// Which parts of the inputs are measured, published, derived or assumed, and the column that has
  /// the sentences.
  public var inputLines: [(column: String, title: String, text: String)] {
    [
      ("compute_source", "compute"), ("codec_cost_source", "codec cost"),
      ("transport_source", "transport"), ("gradient_source", "gradients"),
    ].compactMap { column, title in
      var summary = SourceSummary()
      // Thousands of points share a few sentences, which take a while to read.
      var seen: Set<[String]> = []
      for point in points {
        let text = point.text(column)
        let owner = point.text(column == "transport_source" ? "transport" : "model")
        if seen.insert([text, owner]).inserted { summary.add(text, owner: owner) }
      }
      return summary.text.isEmpty ? nil : (column, title, summary.text)
    }
  }

  private func shortName(_ path: String) -> String {
    ColumnNames.short(path, among: table.swept)
  }
}

extension String {
  /// Without line ends at the end.
  fileprivate var trimmingEnd: String {
    var text = self
    while text.last == "\n" { text.removeLast() }
    return text
  }
}
