import Compression
import SimKernel
import Testing

/// `zstd:shuffle=exponent`: only the highest bytes are compressed.
struct ExponentPlaneTests {
  @Test("every bit comes back", arguments: [0, 1, 2, 3, 4, 5, 63, 64, 1000])
  func lossless(count: Int) throws {
    let bits: [UInt32] = [
      0, 0x8000_0000, 1, 0x00FF_FFFF, 0x8000_0001, 0x0100_0000, 0x7F7F_FFFF, 0xFF7F_FFFF,
      0x3F80_0000,
    ]
    // Zeros between all kinds of numbers, at the beginning and at the end; with and without the tiny
    // ones whose highest byte is 0 too.
    for choice in [bits, [0, 0x8000_0000, 0x3F80_1234, 0x0100_0000], [0], [0x3F80_1234]] {
      for shift in 0..<choice.count {
        let values = (0..<count).map {
          Float(bitPattern: choice[($0 / 2 + shift) % choice.count])
        }
        for level in [-7, 1, 3, 19] {
          let decoded = try Support.roundTrip("zstd:level=\(level),shuffle=exponent", values)
            .decoded
          #expect(decoded.map(\.bitPattern) == values.map(\.bitPattern))
        }
      }
    }
  }

  @Test("the lower bytes of exact zeros are not sent, unless a tiny number would be lost")
  func zeros() throws {
    var values = [Float](repeating: 0, count: 4000)
    for index in stride(from: 0, to: 4000, by: 2) { values[index] = 1 }
    let chain = "zstd:shuffle=exponent"
    let half = try Support.roundTrip(chain, values).encoded.payloadBits
    #expect(half > 2000 * 24 && half < 2000 * 24 + 2000)
    values[1] = .leastNonzeroMagnitude
    let all = try Support.roundTrip(chain, values).encoded.payloadBits
    #expect(all > 4000 * 24 && all < 4000 * 24 + 2000)
  }

  /// Gradients beside the repository, of four models.
  static let gradients: [(String, [Float])] = {
    var result = [("digits", Support.digits), ("words", Support.words)]
    for model in ["chargpt", "mlp-digits", "resnet8-digits", "wordemb"] {
      for worker in 0..<4 {
        let name = "gradients/\(model).middle.w\(worker).npy"
        if let bytes = Support.sharedBytes(name) {
          result.append((name, Support.npy(bytes)))
        }
      }
    }
    return result
  }()

  @Test("on real gradients it is at most 1 % larger than the best of plain and byte-shuffled")
  func ratio() throws {
    for (name, values) in Self.gradients {
      func bits(_ shuffle: String) throws -> Double {
        Double(
          try Support.roundTrip("zstd:shuffle=\(shuffle)", values).encoded.payloadBits)
      }
      let best = try min(bits("none"), bits("byte"))
      #expect(try bits("exponent") <= 1.01 * best, "\(name)")
    }
  }

  @Test("a wrong number of lower bytes is an error that names zstd")
  func damage() throws {
    let pipeline = try Support.pipeline("zstd:shuffle=exponent")
    var scratch = CodecScratch()
    let values: [Float] = [1, 0, 2, 0, 3, 0, 4, 0]
    let bytes = try pipeline.encode(values, random: Support.random(), scratch: &scratch).bytes
    // The header says 4 of 8 elements, in the byte after 8 elements of 256 bits.
    let place = try #require(
      bytes.indices.dropFirst(4).last {
        bytes[$0] == 4 && bytes[$0 - 1] == 2 && bytes[$0 - 2] == 0x80 && bytes[$0 - 3] == 8
      })
    for wrong in [UInt8(0), 3, 5, 8, 9] {
      var damaged = bytes
      damaged[place] = wrong
      var target = [Float](repeating: 0, count: 8)
      let error = #expect(throws: CodecError.self) {
        try target.withUnsafeMutableBufferPointer { output in
          try damaged.withUnsafeBytes {
            try pipeline.decode(bytes: $0, into: output, scratch: &scratch)
          }
        }
      }
      #expect(error?.codec == "zstd", "\(wrong)")
    }
  }
}
