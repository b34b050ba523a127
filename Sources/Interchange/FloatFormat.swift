/// The floating-point types a gradient file may hold; all become `Float`.
enum FloatFormat: Sendable {
  case float64, float32, float16, bfloat16

  /// Bytes of an element.
  var width: Int {
    switch self {
    case .float64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
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
    }
  }
}
