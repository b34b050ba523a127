/// A length of simulated time: a signed count of picoseconds.
///
/// One byte at 800 Gb/s lasts exactly 10 ps, and the range is 106 days. Sums never wrap: they
/// saturate at ``unbounded``, which the run loop reports as an error and never schedules.
public struct SimDuration: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The length in picoseconds.
  public var picoseconds: Int64

  /// A length of `picoseconds`.
  @inlinable public init(picoseconds: Int64) { self.picoseconds = picoseconds }

  /// No time at all.
  @inlinable public static var zero: SimDuration { SimDuration(picoseconds: 0) }
  /// Longer than any run: the result of every overflow.
  @inlinable public static var unbounded: SimDuration { SimDuration(picoseconds: .max) }

  @inlinable public static func < (a: SimDuration, b: SimDuration) -> Bool {
    a.picoseconds < b.picoseconds
  }

  /// The sum, saturating; whatever is added to ``unbounded`` leaves it so.
  @inlinable public static func + (a: SimDuration, b: SimDuration) -> SimDuration {
    if a == .unbounded || b == .unbounded { return .unbounded }
    let (sum, overflow) = a.picoseconds.addingReportingOverflow(b.picoseconds)
    return SimDuration(picoseconds: overflow ? (b.picoseconds > 0 ? .max : .min) : sum)
  }
  /// The difference, saturating; nothing can be taken from ``unbounded``.
  @inlinable public static func - (a: SimDuration, b: SimDuration) -> SimDuration {
    if a == .unbounded { return .unbounded }
    let (difference, overflow) = a.picoseconds.subtractingReportingOverflow(b.picoseconds)
    return SimDuration(picoseconds: overflow ? (b.picoseconds > 0 ? .min : .max) : difference)
  }
  /// The product, saturating.
  @inlinable public static func * (a: SimDuration, n: Int) -> SimDuration {
    let (product, overflow) = a.picoseconds.multipliedReportingOverflow(by: Int64(n))
    return SimDuration(
      picoseconds: overflow ? ((a.picoseconds < 0) == (n < 0) ? .max : .min) : product)
  }
  @inlinable public static func += (a: inout SimDuration, b: SimDuration) { a = a + b }
  @inlinable public static func -= (a: inout SimDuration, b: SimDuration) { a = a - b }

  /// `self * factor` as a `Double`, rounded up to a picosecond once; saturates at ``unbounded``.
  ///
  /// The factor 1 changes nothing, and no factor but 0 takes anything from ``unbounded``.
  ///
  /// - Precondition: `factor` is finite and not negative.
  @inlinable public func scaled(by factor: Double) -> SimDuration {
    precondition(factor >= 0 && factor.isFinite, "a duration needs a finite factor of at least 0")
    if factor == 1 || (self == .unbounded && factor > 0) { return self }
    return SimDuration.roundingUp(picoseconds: Double(picoseconds) * factor)
  }

  /// The smallest duration that is not shorter than `picoseconds`.
  ///
  /// The one place where fractional time is rounded. Saturates at ``unbounded``; a NaN is a
  /// programmer error.
  @inlinable public static func roundingUp(picoseconds: Double) -> SimDuration {
    precondition(!picoseconds.isNaN, "a duration cannot be NaN")
    if picoseconds >= 9.223372036854775e18 { return .unbounded }
    if picoseconds <= -9.223372036854775e18 { return SimDuration(picoseconds: .min) }
    return SimDuration(picoseconds: Int64(picoseconds.rounded(.up)))
  }

  @inlinable public static func picoseconds(_ n: Int64) -> SimDuration {
    SimDuration(picoseconds: n)
  }
  /// `n` units of `unit` picoseconds, rounded up to a picosecond once.
  ///
  /// A product within two units in the last place of a whole number is that number: 0.07 is a
  /// little more than seven hundredths in binary, and must not cost a picosecond.
  @inlinable public static func decimal(_ n: Double, unit: Double) -> SimDuration {
    let product = n * unit
    let nearest = product.rounded()
    let isWhole = (product - nearest).magnitude <= 2 * product.ulp
    return roundingUp(picoseconds: isWhole ? nearest : product)
  }
  @inlinable public static func nanoseconds(_ n: Double) -> SimDuration { decimal(n, unit: 1e3) }
  @inlinable public static func microseconds(_ n: Double) -> SimDuration { decimal(n, unit: 1e6) }
  @inlinable public static func milliseconds(_ n: Double) -> SimDuration { decimal(n, unit: 1e9) }
  @inlinable public static func seconds(_ n: Double) -> SimDuration { decimal(n, unit: 1e12) }

  /// The length in seconds, to the nearest `Double`.
  @inlinable public var seconds: Double { Double(picoseconds) / 1e12 }
}

/// An instant of simulated time: picoseconds since the start of the run.
///
/// An instant minus an instant is a ``SimDuration``; instants do not add.
public struct SimTime: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Picoseconds since the start of the run; never negative in a queue.
  public var picoseconds: Int64

  @inlinable public init(picoseconds: Int64) { self.picoseconds = picoseconds }

  /// The start of the run.
  @inlinable public static var zero: SimTime { SimTime(picoseconds: 0) }
  /// Later than everything: the saturated result of an overflow, and never a legal event time.
  @inlinable public static var never: SimTime { SimTime(picoseconds: .max) }

  @inlinable public static func < (a: SimTime, b: SimTime) -> Bool {
    a.picoseconds < b.picoseconds
  }
  /// The instant `d` later, saturating; an unbounded wait ends at ``never``, as does any from there.
  @inlinable public static func + (t: SimTime, d: SimDuration) -> SimTime {
    if t == .never || d == .unbounded { return .never }
    let (sum, overflow) = t.picoseconds.addingReportingOverflow(d.picoseconds)
    return SimTime(picoseconds: overflow ? (d.picoseconds > 0 ? .max : .min) : sum)
  }
  /// The instant `d` earlier.
  @inlinable public static func - (t: SimTime, d: SimDuration) -> SimTime {
    SimTime(picoseconds: t.picoseconds - d.picoseconds)
  }
  /// The time from `b` to `a`.
  @inlinable public static func - (a: SimTime, b: SimTime) -> SimDuration {
    SimDuration(picoseconds: a.picoseconds - b.picoseconds)
  }
  /// The instant in seconds, to the nearest `Double`.
  @inlinable public var seconds: Double { Double(picoseconds) / 1e12 }
}

extension SimDuration: CustomStringConvertible {
  /// The exact decimal number of seconds, such as `0.00000125 s`.
  public var description: String { exactSeconds + " s" }

  /// The length in seconds as an exact decimal without an exponent, such as `0.00000125`.
  ///
  /// Sums of such decimals are exact, which binary fractions of a second are not.
  public var exactSeconds: String {
    if self == .unbounded { return "inf" }
    let magnitude = picoseconds.magnitude
    let whole = magnitude / 1_000_000_000_000
    var fraction = String(magnitude % 1_000_000_000_000)
    fraction = String(repeating: "0", count: 12 - fraction.count) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    let sign = picoseconds < 0 ? "-" : ""
    return sign + String(whole) + (fraction.isEmpty ? "" : "." + fraction)
  }
}

extension SimTime: CustomStringConvertible {
  public var description: String { (self - SimTime.zero).description }
}
