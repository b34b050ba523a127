/// A counter-based random stream that belongs to one (seed, replicate, purpose, entity).
///
/// Every stream is a function of its key alone: drawing more in one never shifts another, and the
/// position of a point in a sweep is not part of the key, so all configurations of a replicate meet
/// the same stragglers (common random numbers). The generator is SplitMix64 (Steele, Lea, Flood,
/// OOPSLA 2014, doi:10.1145/2660193.2660195) started at a key that four mixing rounds derive.
public struct RandomStream: RandomNumberGenerator, Sendable, BitwiseCopyable {
  @usableFromInline var state: UInt64
  /// Where the stream began: what its children are derived from.
  private var origin: UInt64

  /// The stream of `entity` for `purpose` in replicate `replicate` of a run seeded with `seed`.
  public init(seed: UInt64, replicate: Int = 0, purpose: RandomPurpose, entity: Int = 0) {
    var key = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
    key = Self.mix(key ^ UInt64(truncatingIfNeeded: replicate) &* 0xD6E8_FEB8_6659_FD93)
    key = Self.mix(key ^ purpose.key)
    key = Self.mix(key ^ UInt64(truncatingIfNeeded: entity) &* 0xA076_1D64_78BD_642F)
    state = key
    origin = key
  }

  /// A child stream for `index`, the same however much was drawn from the parent, which is not
  /// advanced.
  public func split(_ index: Int) -> RandomStream {
    var child = self
    child.origin = Self.mix(
      Self.mix(origin ^ 0xE703_7ED1_A0B4_28DB)
        ^ UInt64(truncatingIfNeeded: index) &* 0x8EBC_6AF0_9C88_C6E3)
    child.state = child.origin
    return child
  }

  /// The next 64 random bits.
  @inlinable public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// 32-bit key for counter hashes that must vectorise, such as stochastic rounding.
  ///
  /// It changes with every draw.
  public var key32: UInt32 { UInt32(truncatingIfNeeded: Self.mix(state) >> 32) }

  /// SplitMix64's finaliser: a bijection that scatters every input bit over the output.
  @inlinable public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// What a random stream is for; part of its key.
public struct RandomPurpose: Hashable, Sendable {
  /// The key derived from the name (FNV-1a), so that a new purpose never collides by renumbering.
  public let key: UInt64

  /// The purpose called `name`.
  public init(_ name: StaticString) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    name.withUTF8Buffer { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 } }
    key = hash
  }
}

// MARK: - Distributions

extension RandomStream {
  /// A uniform number in [0, 1) with 53 random bits.
  @inlinable public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }
  /// A uniform number strictly between 0 and 1, safe under a logarithm.
  @inlinable public mutating func openUniform() -> Double {
    (Double(next() >> 12) + 0.5) * 0x1p-52
  }
  /// A standard normal number, by inversion: one draw of the stream each.
  public mutating func normal() -> Double { DeterministicMath.normalQuantile(openUniform()) }
  /// An exponential number of mean 1, by inversion.
  public mutating func exponential() -> Double { -DeterministicMath.log(openUniform()) }
  /// An integer in 0..<`bound`, without bias (Lemire, ACM TOMACS 2019, doi:10.1145/3230636).
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "an index needs a positive bound")
    let limit = UInt64(bound)
    var product = next().multipliedFullWidth(by: limit)
    if product.low < limit {
      let threshold = (0 &- limit) % limit
      while product.low < threshold { product = next().multipliedFullWidth(by: limit) }
    }
    return Int(product.high)
  }
}
