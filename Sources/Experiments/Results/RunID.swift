import SimKernel

/// Names one run: a configuration, its seed and replicate, and the versions that make the numbers.
///
/// Equal ids mean equal cells, on any machine and in any sweep.
public struct RunID: Hashable, Sendable, CustomStringConvertible {
  let first: UInt64
  let second: UInt64

  /// The digest of `hash`.
  public init(_ hash: StableHash) { (first, second) = hash.words }

  /// The run of a configuration called `hash` by `build`.
  public init(
    configuration hash: String, seed: UInt64, replicate: Int, build: BuildVersion = .current
  ) {
    var digest = StableHash()
    digest.combine(hash)
    digest.combine(seed)
    digest.combine(UInt64(replicate))
    digest.combine(build.simnet)
    digest.combine(build.libzstd)
    digest.combine(build.columns)
    self.init(digest)
  }

  /// The id written as 32 hexadecimal digits; nil for anything else.
  init?(hexadecimal bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var words: [UInt64] = [0, 0]
    for (place, byte) in bytes.enumerated() {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x61...0x66: digit = byte - 0x61 + 10
      default: return nil
      }
      words[place / 16] = words[place / 16] << 4 | UInt64(digit)
    }
    (first, second) = (words[0].byteSwapped, words[1].byteSwapped)
  }

  /// 32 hexadecimal digits, the canonical byte order of the digest.
  public var description: String {
    StableHash.hexadecimal(first.byteSwapped) + StableHash.hexadecimal(second.byteSwapped)
  }
}
