import Experiments
import Reporting
import SimKernel
import Testing
import Validation

/// Comparing result files pair by pair.
@Suite struct ResultComparisonTests {
  private static let time = JudgedMetric("iteration_time_s", .lowerIsBetter)

  /// A file of one swept column, `value, replicate, time, gradient error` a row.
  private static func file(
    _ rows: [(String, Int, String, Double)], path: String = "a.csv", swept: String = "bandwidth",
    seed: Int = 1
  ) throws -> ResultsFile {
    try ResultsFile(
      "point,replicate,seed,\(swept),job,iteration_time_s,gradient_rel_l2\n"
        + rows.map { "0,\($0.1),\(seed),\($0.0),main,\($0.2),\($0.3)\n" }.joined(), path: path)
  }
  private static func compare(
    _ a: ResultsFile, _ b: ResultsFile?, between: [String]? = nil, by: [String]? = nil,
    metrics: [JudgedMetric] = [time], correction: MultipleComparisons = .holm
  ) throws -> ResultComparison {
    try ResultComparison(
      a, b, .init(between: between, by: by, metrics: metrics),
      settings: ComparisonSettings(correction: correction, bootstrap: Bootstrap(resamples: 199)))
  }
  private static func isClose(_ a: Double?, _ b: Double) -> Bool {
    guard let a else { return false }
    return (a - b).magnitude <= 1e-12 * max(1, b.magnitude)
  }

  /// Differences -1, -2, -3: mean -2, deviation 1, t = -2 sqrt 3 with two degrees of freedom, where
  /// P(|T| > t) = 1 - t / sqrt(t^2 + 2), and Hedges' correction is 1 / sqrt(pi).
  @Test func `three pairs by hand`() throws {
    let a = try Self.file([("x", 0, "2", 0), ("x", 1, "4", 0), ("x", 2, "6", 0)])
    let b = try Self.file([("x", 0, "1", 0.5), ("x", 1, "2", 0.5), ("x", 2, "3", 0.5)])
    let result = try Self.compare(a, b)
    let entry = try #require(result.entries.first)
    #expect(result.entries.count == 1 && entry.comparison.pairs == 3)
    #expect(entry.a == 4 && entry.b == 2 && entry.comparison.difference == -2)
    let half = 4.302652729749464 / 3.0.squareRoot()
    #expect(Self.isClose(entry.comparison.studentInterval?.lowerBound, -2 - half))
    #expect(Self.isClose(entry.comparison.studentInterval?.upperBound, -2 + half))
    #expect(Self.isClose(entry.cohensD, -2))
    #expect(Self.isClose(entry.comparison.effectSize, -2 / Double.pi.squareRoot()))
    #expect(Self.isClose(entry.comparison.probability, 1 - (12.0 / 14).squareRoot()))
    #expect(entry.comparison.adjustedProbability == entry.comparison.probability)
    // Every ratio is a half.
    #expect(Self.isClose(entry.ratio, 0.5))
    #expect(Self.isClose(entry.ratioInterval?.upperBound, 0.5))
    #expect(entry.outcome == .tie && entry.basis == .insignificant)
    #expect(entry.errorOfA == 0 && entry.errorOfB == 0.5)
  }

  /// Ratios 1/2 and 2: their geometric mean is 1, and t(0.975, 1) log 2 is half the interval of logs.
  @Test func `ratios are geometric means`() throws {
    let a = try Self.file([("x", 0, "1", 0), ("x", 1, "4", 0)])
    let b = try Self.file([("x", 0, "2", 0), ("x", 1, "2", 0)])
    let entry = try Self.compare(a, b).entries[0]
    #expect(Self.isClose(entry.ratio, 1))
    let half = 12.706204736174705 * DeterministicMath.log(2)
    let upper = try #require(entry.ratioInterval?.upperBound)
    #expect((DeterministicMath.log(upper) / half - 1).magnitude < 1e-12)
    let zero = try Self.file([("x", 0, "0", 0), ("x", 1, "2", 0)])
    #expect(try Self.compare(a, zero).entries[0].ratio == nil)
  }

  @Test func `one pair and equal differences have no interval and say so`() throws {
    let a = try Self.file([("x", 0, "2", 0), ("y", 0, "3", 0), ("y", 1, "5", 0), ("z", 0, "1", 0)])
    let b = try Self.file([("x", 0, "1", 0), ("y", 0, "2", 0), ("y", 1, "4", 0), ("z", 0, "1", 0)])
    let entries = try Self.compare(a, b).entries
    #expect(entries.map(\.basis) == [.onePair, .exact, .onePair])
    #expect(entries.map(\.outcome) == [.b, .b, .tie])
    for entry in entries {
      #expect(entry.comparison.studentInterval == nil && entry.comparison.probability == nil)
      #expect(entry.comparison.bootstrapInterval == nil && entry.cohensD == nil)
    }
    let text = ComparisonReport(try Self.compare(a, b)).document.text(.table)
    #expect(text.contains("one pair: the difference is that of one seed"))
    #expect(text.contains("exact: all pairs have the same difference"))
  }

