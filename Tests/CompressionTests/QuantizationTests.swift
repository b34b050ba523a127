import Compression
import SimKernel
import Testing

/// Bounds that every single element obeys.
struct QuantizationTests {
  @Test("fp16 and bf16 round every pattern to nearest, ties to even, subnormals kept")
  func casts() throws {
    // Every binary16 number, the midpoints to its neighbour, and just off those.
    var values: [Float] = []
    for pattern in UInt16(0)..<0x7C00 {
      let low = Float(Float16(bitPattern: pattern))
      values.append(low)
      if pattern + 1 < 0x7C00 {
        let middle = (low + Float(Float16(bitPattern: pattern + 1))) / 2
        values += [middle, middle.nextUp, -middle.nextDown]
      }
    }
    let half = try Support.roundTrip("fp16", values).decoded
    for (value, result) in zip(values, half) {
      #expect(result.bitPattern == Float(Float16(value)).bitPattern, "\(value)")
    }
    var brains: [Float] = []
    for pattern in stride(from: UInt32(0), to: 0x7F7E_0000, by: 0x1_8000) {
      for offset in [UInt32(0), 1, 0x7FFF, 0x8000, 0x8001] {
        brains.append(Float(bitPattern: pattern + offset))
      }
    }
    let brain = try Support.roundTrip("bf16", brains).decoded
    for (value, result) in zip(brains, brain) {
      let bits = value.bitPattern
      let rest = bits & 0xFFFF
      var kept = bits >> 16
      if rest > 0x8000 || (rest == 0x8000 && kept & 1 == 1) { kept += 1 }
      #expect(result.bitPattern == kept << 16, "\(value)")
    }
  }

  @Test("int8 is off by half a step at most, and rounds halves to even")
  func int8() throws {
    #expect(
      try Support.roundTrip("int8", [127, 0.5, 1.5, -0.5, -2.5]).decoded == [127, 0, 2, 0, -2])
    let values = Support.synthetic(5000)
    let step = values.map(\.magnitude).max()! / 127
    let decoded = try Support.roundTrip("int8", values).decoded
    for (value, result) in zip(values, decoded) {
      #expect((value - result).magnitude <= step * 0.50001)
    }
  }

  @Test(
    "a level is off by one step at most, at every width",
    arguments: [1, 2, 3, 4, 7, 15, 16, 31, 63, 100, 127, 128, 255, 300, 1000, 4095, 16_383, 32_767])
  func qsgdWidths(levels: Int) throws {
    for count in [1, 5, 255, 256, 257, 600, 2100] {
      for code in ["fixed", "elias_gamma", "elias_delta", "elias_omega"] {
        let values = Support.synthetic(count, seed: levels)
        let chain = "qsgd:s=\(levels),norm=max,code=\(code)"
        let (encoded, decoded) = try Support.roundTrip(chain, values)
        let largest = values.map(\.magnitude).max()!
        let step = largest / Float(levels)
        for (value, result) in zip(values, decoded) {
          #expect((value - result).magnitude <= step * 1.0001, "\(chain), \(count) elements")
          #expect(result == 0 || (result < 0) == (value < 0))
        }
        if code == "fixed" {
          var width = 1
          while 1 << (width - 1) < levels + 1 { width += 1 }
          #expect(encoded.payloadBits == Int64(width * count + 32), "\(chain)")
        }
      }
    }
  }

  @Test("ternary digits pack five to a byte with the same draw")
  func ternary() throws {
    let values = Support.synthetic(1003)
    let pairs = try Support.roundTrip("terngrad", values)
    let fives = try Support.roundTrip("terngrad:packing=base243", values)
    #expect(pairs.decoded == fives.decoded)
    #expect(pairs.encoded.payloadBits == 2 * 1003 + 32)
    #expect(fives.encoded.payloadBits == 8 * 201 + 32)
    let largest = values.map(\.magnitude).max()!
    for (value, result) in zip(values, pairs.decoded) {
      #expect(result == 0 || result == (value < 0 ? -largest : largest))
    }
  }

  @Test(
    "stochastic rounding is unbiased element by element",
    arguments: ["qsgd:s=1,norm=max", "qsgd:s=4", "qsgd:s=7,norm=max", "terngrad"]
      + Chains.unbiasedQuantisers)
  func unbiased(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    let values: [Float] = [1, 0.9, 0.5, 0.25, 0.1, 0.01, 0, -0.01, -0.3, -0.77, 0.33, 0.66]
    let rounds = 4000
    var sums = [Double](repeating: 0, count: values.count)
    var squares = sums
    for seed in 0..<rounds {
      let encoded = try pipeline.encode(values, random: Support.random(seed), scratch: &scratch)
      let decoded = try pipeline.decode(encoded, count: values.count, scratch: &scratch)
      for index in values.indices {
        sums[index] += Double(decoded[index])
        squares[index] += Double(decoded[index]) * Double(decoded[index])
      }
    }
    for index in values.indices {
      let mean = sums[index] / Double(rounds)
      let variance = max(0, squares[index] / Double(rounds) - mean * mean)
      let noise = 4.5 * (variance / Double(rounds)).squareRoot() + 1e-6
      #expect((mean - Double(values[index])).magnitude < noise, "\(chain): \(values[index])")
    }
  }
}
