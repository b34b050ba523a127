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
  func bits(_ index: Int) -> UInt32 { bits(counter: counter(index)) }

  /// The counter of position `index`; that of the next position is one more, modulo 2^32.
  ///
  /// Loops count it up beside the index: a 32-bit lane of its own, instead of truncated 64-bit ones.
  @inline(__always)
  func counter(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: index) &+ first }

  /// 32 random bits for a counter.
  @inline(__always)
  func bits(counter: UInt32) -> UInt32 {
    var x = counter
    x ^= x >> 16
    x = x &* 0x7FEB_352D
    x ^= x >> 15
    x = (x &+ second) &* 0x846C_A68B
    x ^= x >> 16
    return x
  }

  /// A uniform number in [-2^31, 2^31] for a counter.
  ///
  /// The last xor-shift of the mixer is left out: it only changes bits below 16, of which a float
  /// keeps half, at 2^-16 of the range.
  @inline(__always)
  func dither(counter: UInt32) -> Float {
    var x = counter
    x ^= x >> 16
    x = x &* 0x7FEB_352D
    x ^= x >> 15
    x = (x &+ second) &* 0x846C_A68B
    return Float(Int32(bitPattern: x))
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
