import Compression
import SimKernel
import Testing

/// One bit an element: signs, two means, and powers of two.
struct SignTests {
  @Test("zeros are sent as plus, and come back as one")
  func zeros() throws {
    let (encoded, decoded) = try Support.roundTrip("signsgd", [0, -0.0, 3, -1e-30])
    #expect(encoded.payloadBits == 4)
    #expect(decoded == [1, 1, 1, -1])
    // Nine of ten elements of this gradient are exact zeros: ones drown what is left.
    let words = try Support.roundTrip("signsgd", Support.words).decoded
    #expect(words.filter { $0 == 1 }.count > 32_000)
  }

  private func vote(_ gradients: [[Float]], _ chain: String = "signsgd") throws -> [Float] {
    var scratch = CodecScratch()
    return try Support.pipeline(chain).aggregate(
      gradients, random: Support.random(), scratch: &scratch
    ).mean
  }

  @Test("the majority of the workers' signs wins, a tie is plus")
  func majority() throws {
    #expect(try vote([[1, -1, 0], [-9, -2, -3], [2, 5, -1]]) == [1, -1, -1])
    #expect(try vote([[1, -1], [-1, -1]]) == [1, -1])
    for workers in 1...9 {
      let gradients = (0..<workers).map { Support.synthetic(500, seed: $0) }
      let result = try vote(gradients)
      for index in 0..<500 {
        let sum = gradients.reduce(0) { $0 + ($1[index] < 0 ? -1 : 1) }
        #expect(result[index] == (sum < 0 ? -1 : 1))
      }
    }
  }

  @Test("nobody's vote is no vote")
  func sparseVote() throws {
    let result = try vote([[9, 0, 0, 0], [0, -9, 0, 0]], "top_k:ratio=0.25|signsgd")
    #expect(result == [1, -1, 0, 0])
  }

  @Test("one bit sends the mean of each side")
  func twoMeans() throws {
    let (encoded, decoded) = try Support.roundTrip("onebit", [1, 3, -2, -4, 2, 0])
    #expect(encoded.payloadBits == 6 + 64)
    #expect(decoded == [1.5, 1.5, -3, -3, 1.5, 1.5])
    #expect(try Support.roundTrip("onebit", [-1, -3]).decoded == [-2, -2])
    #expect(try Support.roundTrip("onebit", [5]).decoded == [5])
    // One tiny negative among large ones keeps its own mean.
    let lonely = [Float](repeating: 1000, count: 5000) + [-1e-6]
    #expect(try Support.roundTrip("onebit", lonely).decoded[5000] == -1e-6)
  }

  @Test("the means belong to their scopes, wherever the words end")
  func scopes() throws {
    for count in [63, 64, 65, 130, 4095, 4097, 9000] {
      let values = Support.synthetic(count, seed: count)
      for size in [1, 7, 64, 100, 5000] {
        let decoded = try Support.roundTrip("onebit", values, scope: .bucket(size)).decoded
        for start in stride(from: 0, to: count, by: size) {
          let scope = values[start..<min(start + size, count)]
          for isNegative in [false, true] {
            let side = scope.indices.filter { (values[$0] < 0) == isNegative }
            let mean = side.reduce(0.0) { $0 + Double(values[$1]) } / Double(side.count)
            for index in side {
              #expect((Double(decoded[index]) - mean).magnitude <= 1e-5 * mean.magnitude + 1e-12)
            }
          }
        }
      }
    }
  }

  @Test("natural compression goes to a neighbouring power of two, and leaves powers alone")
  func natural() throws {
    let powers = (-149...127).flatMap { exponent -> [Float] in
      let power = Float(sign: .plus, exponent: exponent, significand: 1)
      return [power, -power]
    }
    // Below 2^-126 a power is between 0 and 2^-126, which are its neighbours.
    let exact = powers.filter { $0.magnitude >= 0x1p-126 } + [0]
    #expect(try Support.roundTrip("natural", exact).decoded == exact)
    let values = Support.synthetic(5000)
    for chain in ["natural", "natural:clipped=true"] {
      let (encoded, decoded) = try Support.roundTrip(chain, values)
      #expect(encoded.payloadBits == (chain == "natural" ? 9 : 8) * 5000)
      for (value, result) in zip(values, decoded) where value != 0 {
        let low = Float(sign: .plus, exponent: value.exponent, significand: 1)
        #expect(result.magnitude == low || result.magnitude == 2 * low)
        #expect(result.sign == value.sign)
      }
    }
    #expect(try Support.roundTrip("natural", [3e38, -3e38]).decoded == [0x1p127, -0x1p127])
  }

  @Test("seven bits of exponent flush and saturate where GRACE's do")
  func clipped() throws {
    let values: [Float] = [0x1p-110, -0x1p-109, 0x1p-108, 0x1p18, -0x1p19, 1e30, 0]
    let decoded = try Support.roundTrip("natural:clipped=true", values).decoded
    #expect(decoded == [0, 0, 0x1p-108, 0x1p18, -0x1p18, 0x1p18, 0])
  }
}
