import Compression
import SimKernel
import Testing

/// Integers of a few bits, with and without a zero point.
struct NarrowIntegersTests {
  @Test("halves go to even, and the largest magnitude is kept")
  func rounding() throws {
    #expect(
      try Support.roundTrip("int4", [7, 0.5, 1.5, -0.5, -2.5, -7]).decoded == [7, 0, 2, 0, -2, -7])
    #expect(try Support.roundTrip("intn:bits=2", [1, 0.4, -0.6, -1]).decoded == [1, 0, -1, -1])
  }

  @Test("every width is off by half a step at most and takes its bits", arguments: 2...8)
  func widths(bits: Int) throws {
    for count in [1, 2, 3, 255, 256, 257, 2047, 2049, 5000] {
      let values = Support.synthetic(count, seed: bits)
      for (scope, scales) in [(CodecScope.model, 1), (.bucket(100), (count + 99) / 100)] {
        let (encoded, decoded) = try Support.roundTrip("intn:bits=\(bits)", values, scope: scope)
        #expect(encoded.payloadBits == Int64(bits * count + 32 * scales))
        let step = values.map(\.magnitude).max()! / Float(1 << (bits - 1) - 1)
        for (value, result) in zip(values, decoded) {
          #expect((value - result).magnitude <= step * 0.50001)
        }
      }
    }
    let eight = try Support.roundTrip("int8", Support.digits).decoded
    if bits == 8 { #expect(try Support.roundTrip("intn:bits=8", Support.digits).decoded == eight) }
  }

  @Test("codes of several workers add up in accumulators of their own width")
  func shared() throws {
    var scratch = CodecScratch()
    let result = try Support.pipeline("int4:shared_range=true").aggregate(
      RoundsTests.workers, scope: .model, random: Support.random(), scratch: &scratch)
    #expect(result.exchanges.map(\.kind) == [.max, .sum])
    #expect(result.exchanges[1].bits == [Int64](repeating: 6 * 3000, count: 4))
    let step = RoundsTests.workers.flatMap { $0 }.map(\.magnitude).max()! / 7
    #expect(result.error.maxAbsolute <= Double(step) * 0.5001)
    #expect(try Support.pipeline("int4").aggregation == .gather)
  }

  @Test("an affine range always holds zero, and zero comes back as zero")
  func affine() throws {
    // 0...2.55 in steps of 0.01: codes 100, 255, 0.
    let positive = try Support.roundTrip("uint8_affine", [1, 2.55, 0]).decoded
    #expect((positive[0] - 1).magnitude < 1e-6 && positive[2] == 0)
    // -1...0 has its zero at 255.
    let negative = try Support.roundTrip("uint8_affine", [-1, -0.5]).decoded
    #expect((negative[0] + 1).magnitude < 1e-6 && (negative[1] + 0.5).magnitude < 0.002)
    let values = Support.synthetic(5000) + [0]
    let (encoded, decoded) = try Support.roundTrip("uint8_affine", values)
    #expect(encoded.payloadBits == 8 * 5001 + 64)
    #expect(decoded[5000] == 0)
    let step = (values.max()! - values.min()!) / 255
    // Half a step for the value, and half for the zero point at the ends.
    for (value, result) in zip(values, decoded) {
      #expect((value - result).magnitude <= step * 1.0001)
    }
  }

  @Test("PyTorch's smallest scale erases late gradients, and can be switched off")
  func smallestScale() throws {
    let values = Support.digits.map { $0 * 0x1p-22 }
    let erased = try Support.roundTrip("uint8_affine", values).decoded
    #expect(erased.allSatisfy { $0 == 0 })
    let kept = try Support.roundTrip("uint8_affine:min_scale=0", values).decoded
    #expect(GradientError.compare(original: values, decoded: kept).relativeL2 < 0.03)
  }

  @Test("a range wider than the largest float is still a range")
  func widest() throws {
    let decoded = try Support.roundTrip("uint8_affine", [3e38, -3e38, 0]).decoded
    #expect((decoded[0] / 3e38 - 1).magnitude < 0.01 && (decoded[1] / -3e38 - 1).magnitude < 0.01)
    #expect(decoded[2] == 0)
  }
}
