import Compression
import SimKernel
import Testing

/// Codecs that send what lies beyond a threshold.
struct ThresholdTests {
  private func sparse(
    _ chain: String, _ values: [Float], seed: Int = 1, scope: CodecScope = .model
  ) throws -> SparseGradient {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    let encoded = try pipeline.encode(
      values, scope: scope, random: Support.random(seed), scratch: &scratch)
    return try #require(try pipeline.sparse(encoded, count: values.count, scratch: &scratch))
  }

  /// Codecs that estimate a threshold for a wanted ratio.
  static let estimators = [
    "gaussian_k:ratio=0.05", "sidco_e:ratio=0.05", "sidco_e:ratio=0.05,stages=1",
    "redsync:ratio=0.05", "redsync:ratio=0.05,mode=binary_search", "dgc:ratio=0.05",
  ]

  @Test("a fixed threshold is strict, compared as real numbers")
  func strict() throws {
    #expect(try sparse("threshold:v=0.5", [0.5, 0.25, -0.75, 0, -0.5]).positions == [2])
    // The float32 nearest to 0.1 is above it, the one nearest to 0.7 below.
    #expect(try sparse("threshold:v=0.1", [0.1, Float(0.1).nextDown]).positions == [0])
    #expect(try sparse("threshold:v=0.7", [0.7, Float(0.7).nextUp]).positions == [1])
    #expect(try sparse("threshold:v=0", [0, -0.0, .leastNonzeroMagnitude]).positions == [2])
    #expect(try sparse("threshold:v=1e39", [3e38]).positions == [])
  }

  @Test("an empty selection is a payload of no bits")
  func nothing() throws {
    let (encoded, decoded) = try Support.roundTrip("threshold:v=2", [1, -2, 0])
    #expect(encoded.payloadBits == 0)
    #expect(decoded == [0, 0, 0])
  }

  @Test("a threshold below most magnitudes doubles the gradient, within the declared worst case")
  func expansion() throws {
    let values = Support.digits
    let encoded = try Support.roundTrip("threshold:v=0", values).encoded
    let nonzeros = values.filter { $0 != 0 }.count
    #expect(encoded.payloadBits == Int64(64 * nonzeros))
    #expect(encoded.payloadBits > Int64(32 * values.count))
    let worst = try Support.pipeline("threshold:v=0").worstCasePayloadBits(
      elementCount: values.count, scope: .model)
    #expect(encoded.payloadBits <= worst)
  }

  @Test("more elements than were made room for are collected all the same")
  func room() throws {
    for count in [1, 63, 64, 65, 1000, 8191, 20_000] {
      let values = Support.synthetic(count, seed: count)
      let kept = try sparse("threshold:v=0", values, scope: .bucket(700))
      #expect(kept.positions == values.indices.filter { values[$0] != 0 }.map { UInt32($0) })
      #expect(kept.values == values.filter { $0 != 0 })
    }
  }

  @Test("estimated thresholds send the largest magnitudes and no others", arguments: estimators)
  func largest(chain: String) throws {
    for seed in 1...4 {
      let values = Support.synthetic(5000, seed: seed)
      let kept = try sparse(chain, values, seed: seed)
      #expect(!kept.positions.isEmpty && kept.positions.count < 2000)
      let lowest = kept.values.map(\.magnitude).min() ?? 0
      let sent = Set(kept.positions)
      let missed = values.indices.filter { !sent.contains(UInt32($0)) }.map {
        values[$0].magnitude
      }
      // Around a mean that is not zero, elements of one sign are sent a little earlier.
      let slack: Float = chain.hasPrefix("gaussian") ? 0.01 : 0
      #expect((missed.max() ?? 0) <= lowest + slack, "\(chain)")
    }
  }

  @Test("equal elements, which no spread tells apart, are not lost for good", arguments: estimators)
  func constant(chain: String) throws {
    let kept = try sparse(chain, [Float](repeating: -0.5, count: 100))
    #expect(kept.positions.count >= 1)
    #expect(kept.values.allSatisfy { $0 == -0.5 })
  }

  @Test("a scope of zeros sends nothing, or the first zeros of a fixed k", arguments: estimators)
  func zeros(chain: String) throws {
    let kept = try sparse(chain, [Float](repeating: 0, count: 100))
    // A sampled threshold of 0 is reached by all.
    let expected = chain.hasPrefix("dgc") ? 100 : chain == "redsync:ratio=0.05" ? 5 : 0
    #expect(kept.positions.count == expected, "\(chain)")
  }

  @Test("the share of normal elements beyond a fitted normal is the ratio")
  func normal() throws {
    var stream = RandomStream(seed: 9, purpose: RandomPurpose("test gradient"))
    let values = (0..<200_000).map { _ in Float(0.3 + 2 * stream.normal()) }
    for ratio in [0.3, 0.01, 0.001] {
      let kept = Double(try sparse("gaussian_k:ratio=\(ratio)", values).positions.count)
      let expected = 200_000 * ratio
      #expect((kept - expected).magnitude < 6 * expected.squareRoot(), "\(ratio): \(kept)")
    }
    let exponential = (0..<200_000).map { index in
      Float(stream.exponential()) * (index % 2 == 0 ? 1 : -1)
    }
    for stages in 1...4 {
      let chain = "sidco_e:ratio=0.001,stages=\(stages)"
      let kept = Double(try sparse(chain, exponential).positions.count)
      // Every stage estimates a mean of ever fewer elements; the relative error adds up to ~10 %.
      #expect(kept > 120 && kept < 300, "\(stages) stages: \(kept)")
    }
  }

