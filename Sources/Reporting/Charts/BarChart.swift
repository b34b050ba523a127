/// Horizontal bars, each of one or several parts, in panels that each have their own scale.
public struct BarChart: Sendable {
  /// One bar.
  public struct Bar: Sendable {
    public var label: String
    /// A length for every part of the chart; none is negative.
    public var values: [Double]
    /// Of the sum; drawn as a line with ends.
    public var interval: ClosedRange<Double>?
    /// What stands in the results, for hovering.
    public var note: String

    public init(
      _ label: String, values: [Double], interval: ClosedRange<Double>? = nil, note: String = ""
    ) {
      self.label = label
      self.values = values
      self.interval = interval
      self.note = note
    }
    /// The whole length.
    public var sum: Double { values.reduce(0, +) }
  }
  /// Bars that are to be compared.
  public struct Panel: Sendable {
    public var title: String
    public var bars: [Bar]

    public init(_ title: String, bars: [Bar]) {
      self.title = title
      self.bars = bars
    }
  }

  /// What the lengths measure.
  public var title: String
  public var unit: ChartUnit
  /// The names of the parts.
  public var parts: [String]
  public var panels: [Panel]
  /// A length that a thin line marks, such as a speed-up of one.
  public var reference: Double?

  public init(
    _ title: String, unit: ChartUnit, parts: [String], panels: [Panel], reference: Double? = nil
  ) {
    self.title = title
    self.unit = unit
    self.parts = parts
    self.panels = panels
    self.reference = reference
  }

  /// Where the axis of `bars` ends: at the longest, unless a few are so long that the parts of the others
  /// could not be told apart.
  ///
  /// Those are then cut, and say so.
  func limit(of bars: [Bar]) -> Double {
    let lengths = bars.map { max($0.sum, $0.interval?.upperBound ?? 0) }.filter(\.isFinite).sorted()
    guard let longest = lengths.last, longest > 0 else { return 1 }
    if parts.count == 1 { return longest }
    let median = lengths[(lengths.count - 1) / 2]
    let ordinary = lengths.last { $0 <= 4 * median } ?? longest
    return ordinary > 0 && longest > 1.6 * ordinary ? ordinary * 1.25 : longest
  }
}
