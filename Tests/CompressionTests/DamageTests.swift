import Compression
import SimKernel
import Testing

/// Damaged bytes give an error or garbage of the right length, never a trap.
struct DamageTests {
  /// Decodes what may be anything.
  private func attempt(
    _ bytes: [UInt8], _ pipeline: CompressionPipeline, _ count: Int, _ scratch: inout CodecScratch
  ) -> CodecError? {
    var target = [Float](repeating: 0, count: count)
    return target.withUnsafeMutableBufferPointer { output in
      bytes.withUnsafeBytes { memory in
        do throws(CodecError) {
          try pipeline.decode(bytes: memory, into: output, scratch: &scratch)
          return nil
        } catch { return error }
      }
    }
  }

  private func encoded(
    _ chain: String, _ count: Int, _ scope: CodecScope, _ scratch: inout CodecScratch
  ) throws -> (CompressionPipeline, [UInt8]) {
    let pipeline = try Support.pipeline(chain)
    let tensors = Support.tensors([("a", count / 3), ("b", count - count / 3)])
    let result = try pipeline.encode(
      Support.synthetic(count), tensors: tensors, scope: scope, random: Support.random(),
      scratch: &scratch)
    return (pipeline, result.bytes)
  }

  @Test("truncation at every length is an error", arguments: Chains.all)
  func truncation(chain: String) throws {
    var scratch = CodecScratch()
    for scope in [CodecScope.model, .layer] {
      let (pipeline, bytes) = try encoded(chain, 300, scope, &scratch)
      for length in 0..<bytes.count {
        let error = attempt(Array(bytes[0..<length]), pipeline, 300, &scratch)
        // A footer of the shorter bytes cannot end where they do.
        #expect(error != nil, "\(chain), \(scope): \(length) of \(bytes.count) bytes decoded")
      }
    }
  }

  @Test("flipped bits never trap", arguments: Chains.all)
  func flips(chain: String) throws {
    var scratch = CodecScratch()
    var random = RandomStream(seed: 5, purpose: RandomPurpose("damage"))
    for scope in Chains.scopes {
      let (pipeline, bytes) = try encoded(chain, 700, scope, &scratch)
      for round in 0..<400 {
        var damaged = bytes
        for _ in 0...(round % 4) {
          // Every other flip hits the footer, where the sizes are.
          let near = round % 2 == 0 ? min(damaged.count, 60) : damaged.count
          let place = damaged.count - 1 - random.index(below: near)
          damaged[place] ^= UInt8(1 << random.index(below: 8))
        }
        _ = attempt(damaged, pipeline, 700, &scratch)
      }
    }
  }

  @Test("overwritten stretches never trap", arguments: Chains.all)
  func stretches(chain: String) throws {
    var scratch = CodecScratch()
    var random = RandomStream(seed: 6, purpose: RandomPurpose("damage"))
    let (pipeline, bytes) = try encoded(chain, 500, .bucket(64), &scratch)
    for _ in 0..<300 {
      var damaged = bytes
      let start = random.index(below: damaged.count)
      let fill = [UInt8(0), 255, 128, UInt8(truncatingIfNeeded: random.next())]
      for index in start..<min(start + 1 + random.index(below: 16), damaged.count) {
        damaged[index] = fill[random.index(below: 4)]
      }
      _ = attempt(damaged, pipeline, 500, &scratch)
    }
  }

  @Test("noise after a valid head never traps", arguments: Chains.all)
  func noise(chain: String) throws {
    var scratch = CodecScratch()
    var random = RandomStream(seed: 7, purpose: RandomPurpose("damage"))
    let (pipeline, bytes) = try encoded(chain, 100, .model, &scratch)
    for length in 8..<200 {
      var damaged = Array(bytes[0..<8])
      for _ in 8..<length { damaged.append(UInt8(truncatingIfNeeded: random.next())) }
      if length >= 14 {
        damaged.replaceSubrange(length - 4..<length, with: [UInt8(length - 12), 0, 0, 0])
        damaged[8] = 100
      }
      #expect(attempt(damaged, pipeline, 100, &scratch) != nil)
    }
  }

  @Test("bytes of another pipeline or length are refused by name")
  func foreign() throws {
    var scratch = CodecScratch()
    let (pipeline, bytes) = try encoded("int8", 300, .model, &scratch)
    let other = try Support.pipeline("qsgd")
    #expect(attempt(bytes, other, 300, &scratch)?.codec == "frame")
    #expect(attempt(bytes, pipeline, 299, &scratch)?.codec == "frame")
    #expect(attempt(bytes, pipeline, 300, &scratch) == nil)
  }

  @Test("an error says codec, byte offset and what is wrong")
  func message() throws {
    var scratch = CodecScratch()
    let (pipeline, bytes) = try encoded("top_k:ratio=0.1", 300, .model, &scratch)
    var damaged = bytes
    // 30 values of 4 bytes from byte 8, then the positions.
    damaged.replaceSubrange(128..<132, with: [255, 255, 255, 127])
    let error = try #require(attempt(damaged, pipeline, 300, &scratch))
    #expect(error.codec == "top_k")
    #expect(error.byteOffset == 128)
    #expect(error.description.hasPrefix("codec top_k, byte 128: position 0 of 30 is 2147483647"))
  }

  @Test("bytes at any alignment decode alike")
  func alignment() throws {
    var scratch = CodecScratch()
    let (pipeline, bytes) = try encoded("int8", 300, .layer, &scratch)
    for shift in 0..<8 {
      var memory = [UInt8](repeating: 0, count: shift)
      memory += bytes
      var target = [Float](repeating: 0, count: 300)
      try target.withUnsafeMutableBufferPointer { output in
        try memory.withUnsafeBytes {
          try pipeline.decode(
            bytes: UnsafeRawBufferPointer(rebasing: $0[shift...]), into: output, scratch: &scratch)
        }
      }
      #expect(
        GradientError.compare(original: Support.synthetic(300), decoded: target).cosine > 0.99)
    }
  }
}
