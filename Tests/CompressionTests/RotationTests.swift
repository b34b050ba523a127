import Compression
import SimKernel
import Testing

/// Codecs behind a randomised Hadamard rotation.
struct RotationTests {
  private static func padded(_ count: Int) -> Int {
    var result = 1
    while result < count { result *= 2 }
    return result
  }

  @Test(
    "a single nonzero element is spread evenly, so one bit brings it back exactly",
    arguments: ["drive", "drive:scale=min_mse", "rht_usq", "rht_usq:bits=1"])
  func impulses(chain: String) throws {
    // Every position of short vectors: the transform is right on a basis, so everywhere.
    for count in [1, 2, 3, 4, 7, 8, 16, 31, 32, 64, 100] {
      for position in 0..<count { try impulse(chain, count, position) }
    }
    // Lengths whose levels are cut into blocks and strips in every way.
    for (count, position) in [
      (4096, 4095), (4097, 4096), (8192, 5000), (16_385, 12_345), (70_000, 69_999),
      (131_073, 77_777), (600_000, 599_999), (1_048_576, 654_321), (1_100_000, 1_000_001),
    ] { try impulse(chain, count, position) }
  }

  private func impulse(_ chain: String, _ count: Int, _ position: Int) throws {
    var values = [Float](repeating: 0, count: count)
    values[position] = -0.375
    let (encoded, decoded) = try Support.roundTrip(chain, values, seed: position)
    let bits = chain == "rht_usq" ? 4 : 1
    #expect(encoded.payloadBits == Int64(bits * Self.padded(count) + 32))
    let error = GradientError.compare(original: values, decoded: decoded).maxAbsolute
    #expect(error < 1e-6, "\(chain): element \(position) of \(count)")
  }

  @Test("eight bits keep every element of every length within a step of the rotated range")
  func accuracy() throws {
    for count in [2, 3, 5, 17, 33, 100, 1000, 4096, 5000, 20_000, 140_000] {
      let values = Support.synthetic(count, seed: count)
      let decoded = try Support.roundTrip("rht_usq:bits=8", values).decoded
      // Rotated elements are about normal: the range is at most sqrt(2 ln 2d) + 3 deviations.
      #expect(GradientError.compare(original: values, decoded: decoded).relativeL2 < 0.03)
    }
  }

  @Test("the projection of an unbiased decode on the gradient is the gradient's own")
  func projection() throws {
    for seed in 0..<8 {
      // A power of two: no padding takes a share of the decoded vector.
      let values = Array(Support.digits[0..<16_384])
      let decoded = try Support.roundTrip("drive", values, seed: seed).decoded
      var product = 0.0
      var square = 0.0
      for (x, y) in zip(values, decoded) {
        product += Double(x) * Double(y)
        square += Double(x) * Double(x)
      }
      #expect((product / square - 1).magnitude < 1e-5)
    }
  }

  @Test("on two elements no draw of signs is unbiased")
  func shortVectors() throws {
    for seed in 0..<16 {
      let decoded = try Support.roundTrip("drive", [1, 0.5], seed: seed).decoded
      #expect(decoded == [1.25, 0])
    }
  }

  @Test("on long vectors the mean of unbiased decodes nears the gradient, least squares does not")
  func nearlyUnbiased() throws {
    func error(_ chain: String) throws -> Double {
      var mean = [Double](repeating: 0, count: Support.digits.count)
      for seed in 0..<32 {
        let decoded = try Support.roundTrip(chain, Support.digits, seed: seed).decoded
        for index in mean.indices { mean[index] += Double(decoded[index]) / 32 }
      }
      return GradientError.compare(original: Support.digits, decoded: mean.map { Float($0) })
        .relativeL2
    }
    // 0.5575 / sqrt(32) for the one, and the shrinkage 1 - 2/pi of a normal for the other.
    #expect(try error("drive") < 1.2 * 0.5575 / 32.0.squareRoot())
    let shrunk = try error("drive:scale=min_mse")
    #expect(shrunk > 0.2 && shrunk < 0.45)
  }

  @Test("padding up to a power of two is sent, and every scope is padded on its own")
  func padding() throws {
    let values = Support.synthetic(1025)
    let whole = try Support.roundTrip("drive", values).encoded
    #expect(whole.payloadBits == 2048 + 32)
    let buckets = try Support.roundTrip("drive", values, scope: .bucket(100)).encoded
    #expect(buckets.payloadBits == Int64(10 * 128 + 32 + 11 * 32))
    let layers = try Support.roundTrip(
      "rht_usq:bits=3", values, scope: .layer,
      tensors: Support.tensors([("a", 0), ("b", 1), ("c", 24), ("d", 1000)])
    ).encoded
    #expect(layers.payloadBits == Int64(3 * (0 + 1 + 32 + 1024) + 4 * 32))
  }

  @Test("codes under a shared range add up to the mean of the workers' rotated gradients")
  func sharedRange() throws {
    var scratch = CodecScratch()
    // A step is 2 range / (2^b - 1), the range about 4 deviations of the largest worker; rounding is
    // off by step / sqrt(6) on average, a mean of four by half of that: 0.15 of the mean at 4 bits.
    for (bits, bound) in [(4, 0.2), (8, 0.012)] {
      for scope in Chains.scopes {
        let pipeline = try Support.pipeline("rht_usq:bits=\(bits),shared_range=true")
        #expect(pipeline.aggregation == .summable)
        let result = try pipeline.aggregate(
          RoundsTests.workers, scope: scope, random: Support.random(), scratch: &scratch)
        #expect(result.exchanges.map(\.kind) == [.max, .sum])
        #expect(result.error.relativeL2 < bound, "\(bits) bits, \(scope)")
      }
      let plan = try Support.pipeline("rht_usq:bits=\(bits),shared_range=true").exchangePlan(
        elementCount: 3000, scope: .model, workers: 4)
      #expect(plan.steps.map(\.bits) == [32, (bits + 2) * 4096])
    }
  }

  @Test("workers of the sign codec rotate differently, so their errors average out")
  func independence() throws {
    var scratch = CodecScratch()
    let same = [[Float]](repeating: Support.synthetic(4096), count: 16)
    let pipeline = try Support.pipeline("drive")
    let one = try pipeline.aggregate([same[0]], random: Support.random(), scratch: &scratch)
    let many = try pipeline.aggregate(same, random: Support.random(), scratch: &scratch)
    #expect(many.error.relativeL2 < 0.35 * one.error.relativeL2)
  }

  @Test("what would overflow in the rotation is refused, and says so")
  func overflow() throws {
    let pipeline = try Support.pipeline("drive")
    var scratch = CodecScratch()
    let values = [Float](repeating: 1e38, count: 100)
    do throws(CodecError) {
      _ = try pipeline.encode(values, random: Support.random(), scratch: &scratch)
      Issue.record("sums of 1e38 are no float32")
    } catch { #expect(error.description.contains("too large to be rotated")) }
  }
}
