import CKernels
import Testing

/// The kernels, in the form that this processor runs and in the portable one, against scalar Swift.
struct KernelTests {
  /// Zeros, subnormals, ties, the ends of formats, infinities and NaNs, with both signs.
  static let edges: [Float] = {
    let magnitudes: [UInt32] = [
      0, 1, 2, 0x007F_FFFF, 0x0080_0000, 0x3300_0000, 0x3300_0001, 0x32FF_FFFF, 0x3380_0000,
      0x33C0_0000, 0x387F_DFFF, 0x387F_E000, 0x387F_EFFF, 0x387F_F000, 0x387F_FFFF, 0x3880_0000,
      0x3880_1000, 0x3880_1001, 0x3880_3000, 0x3F00_0000, 0x3F7F_FFFF, 0x3F80_0000, 0x3F80_0001,
      0x3F80_1000, 0x3F80_3000, 0x3FC0_0000, 0x4020_0000, 0x477F_E000, 0x477F_EFFF, 0x477F_F000,
      0x477F_F001, 0x4780_0000, 0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_FFFF, 0x7F80_0000, 0x7F80_0001,
      0x7FA0_0000, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FC1_2345, 0x7FFF_7FFF, 0x7FFF_8000, 0x7FFF_FFFF,
    ]
    return magnitudes.flatMap { [Float(bitPattern: $0), Float(bitPattern: $0 | 0x8000_0000)] }
  }()

  /// Edges, then a million patterns spread over all of them; about one in 128 is not finite.
  static let patterns: [Float] =
    edges + (0..<1_048_573 as Range<UInt32>).map { Float(bitPattern: $0 &* 4093 &+ $0 >> 9) }

  /// Finite values of gradients' size, with zeros of both signs among them.
  static func values(_ count: Int, seed: UInt32 = 1) -> [Float] {
    (0..<UInt32(count)).map { index in
      let hash = (index &+ seed &* 77) &* 0x9E37_79B9 ^ (index &* 0x85EB_CA6B) >> 13
      if hash % 17 == 0 { return hash & 32 == 0 ? 0 : -0.0 }
      return Float(Int32(bitPattern: hash)) * 0x1p-31
    }
  }

  /// `count` elements between guards, at every alignment: what `body` wrote must be `expected` and the
  /// guards what they were.
  static func check<T: FixedWidthInteger>(
    _ expected: [T], slack: Int = 0, _ body: (UnsafeMutablePointer<T>) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let guardValue = T(truncatingIfNeeded: 0x5A5A_5A5A)
    for shift in expected.count > 200 ? [1] : [0, 1, 3, 4, 7] {
      var memory = [T](repeating: guardValue, count: expected.count + shift + slack + 16)
      memory.withUnsafeMutableBufferPointer { body($0.baseAddress! + shift) }
      let written = Array(memory[shift..<shift + expected.count])
      if written != expected {
        let place = expected.indices.first { written[$0] != expected[$0] }
        Issue.record(
          "element \(place ?? -1) of \(expected.count), shift \(shift)",
          sourceLocation: sourceLocation)
      }
      let rest = memory[..<shift] + memory[(shift + expected.count + slack)...]
      #expect(rest.allSatisfy { $0 == guardValue }, sourceLocation: sourceLocation)
    }
  }
  /// As above, for floats, compared by their bits.
  static func checkFloats(
    _ expected: [UInt32], _ body: (UnsafeMutablePointer<Float>) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    check(
      expected,
      { target in
        target.withMemoryRebound(to: Float.self, capacity: expected.count, body)
      }, sourceLocation: sourceLocation)
  }

  static let lengths = Array(0...100) + [4096, 4097, 5000]

  // MARK: - Reductions