  /// 0.3 - 0.1 and 0.5 - 0.3 differ in the last place only.
  @Test func `what differs by rounding alone is exact`() throws {
    let a = try Self.file([("x", 0, "0.1", 0), ("x", 1, "0.3", 0), ("x", 2, "0.7", 0)])
    let b = try Self.file([("x", 0, "0.3", 0), ("x", 1, "0.5", 0), ("x", 2, "0.9", 0)])
    let entry = try Self.compare(a, b).entries[0]
    #expect(entry.basis == .exact && entry.outcome == .a)
  }

  @Test func `the better side follows the metric, and a percent is a tie`() throws {
    let rows = (0..<8).map { ("x", $0, "\(10 + $0 % 3)", 0.0) }
    let slower = (0..<8).map { ("x", $0, "\(12.1 + Double($0 % 3) + Double($0 % 2) * 0.01)", 0.0) }
    let close = (0..<8).map { ("x", $0, "\(10.05 + Double($0 % 3) + Double($0 % 2) * 0.01)", 0.0) }
    let a = try Self.file(rows)
    let entry = try Self.compare(a, Self.file(slower)).entries[0]
    #expect(entry.outcome == .a && entry.basis == .test)
    let higher = try Self.compare(
      a, Self.file(slower), metrics: [JudgedMetric("iteration_time_s", .higherIsBetter)])
    #expect(higher.entries[0].outcome == .b)
    let tie = try Self.compare(a, Self.file(close)).entries[0]
    #expect(tie.outcome == .tie && tie.basis == .threshold)
    #expect(tie.comparison.probability! < 0.001)
  }

