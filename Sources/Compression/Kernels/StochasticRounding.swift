/// Rounds magnitudes to levels at random, without bias, and puts the sign above the level.
///
/// Plain functions over pointers, one for each width of code: inside a codec's closures the same loop
/// stays scalar, ten times slower.
struct StochasticRounding {
  let hash: CounterHash
  /// The highest level, below 2^15.
  let limit: Int
  /// The position of the sign in the code.
  let signBit: Int

  /// Codes of elements `range` of `source`; `factor` turns magnitudes into levels.
  @inline(never)
  func round(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ factor: Float,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    let input = source + range.lowerBound
    let step = Step(self, factor: factor)
    var counter = hash.counter(range.lowerBound)
    for index in 0..<range.count {
      codes[index] = UInt8(truncatingIfNeeded: step.code(counter, input[index].bitPattern))
      counter &+= 1
    }
  }

  /// As above, for codes of more than eight bits.
  @inline(never)
  func round(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ factor: Float,
    into codes: UnsafeMutablePointer<UInt16>
  ) {
    let input = source + range.lowerBound
    let step = Step(self, factor: factor)
    var counter = hash.counter(range.lowerBound)
    for index in 0..<range.count {
      codes[index] = UInt16(truncatingIfNeeded: step.code(counter, input[index].bitPattern))
      counter &+= 1
    }
  }

  /// Ternary digits of elements `range`: 0 for zero, 1 for plus, 2 for minus.
  ///
  /// Magnitudes above 1 / `factor`, which clipping leaves, always keep their sign.
  @inline(never)
  func ternary(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ factor: Float,
    into digits: UnsafeMutablePointer<UInt8>
  ) {
    let input = source + range.lowerBound
    let step = Step(self, factor: factor)
    var counter = hash.counter(range.lowerBound)
    for index in 0..<range.count {
      let bits = input[index].bitPattern
      digits[index] = UInt8(truncatingIfNeeded: (step.level(counter, bits) & 1) &<< (bits >> 31))
      counter &+= 1
    }
  }

  /// What one loop keeps in registers.
  private struct Step {
    let hash: CounterHash
    /// Levels a unit of magnitude, times 2^32.
    let factor: Float
    /// The highest level under ``MagicRounding/magic``.
    let top: Float
    let signShift: UInt32
    let signMask: UInt32

    @inline(__always)
    init(_ rounding: StochasticRounding, factor: Float) {
      hash = rounding.hash
      self.factor = factor * 0x1p32
      top = MagicRounding.magic + Float(rounding.limit)
      signShift = UInt32(31 - rounding.signBit)
      signMask = 1 << UInt32(rounding.signBit)
    }

    /// The level of an element: |x| x factor plus a dither in [-1/2, 1/2], to the nearest integer.
    ///
    /// Both are carried times 2^32, which is exact, so that the dither is one conversion. Its mean is
    /// off by less than 2^-24 of a level, which 10^14 draws would not show. Only the low 16 bits are
    /// the level; above them stands the exponent of ``MagicRounding/magic``, which storing cuts off.
    @inline(__always)
    func level(_ counter: UInt32, _ bits: UInt32) -> UInt32 {
      let magnitude = Float(bitPattern: bits & 0x7FFF_FFFF)
      let dither = hash.dither(counter: counter)
      let rounded = (magnitude * factor + dither) * 0x1p-32 + MagicRounding.magic
      return (rounded < top ? rounded : top).bitPattern
    }
    @inline(__always)
    func code(_ counter: UInt32, _ bits: UInt32) -> UInt32 {
      level(counter, bits) | bits &>> signShift & signMask
    }
  }
}
