import Compression
import SimKernel
import Testing

/// Several workers' gradients become their mean.
struct RoundsTests {
  /// Four workers that share a component, as real ones do.
  static let workers: [[Float]] = (0..<4).map { rank in
    let common = Support.synthetic(3000, seed: 100)
    let own = Support.synthetic(3000, seed: 101 + rank)
    return zip(common, own).map { 0.5 * ($0 + $1) }
  }

  private func aggregate(
    _ chain: String, _ gradients: [[Float]] = workers, scope: CodecScope = .model
  ) throws -> AggregatedGradient {
    var scratch = CodecScratch()
    return try Support.pipeline(chain).aggregate(
      gradients, scope: scope, random: Support.random(), scratch: &scratch)
  }

  @Test("lossless chains give the exact mean")
  func exact() throws {
    #expect(try aggregate("none").error.relativeL2 < 1e-6)
    #expect(try aggregate("zstd").error.relativeL2 == 0)
  }

  @Test("one worker's mean is its own decoded gradient", arguments: Chains.all)
  func alone(chain: String) throws {
    let gradient = Support.synthetic(900)
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    let result = try pipeline.aggregate([gradient], random: Support.random(), scratch: &scratch)
    let encoded = try pipeline.encode(gradient, random: Support.random(), scratch: &scratch)
    let decoded = try pipeline.decode(encoded, count: 900, scratch: &scratch)
    #expect(result.mean == decoded)
    #expect(result.error == GradientError.compare(original: gradient, decoded: decoded))
  }

  @Test("every chain runs its declared exchanges", arguments: Chains.all)
  func plans(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    for scope in Chains.scopes {
      let result = try aggregate(chain, scope: scope)
      #expect(result.mean.count == 3000 && result.mean.allSatisfy { $0.isFinite })
      let plan = pipeline.exchangePlan(
        elementCount: 3000, scope: scope, tensors: TensorRange.whole(3000), workers: 4)
      // The exchange of sizes carries no numbers, so it is not run in memory.
      let steps = plan.steps.filter { $0.purpose != "payload sizes" }
      #expect(steps.map(\.kind) == result.exchanges.map(\.kind), "\(chain), \(scope)")
      for (step, exchange) in zip(steps, result.exchanges) {
        for bits in exchange.bits { #expect(bits <= Int64(step.bits), "\(chain), \(scope)") }
      }
    }
  }

  @Test("fp16 is one sum, top-k a gather, Rice-coded a size exchange before it")
  func shapes() throws {
    func kinds(_ chain: String) throws -> [ExchangeKind] {
      try Support.pipeline(chain).exchangePlan(elementCount: 1000, scope: .model, workers: 8)
        .steps.map(\.kind)
    }
    #expect(try kinds("fp16") == [.sum])
    #expect(try kinds("top_k:ratio=0.1") == [.gather])
    #expect(try kinds("top_k:ratio=0.1,index=rice") == [.gather, .gather])
    #expect(try kinds("int8") == [.gather])
    #expect(try kinds("int8:shared_range=true") == [.max, .sum])
    let plan = try Support.pipeline("int8:shared_range=true").exchangePlan(
      elementCount: 1000, scope: .bucket(100), workers: 9)
    // A maximum of four bytes a scope, then accumulators of 8 + ceil(log2 9) bits.
    #expect(plan.steps.map(\.bits) == [32 * 10, 12 * 1000])
    #expect(plan.steps.map(\.elements) == [10, 1000])
  }

  @Test("a shared range makes codes add up to the mean of what each worker would decode")
  func sharedRange() throws {
    for scope in Chains.scopes {
      let result = try aggregate("int8:shared_range=true", scope: scope)
      #expect(result.exchanges.map(\.kind) == [.max, .sum])
      #expect(result.exchanges[1].bits == [Int64](repeating: 10 * 3000, count: 4))
      #expect(result.error.relativeL2 < 0.05)
    }
    // Every worker rounds with the largest range: off by half of that step at most.
    let step = Self.workers.flatMap { $0 }.map(\.magnitude).max()! / 127
    let result = try aggregate("int8:shared_range=true")
    #expect(result.error.maxAbsolute <= Double(step) * 0.5001)
  }

  @Test("random-k draws the same positions on every worker, so payloads add up")
  func sharedSeed() throws {
    let result = try aggregate("random_k:ratio=0.1,scaled=false")
    let kept = result.mean.indices.filter { result.mean[$0] != 0 }
    #expect(kept.count <= 300)
    for index in kept {
      #expect((result.mean[index] - result.exactMean[index]).magnitude < 1e-6)
    }
    #expect(try aggregate("random_k:ratio=0.1").exchanges.map(\.kind) == [.sum])
  }

  @Test("stochastic rounding differs between workers, so its errors average out")
  func independence() throws {
    let same = [[Float]](repeating: Support.synthetic(3000), count: 16)
    let one = try aggregate("qsgd:s=4,norm=max", [same[0]])
    let sixteen = try aggregate("qsgd:s=4,norm=max", same)
    let ratio = sixteen.error.relativeL2 / one.error.relativeL2
    #expect(ratio > 0.2 && ratio < 0.3, "16 workers have 1/4 of the error, not \(ratio)")
  }

  @Test("the sum of four fp16 gradients is rounded at every addition")
  func roundedSums() throws {
    // 1024 + 0.5 needs eleven bits after the leading one: every addition rounds back to 1024.
    let result = try aggregate("fp16", [[1024], [0.5], [0.5], [0.5]])
    #expect(result.mean == [256])
    #expect(throws: CodecError.self) { _ = try aggregate("fp16", [[60000], [60000]]) }
  }

  @Test("top-k's mean has the union of the workers' supports")
  func unions() throws {
    let pipeline = try Support.pipeline("top_k:ratio=0.01")
    var scratch = CodecScratch()
    var sparse: [SparseGradient] = []
    for (rank, gradient) in Self.workers.enumerated() {
      let encoded = try pipeline.encode(
        gradient, random: Support.random(), worker: rank, scratch: &scratch)
      sparse.append(try #require(try pipeline.sparse(encoded, count: 3000, scratch: &scratch)))
    }
    let union = Support.unionCount(sparse)
    let mean = try aggregate("top_k:ratio=0.01").mean
    #expect(mean.filter { $0 != 0 }.count == union)
    #expect(union >= 30 && union <= 120)
  }
}
