import Compression
import SimKernel
import Testing

/// What real gradients do to codecs that nobody thought of.
struct TrapTests {
  @Test("with more kept than there are nonzeros, top-k loses nothing and sends zeros")
  func moreKeptThanNonzeros() throws {
    let nonzeros = Support.words.filter { $0 != 0 }.count
    #expect(nonzeros < 3542)
    let (encoded, decoded) = try Support.roundTrip("top_k:ratio=0.1", Support.words)
    #expect(encoded.payloadBits == 64 * 3542)
    #expect(decoded == Support.words)
  }

  @Test("the sign of zero is plus, and of minus zero too")
  func signOfZero() throws {
    let (encoded, decoded) = try Support.roundTrip("ef_sign", [0, -0.0, 3, -1])
    #expect(encoded.payloadBits == 4 + 32)
    #expect(decoded == [1, 1, 1, -1])
  }

  @Test("an empty gradient encodes and decodes to nothing", arguments: Chains.all)
  func empty(chain: String) throws {
    for scope in Chains.scopes {
      let (encoded, decoded) = try Support.roundTrip(chain, [], scope: scope)
      #expect(decoded.isEmpty)
      #expect(encoded.encodedBytes.bytes > 0)
    }
  }

  @Test("an empty tensor among others has no values of its own", arguments: Chains.all)
  func emptyTensor(chain: String) throws {
    let values = Support.synthetic(40)
    let tensors = Support.tensors([("a", 0), ("b", 39), ("c", 0), ("d", 1), ("e", 0)])
    let (_, decoded) = try Support.roundTrip(chain, values, scope: .layer, tensors: tensors)
    #expect(decoded.count == 40)
    #expect(decoded.allSatisfy { $0.isFinite })
  }

  @Test("all lengths around the borders of blocks come back finite", arguments: Chains.all)
  func lengths(chain: String) throws {
    let lengths = Array(0...70) + [127, 128, 129, 255, 256, 257, 511, 513, 2047, 2048, 2049, 4097]
    for count in lengths {
      let values = Support.synthetic(count, seed: count)
      for scope in [CodecScope.model, .bucket(100)] {
        let (_, decoded) = try Support.roundTrip(chain, values, scope: scope)
        #expect(decoded.count == count)
        #expect(decoded.allSatisfy { $0.isFinite }, "\(chain), \(count) elements, \(scope)")
      }
    }
  }

  @Test("one element keeps its sign", arguments: Chains.all)
  func oneElement(chain: String) throws {
    for value in [Float(0.25), -0.25] {
      let (_, decoded) = try Support.roundTrip(chain, [value])
      #expect(decoded.count == 1)
      #expect(decoded[0] * value > 0, "\(chain) turns \(value) into \(decoded[0])")
    }
  }

  @Test("the padding of the last bucket is not sent")
  func lastBucket() throws {
    let values = Support.synthetic(250)
    for (chain, perElement) in [("int8", 8), ("qsgd", 8), ("ef_sign", 1), ("terngrad", 2)] {
      let (encoded, _) = try Support.roundTrip(chain, values, scope: .bucket(100))
      #expect(encoded.payloadBits == Int64(perElement * 250 + 3 * 32), "\(chain)")
    }
    // The last bucket of 50 elements has the scale of its own maximum.
    let (_, decoded) = try Support.roundTrip(
      "int8", [Float](repeating: 1, count: 4) + [0.5], scope: .bucket(4))
    #expect(decoded == [1, 1, 1, 1, 0.5])
  }

  @Test("a gradient of zeros comes back as zeros", arguments: Chains.all)
  func zeros(chain: String) throws {
    // Signs have no zero: see SignTests.
    if chain.contains("signsgd") || chain.contains("signum") { return }
    for scope in Chains.scopes {
      let (_, decoded) = try Support.roundTrip(
        chain, [Float](repeating: 0, count: 777), scope: scope)
      #expect(decoded.allSatisfy { $0 == 0 }, "\(chain), \(scope)")
    }
  }

  @Test("NaN and infinity are refused with the name of their tensor", arguments: Chains.all)
  func notFinite(chain: String) throws {
    let tensors = Support.tensors([("first", 300), ("second", 400), ("third", 100)])
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    for bad in [Float.nan, .infinity, -.infinity, .signalingNaN] {
      for scope in [CodecScope.model, .layer, .bucket(64)] {
        for position in [300, 511, 699] {
          var values = Support.synthetic(800)
          values[position] = bad
          do throws(CodecError) {
            _ = try pipeline.encode(
              values, tensors: tensors, scope: scope, random: Support.random(), scratch: &scratch)
            Issue.record("\(chain) encoded \(bad) at \(position), \(scope)")
          } catch {
            #expect(error.tensor == "second", "\(error)")
            #expect(error.description.contains("second"))
          }
        }
      }
    }
  }

  @Test(
    "magnitudes near both ends of float32 neither trap nor become infinite", arguments: Chains.each)
  func extremes(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    for scale in [Float.leastNonzeroMagnitude, 0x1p-133, 1e-38, 1e-30, 1e-20, 1e20, 1e37, 3e38] {
      let values = Support.synthetic(600).map { max(-1, min(1, $0)) * scale }
      do throws(CodecError) {
        let encoded = try pipeline.encode(
          values, tensors: TensorRange.whole(600), scope: .model, random: Support.random(),
          scratch: &scratch)
        let decoded = try pipeline.decode(encoded, count: 600, scratch: &scratch)
        #expect(decoded.allSatisfy { !$0.isNaN }, "\(chain) at \(scale)")
      } catch {
        #expect(scale >= 1e20, "only the top end may be refused: \(error)")
      }
    }
  }

  @Test("fp16 refuses what would become infinite, bf16 holds it")
  func overflow() throws {
    let pipeline = try Support.pipeline("fp16")
    var scratch = CodecScratch()
    #expect(throws: CodecError.self) {
      try pipeline.encode([1, 65520], random: Support.random(), scratch: &scratch)
    }
    #expect(try Support.roundTrip("fp16", [1, 65519]).decoded == [1, 65504])
    #expect(try Support.roundTrip("bf16", [1, 65536]).decoded == [1, 65536])
  }

  @Test("small tensors keep one element each, which inflates a model of many")
  func tinyTensors() throws {
    let tensors = Support.tensors((0..<50).map { ("bias\($0)", 8) })
    let values = Support.synthetic(400)
    let layered = try Support.roundTrip(
      "top_k:ratio=0.001", values, scope: .layer, tensors: tensors)
    let whole = try Support.roundTrip("top_k:ratio=0.001", values)
    #expect(layered.encoded.payloadBits == 50 * 64)
    #expect(whole.encoded.payloadBits == 64)
  }

  @Test("shuffling makes zstd worse on a dense gradient with zero runs, so it is not the default")
  func shufflingLoses() throws {
    let plain = try Support.roundTrip("zstd", Support.digits).encoded
    let shuffled = try Support.roundTrip("zstd:shuffle=byte", Support.digits).encoded
    let smaller = try Support.roundTrip("zstd:shuffle=auto", Support.digits).encoded
    #expect(plain.payloadBits < shuffled.payloadBits)
    #expect(smaller.payloadBits == plain.payloadBits)
  }

  @Test("tensors that are not consecutive are refused, not misread")
  func gaps() throws {
    let pipeline = try Support.pipeline("int8")
    var scratch = CodecScratch()
    #expect(throws: CodecError.self) {
      try pipeline.encode(
        [1, 2, 3], tensors: [TensorRange(name: "a", offset: 1, count: 2)], scope: .layer,
        random: Support.random(), scratch: &scratch)
    }
  }
}
