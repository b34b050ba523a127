import SimKernel

/// Random bits as a pure function of an element's position: they vectorise, and drawing them in any
/// order or on any number of threads gives the same bytes.
///
/// The mixer is `lowbias32` (Wellons, "Prospecting for hash functions", 2018) with a second key word
/// injected between its multiplications, so that two keys are not shifted copies of one sequence.
struct CounterHash {
  let first: UInt32
  let second: UInt32

  /// The hash keyed by the next number of `random`.
  init(_ random: RandomStream) {
    var stream = random
    self.init(key: stream.next())
  }
  init(key: UInt64) {
    first = UInt32(truncatingIfNeeded: key)
    second = UInt32(truncatingIfNeeded: key >> 32)
  }

  /// 32 random bits for position `index`, taken modulo 2^32.
  ///
  /// The wrapping arithmetic is the definition of the mixer.
  @inline(__always)
  func bits(_ index: Int) -> UInt32 {
    var x = UInt32(truncatingIfNeeded: index) &+ first
    x ^= x >> 16
    x = x &* 0x7FEB_352D
    x ^= x >> 15
    x = (x &+ second) &* 0x846C_A68B
    x ^= x >> 16
    return x
  }

  /// A uniform number in (-1/2, 1/2), symmetric around 0, with 23 random bits.
  ///
  /// Added before rounding to the nearest integer it makes the rounding stochastic and unbiased.
  @inline(__always)
  func dither(_ index: Int) -> Float {
    // 1.xxx in bits, minus 3/2, plus half a step that centres the 2^23 steps: all exact.
    Float(bitPattern: 0x3F80_0000 | bits(index) >> 9) - 1.5 + 0x1p-24
  }
}

/// Rounding to the nearest integer by addition: `x + magic` has the integer in its low bits.
///
/// `Int32(x)` checks its range and keeps loops scalar, about ten times slower. Ties go to even,
/// because IEEE addition does that. Valid for |x| < 2^22, which callers' scales guarantee.
enum MagicRounding {
  /// 1.5 x 2^23: its neighbours are one apart, and two's complement fits below its leading bits.
  static let magic: Float = 12_582_912
  /// The rounded integer in the low 22 bits, two's complement.
  @inline(__always)
  static func bits(_ x: Float) -> UInt32 { (x + magic).bitPattern }
}
