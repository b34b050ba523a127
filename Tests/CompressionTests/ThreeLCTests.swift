import Compression
import SimKernel
import Testing

/// 3LC's bytes, against worked vectors.
struct ThreeLCTests {
  /// The payload bytes: those of the frame between its head and the scale.
  private func payload(_ chain: String, _ values: [Float]) throws -> [UInt8] {
    let encoded = try Support.roundTrip(chain, values).encoded
    let count = Int(encoded.payloadBits - 32) / 8
    return Array(encoded.bytes[8..<8 + count])
  }

  static let ten: [Float] = [0.9, -0.2, 0.4, 0, 0, -1, 0.6, 0.1, 0, -0.55]

  @Test("ten values are the two worked bytes")
  func worked() throws {
    let (_, decoded) = try Support.roundTrip("3lc", Self.ten)
    #expect(decoded == [1, 0, 0, 0, 0, -1, 1, 0, 0, -1])
    // Digits 2111102110: neighbours are 21111 and 02110.
    #expect(try payload("3lc:packing=consecutive", Self.ten) == [202, 66])
    // Fifths: 2, 1, 1, 0, 1 and 1, 1, 1, 2, 0 interleaved.
    #expect(try payload("3lc", Self.ten) == [205, 111])
  }

  @Test("500 values with one nonzero are nine bytes, 700 zeros are ten")
  func runs() throws {
    var values = [Float](repeating: 0, count: 500)
    values[0] = 1
    let expected = [202] + [UInt8](repeating: 255, count: 7) + [121]
    #expect(try payload("3lc", values) == expected)
    #expect(try payload("3lc:packing=consecutive", values) == expected)
    let zeros = [Float](repeating: 0, count: 700)
    #expect(try payload("3lc", zeros) == [UInt8](repeating: 255, count: 10))
  }

  @Test("every length of run comes back", arguments: ["3lc", "3lc:packing=consecutive"])
  func runLengths(chain: String) throws {
    for gap in 0..<200 {
      var values = [Float](repeating: 0, count: gap + 2)
      values[0] = 1
      values[gap + 1] = -1
      #expect(try Support.roundTrip(chain, values).decoded == values)
    }
  }

  @Test("an element above half the sent magnitude becomes it, a half becomes zero")
  func rounding() throws {
    let (_, decoded) = try Support.roundTrip("3lc", [2, 1, Float(1).nextUp, -1, -1.5])
    #expect(decoded == [2, 0, 2, 0, -2])
    let scaled = try Support.roundTrip("3lc:s=1.5", [2, 1.5, 1.6, -1.5]).decoded
    #expect(scaled == [3, 0, 3, 0])
  }

  @Test("a larger s leaves more zeros and fewer bits, within 8/70 and 1.6 bits a value")
  func monotone() throws {
    var stream = RandomStream(seed: 4, purpose: RandomPurpose("test gradient"))
    let values = (0..<100_000).map { _ in Float(stream.normal()) }
    var last = Int64.max
    for s in ["1", "1.25", "1.5", "1.75", "1.9"] {
      let bits = try Support.roundTrip("3lc:s=\(s)", values).encoded.payloadBits
      #expect(bits < last)
      #expect(Double(bits) <= 1.6 * 100_000 + 40 && Double(bits) >= 100_000 * 8 / 70)
      last = bits
    }
  }

  @Test("scopes have a magnitude each, and bytes run on across them")
  func scopes() throws {
    let (encoded, decoded) = try Support.roundTrip(
      "3lc:packing=consecutive", [1, 0, 8, -8, 0.25, 0.5], scope: .bucket(2))
    #expect(decoded == [1, 0, 8, -8, 0, 0.5])
    #expect(encoded.payloadBits == 2 * 8 + 3 * 32)
  }

  @Test("a magnitude beyond float32 is refused")
  func overflow() throws {
    let pipeline = try Support.pipeline("3lc:s=1.5")
    var scratch = CodecScratch()
    #expect(throws: CodecError.self) {
      try pipeline.encode([3e38], random: Support.random(), scratch: &scratch)
    }
  }
}
