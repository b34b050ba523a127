import CodecFuzzing
import Compression
import SimKernel
import Testing

/// The mutation loop of `Tools/fuzz.sh` for a few seconds, and what fuzzing found.
@Suite("Fuzzing") struct FuzzTests {
  @Test("every registered codec is fuzzed in one family and in chains")
  func families() {
    let single = CodecFamily.allCases.filter { $0 != .chains }.flatMap(\.codecs)
    #expect(single.sorted() == CodecCatalog.registry.names.sorted())
    #expect(CodecFamily.chains.codecs == CodecCatalog.registry.names)
  }

  @Test("no case breaks a promise", arguments: CodecFamily.allCases)
  func loop(family: CodecFamily) throws {
    var loop = MutationLoop(family, seed: 11)
    for _ in 0..<3000 {
      loop.draw()
      do throws(FuzzCase.Finding) {
        try loop.runCurrent()
      } catch {
        Issue.record("\(family), \(loop.current): \(error)")
        return
      }
    }
    // A loop that never gets past the parameters finds nothing.
    #expect(loop.effective > 1000, "\(loop.effective) of \(loop.executions)")
  }

  @Test("the loop draws the same cases every time")
  func repeatable() throws {
    var one = MutationLoop(.casts, seed: 3)
    var two = MutationLoop(.casts, seed: 3)
    for _ in 0..<200 {
      one.draw()
      two.draw()
      #expect(one.current == two.current)
      try one.runCurrent()
      try two.runCurrent()
    }
    var other = MutationLoop(.casts, seed: 4)
    other.draw()
    one = MutationLoop(.casts, seed: 3)
    one.draw()
    #expect(other.current != one.current)
  }

  /// Every codec on its own, with what it cannot do without, so that a new one is damaged too.
  static let codecs: [String] = CodecCatalog.registry.descriptions.map { codec in
    let needed = codec.fields.filter(\.required).map { field -> String in
      guard case .value(_, let example, _) = field.shape, field.key != "ratio" else {
        return field.key + "=0.1"
      }
      return field.key + "=" + example
    }
    return codec.name + (needed.isEmpty ? "" : ":" + needed.joined(separator: ","))
  }

  @Test("damage to any codec's bytes is an error with its offset, or garbage", arguments: codecs)
  func damage(codec: String) throws {
    let pipeline = try Support.pipeline(codec)
    var scratch = CodecScratch()
    let tensors = Support.tensors([("a", 90), ("b", 0), ("c", 170)])
    var random = RandomStream(seed: 9, purpose: RandomPurpose("damage"))
    for scope in [CodecScope.model, .layer, .bucket(64)] {
      let bytes = try pipeline.encode(
        Support.synthetic(260), tensors: tensors, scope: scope, random: Support.random(),
        scratch: &scratch
      ).bytes
      for length in 0..<bytes.count {
        let error = Self.decode(Array(bytes[..<length]), pipeline, 260, &scratch)
        #expect(error != nil, "\(codec), \(scope): \(length) of \(bytes.count) bytes decoded")
      }
      for _ in 0..<300 {
        var damaged = bytes
        damaged[random.index(below: bytes.count)] ^= UInt8(1 << random.index(below: 8))
        guard let error = Self.decode(damaged, pipeline, 260, &scratch) else { continue }
        let offset = try #require(error.byteOffset, "\(error)")
        #expect((0...bytes.count).contains(offset) && error.description.contains("byte \(offset)"))
        #expect(["frame", pipeline.stages[0].name].contains(error.codec))
      }
    }
  }

  private static func decode(
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

  // MARK: - Found

  @Test(
    "a NaN whose rounding carries into the sign is refused by name", arguments: ["fp16", "bf16"])
  func carriedNaN(codec: String) throws {
    let pipeline = try Support.pipeline(codec)
    var scratch = CodecScratch()
    for bits in [0x7FFF_FFFF, 0xFFFF_FFFF, 0x7F80_0001] as [UInt32] {
      do throws(CodecError) {
        _ = try pipeline.encode(
          [1, Float(bitPattern: bits)], tensors: Support.tensors([("a", 1), ("b", 1)]),
          scope: .model, random: Support.random(), scratch: &scratch)
        Issue.record("\(codec) encoded a NaN")
      } catch {
        #expect(error.tensor == "b", "\(error)")
      }
    }
  }

  @Test(
    "a sketch with more counters than elements decodes behind a code of variable length",
    arguments: ["rht_usq:bits=8,shared_range=true", "rht_usq:bits=1", "qsgd:s=4,code=elias_gamma"])
  func largeSketch(second: String) throws {
    let chain = "count_sketch:ratio=1|" + second
    let (_, decoded) = try Support.roundTrip(chain, Support.synthetic(200))
    #expect(decoded.count == 200)
    #expect(decoded.allSatisfy { $0.isFinite })
  }

  @Test(
    "zstd gives back however many counters of a sketch it was given",
    arguments: ["mxfp4|", "signsgd|", "fp16|", ""])
  func packedSketch(middle: String) throws {
    // 31 x 36 counters for 7 elements.
    let chain = "count_sketch:ratio=0.01,rows=31,cols=36|" + middle + "zstd:level=-7"
    for count in [1, 7, 300] {
      let (_, decoded) = try Support.roundTrip(chain, Support.synthetic(count))
      #expect(decoded.count == count)
    }
  }

  @Test("columns for every one of many small scopes are refused before there is no memory")
  func tooManyColumns() throws {
    let pipeline = try Support.pipeline("count_sketch:ratio=0.1,rows=31,cols=16777216")
    var scratch = CodecScratch()
    do throws(CodecError) {
      _ = try pipeline.encode(
        Support.synthetic(1000), scope: .bucket(1), random: Support.random(), scratch: &scratch)
      Issue.record("a table of two terabytes")
    } catch {
      #expect(error.codec == "count_sketch")
      #expect(error.message.contains("choose fewer columns"))
    }
  }
}
