/// Where an axis is marked: at values that people count in.
public enum Ticks {
  /// Multiples of 1, 2 or 5 times a power of ten within `low...high`: as many as come closest to `count`
  /// from below, at least two where they fit.
  ///
  /// - Complexity: O(count).
  public static func linear(_ low: Double, _ high: Double, count: Int = 5) -> [Double] {
    guard low.isFinite, high.isFinite, high > low, count > 0 else { return [low] }
    // The smallest step that gives no more than `count` ticks.
    let raw = (high - low) / Double(max(1, count))
    var power = 1.0
    while power > raw { power /= 10 }
    while power * 10 <= raw { power *= 10 }
    let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= raw * (1 - 1e-9) } ?? 10 * power
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    guard first <= last, last - first < 10_000 else { return [] }
    // Rounded to the step's own digits: 3 * 0.1 is 0.30000000000000004.
    return (Int(first)...Int(last)).map { rounded(Double($0) * step, step) }
  }

  /// The range of an axis that holds `low...high` and ends at ticks.
  public static func niceRange(_ low: Double, _ high: Double, count: Int = 5) -> ClosedRange<Double>
  {
    guard high > low else { return low...max(low, high) }
    let ticks = linear(low, high, count: count)
    guard ticks.count > 1 else { return low...high }
    let step = ticks[1] - ticks[0]
    let first = (low / step + 1e-9).rounded(.down) * step
    let last = (high / step - 1e-9).rounded(.up) * step
    return rounded(first, step)...rounded(max(last, first + step), step)
  }

  /// Powers of ten within `low...high`.
  ///
  /// Where there are fewer than three, also 2 and 5 times them; where there are more than `count`,
  /// every second, third, ... of them.
  ///
  /// - Precondition: `low` is positive.
  public static func logarithmic(_ low: Double, _ high: Double, count: Int = 7) -> [Double] {
    precondition(low > 0, "a logarithm needs a positive number")
    guard high > low else { return [low] }
    func all(_ factors: [Double]) -> [Double] {
      var exponent = 0
      var power = 1.0
      while power > low {
        exponent -= 1
        power = powerOfTen(exponent)
      }
      while power * 10 <= low {
        exponent += 1
        power = powerOfTen(exponent)
      }
      var ticks: [Double] = []
      while power <= high * (1 + 1e-9) {
        for factor in factors {
          // Read from decimals: 3 * 0.1 is not the nearest number to 0.3.
          let tick = Double("\(factor)e\(exponent)") ?? factor * power
          if tick >= low * (1 - 1e-9), tick <= high * (1 + 1e-9) { ticks.append(tick) }
        }
        exponent += 1
        power = powerOfTen(exponent)
      }
      return ticks
    }
    let powers = all([1])
    if powers.count < 3 {
      // Even steps of a logarithm are roughly 1, 2, 5 or 1, 3, 10.
      let fine = all([1, 2, 5])
      if fine.count > count { return thinned(all([1, 3]), count) }
      if fine.count >= 2 { return fine }
      let finest = all([1, 1.5, 2, 3, 5, 7])
      return finest.count >= 2 ? thinned(finest, count) : linear(low, high, count: count)
    }
    return thinned(powers, count)
  }

  private static func thinned(_ ticks: [Double], _ count: Int) -> [Double] {
    let stride = (ticks.count + count - 1) / max(1, count)
    return ticks.indices.filter { $0 % max(1, stride) == 0 }.map { ticks[$0] }
  }

  /// Ten to the `exponent`, correctly rounded for every exponent that axes meet.
  static func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? 0 }

  private static func rounded(_ value: Double, _ step: Double) -> Double {
    if step >= 1 { return value.rounded() }
    var digits = 0
    while digits < 300, powerOfTen(-digits) > step * 1.000001 { digits += 1 }
    // Read back from decimals: the nearest number to what is written beside the tick.
    return digits <= 15 ? Double(Numbers.fixed(value, digits)) ?? value : value
  }
}