  @Test func `all points and metrics are one family`() throws {
    func rows(_ step: Double) -> [(String, Int, String, Double)] {
      ["x", "y"].flatMap { name in
        (0..<4).map { (name, $0, "\(2 + step * Double($0 + 1))", 0.1 * Double($0) * step) }
      }
    }
    let error = JudgedMetric("gradient_rel_l2", .lowerIsBetter)
    let result = try Self.compare(
      Self.file(rows(0)), Self.file(rows(1)), metrics: [Self.time, error])
    #expect(result.entries.count == 4)
    let raw = result.entries.compactMap(\.comparison.probability)
    #expect(
      result.entries.compactMap(\.comparison.adjustedProbability)
        == MultipleComparisons.holm.adjusted(raw))
    let plain = try Self.compare(
      Self.file(rows(0)), Self.file(rows(1)), metrics: [Self.time, error], correction: .none)
    #expect(plain.entries.compactMap(\.comparison.adjustedProbability) == raw)
  }

  // MARK: - Pairing

  @Test func `rows without a partner or a number are left out and counted`() throws {
    let a = try Self.file([("x", 0, "2", 0), ("x", 1, "unknown", 0), ("y", 0, "3", 0)])
    let b = try Self.file([("x", 0, "1", 0), ("x", 1, "1", 0), ("z", 0, "3", 0), ("z", 1, "3", 0)])
    let result = try Self.compare(a, b)
    #expect(result.entries.count == 1 && result.entries[0].comparison.pairs == 1)
    #expect(result.unpairedA == 1 && result.unpairedB == 2 && result.unknown == 1)
  }

  @Test func `the order of rows is no part of a pair`() throws {
    let rows = (0..<5).map { ("x", $0, "\(1 + $0 * $0)", 0.0) }
    let other = rows.map { ($0.0, $0.1, "\(Double($0.2)! * 3)", 0.0) }
    let straight = try Self.compare(Self.file(rows), Self.file(other)).entries[0]
    let reversed = try Self.compare(Self.file(rows), Self.file(other.reversed())).entries[0]
    #expect(straight.comparison == reversed.comparison)
  }

  @Test func `another seed, other points and rows that are there twice are refused`() throws {
    let a = try Self.file([("x", 0, "2", 0)])
    func reason(_ b: ResultsFile) -> String {
      do {
        _ = try Self.compare(a, b)
        return ""
      } catch { return "\(error)" }
    }
    #expect(reason(try Self.file([("x", 0, "2", 0)], path: "b.csv", seed: 2)).contains("one seed"))
    #expect(
      reason(try Self.file([("y", 0, "2", 0)], path: "b.csv")).contains("bandwidth is x there"))
    #expect(
      reason(try Self.file([("x", 0, "2", 0), ("x", 0, "2", 0)], path: "b.csv")).contains("twice"))
    #expect(reason(try Self.file([("x", 1, "2", 0)], path: "b.csv")).contains("no row"))
  }

  @Test func `an axis of one file is refused unless it is averaged over`() throws {
    let a = try Self.file([("x", 0, "2", 0), ("x", 1, "3", 0)])
    let b = try ResultsFile(
      """
      point,replicate,seed,bandwidth,batch,job,iteration_time_s,gradient_rel_l2
      0,0,1,x,8,main,1,0
      1,0,1,x,16,main,2,0
      0,1,1,x,8,main,2,0
      1,1,1,x,16,main,4,0

      """, path: "b.csv")
    #expect(throws: InvalidInput.self) { try Self.compare(a, b) }
    #expect(throws: InvalidInput.self) { try Self.compare(a, b, by: ["batch"]) }
    let result = try Self.compare(a, b, by: ["bandwidth"])
    #expect(result.averaged == ["batch"] && result.entries[0].comparison.pairs == 2)
    #expect(result.entries[0].b == 2.25 && result.entries[0].comparison.difference == -0.25)
  }

  // MARK: - Variants

  private static let sweep = """
    point,replicate,seed,bandwidth,communication,codec,job,iteration_time_s,gradient_rel_l2
    0,0,1,1 Gbps,fp32,none,main,8,0
    1,0,1,1 Gbps,fp16,half,main,5,0.001
    2,0,1,1 Gbps,top_k,sparse,main,2,0.8
    3,0,1,10 Gbps,fp32,none,main,2,0
    4,0,1,10 Gbps,fp16,half,main,1.5,0.001
    5,0,1,10 Gbps,top_k,sparse,main,1.75,0.9

    """

  /// The codec moves with the variants and is no circumstance.
  @Test func `two variants inside one file meet at the other columns`() throws {
    let file = try ResultsFile(Self.sweep, path: "a.csv")
    let result = try Self.compare(file, nil, between: ["communication=fp16", "top_k"])
    #expect(result.columns == ["bandwidth"] && result.nameOfB == "top_k")
    #expect(result.entries.map(\.labels) == [["1 Gbps"], ["10 Gbps"]])
    #expect(result.entries.map(\.outcome) == [.b, .a])
    #expect(result.entries.map(\.errorOfB) == [0.8, 0.9])
    #expect(result.unpairedA == 0 && result.unpairedB == 0)
  }

  @Test func `variants that are unknown, equal or of two columns are refused`() throws {
    let file = try ResultsFile(Self.sweep, path: "a.csv")
    for (texts, part) in [
      (["fp16", "fp61"], "did you mean"), (["fp16", "fp16"], "both variants are fp16"),
      (["fp16", "1 Gbps"], "two columns"), (["fp16"], "give two"),
      (["communication=fp16", "communication=1 Gbps"], "unknown value of communication"),
    ] {
      let error = #expect(throws: InvalidInput.self) {
        try Self.compare(file, nil, between: texts)
      }
      #expect(error?.issues.first?.message.contains(part) == true, "\(texts)")
    }
  }

  /// A winner never stands without its gradient error.
  @Test func `wins are summed up by column with the errors beside them`() throws {
    let file = try ResultsFile(Self.sweep, path: "a.csv")
    let report = ComparisonReport(
      try Self.compare(file, nil, between: ["fp32", "top_k"], by: ["bandwidth"]))
    let text = report.document.text(.table, width: 120)
    #expect(
      text == """
        A: fp32
        B: top_k
        compared: iteration_time_s (lower is better)

        bandwidth  pairs      A      B    B - A  95 % by t  95 % by bootstrap    B / A  95 % of B / A  better  error A  error B
        1 Gbps         1  8.000  2.000   -6.000   one pair           one pair  0.2500x       one pair  B             0    0.800
        10 Gbps        1  2.000  1.750  -0.2500   one pair           one pair  0.8750x       one pair  B             0    0.900

        where               A wins  ties  B wins  error A  error B
        bandwidth  1 Gbps        0     0       1        0    0.800
        bandwidth  10 Gbps       0     0       1        0    0.900

        iteration_time_s: of 2 comparisons A, fp32 (gradient error 0) wins 0, B, top_k (gradient error 0.800-0.900) wins 2; 0
          are ties
        a tie is a difference within 1 %
        one pair: the difference is that of one seed; set "replicates" for an interval

        """)
    let json = try JSONNode.parse(report.document.text(.json), origin: "json")
    #expect(json["comparisons"]?.elements?.count == 2)
    #expect(json["who_wins_where"]?.elements?[1]["b_error_low"]?.number == 0.9)
  }
}
