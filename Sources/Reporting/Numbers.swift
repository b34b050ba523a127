/// Numbers as people read them.
public enum Numbers {
  /// `value` with `digits` digits after the point, rounded half away from zero.
  public static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return value.description }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded(.toNearestOrAwayFromZero)
    let whole = UInt64(scaled / scale)
    let rest = UInt64(scaled - Double(whole) * scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if digits == 0 { return sign + String(UInt64(scaled)) }
    let fraction = String(rest)
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
    return fixed(value, max(0, decimals))
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
}
