import Experiments
import SimKernel

/// What network models say about the same points, side by side: how far a cheap model is off.
///
/// Differences are of the mean iteration time against the last model named, which people name last
/// because it is the most faithful.
public struct ModelComparison {
  /// The swept path that makes a sweep a comparison of models.
  public static let axis = "network.model"

  private let table: ResultTable
  private let points: [PointSummary]
  private let column: Int
  private let models: [String]

  /// A comparison, or nil if `table` has fewer than two models.
  public init?(_ table: ResultTable) {
    guard let column = table.swept.firstIndex(of: Self.axis) else { return nil }
    self.table = table
    self.column = column
    points = PointSummary.all(of: table)
    var models: [String] = []
    for point in points where !models.contains(point.labels[column]) {
      models.append(point.labels[column])
    }
    guard models.count >= 2 else { return nil }
    self.models = models
  }

  /// A line for each point of the other axes: iteration time under each model, and differences.
  public func text(width: Int) -> String {
    let others = table.swept.indices.filter { $0 != column }
    let hasJobs = points.contains { $0.job != points[0].job }
    let reference = models.last!
    var columns: [(title: String, alignment: TextTable.Alignment)] = others.map {
      (ColumnNames.short(table.swept[$0], among: table.swept), .left)
    }
    if hasJobs { columns.append(("job", .left)) }
    if columns.isEmpty { columns.append(("", .left)) }
    for model in models { columns.append((model, .right)) }
    for model in models.dropLast() { columns.append(("\(model) - \(reference)", .right)) }
    var order: [[String]] = []
    var groups: [[String]: [PointSummary]] = [:]
    for point in points {
      let key = others.map { point.labels[$0] } + (hasJobs ? [point.job] : [])
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(point)
    }
    var rows = TextTable(columns)
    var worst = 0.0
    for key in order {
      let times = models.map { model in
        groups[key]!.first { $0.labels[column] == model }?.time
      }
      let differences = times.dropLast().map { time -> String in
        guard let time, let exact = times.last!, exact > 0 else { return "" }
        let difference = time / exact - 1
        worst = max(worst, difference.magnitude)
        return (difference > 0 ? "+" : "") + Numbers.fixed(difference * 100, 2) + " %"
      }
      rows.add(
        (key.isEmpty ? ["all"] : key) + times.map { $0.map { Numbers.milliseconds($0) } ?? "" }
          + differences)
    }
    let note =
      "iteration time in ms under each network model; differences are against \(reference), at most "
      + Numbers.fixed(worst * 100, 2) + " %"
    return rows.text(width: width)
      + WrappedText.lines(note, indent: 0, width: width).joined(separator: "\n") + "\n"
  }
}
