import Compression
import SimKernel
import Testing

/// Positions that a leader chooses for everyone.
struct ScaleComTests {
  private func aggregate(
    _ chain: String, _ gradients: [[Float]], iteration: Int = 0, scope: CodecScope = .model
  ) throws -> AggregatedGradient {
    var scratch = CodecScratch()
    return try Support.pipeline(chain).aggregate(
      gradients, scope: scope, random: Support.random(), iteration: iteration, scratch: &scratch)
  }

  @Test("a lone worker leads itself: top-k")
  func alone() throws {
    for count in [0, 1, 2, 3, 900] {
      let gradient = Support.synthetic(count)
      let top = try Support.roundTrip("top_k:ratio=0.1", gradient)
      let own = try Support.roundTrip("scalecom:ratio=0.1", gradient)
      #expect(own.decoded == top.decoded && own.encoded.payloadBits == top.encoded.payloadBits)
      if count > 0 {
        #expect(try aggregate("scalecom:ratio=0.1", [gradient]).mean == top.decoded)
      }
    }
  }

  @Test("workers lead in turn, and everyone's values at the leader's positions add up")
  func leaders() throws {
    let gradients = RoundsTests.workers
    for iteration in 0..<9 {
      for scope in Chains.scopes {
        let result = try aggregate(
          "scalecom:ratio=0.05", gradients, iteration: iteration, scope: scope)
        let leader = iteration % 4
        let chosen = try Support.roundTrip(
          "top_k:ratio=0.05", gradients[leader], scope: scope,
          tensors: TensorRange.whole(3000)
        ).decoded
        for index in 0..<3000 {
          let expected = chosen[index] == 0 ? 0 : result.exactMean[index]
          #expect((result.mean[index] - expected).magnitude < 1e-6)
        }
        #expect(
          result.exchanges[0].bits.indices.filter { result.exchanges[0].bits[$0] > 0 } == [leader])
      }
    }
  }

  @Test(
    "a broadcast of positions, then a sum of k values, to the bit",
    arguments: ["int32", "packed", "bitmap", "leb128", "elias_gamma", "rice", "auto"])
  func exchanges(index: String) throws {
    let chain = "scalecom:ratio=0.05,index=\(index)"
    for (suffix, width) in [("", 32), ("|fp16", 16)] {
      let pipeline = try Support.pipeline(chain + suffix)
      let result = try aggregate(chain + suffix, RoundsTests.workers, iteration: 2)
      #expect(result.exchanges.map(\.kind) == [.broadcast, .sum])
      #expect(result.exchanges[1].bits == [Int64](repeating: Int64(width * 150), count: 4))
      var scratch = CodecScratch()
      let frame = try pipeline.encode(
        RoundsTests.workers[2], random: Support.random(), worker: 2, scratch: &scratch)
      let plan = pipeline.exchangePlan(
        elementCount: 3000, scope: .model, workers: 4, payloadBits: frame.payloadBits)
      #expect(plan.steps.map(\.kind) == [.broadcast, .sum])
      #expect(Int64(plan.steps[0].bits) == result.exchanges[0].bits[2])
      #expect(plan.steps[1].bits == width * 150 && plan.steps[1].elements == 150)
      #expect(Int64(plan.steps[0].bits + plan.steps[1].bits) == frame.payloadBits)
    }
  }

  @Test("what follows exchanges values as it does without a leader")
  func chains() throws {
    func kinds(_ suffix: String) throws -> [ExchangeKind] {
      try aggregate("scalecom:ratio=0.1|" + suffix, RoundsTests.workers).exchanges.map(\.kind)
    }
    #expect(try kinds("int8:shared_range=true") == [.broadcast, .max, .sum])
    #expect(try kinds("qsgd:s=4") == [.broadcast, .gather])
    #expect(try kinds("zstd") == [.broadcast, .gather])
    // 300 values of three bits and a norm: the positions do not travel twice.
    let result = try aggregate("scalecom:ratio=0.1|qsgd:s=3", RoundsTests.workers)
    #expect(result.exchanges[1].bits == [Int64](repeating: 3 * 300 + 32, count: 4))
  }

  @Test("a NaN is refused, whoever has it")
  func notFinite() throws {
    for bad in 0..<2 {
      var gradients = [Support.synthetic(100), Support.synthetic(100, seed: 2)]
      gradients[bad][40] = .nan
      #expect(throws: CodecError.self) { _ = try self.aggregate("scalecom:ratio=0.1", gradients) }
    }
  }
}
