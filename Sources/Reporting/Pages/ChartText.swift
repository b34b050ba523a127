import Experiments
import SimKernel

/// Columns as axes and tables name them.
enum ChartText {
  /// Names that do not follow from the column's.
  private static let titles: [(column: String, title: String)] = [
    ("samples_per_s", "throughput"),
    ("gradient_rel_l2", "relative gradient error"),
    ("accumulated_rel_l2", "relative error of the summed update"),
    ("speedup_over_fp32", "speed-up over fp32"),
    ("speedup_over_fp16", "speed-up over fp16"),
    ("busiest_link_share", "busy share of the busiest link"),
  ]

  /// What a column measures, without its unit.
  static func title(of column: String) -> String {
    if let known = titles.first(where: { $0.column == column }) { return known.title }
    var words = column.split(separator: "_").map(String.init)
    if words.count > 1, ["s", "bytes"].contains(words[words.count - 1]) { words.removeLast() }
    if column.hasSuffix("_bytes") { words.append("size") }
    return words.joined(separator: " ")
  }

  /// Its unit.
  static func unit(of column: String) -> ChartUnit {
    if column == "samples_per_s" { return .perSecond("samples") }
    if column.hasSuffix("_s") { return .seconds }
    if column.hasSuffix("_bytes") { return .bytes }
    if column.hasPrefix("speedup_") || column == "compression_ratio" || column == "wire_ratio" {
      return .factor
    }
    if column.hasSuffix("_share") || column == "scaling_efficiency" { return .share }
    return .number
  }

  /// The unit of a swept quantity; ``inBaseUnits(_:_:)`` has the numbers that go with it.
  static func unit(of scale: AxisScale) -> ChartUnit {
    guard !scale.unit.isEmpty else { return .number }
    return scale.measuresLike(bandwidth)
      ? .bitsPerSecond
      : scale.measuresLike(duration) ? .seconds : .bytes
  }
  /// Durations are counted in picoseconds, but drawn in seconds.
  static func inBaseUnits(_ values: [Double], _ scale: AxisScale) -> [Double] {
    scale.measuresLike(duration) ? values.map { $0 / 1e12 } : values
  }
  private static var bandwidth: AxisScale { AxisScale.read("1 bps")!.scale }
  private static var duration: AxisScale { AxisScale.read("1 s")!.scale }
}
