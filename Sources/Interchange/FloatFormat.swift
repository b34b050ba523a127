/// The floating-point types a gradient file may hold; all become `Float`.
enum FloatFormat: Sendable {
  case float64, float32, float16, bfloat16
  /// Eight bits: four of exponent and three of mantissa, no infinities (Micikevicius et al. 2022,
  /// "FP8 formats for deep learning"), and five and two, as the upper half of a float16.
  case float8E4M3, float8E5M2
  /// The same with one zero, one not-a-number at 0x80, and exponents one lower (Noune et al. 2022).
  case float8E4M3FNUZ, float8E5M2FNUZ

  /// Bytes of an element.
  var width: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    case .float8E4M3, .float8E5M2, .float8E4M3FNUZ, .float8E5M2FNUZ: 1
    }
  }
}

extension FloatFormat {
  /// What each byte of an eight-bit format stands for; exact in single precision.
  fileprivate var eightBitValues: [Float] {
    let mantissaBits = self == .float8E4M3 || self == .float8E4M3FNUZ ? 3 : 2
    let hasOneZero = self == .float8E4M3FNUZ || self == .float8E5M2FNUZ
    let bias = (mantissaBits == 3 ? 7 : 15) + (hasOneZero ? 1 : 0)
    let highest = (1 << (7 - mantissaBits)) - 1
    return (0..<256).map { byte in
      let exponent = byte >> mantissaBits & highest
      let mantissa = byte & ((1 << mantissaBits) - 1)
      let sign: Float = byte & 0x80 != 0 ? -1 : 1
      if hasOneZero {
        if byte == 0x80 { return .nan }
      } else if self == .float8E5M2, exponent == highest {
        return mantissa == 0 ? sign * .infinity : .nan
      } else if self == .float8E4M3, exponent == highest, mantissa == 7 {
        return .nan
      }
      // Without a hidden bit where the exponent is zero.
      let digits = Float(exponent == 0 ? mantissa : mantissa + (1 << mantissaBits))
      let power = max(exponent, 1) - bias - mantissaBits
      return sign * Float(sign: .plus, exponent: power, significand: digits)
    }
  }
}

#if _endian(big)
  #error("gradient files are little-endian and are read without swapping")
#endif

extension InputFile {
  /// Fills `values` with elements of `format` from `offset` on.
  ///
  /// Single precision is read straight into place; the others pass through a buffer of 1 MiB.
  /// Doubles are rounded to the nearest, and infinite where they are out of range.
  func read(
    _ format: FloatFormat, into values: UnsafeMutableBufferPointer<Float>, at offset: Int
  ) throws(InterchangeError) {
    if format == .float32 {
      try read(into: UnsafeMutableRawBufferPointer(values), at: offset)
      return
    }
    let step = (1 << 20) / format.width
    let scratch = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(step, max(values.count, 1)) * format.width, alignment: 16)
    defer { scratch.deallocate() }
    var done = 0
    while done < values.count {
      // In bounds: `count` elements fit both the scratch buffer and what is left of `values`.
      let count = min(step, values.count - done)
      let part = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(count * format.width)])
      try read(into: part, at: offset + done * format.width)
      let target = UnsafeMutableBufferPointer(rebasing: values[done..<(done + count)])
      Self.convert(UnsafeRawBufferPointer(part), format, into: target)
      done += count
    }
  }

  /// Converts as many elements as `target` has; `bytes` holds exactly those, aligned to 16.
  private static func convert(
    _ bytes: UnsafeRawBufferPointer, _ format: FloatFormat,
    into target: UnsafeMutableBufferPointer<Float>
  ) {
    switch format {
    case .float64:
      let source = bytes.bindMemory(to: Double.self)
      for index in 0..<target.count { target[index] = Float(source[index]) }
    case .float32:
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
    case .float16:
      let source = bytes.bindMemory(to: Float16.self)
      for index in 0..<target.count { target[index] = Float(source[index]) }
    case .bfloat16:
      let source = bytes.bindMemory(to: UInt16.self)
      for index in 0..<target.count {
        target[index] = Float(bitPattern: UInt32(source[index]) << 16)
      }
    case .float8E4M3, .float8E5M2, .float8E4M3FNUZ, .float8E5M2FNUZ:
      let values = format.eightBitValues
      // In bounds: there is a value for each byte.
      for index in 0..<target.count { target[index] = values[Int(bytes[index])] }
    }
  }
}
