import SimKernel

/// An axis before it has a place: what it measures, and how.
public struct ChartAxis: Sendable {
  /// A value that is marked, and what stands beside it.
  public struct Mark: Sendable, Equatable {
    public var value: Double
    public var label: String

    public init(_ value: Double, _ label: String) {
      self.value = value
      self.label = label
    }
  }
  /// Without the unit, which is appended where it is common to all marks.
  public var title: String
  public var unit: ChartUnit
  public var isLogarithmic: Bool
  /// Whether the axis begins at zero even if no value comes near; never on a logarithmic one.
  public var includesZero: Bool
  /// The values to mark; nil marks round numbers.
  public var marks: [Mark]?

  public init(
    _ title: String, unit: ChartUnit = .number, isLogarithmic: Bool = false,
    includesZero: Bool = false, marks: [Mark]? = nil
  ) {
    self.title = title
    self.unit = unit
    self.isLogarithmic = isLogarithmic
    self.includesZero = includesZero
    self.marks = marks
  }

  /// What one base unit is in the unit of the title: 1e-9 on an axis in Gbps.
  var shownPerUnit: Double {
    guard case .named = unit, let mark = marks?.last, mark.value != 0,
      let shown = Double(mark.label)
    else { return 1 }
    // The inverse of a whole number of base units keeps whole numbers whole.
    return 1 / (mark.value / shown)
  }

  /// The range that shows all of `values`; on a logarithmic axis, of those above zero.
  func domain(of values: [Double]) -> ClosedRange<Double> {
    let shown = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
    guard let low = shown.min(), let high = shown.max() else {
      return isLogarithmic ? 1...10 : 0...1
    }
    if isLogarithmic {
      if low == high { return low / 2...high * 2 }
      let margin = max(1.08, DeterministicMath.pow(high / low, 0.06))
      return low / margin...high * margin
    }
    if marks != nil {
      let margin = (high - low) * 0.05
      return low - margin...high + margin
    }
    return Ticks.niceRange(
      includesZero ? min(0, low) : low, includesZero ? max(0, high) : high)
  }

  /// What is marked on `scale`, and the title with the unit that all labels share.
  ///
  /// - Parameter values: those of every panel that shares the title, which decide the unit.
  func labelled(on scale: Scale, values: [Double], count: Int = 5) -> (title: String, marks: [Mark])
  {
    if let marks {
      let inside = marks.filter { scale.contains($0.value) }
      return (withUnit(Self.commonUnit(unit)), inside)
    }
    let ticks =
      isLogarithmic
      ? Ticks.logarithmic(scale.low, scale.high) : Ticks.linear(scale.low, scale.high, count: count)
    let sizes = values.filter { $0.isFinite && $0 != 0 }.map(\.magnitude)
    let (low, high) = (sizes.min() ?? 1, sizes.max() ?? 1)
    let common = unit.prefixed(for: isLogarithmic ? (low * high).squareRoot() : high)
    let largest = high / common.factor
    let isEach =
      unit == .factor
      || (isLogarithmic && (largest >= 9999.5 || low / common.factor < 0.0099) && !unit.isPlain)
    if isEach {
      return (title, ticks.map { Mark($0, unit.text($0, digits: 3).withoutIdleZeros) })
    }
    return (
      withUnit(common.symbol),
      ticks.map { Mark($0, ChartUnit.short($0 / common.factor)) }
    )
  }

  private func withUnit(_ symbol: String) -> String {
    symbol.isEmpty ? title : "\(title) (\(symbol))"
  }
  private static func commonUnit(_ unit: ChartUnit) -> String {
    if case .named(let name) = unit { return name }
    return ""
  }
}

extension ChartUnit {
  /// Whether numbers have no unit to carry.
  fileprivate var isPlain: Bool { self == .number || self == .share }
}

extension String {
  /// `2.00×` as `2×`, `1.50 ms` as `1.5 ms`.
  fileprivate var withoutIdleZeros: String {
    let number = prefix { $0.isNumber || $0 == "." || $0 == "-" }
    let rest = dropFirst(number.count)
    guard number.contains("."), rest.first != "e" else { return self }
    var short = number
    while short.last == "0" { short.removeLast() }
    if short.last == "." { short.removeLast() }
    return String(short + rest)
  }
}