  @Test("maxima are those of the bits")
  func maxima() {
    for count in Self.lengths {
      let values = Array(Self.patterns[..<count])
      let expected = values.map { Int32($0.bitPattern & 0x7FFF_FFFF) }.max() ?? 0
      #expect(ck_largest_magnitude_bits(values, count) == expected)
      #expect(ck_portable_largest_magnitude_bits(values, count) == expected)
    }
    for place in 0..<70 {
      var values = Self.values(70)
      values[place] = -3
      #expect(ck_largest_magnitude_bits(values, 70) == 0x4040_0000)
    }
  }

  @Test("sums run in sixteen lanes")
  func sums() {
    for count in Self.lengths + [9000] {
      let values = Self.values(count, seed: UInt32(count))
      for sum in [ck_sum_of_values, ck_portable_sum_of_values] {
        #expect(sum(values, count) == KernelReference.sum(values) { $0 })
      }
      for sum in [ck_sum_of_magnitudes, ck_portable_sum_of_magnitudes] {
        #expect(sum(values, count) == KernelReference.sum(values) { $0.magnitude })
      }
      for sum in [ck_sum_of_squares, ck_portable_sum_of_squares] {
        #expect(sum(values, count) == KernelReference.sum(values) { $0 * $0 })
      }
    }
  }

  @Test("sums of runs are those of each run")
  func sumsOfRuns() {
    let values = Self.values(24_000)
    for size in [0, 1, 16, 31, 48, 512, 4096, 4112] {
      for runs in 0..<min(10, 24_000 / max(size, 1)) {
        let expected = (0..<runs).map { run in
          KernelReference.sum(Array(values[run * size..<(run + 1) * size])) { $0 * $0 }
        }
        for sums in [ck_sums_of_squares, ck_portable_sums_of_squares] {
          var result = [Double](repeating: -1, count: runs)
          sums(values, size, runs, &result)
          #expect(result == expected)
        }
      }
    }
  }

  // MARK: - Signs

