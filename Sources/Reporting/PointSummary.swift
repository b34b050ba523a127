import Experiments
import SimKernel

/// The replicates of one sweep point (and job) as one line.
public struct PointSummary: Sendable {
  /// The swept values, in the order of the columns.
  public var labels: [String]
  public var job: String
  /// One iteration time a replicate, in replicate order: they meet the same random numbers.
  public var times: [Double]
  private let rows: [[String]]
  private let table: ResultTable

  /// The points of `table` in order.
  public static func all(of table: ResultTable) -> [PointSummary] {
    guard let point = table.column("point"), let job = table.column("job") else { return [] }
    var order: [String] = []
    var groups: [String: [[String]]] = [:]
    for row in table.rows {
      let key = row[point] + "/" + row[job]
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(row)
    }
    return order.map { PointSummary(groups[$0]!, table) }
  }

  private init(_ rows: [[String]], _ table: ResultTable) {
    self.rows = rows
    self.table = table
    let first = ResultColumns.identification.count
    labels = Array(rows[0][first..<first + table.sweptCount])
    job = table.cell("job", rows[0])
    times = rows.compactMap { table.number("iteration_time_s", $0) }
  }

  /// The mean of a numeric column over the replicates.
  public func mean(_ column: String) -> Double? {
    let values = rows.compactMap { table.number(column, $0) }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
  /// Half the 95 % interval of ``mean(_:)``; nil for fewer than two numbers.
  public func halfWidth(_ column: String) -> Double? {
    RunningStatistics(rows.compactMap { table.number(column, $0) }.filter(\.isFinite))
      .confidenceHalfWidth()
  }
  /// How many replicates there are.
  public var replicates: Int { rows.count }
  /// The cell of the first replicate.
  public func text(_ column: String) -> String { table.cell(column, rows[0]) }

  /// Mean iteration time.
  public var time: Double { times.reduce(0, +) / Double(max(1, times.count)) }
  /// Half the 95 % interval of the mean iteration time; nil for a single replicate.
  public var timeInterval: Double? { RunningStatistics(times).confidenceHalfWidth() }

  /// The relative difference below which two times are a tie whatever the replicates say: no model
  /// of a cluster is exact to a percent.
  public static let tieThreshold = 0.01

  /// How this point compares with `other`, paired by replicate.
  public func compare(with other: PointSummary) -> Comparison {
    let pairs = zip(times, other.times).map { $0 - $1 }
    let statistics = RunningStatistics(pairs)
    if statistics.mean.magnitude <= Self.tieThreshold * min(time, other.time) { return .tie }
    if let half = statistics.confidenceHalfWidth(), statistics.mean.magnitude <= half {
      return .tie
    }
    return statistics.mean < 0 ? .faster : .slower
  }
  /// How this point compares with the better of plain fp32 and plain fp16: as with the one it does
  /// worse against.
  public func compareWithBaselines() -> Comparison {
    let outcomes = ["speedup_over_fp32", "speedup_over_fp16"].compactMap { column -> Comparison? in
      let gains = rows.compactMap { table.number(column, $0) }.map { $0 - 1 }
      if gains.isEmpty { return nil }
      let statistics = RunningStatistics(gains)
      if statistics.mean.magnitude <= Self.tieThreshold { return .tie }
      if let half = statistics.confidenceHalfWidth(), statistics.mean.magnitude <= half {
        return .tie
      }
      return statistics.mean > 0 ? .faster : .slower
    }
    if outcomes.contains(.slower) { return .slower }
    return outcomes.contains(.tie) || outcomes.isEmpty ? .tie : .faster
  }
  /// The outcome of a comparison.
  public enum Comparison: Sendable { case faster, tie, slower }

  /// The gradient's error and whether error feedback makes up for it, as no winner is named without.
  public var errorNote: String {
    let error = mean("gradient_rel_l2").map { Numbers.significant($0, 3) } ?? "unknown"
    let feedback = text("error_feedback")
    return "gradient error \(error)" + (feedback.isEmpty ? "" : ", error feedback \(feedback)")
  }
}
