/// A number of bytes.
public struct ByteCount: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The number of bytes.
  public var bytes: Int64

  @inlinable public init(_ bytes: Int64) { self.bytes = bytes }

  @inlinable public static var zero: ByteCount { ByteCount(0) }
  @inlinable public static func bytes(_ n: Int64) -> ByteCount { ByteCount(n) }
  @inlinable public static func kibibytes(_ n: Int64) -> ByteCount { ByteCount(n << 10) }
  @inlinable public static func mebibytes(_ n: Int64) -> ByteCount { ByteCount(n << 20) }
  @inlinable public static func megabytes(_ n: Int64) -> ByteCount { ByteCount(n * 1_000_000) }
  /// The fewest whole bytes that hold `bits` bits.
  @inlinable public static func holding(bits: Int64) -> ByteCount { ByteCount((bits + 7) / 8) }

  @inlinable public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
  @inlinable public static func + (a: ByteCount, b: ByteCount) -> ByteCount {
    ByteCount(a.bytes + b.bytes)
  }
  @inlinable public static func - (a: ByteCount, b: ByteCount) -> ByteCount {
    ByteCount(a.bytes - b.bytes)
  }
  @inlinable public static func * (a: ByteCount, n: Int) -> ByteCount {
    ByteCount(a.bytes * Int64(n))
  }
  @inlinable public static func += (a: inout ByteCount, b: ByteCount) { a.bytes += b.bytes }

  /// `self * factor`, rounded up to a byte.
  @inlinable public func scaled(by factor: Double) -> ByteCount {
    ByteCount(Int64((Double(bytes) * factor).rounded(.up)))
  }

  /// The size of the share `part` when `self` is numbered 0..<`whole` and only cut between multiples
  /// of `unit`, the size of one element.
  ///
  /// The shares of any cut of 0..<`whole` add up to `self`; equal cuts differ by at most one unit.
  public func share(_ part: Range<Int64>, of whole: Int64, unit: Int64 = 1) -> ByteCount {
    precondition(
      whole > 0 && part.lowerBound >= 0 && part.upperBound <= whole, "a share of 0..<whole")
    let units = bytes / unit + (bytes % unit == 0 ? 0 : 1)
    func bound(_ position: Int64) -> Int64 {
      let (high, low) = units.multipliedFullWidth(by: position)
      let (end, overflow) = whole.dividingFullWidth((high, low)).quotient
        .multipliedReportingOverflow(by: unit)
      return overflow ? bytes : min(end, bytes)
    }
    return ByteCount(bound(part.upperBound) - bound(part.lowerBound))
  }
}

/// A rate in bits per second.
public struct Bandwidth: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Bits per second; 0 is a link that carries nothing.
  public var bitsPerSecond: Int64

  @inlinable public init(bitsPerSecond: Int64) { self.bitsPerSecond = bitsPerSecond }

  @inlinable public static func bitsPerSecond(_ n: Int64) -> Bandwidth {
    Bandwidth(bitsPerSecond: n)
  }
  @inlinable public static func megabitsPerSecond(_ n: Double) -> Bandwidth {
    Bandwidth(bitsPerSecond: Int64((n * 1e6).rounded()))
  }
  @inlinable public static func gigabitsPerSecond(_ n: Double) -> Bandwidth {
    Bandwidth(bitsPerSecond: Int64((n * 1e9).rounded()))
  }
  @inlinable public static func gigabytesPerSecond(_ n: Double) -> Bandwidth {
    Bandwidth(bitsPerSecond: Int64((n * 8e9).rounded()))
  }

  @inlinable public static func < (a: Bandwidth, b: Bandwidth) -> Bool {
    a.bitsPerSecond < b.bitsPerSecond
  }

  /// `self * factor`, rounded to the nearest bit per second.
  @inlinable public func scaled(by factor: Double) -> Bandwidth {
    Bandwidth(bitsPerSecond: Int64((Double(bitsPerSecond) * factor).rounded()))
  }

  /// Bytes per picosecond, the unit the fluid solver works in.
  @inlinable public var bytesPerPicosecond: Double { Double(bitsPerSecond) / 8e12 }

  /// The time `size` takes at this rate, exact in integers and rounded **up** to a picosecond:
  /// one byte at 3 bit/s is 2,666,666,666,667 ps.
  ///
  /// Zero bytes take no time; any bytes at rate 0, or a result past 106 days, are ``SimDuration/unbounded``.
  @inlinable public func time(toSend size: ByteCount) -> SimDuration {
    precondition(size.bytes >= 0 && bitsPerSecond >= 0, "sizes and rates are not negative")
    if size.bytes == 0 { return .zero }
    if bitsPerSecond == 0 { return .unbounded }
    let rate = UInt64(bitsPerSecond)
    let (high, low) = UInt64(size.bytes).multipliedFullWidth(by: 8_000_000_000_000)
    if high == 0 {
      // Up to 2 MB the product fits a word, and the division is several times faster.
      let (quotient, remainder) = low.quotientAndRemainder(dividingBy: rate)
      let ceiling = quotient &+ (remainder == 0 ? 0 : 1)
      return ceiling >= UInt64(Int64.max)
        ? .unbounded : SimDuration(picoseconds: Int64(ceiling))
    }
    if high >= rate { return .unbounded }
    let (quotient, remainder) = rate.dividingFullWidth((high, low))
    let ceiling = quotient &+ (remainder == 0 ? 0 : 1)
    return ceiling >= UInt64(Int64.max)
      ? .unbounded : SimDuration(picoseconds: Int64(ceiling))
  }
}

extension ByteCount: CustomStringConvertible {
  public var description: String { "\(bytes) B" }
}

extension Bandwidth: CustomStringConvertible {
  /// The rate in the largest decimal unit that keeps it at least 1, such as `25 Gbps`.
  public var description: String {
    let value = Double(bitsPerSecond)
    for (scale, unit) in [(1e12, "Tbps"), (1e9, "Gbps"), (1e6, "Mbps"), (1e3, "Kbps")]
    where value >= scale {
      let scaled = value / scale
      return (scaled == scaled.rounded() ? String(Int64(scaled)) : "\(scaled)") + " " + unit
    }
    return "\(bitsPerSecond) bps"
  }
}
