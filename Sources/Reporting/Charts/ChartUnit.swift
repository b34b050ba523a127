/// The unit of an axis, and how its numbers are shortened by prefixes.
public enum ChartUnit: Sendable, Equatable {
  case seconds
  case bytes
  case bitsPerSecond
  /// A frequency of things, such as samples a second.
  case perSecond(String)
  /// A factor: `2.5x`.
  case factor
  /// A part of a whole, shown in percent.
  case share
  /// A number without unit, or whose unit is in the axis' name.
  case number
  /// A unit as users wrote it, never prefixed.
  case named(String)

  /// A unit that stands for `factor` base units.
  struct Prefixed: Equatable {
    var factor: Double
    var symbol: String
  }

  /// The prefixed unit in which `value` reads best: from 1 to below 1,000 where there is one.
  func prefixed(for value: Double) -> Prefixed {
    let steps: [(Double, String)]
    let symbol: String
    switch self {
    case .seconds: (steps, symbol) = ([(1, ""), (1e-3, "m"), (1e-6, "\u{00B5}"), (1e-9, "n")], "s")
    case .bytes:
      (steps, symbol) = ([(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")], "B")
    case .bitsPerSecond:
      (steps, symbol) = ([(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")], "b/s")
    case .perSecond(let things):
      (steps, symbol) = ([(1e6, "M"), (1e3, "k"), (1, "")], things + "/s")
      let step = steps.first { value.magnitude >= 10 * $0.0 } ?? (1, "")
      return Prefixed(
        factor: step.0, symbol: step.1 == "" ? symbol : (step.1 == "k" ? "1000 " : "10^6 ") + symbol
      )
    case .factor: return Prefixed(factor: 1, symbol: "\u{00D7}")
    case .share: return Prefixed(factor: 0.01, symbol: "%")
    case .number: return Prefixed(factor: 1, symbol: "")
    case .named(let name): return Prefixed(factor: 1, symbol: name)
    }
    let step = steps.first { value.magnitude >= $0.0 } ?? steps[steps.count - 1]
    return Prefixed(factor: step.0, symbol: step.1 + symbol)
  }

  /// `value` base units with `digits` digits and a unit: `12.3 ms`, `2.50x`, `95 %`.
  public func text(_ value: Double, digits: Int = 4) -> String {
    if !value.isFinite { return value.description }
    if case .factor = self { return Numbers.significant(value, digits) + "\u{00D7}" }
    let unit = value == 0 ? prefixed(for: 1) : prefixed(for: value)
    let number = Self.short(value / unit.factor, digits)
    return unit.symbol.isEmpty ? number : number + " " + unit.symbol
  }

  /// Without zeros after the point that say nothing.
  static func short(_ value: Double, _ digits: Int = 6) -> String {
    var text = Numbers.significant(value, digits)
    guard text.contains("."), !text.contains("e") else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}
