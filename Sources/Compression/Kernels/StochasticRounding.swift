import CKernels

/// Rounds magnitudes to levels at random, without bias, and puts the sign above the level.
///
/// The level of an element is |x| x factor plus a dither in [-1/2, 1/2], to the nearest integer. Its
/// mean is off by less than 2^-24 of a level, which 10^14 draws would not show. The dither is the hash
/// of the element's position as a signed number, without the last xor-shift of
/// ``CounterHash/bits(counter:)``: that only changes bits below 16, of which a float keeps half.
struct StochasticRounding {
  let hash: CounterHash
  /// The highest level, below 2^15.
  let limit: Int
  /// The position of the sign in the code.
  let signBit: Int

  /// Codes of elements `range` of `source`; `factor` turns magnitudes into levels.
  func round(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ factor: Float,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    ck_round_to_bytes(
      source + range.lowerBound, range.count, rounding(range, factor), ahead(range), codes)
  }

  /// As above, for codes of more than eight bits.
  func round(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ factor: Float,
    into codes: UnsafeMutablePointer<UInt16>
  ) {
    ck_round_to_words(
      source + range.lowerBound, range.count, rounding(range, factor), ahead(range), codes)
  }

  /// Ternary digits of elements `range`: 0 for zero, 1 for plus, 2 for minus.
  ///
  /// Magnitudes above 1 / `factor`, which clipping leaves, always keep their sign.
  func ternary(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ factor: Float,
    into digits: UnsafeMutablePointer<UInt8>
  ) {
    ck_round_to_ternary(
      source + range.lowerBound, range.count, rounding(range, factor), ahead(range), digits)
  }

  private func rounding(_ range: Range<Int>, _ factor: Float) -> ck_rounding {
    ck_rounding(
      counter: hash.counter(range.lowerBound), key: hash.second, factor: factor,
      limit: UInt32(limit), sign_bit: UInt32(signBit))
  }

  /// Rounding hides the wait for what comes next, which lies behind the scope where the first cache
  /// holds that, since it was read for its norm.
  private func ahead(_ range: Range<Int>) -> Int {
    range.count <= 4096 ? max(4 * range.count, 8192) : 4096
  }
}
