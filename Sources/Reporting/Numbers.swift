/// Numbers as people read them.
public enum Numbers {
  /// `value` with `digits` digits after the point, rounded half away from zero.
  public static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return value.description }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded(.toNearestOrAwayFromZero)
    // Split as an integer: in floating point the whole part may round up past the number.
    guard digits < 19, scaled < 9e18 else { return value.description }
    let total = UInt64(scaled)
    let unit = UInt64(scale)
    let sign = value < 0 && total > 0 ? "-" : ""
    if digits == 0 { return sign + String(total) }
    let whole = total / unit
    let fraction = String(total % unit)
    return sign + String(whole) + "."
      + String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
  }

  /// `value` with about `digits` significant digits and no exponent where one is not needed.
  public static func significant(_ value: Double, _ digits: Int = 4) -> String {
    if value == 0 || !value.isFinite { return value == 0 ? "0" : value.description }
    if value.magnitude < 1e-6 || value.magnitude >= 1e9 { return exponential(value, digits) }
    var magnitude = value.magnitude
    var decimals = digits - 1
    while magnitude >= 10 {
      magnitude /= 10
      decimals -= 1
    }
    while magnitude < 1 {
      magnitude *= 10
      decimals += 1
    }
    // 9.9996 rounds to 10.00, not to 10.000.
    var half = 5.0
    for _ in 0..<digits { half /= 10 }
    if magnitude + half >= 10 { decimals -= 1 }
    return fixed(value, max(0, decimals))
  }

  /// Milliseconds for a column of a table: about four digits, never more than three decimals.
  public static func milliseconds(_ seconds: Double) -> String {
    let value = seconds * 1e3
    let digits = value.magnitude >= 1000 ? 0 : value.magnitude >= 100 ? 1 : 2
    return value.magnitude < 10 ? (value == 0 ? "0" : fixed(value, 3)) : fixed(value, digits)
  }

  private static func exponential(_ value: Double, _ digits: Int) -> String {
    var mantissa = value
    var exponent = 0
    while mantissa.magnitude >= 10 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa.magnitude < 1 {
      mantissa *= 10
      exponent -= 1
    }
    return fixed(mantissa, digits - 1) + "e" + String(exponent)
  }

  /// Seconds in the unit that suits them: `12.3 ms`.
  public static func seconds(_ value: Double) -> String {
    for (scale, unit) in [(1.0, "s"), (1e3, "ms"), (1e6, "us")]
    where value.magnitude * scale >= 1 {
      return significant(value * scale, 4) + " " + unit
    }
    return value == 0 ? "0 s" : significant(value * 1e9, 4) + " ns"
  }

  /// A fraction as a percentage without zeros at its end: `95 %`, `0.5 %`.
  public static func percent(_ fraction: Double) -> String {
    var text = fixed(fraction * 100, 4)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text + " %"
  }

  /// An interval with as many digits as tell its ends apart: `[1.234, 1.251]`.
  public static func interval(_ interval: ClosedRange<Double>) -> String {
    let (low, high) = (interval.lowerBound, interval.upperBound)
    let largest = max(low.magnitude, high.magnitude)
    let width = high - low
    guard largest < 1e9, largest >= 1e-6, width > largest * 1e-12 else {
      return "[\(significant(low, 4)), \(significant(high, 4))]"
    }
    // Two digits of the width, and no fewer than four of the ends.
    func decimals(_ digits: Int, of value: Double) -> Int {
      var scaled = value
      var decimals = digits - 1
      while scaled >= 10 {
        scaled /= 10
        decimals -= 1
      }
      while scaled < 1 {
        scaled *= 10
        decimals += 1
      }
      return max(0, decimals)
    }
    let digits = max(decimals(2, of: width), decimals(4, of: largest))
    return "[\(fixed(low, digits)), \(fixed(high, digits))]"
  }
}
