import SimKernel

/// The one place where fluid volumes become times.
enum FluidArithmetic {
  /// Picoseconds until `remaining` bytes of a transfer of `size` are through at `rate` bits per
  /// second, rounded up once; `Int64.max` if never.
  ///
  /// A transfer that keeps a whole rate from its first byte is timed exactly, in integers. Otherwise
  /// a quotient that is a whole number but for the rounding of its inputs (some units in the last
  /// place of the whole transfer's duration) is taken as that number, so that transfers with equal
  /// targets end together however often their rates changed.
  static func delay(remaining: Double, of size: ByteCount, at rate: Double) -> Int64 {
    if remaining <= 0 { return rate > 0 ? 0 : .max }
    if rate <= 0 { return .max }
    let whole = Double(size.bytes)
    if remaining == whole, rate < 0x1p53, rate == rate.rounded(.down) {
      return Bandwidth(bitsPerSecond: Int64(rate)).time(toSend: size).picoseconds
    }
    let duration = remaining * 8e12 / rate
    let nearest = duration.rounded()
    let doubt = min(0.25, whole * 8e12 / rate * 0x1p-49)
    let rounded = (duration - nearest).magnitude <= doubt ? nearest : duration.rounded(.up)
    return rounded < 9.2e18 ? Int64(rounded) : .max
  }

  /// Bytes that pass in `picoseconds` at `rate` bits per second.
  static func volume(at rate: Double, for picoseconds: Int64) -> Double {
    rate * Double(picoseconds) / 8e12
  }

  /// Weights are multiples of 2⁻¹⁶ up to 2²⁰, so that sums of them are exact in any order.
  static func weight(_ weight: Double) -> Double {
    precondition(weight >= 0x1p-16 && weight <= 0x1p20, "a weight is in 2⁻¹⁶...2²⁰")
    return (weight * 0x1p16).rounded() * 0x1p-16
  }
}
