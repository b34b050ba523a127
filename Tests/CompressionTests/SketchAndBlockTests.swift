import Compression
import SimKernel
import Testing

/// Count sketches add up, and blocks of zeros are left out.
struct SketchAndBlockTests {
  private func aggregate(_ chain: String, _ gradients: [[Float]]) throws -> AggregatedGradient {
    var scratch = CodecScratch()
    return try Support.pipeline(chain).aggregate(
      gradients, random: Support.random(), scratch: &scratch)
  }

  @Test("the mean of the workers' sketches is the sketch of their mean")
  func linear() throws {
    // Powers of two, so that sums are exact in any order.
    func element(_ rank: Int, _ index: Int) -> Float {
      if (index * 7 + rank * 13) % 41 != 0 { return 0 }
      return Float(1 << ((index + rank) % 8))
    }
    let gradients: [[Float]] = (0..<4).map { rank in (0..<3000).map { element(rank, $0) } }
    let chain = "count_sketch:ratio=0.01,cols=600"
    let result = try aggregate(chain, gradients)
    let mean = CompressionPipeline.mean(of: gradients)
    let own = try Support.roundTrip(chain, mean).decoded
    #expect(result.mean == own)
    #expect(result.exchanges.map(\.kind) == [.sum])
    #expect(result.exchanges[0].bits == [Int64](repeating: 32 * 5 * 600, count: 4))
  }

  @Test("few heavy elements are recovered exactly from wide rows")
  func recovery() throws {
    var values = [Float](repeating: 0, count: 10_000)
    for index in 0..<20 { values[index * 487 + 3] = index % 2 == 0 ? Float(index + 1) : -5 }
    let decoded = try Support.roundTrip("count_sketch:ratio=0.002,cols=2000", values).decoded
    #expect(decoded == values)
  }

  @Test("a sketch has the same size whatever the gradient, and never more than it declares")
  func size() throws {
    for scope in Chains.scopes {
      for chain in ["count_sketch:ratio=0.01", "count_sketch:ratio=0.1,rows=3,cols=7"] {
        let bits = try Support.roundTrip(
          chain, Support.digits, scope: scope, tensors: Support.digitTensors
        ).encoded.payloadBits
        let worst = try Support.pipeline(chain).worstCasePayloadBits(
          elementCount: Support.digits.count, scope: scope, tensors: Support.digitTensors)
        #expect(bits <= worst, "\(chain), \(scope)")
      }
    }
    let bits = try Support.roundTrip("count_sketch:ratio=0.01", Support.digits).encoded.payloadBits
    #expect(bits == 32 * 5 * 1720)
  }

  @Test("an even number of rows takes the mean of the middle two")
  func evenRows() throws {
    // One column a row: all elements collide, each with its own signs.
    let decoded = try Support.roundTrip("count_sketch:ratio=1,rows=2,cols=1", [6, 0]).decoded
    #expect(decoded[0] == 6)
    #expect([0, 6, -6].contains(decoded[1]))
  }

  @Test("only blocks with a nonzero travel, and everything comes back")
  func blocks() throws {
    var values = [Float](repeating: 0, count: 1000)
    values[300] = 1
    values[999] = -2
    let (encoded, decoded) = try Support.roundTrip("omnireduce", values)
    #expect(decoded == values)
    // Blocks 1, of 256, and 3, of the last 232 elements.
    #expect(encoded.payloadBits == 32 * (256 + 232) + 2 * 32)
    for scope in Chains.scopes {
      let words = try Support.roundTrip(
        "omnireduce", Support.words, scope: scope, tensors: Support.wordTensors)
      #expect(words.decoded == Support.words)
    }
  }

  @Test("a dense gradient grows by 32 bits a block")
  func dense() throws {
    let values = [Float](repeating: 1, count: 1024)
    let encoded = try Support.roundTrip("omnireduce", values).encoded
    #expect(encoded.payloadBits == 32 * 1024 + 4 * 32)
  }

  @Test("blocks begin at the borders of scopes")
  func scopes() throws {
    let values: [Float] = [0, 0, 0, 1, 0, 0, 0, 0]
    let tensors = Support.tensors([("a", 3), ("b", 5)])
    let (encoded, decoded) = try Support.roundTrip(
      "omnireduce:block=4", values, scope: .layer, tensors: tensors)
    #expect(decoded == values)
    // Of a, no block; of b, the block of elements 3 to 6.
    #expect(encoded.payloadBits == 32 * 4 + 32)
  }

  @Test("blocks are a sparse gradient for sparse reductions")
  func positions() throws {
    let pipeline = try Support.pipeline("omnireduce:block=2|fp16")
    var scratch = CodecScratch()
    let encoded = try pipeline.encode(
      [0, 0, 1, 0, 0, 0, 2, 3], random: Support.random(), scratch: &scratch)
    let sparse = try #require(try pipeline.sparse(encoded, count: 8, scratch: &scratch))
    #expect(sparse.positions == [2, 3, 6, 7])
    #expect(sparse.values == [1, 0, 2, 3])
  }
}
