/// A decimal number as it is written: whole digits and a power of ten, without rounding.
///
/// Timestamps of microseconds with fractions near 4.4e12 have 16 significant digits and more; through
/// a `Double` they lose their nanoseconds. Digits beyond 2^64 are dropped and noted.
public struct DecimalNumber: Sendable, Equatable, BitwiseCopyable {
  public var isNegative = false
  /// The digits without their point.
  public var digits: UInt64 = 0
  /// The power of ten they are multiplied by.
  public var exponent = 0
  /// Whether digits other than zero were dropped.
  public var isCut = false

  public init(isNegative: Bool = false, digits: UInt64 = 0, exponent: Int = 0) {
    self.isNegative = isNegative
    self.digits = digits
    self.exponent = exponent
  }

  /// The number times `10^power`, to the nearest whole number, halves away from zero; nil if it
  /// does not fit.
  public func scaled(byTenTo power: Int) -> Int128? {
    let shift = exponent + power
    var value = Int128(digits)
    if shift >= 0 {
      if digits == 0 { return 0 }
      if shift > 38 { return nil }
      if shift < 19 {
        // Below 2^64 times 10^18, which is below 2^124.
        return (isNegative ? -1 : 1) * value * Int128(Self.powers[shift])
      }
      for power in [19, shift - 19] {
        let (product, overflow) = value.multipliedReportingOverflow(by: Int128(Self.powers[power]))
        if overflow { return nil }
        value = product
      }
    } else if shift < -19 {
      value = 0
    } else {
      let divisor = Int128(Self.powers[-shift])
      value = (value + divisor / 2) / divisor
    }
    return isNegative ? -value : value
  }

  /// The number if it is whole and fits.
  public var integer: Int64? {
    if exponent < 0, !isCut {
      guard exponent >= -19, digits % Self.powers[-exponent] == 0 else {
        return digits == 0 ? 0 : nil
      }
    } else if isCut {
      return nil
    }
    return scaled(byTenTo: 0).flatMap { Int64(exactly: $0) }
  }

  /// The nearest `Double`; infinite beyond its range.
  public var nearestDouble: Double {
    Double("\(isNegative ? "-" : "")\(digits)e\(exponent)") ?? 0
  }

  /// 10^0 to 10^19.
  private static let powers: [UInt64] = {
    var powers: [UInt64] = [1]
    for _ in 0..<19 { powers.append(powers[powers.count - 1] * 10) }
    return powers
  }()

  /// Reads the longest number that `bytes` begin with.
  ///
  /// - Returns: its length, or nil where no JSON number stands; `bytes` need not end with it.
  mutating func read(_ bytes: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Int? {
    // In bounds: every load is of a place before `end`.
    var place = bytes
    isNegative = place < end && place.pointee == UInt8(ascii: "-")
    if isNegative { place += 1 }
    digits = 0
    exponent = 0
    isCut = false
    let whole = place
    place = readFitting(place, end: min(end, place + Self.fittingDigits))
    while place < end, place.pointee &- 48 < 10 {
      append(place.pointee &- 48, isFraction: false)
      place += 1
    }
    if place == whole || (place - whole > 1 && whole.pointee == 48) { return nil }
    if place < end, place.pointee == UInt8(ascii: ".") {
      place += 1
      let fraction = place
      let room = Self.fittingDigits - (fraction - 1 - whole)
      if room > 0 {
        place = readFitting(place, end: min(end, place + room))
        exponent = fraction - place
      }
      while place < end, place.pointee &- 48 < 10 {
        append(place.pointee &- 48, isFraction: true)
        place += 1
      }
      if place == fraction { return nil }
    }
    if place < end, place.pointee | 0x20 == UInt8(ascii: "e") {
      place += 1
      var negative = false
      if place < end, place.pointee == UInt8(ascii: "-") || place.pointee == UInt8(ascii: "+") {
        negative = place.pointee == UInt8(ascii: "-")
        place += 1
      }
      let start = place
      var power = 0
      while place < end, place.pointee &- 48 < 10 {
        power = min(power * 10 + Int(place.pointee &- 48), 100_000)
        place += 1
      }
      if place == start { return nil }
      exponent += negative ? -power : power
    }
    return place - bytes
  }

  /// So many digits fit whatever they are: 10^19 is below 2^64.
  private static let fittingDigits = 19

  /// Appends the digits before `end`, which fit; returns where they end.
  @inline(__always)
  private mutating func readFitting(
    _ start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var place = start
    // In bounds: every load is of a place before `end`. Nothing overflows: at most 19 digits.
    while place < end {
      let digit = place.pointee &- 48
      if digit >= 10 { break }
      digits = digits &* 10 &+ UInt64(digit)
      place += 1
    }
    return place
  }

  @inline(__always)
  private mutating func append(_ digit: UInt8, isFraction: Bool) {
    // 2^64 - 1 is 18446744073709551615: up to there another digit fits.
    if digits < 1_844_674_407_370_955_161 || (digits == 1_844_674_407_370_955_161 && digit <= 5) {
      digits = digits &* 10 &+ UInt64(digit)
      if isFraction { exponent -= 1 }
    } else {
      if digit != 0 { isCut = true }
      if !isFraction { exponent += 1 }
    }
  }
}