  @Test("trimming sends what top-k sends; the search between k and 2k")
  func redsync() throws {
    let values = Support.synthetic(30_000)
    for ratio in ["0.1", "0.01", "0.001"] {
      let exact = try sparse("top_k:ratio=\(ratio)", values)
      let trimmed = try sparse("redsync:ratio=\(ratio)", values)
      #expect(trimmed.positions == exact.positions && trimmed.values == exact.values)
      let k = exact.positions.count
      let searched = try sparse("redsync:ratio=\(ratio),mode=binary_search", values)
      #expect((k...2 * k).contains(searched.positions.count))
    }
  }

  @Test("a sampled threshold of 0 sends everything, at twice the gradient's size")
  func sampledZero() throws {
    var values = [Float](repeating: 0, count: 10_000)
    values[17] = 1
    let (encoded, decoded) = try Support.roundTrip("dgc:ratio=0.01", values)
    #expect(encoded.payloadBits == 64 * 10_000)
    #expect(decoded == values)
  }

  @Test("an adjusted threshold keeps between 0.7 and 1.3 of the wanted number")
  func adjusted() throws {
    let values = Support.synthetic(100_000)
    for seed in 0..<8 {
      let kept = try sparse("dgc:ratio=0.01", values, seed: seed).positions.count
      #expect((700...1300).contains(kept), "seed \(seed): \(kept)")
    }
  }

  @Test("stc is top-k's signs times their mean magnitude")
  func ternary() throws {
    let values: [Float] = [0.5, -3, 0, 1, 2, -0.25, 0, 0, 0, 0]
    let (encoded, decoded) = try Support.roundTrip("stc:ratio=0.3", values)
    #expect(decoded == [0, -2, 0, 2, 2, 0, 0, 0, 0, 0])
    // Gaps of 2, 2 and 1: two, two and one bits in unary.
    #expect(encoded.payloadBits == 3 + 32 + 5)
    // Zeros among the k largest are not sent, so the mean is that of the three nonzeros.
    let few = try Support.roundTrip("stc:ratio=0.9", [0, 4, 0, -1, 1, 0, 0, 0, 0, 0])
    #expect(few.decoded == [0, 2, 0, -2, 2, 0, 0, 0, 0, 0])
    let reference = try Support.roundTrip("top_k:ratio=0.01,index=rice|ef_sign", Support.digits)
    let own = try Support.roundTrip("stc:ratio=0.01", Support.digits)
    #expect(own.decoded == reference.decoded)
    #expect(own.encoded.payloadBits == reference.encoded.payloadBits)
  }

  @Test("where k is above the nonzeros, stc is smaller than its formula and closer")
  func ternaryOfZeros() throws {
    let (encoded, decoded) = try Support.roundTrip("stc:ratio=0.1", Support.words)
    #expect(encoded.payloadBits < 21727)
    let error = GradientError.compare(original: Support.words, decoded: decoded).relativeL2
    #expect(error < 0.762187)
  }

  @Test("optimal probabilities keep k on average, and the mean is the gradient")
  func wangni() throws {
    let values = Support.synthetic(2000, seed: 3)
    let pipeline = try Support.pipeline("wangni:ratio=0.05")
    var scratch = CodecScratch()
    var mean = [Double](repeating: 0, count: values.count)
    var kept = RunningStatistics()
    let seeds = 2000
    for seed in 0..<seeds {
      let encoded = try pipeline.encode(values, random: Support.random(seed), scratch: &scratch)
      kept.add(Double(encoded.payloadBits) / 64)
      let decoded = try pipeline.decode(encoded, count: values.count, scratch: &scratch)
      for index in values.indices { mean[index] += Double(decoded[index]) / Double(seeds) }
    }
    #expect((kept.mean - 100).magnitude < 5 * 10 / Double(seeds).squareRoot())
    // An element below the level v has variance |x| v - x^2.
    let level = try sparse("wangni:ratio=0.05", values).values.map(\.magnitude).min() ?? 0
    var chi = 0.0
    var tested = 0
    for index in values.indices where values[index] != 0 && values[index].magnitude < level {
      let x = Double(values[index])
      let variance = x.magnitude * Double(level) - x * x
      if x.magnitude * Double(seeds) < 5 * Double(level) { continue }
      chi += (mean[index] - x) * (mean[index] - x) / variance * Double(seeds)
      tested += 1
    }
    #expect(tested > 100)
    let spread = 6 * (2 * Double(tested)).squareRoot()
    #expect((chi - Double(tested)).magnitude < spread, "chi-square \(chi) of \(tested)")
    // Elements above the level are always sent as they are.
    for index in values.indices where values[index].magnitude > level * 1.0001 {
      #expect((mean[index] - Double(values[index])).magnitude < 1e-6)
    }
  }

  @Test("optimal probabilities lose less than a uniform draw of as many elements")
  func optimal() throws {
    let values = Support.digits
    func error(_ chain: String) throws -> Double {
      let decoded = try Support.roundTrip(chain, values).decoded
      return GradientError.compare(original: values, decoded: decoded).relativeL2
    }
    #expect(try error("wangni:ratio=0.05") < error("random_k:ratio=0.05"))
  }

  @Test("every index encoding carries every threshold codec", arguments: estimators)
  func encodings(chain: String) throws {
    let plain = try sparse(chain, Support.digits)
    var sizes: [Int64] = []
    for index in ["int32", "packed", "bitmap", "leb128", "elias_gamma", "rice", "auto"] {
      let text = chain + ",index=" + index
      let other = try sparse(text, Support.digits)
      #expect(other.positions == plain.positions && other.values == plain.values)
      sizes.append(try Support.roundTrip(text, Support.digits).encoded.payloadBits)
    }
    #expect(sizes.last == sizes.dropLast().min())
  }
}
