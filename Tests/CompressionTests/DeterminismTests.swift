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
      let isShared = ["random_k", "count_sketch", "powersgd"].contains { chain.hasPrefix($0) }
      let isStochastic =
        try Support.pipeline(chain).declaration.isRandomised && !isShared
      #expect((first != other) == isStochastic, "\(chain)")
      #expect((first != later) == (isStochastic || isShared), "\(chain)")
    }
  }

  /// Hashes of encoded bytes, recorded from a build without any instruction set beyond the
  /// baseline.
  ///
  /// Regenerate them by printing `digest` where they differ. Chains with zstd are left out: their
  /// bytes are libzstd's.
  static let digests: [(String, String)] =
    [
      ("none", "6f5bb7af0258a81a"),
      ("fp16", "2789837f8d77d7a2"),
      ("bf16", "c4e09e081a5a881d"),
      ("int8", "3583f36ffdbf8f6c"),
      ("int8:shared_range=true", "d74ea12448892d82"),
      ("qsgd", "3f2bac22569d74e6"),
      ("qsgd:s=1", "f63bca69407ac1cc"),
      ("qsgd:s=4,norm=max", "2c4b723d231f0c29"),
      ("qsgd:s=16", "fe1cdb11eda19fb0"),
      ("qsgd:s=300", "62426a18ce01842c"),
      ("qsgd:s=32767", "e818ef63423614dd"),
      ("qsgd:s=4,code=elias_gamma", "0a49af8a10bff05d"),
      ("qsgd:s=16,code=elias_delta", "9e819c7b100d7f8c"),
      ("qsgd:s=127,code=elias_omega", "4f810d311d5dbcd3"),
      ("terngrad", "8226ee6257b06606"),
      ("terngrad:clip=2.5", "a0e7301f1311de7e"),
      ("terngrad:packing=base243", "b51e3d895a3c7b86"),
      ("ef_sign", "593a5766800a57d1"),
      ("top_k:ratio=0.01", "347140936ef1513b"),
      ("top_k:ratio=0.1,index=packed", "03edcb69b29eb16d"),
      ("top_k:ratio=0.1,index=bitmap", "f6df0b7634683a12"),
      ("top_k:ratio=0.1,index=leb128", "8b491045d7b9ac06"),
      ("top_k:ratio=0.1,index=elias_gamma", "ed128ddaf71e0078"),
      ("top_k:ratio=0.1,index=rice", "7651c73d48ddac82"),
      ("top_k:ratio=0.1,index=auto", "31eab8149f7ebaae"),
      ("random_k:ratio=0.1", "de2b055136f4a3a9"),
      ("random_k:ratio=0.1,scaled=false", "20a0b62f9b67bc20"),
      ("none|fp16", "8553c925d328b852"),
      ("top_k:ratio=0.1|ef_sign", "48aa1129d40696f4"),
      ("top_k:ratio=0.1|qsgd:s=4", "706599716fbaceb9"),
      ("random_k:ratio=0.1|fp16", "6501232ed42cfe4e"),
      ("random_k:ratio=0.1|int8:shared_range=true", "3749f4264f986c51"),
    ] + quantiserDigests + Chains.sparsifierDigests

  @Test("every chain without zstd has a recorded digest")
  func coverage() {
    let recorded = Self.digests.map(\.0)
    #expect(Chains.all.filter { !$0.contains("zstd") }.sorted() == recorded.sorted())
  }

  @Test("bytes are the recorded ones whatever the build", arguments: digests)
  func recorded(chain: String, expected: String) throws {
    var scratch = CodecScratch()
    var hash = StableHash()
    try bytes(chain, scratch: &scratch).withUnsafeBytes { hash.combine(bytes: $0) }
    let long = Support.synthetic(70_000)
    try Support.pipeline(chain).encode(long, random: Support.random(3), scratch: &scratch).bytes
      .withUnsafeBytes { hash.combine(bytes: $0) }
    let digest = String(hash.hexadecimal.prefix(16))
    #expect(digest == expected, "\(chain)")
  }
}
