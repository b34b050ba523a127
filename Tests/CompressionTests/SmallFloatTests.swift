import Compression
import SimKernel
import Testing

/// Eight- and four-bit floating point against the definition of their formats.
struct SmallFloatTests {
  /// A format by its numbers: every finite magnitude, ascending, so that the index is the code.
  struct Format: Sendable, CustomStringConvertible {
    var chain: String
    var magnitudes: [Float]
    var description: String { chain }

    init(_ chain: String, mantissaBits: Int, bias: Int, largest: Float) {
      self.chain = chain
      var result: [Float] = []
      var code = 0
      while result.last != largest {
        let field = code >> mantissaBits
        let fraction = Float(code & (1 << mantissaBits - 1)) / Float(1 << mantissaBits)
        let exponent = max(field, 1) - bias
        var power: Float = 1
        for _ in 0..<exponent.magnitude { power *= exponent < 0 ? 0.5 : 2 }
        result.append((fraction + (field == 0 ? 0 : 1)) * power)
        code += 1
      }
      magnitudes = result
    }

    /// The nearest number; of two equally near ones that with the even code.
    func nearest(_ x: Float) -> Float {
      let magnitude = min(x.magnitude, magnitudes.last!)
      var best = 0
      for code in magnitudes.indices {
        let (new, old) = (
          (magnitudes[code] - magnitude).magnitude, (magnitudes[best] - magnitude).magnitude
        )
        if new < old || (new == old && code % 2 == 0) { best = code }
      }
      return x.sign == .minus ? -magnitudes[best] : magnitudes[best]
    }
  }
  static let e4m3 = Format("fp8:scaled=false", mantissaBits: 3, bias: 7, largest: 448)
  static let e5m2 = Format(
    "fp8:format=e5m2,scaled=false", mantissaBits: 2, bias: 15, largest: 57344)
  static let e2m1 = Format("mxfp4", mantissaBits: 1, bias: 1, largest: 6)

  @Test("the formats have the numbers of their standards")
  func numbers() {
    #expect(Self.e4m3.magnitudes.count == 127 && Self.e5m2.magnitudes.count == 124)
    #expect(Self.e4m3.magnitudes[1] == 0x1p-9 && Self.e5m2.magnitudes[1] == 0x1p-16)
    #expect(Self.e2m1.magnitudes == [0, 0.5, 1, 1.5, 2, 3, 4, 6])
  }

  @Test(
    "every number comes back, every other goes to the nearest, ties to even",
    arguments: [e4m3, e5m2])
  func rounding(format: Format) throws {
    var values: [Float] = [0, 1e-30, 1e30, 3e38, .leastNonzeroMagnitude]
    for (low, high) in zip(format.magnitudes, format.magnitudes.dropFirst()) {
      let middle = (low + high) / 2
      values += [low, high, middle, middle.nextUp, middle.nextDown]
    }
    values += values.map { -$0 }
    let decoded = try Support.roundTrip(format.chain, values).decoded
    for (value, result) in zip(values, decoded) {
      #expect(result == format.nearest(value), "\(format): \(value)")
      #expect(result.sign == value.sign)
    }
  }

  @Test("a scope's largest magnitude is kept by its scale")
  func scaled() throws {
    for chain in ["fp8", "fp8:format=e5m2"] {
      let values = Support.synthetic(3000).map { $0 * 1e-6 }
      let largest = values.indices.max { values[$0].magnitude < values[$1].magnitude }!
      let decoded = try Support.roundTrip(chain, values).decoded
      #expect((decoded[largest] / values[largest] - 1).magnitude < 1e-6)
    }
  }

  @Test("e4m3 without a scale loses gradients below its smallest number, with one it does not")
  func vanishing() throws {
    let values = Support.digits.map { $0 * 0x1p-10 }
    let unscaled = try Support.roundTrip("fp8:scaled=false", values).decoded
    #expect(unscaled.allSatisfy { $0 == 0 })
    let scaled = try Support.roundTrip("fp8", values).decoded
    #expect(GradientError.compare(original: values, decoded: scaled).relativeL2 < 0.03)
  }

  @Test(
    "a block's exponent is that of its largest magnitude, and what exceeds the format saturates")
  func microscaling() throws {
    // 4 fixes the power of two 2^(2-2) = 1; the others are rounded to E2M1.
    var block: [Float] = [4, 5, 7.9, -0.2, 0.25, 0.75, -2.5, 3.5]
    block += [Float](repeating: 0, count: 24)
    let decoded = try Support.roundTrip("mxfp4", block).decoded
    #expect(Array(decoded[0..<8]) == [4, 4, 6, 0, 0, 1, -2, 4])
    // 256 fixes 2^(8-8) = 1 for E4M3.
    let eight = try Support.roundTrip("mxfp8", [256, 511, 448, 1.0625, 0x1p-10]).decoded
    #expect(eight == [256, 448, 448, 1, 0])
  }

  @Test("powers of two between blocks do not disturb one another")
  func blocks() throws {
    for chain in ["mxfp4", "mxfp8", "mxfp8:format=e5m2"] {
      for count in [1, 31, 32, 33, 63, 64, 65, 2047, 2048, 2049, 5000] {
        // Block b holds 1.5 x 2^(b mod 200 - 100), which every format has.
        let values = (0..<count).map { index -> Float in
          Float(
            sign: index % 3 == 0 ? .minus : .plus, exponent: index / 32 % 200 - 100,
            significand: 1.5)
        }
        let (encoded, decoded) = try Support.roundTrip(chain, values)
        #expect(decoded == values, "\(chain), \(count) elements")
        let bits = (chain == "mxfp4" ? 4 : 8) * count + 8 * ((count + 31) / 32)
        #expect(encoded.payloadBits == Int64(bits))
      }
    }
  }

  @Test("a block of four bits is off by a third of each number at most, or half the smallest step")
  func blockBounds() throws {
    let values = Support.synthetic(4096)
    let decoded = try Support.roundTrip("mxfp4", values).decoded
    for start in stride(from: 0, to: 4096, by: 32) {
      let largest = values[start..<start + 32].map(\.magnitude).max()!
      for index in start..<start + 32 {
        let bound = max(values[index].magnitude / 3, largest / 16)
        #expect((values[index] - decoded[index]).magnitude <= bound * 1.0001)
      }
    }
  }
}
