import Compression
import SimKernel
import Testing

/// The same seed gives the same bytes: on every call, with any scratch, on any instruction set.
struct DeterminismTests {
  private func bytes(
    _ chain: String, worker: Int = 0, seed: Int = 1, scratch: inout CodecScratch
  ) throws -> [UInt8] {
    try Support.pipeline(chain).encode(
      Support.digits, tensors: Support.digitTensors, scope: .bucket(512),
      random: Support.random(seed), worker: worker, scratch: &scratch
    ).bytes
  }

  @Test("a used scratch changes nothing", arguments: Chains.all)
  func scratchReuse(chain: String) throws {
    var fresh = CodecScratch()
    let first = try bytes(chain, scratch: &fresh)
    var used = CodecScratch()
    for other in ["qsgd:s=300", "top_k:ratio=0.1,index=rice|zstd", chain] {
      _ = try bytes(other, scratch: &used)
    }
    #expect(try bytes(chain, scratch: &used) == first)
  }

  @Test("reused memory of the result changes nothing", arguments: Chains.all)
  func resultReuse(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    var result = EncodedGradient()
    for values in [Support.words, Array(Support.digits[0..<100]), Support.digits] {
      try values.withUnsafeBufferPointer {
        try pipeline.encode(
          $0, tensors: TensorRange.whole(values.count), scope: .bucket(512),
          random: Support.random(), scratch: &scratch, into: &result)
      }
      var fresh = CodecScratch()
      let expected = try pipeline.encode(
        values, scope: .bucket(512), random: Support.random(), scratch: &fresh)
      #expect(result.bytes == expected.bytes)
      #expect(result.payloadBits == expected.payloadBits)
    }
  }

  @Test("only stochastic codecs depend on the worker and the seed")
  func workers() throws {
    var scratch = CodecScratch()
    for chain in Chains.each {
      let first = try bytes(chain, scratch: &scratch)
      let other = try bytes(chain, worker: 1, scratch: &scratch)
      let later = try bytes(chain, seed: 2, scratch: &scratch)
      let isStochastic = chain.hasPrefix("qsgd") || chain.hasPrefix("terngrad")
      #expect((first != other) == isStochastic, "\(chain)")
      #expect((first != later) == (isStochastic || chain.hasPrefix("random_k")), "\(chain)")
    }
  }

  /// Hashes of encoded bytes; a build for any instruction set must give these.
  static let digests = [
    ("fp16", "?")
  ]

  @Test("bytes are the recorded ones whatever the build", arguments: digests)
  func recorded(chain: String, digest: String) throws {
    var scratch = CodecScratch()
    var hash = StableHash()
    try bytes(chain, scratch: &scratch).withUnsafeBytes { hash.combine(bytes: $0) }
    #expect(hash.hexadecimal == digest)
  }
}