  @Test("signs are those of what is below zero, and maxima come with them")
  func signs() {
    for count in Self.lengths + [Self.patterns.count] {
      let values = Array(Self.patterns[..<count])
      var expected = [UInt64](repeating: 0, count: (count + 63) / 64)
      for index in 0..<count where values[index] < 0 { expected[index >> 6] |= 1 << (index & 63) }
      let largest = values.map { Int32($0.bitPattern & 0x7FFF_FFFF) }.max() ?? 0
      for pack in [ck_pack_signs, ck_portable_pack_signs] {
        Self.check(expected) { #expect(pack(values, Int(count), $0) == largest) }
      }
    }
  }

  @Test("signs choose between two values from any element to any other", arguments: [false, true])
  func signsBack(streams: Bool) {
    let words: [UInt64] = [
      0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, ~0, 0, 0x5555_AAAA_5555_AAAA,
    ]
    let (positive, negative) = (Float(bitPattern: 0x3F91_2345), Float(bitPattern: 0xBE00_0001))
    let every = (0..<320).map { words[$0 >> 6] >> UInt64($0 & 63) & 1 == 0 ? positive : negative }
    for first in [0, 1, 7, 8, 31, 33, 64, 100] {
      for count in 0...100 {
        let expected = every[first..<first + count].map(\.bitPattern)
        for unpack in [ck_unpack_signs, ck_portable_unpack_signs] {
          Self.checkFloats(expected) {
            unpack(words, first, first + count, positive, negative, streams, $0 - first)
            ck_finish_streaming()
          }
        }
      }
    }
  }

  // MARK: - Sixteen-bit floats

  @Test("casts round to nearest, ties to even, over all kinds of patterns")
  func casts() {
    for count in Self.lengths + [Self.patterns.count] {
      let values = Array(Self.patterns[..<count])
      let halves = values.map(KernelReference.float16)
      let worstHalf = halves.map { $0 & 0x7FFF }.max() ?? 0
      for cast in [ck_float_to_half, ck_portable_float_to_half] {
        Self.check(halves) { #expect(cast(values, Int(count), $0) == worstHalf) }
      }
      let rounded = values.map(KernelReference.bfloat16)
      for cast in [ck_float_to_bfloat, ck_portable_float_to_bfloat] {
        Self.check(rounded) { target in
          let worst = values.map { ($0.bitPattern & 0x7FFF_FFFF) }.max() ?? 0
          let carried = (worst &+ 0x7FFF &+ (worst >> 16 & 1)) >> 16
          #expect(cast(values, Int(count), target) == UInt16(min(carried, 0x7FFF)))
        }
      }
      let upper = values.map { UInt16($0.bitPattern >> 16) }
      for cast in [ck_truncate_to_bfloat, ck_portable_truncate_to_bfloat] {
        let worst = upper.map { $0 & 0x7FFF }.max() ?? 0
        Self.check(upper) { #expect(cast(values, Int(count), $0) == worst) }
      }
    }
  }

  @Test("every 16-bit number widens to itself, NaNs with their bits", arguments: [false, true])
  func widening(streams: Bool) {
    let all = (0...UInt16.max).map { $0 &* 40503 }
    for count in Self.lengths + [all.count] {
      let halves = Array(all[..<count])
      for widen in [ck_half_to_float, ck_portable_half_to_float] {
        Self.checkFloats(halves.map(KernelReference.widen)) {
          widen(halves, Int(count), streams, $0)
          ck_finish_streaming()
        }
      }
      for widen in [ck_bfloat_to_float, ck_portable_bfloat_to_float] {
        Self.checkFloats(halves.map { UInt32($0) << 16 }) {
          widen(halves, Int(count), streams, $0)
          ck_finish_streaming()
        }
      }
    }
  }

  // MARK: - Integers

  @Test(
    "codes are the nearest integers, ties to even",
    arguments: [(0, 127), (8, 7), (1, 1)], [false, true])
  func quantization(_ codes: (offset: UInt8, half: Float), streams: Bool) {
    let (offset, half) = codes
    // Quarters from -1 to 1 of the largest code meet every tie.
    let quarters = (0...8 * Int(half)).map { Float($0) / (4 * half) - 1 }
    for count in Self.lengths {
      for values in [Self.values(count), (0..<count).map { quarters[$0 % quarters.count] }] {
        let expected = values.map {
          KernelReference.quantize($0, inverse: half, offset: offset)
        }
        for quantize in [ck_quantize, ck_portable_quantize] {
          Self.check(expected) {
            quantize(values, Int(count), half, offset, streams, $0)
            ck_finish_streaming()
          }
        }
        let following = values + Self.patterns[..<count]
        let largest = following[count..<2 * count].map { Int32($0.bitPattern & 0x7FFF_FFFF) }.max()
        for quantize in [ck_quantize_and_scan, ck_portable_quantize_and_scan] {
          Self.check(expected) {
            #expect(quantize(following, Int(count), half, offset, streams, $0) == largest ?? 0)
            ck_finish_streaming()
          }
        }
      }
    }
  }

  @Test("every code is worth code times scale", arguments: [false, true])
  func dequantization(streams: Bool) {
    let all = (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 151) }
    for count in Array(0...100) + [600] {
      let codes = Array(all[..<count])
      for offset in [0, 1, 8, 128] as [UInt8] {
        let expected = codes.map { code in
          (Float(offset == 0 ? Int(Int8(bitPattern: code)) : Int(code) - Int(offset)) * 0.0137)
            .bitPattern
        }
        for dequantize in [ck_dequantize, ck_portable_dequantize] {
          Self.checkFloats(expected) {
            dequantize(codes, Int(count), offset, 0.0137, streams, $0)
            ck_finish_streaming()
          }
        }
      }
      for signBit in 1...7 as ClosedRange<UInt32> {
        let narrow = codes.map { $0 & UInt8((2 << signBit) - 1) }
        let expected = narrow.map { code in
          let level = UInt32(code) & ((1 << signBit) - 1)
          return (Float(level) * 0.0137).bitPattern ^ (UInt32(code) >> signBit) << 31
        }
        for dequantize in [ck_dequantize_levels, ck_portable_dequantize_levels] {
          Self.checkFloats(expected) {
            dequantize(narrow, Int(count), signBit, 0.0137, streams, $0)
            ck_finish_streaming()
          }
        }
      }
    }
  }

  // MARK: - Stochastic rounding

  /// Levels and sign bits of codes.
  static let roundings: [(limit: UInt32, signBit: UInt32, factor: Float)] = [
    (1, 1, 1), (1, 1, 3), (4, 3, 4.5), (127, 7, 127), (127, 7, 0), (300, 9, 280), (32767, 15, 3e4),
    (32767, 15, 0x1p95),
  ]

  @Test("levels and signs are those of one element at a time", arguments: roundings)
  func rounding(limit: UInt32, signBit: UInt32, factor: Float) {
    // Around the wrap of the counter; edges are infinite, NaN and subnormal too.
    for start in [0, 12345, UInt32.max - 40] {
      for count in Self.lengths {
        let finite = Self.values(count, seed: limit)
        let wild = (0..<count).map { Self.edges[$0 % Self.edges.count] }
        for values in [finite, wild] {
          let each = values.enumerated().map { index, value in
            KernelReference.level(
              value, counter: start &+ UInt32(index), key: 0xDEAD_BEEF, factor: factor,
              limit: limit)
          }
          let rounding = ck_rounding(
            counter: start, key: 0xDEAD_BEEF, factor: factor, limit: limit, sign_bit: signBit)
          if signBit < 8 {
            let codes = each.map { UInt8($0.level | $0.sign << signBit) }
            for round in [ck_round_to_bytes, ck_portable_round_to_bytes] {
              Self.check(codes) { round(values, Int(count), rounding, 2048, $0) }
            }
          }
          let codes = each.map { UInt16($0.level | $0.sign << signBit) }
          for round in [ck_round_to_words, ck_portable_round_to_words] {
            Self.check(codes) { round(values, Int(count), rounding, 0, $0) }
          }
          if limit == 1 {
            let digits = each.map { UInt8($0.level << $0.sign) }
            for round in [ck_round_to_ternary, ck_portable_round_to_ternary] {
              Self.check(digits) { round(values, Int(count), rounding, 4096, $0) }
            }
          }
        }
      }
    }
  }

  // MARK: - Ternary digits

  @Test("digits are 0, the scale or its negative", arguments: [false, true])
  func ternary(streams: Bool) {
    for count in Self.lengths {
      let digits = (0..<count).map { UInt8($0 * $0 % 7 & 3) }
      for scale in [0.75, -1, Float(bitPattern: 0x7FA0_0001)] as [Float] {
        let bits = scale.bitPattern
        let expected = digits.map { [0, bits, bits ^ 0x8000_0000, bits ^ 0x8000_0000][Int($0)] }
        for convert in [ck_ternary_to_float, ck_portable_ternary_to_float] {
          Self.checkFloats(expected) {
            convert(digits, Int(count), scale, streams, $0)
            ck_finish_streaming()
          }
        }
      }
    }
  }

  @Test("a byte is five digits, the highest first; 243 and above are none")
  func fiveDigits() {
    for count in [0, 1, 2, 3, 50, 243] {
      let bytes = (0..<count).map { UInt8($0 * 100 % 243) }
      let digits = bytes.flatMap { byte in [81, 27, 9, 3, 1].map { byte / $0 % 3 } }
      Self.check(digits, slack: 3) { #expect(ck_unpack_five_digits(bytes, Int(count), $0) == -1) }
    }
    for (place, byte) in [(0, 243), (7, 250), (19, 255)] as [(Int, UInt8)] {
      var bytes = [UInt8](repeating: 242, count: 20)
      bytes[19] = 243
      bytes[place] = byte
      var digits = [UInt8](repeating: 0, count: 103)
      #expect(ck_unpack_five_digits(bytes, 20, &digits) == place)
    }
  }
}
