import SimKernel

/// The value and scale streams of frames, as exchanges need them.
enum FrameValues {
  /// Calls `body` with the record of `frame`.
  static func withRecord<Value>(
    _ frame: EncodedGradient, _ pipeline: CompressionPipeline, _ count: Int,
    _ scratch: inout CodecScratch,
    _ body: (inout Encoded, inout CodecScratch) throws(CodecError) -> Value
  ) throws(CodecError) -> Value {
    scratch.reset()
    let outcome = frame.bytes.withUnsafeBytes { bytes -> Result<Value, CodecError> in
      do throws(CodecError) {
        var record = try pipeline.parse(bytes, elementCount: count, scratch: &scratch)
        return .success(try body(&record, &scratch))
      } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// The values as float32, and the type in which they travel.
  static func numbers(
    in frame: EncodedGradient, of pipeline: CompressionPipeline, count: Int,
    scratch: inout CodecScratch
  ) throws(CodecError) -> (values: [Float], type: ElementType) {
    try withRecord(frame, pipeline, count, &scratch) {
      (record, _) throws(CodecError) -> (values: [Float], type: ElementType) in
      guard let stream = record.stream(.values) else { return ([], .float32) }
      var values = [Float](repeating: 0, count: stream.count)
      values.withUnsafeMutableBufferPointer { target in
        guard let output = target.baseAddress else { return }
        switch stream.type {
        case .float16:
          HalfPrecision.fromFloat16(stream.elements(as: UInt16.self), output, stream.count)
        case .bfloat16:
          HalfPrecision.fromBFloat16(stream.elements(as: UInt16.self), output, stream.count)
        default: output.update(from: stream.elements(as: Float.self), count: stream.count)
        }
      }
      return (values, stream.type)
    }
  }

  /// `frame` with other values, which its type represents exactly.
  static func replacing(
    in frame: EncodedGradient, of pipeline: CompressionPipeline, count: Int, with values: [Float],
    scratch: inout CodecScratch
  ) throws(CodecError) -> EncodedGradient {
    let place = try withRecord(frame, pipeline, count, &scratch) {
      (record, _) throws(CodecError) -> (offset: Int, type: ElementType, count: Int)? in
      record.stream(.values).map { ($0.offset ?? 0, $0.type, $0.count) }
    }
    var result = frame
    guard let place, place.count == values.count else {
      throw CodecError(codec: "rounds", "\(values.count) values do not fit the frame")
    }
    values.withUnsafeBufferPointer { source in
      guard let input = source.baseAddress else { return }
      result.bytes.withUnsafeMutableBytes { bytes in
        // In bounds: the parsed stream has `count` elements of its type at its offset.
        let output = bytes.baseAddress! + place.offset
        switch place.type {
        case .float16:
          _ = HalfPrecision.toFloat16(
            input, output.assumingMemoryBound(to: UInt16.self), source.count)
        case .bfloat16:
          _ = HalfPrecision.toBFloat16(
            input, output.assumingMemoryBound(to: UInt16.self), source.count)
        default: output.copyMemory(from: input, byteCount: 4 * source.count)
        }
      }
    }
    return result
  }

  /// The scales, one a scope.
  static func scales(
    in frame: EncodedGradient, of pipeline: CompressionPipeline, count: Int,
    scratch: inout CodecScratch
  ) throws(CodecError) -> [Float] {
    try withRecord(frame, pipeline, count, &scratch) {
      (record, _) throws(CodecError) -> [Float] in
      let stream = try record.require(.scales, .float32, for: "rounds")
      return Array(
        UnsafeBufferPointer(start: stream.elements(as: Float.self), count: stream.count))
    }
  }

  /// The codes, wide enough to be added.
  static func codes(
    in frame: EncodedGradient, of pipeline: CompressionPipeline, count: Int,
    scratch: inout CodecScratch
  ) throws(CodecError) -> [Int32] {
    try withRecord(frame, pipeline, count, &scratch) {
      (record, _) throws(CodecError) -> [Int32] in
      let stream = try record.require(.values, .int8, for: "rounds")
      let codes = stream.elements(as: Int8.self)
      return (0..<stream.count).map { Int32(codes[$0]) }
    }
  }

  /// The mean gradient of codes that were added up under the scales of `frame`.
  static func meanOfCodes(
    _ sum: [Int32], workers: Int, in frame: EncodedGradient, of pipeline: CompressionPipeline,
    count: Int, scratch: inout CodecScratch
  ) throws(CodecError) -> [Float] {
    var result = [Float](repeating: 0, count: count)
    let failure = result.withUnsafeMutableBufferPointer { target -> CodecError? in
      do throws(CodecError) {
        try withRecord(frame, pipeline, count, &scratch) {
          (record, scratch) throws(CodecError) -> Void in
          let bounds = try record.valueBounds(for: "rounds", scratch: &scratch)
          let scales = try record.require(.scales, .float32, for: "rounds")
          let means = scratch.temporary(of: Float.self, sum.count)
          for scope in 0..<record.scopeCount {
            let step = scales.elements(as: Float.self)[scope] / Float(workers)
            for index in bounds[scope]..<bounds[scope + 1] {
              means[index] = Float(sum[index]) * step
            }
          }
          record.remove(.scales)
          record.replace(
            .values, with: PayloadStream(.values, .float32, count: sum.count, base: means))
          try pipeline.undoFloats(&record, into: target, scratch: &scratch)
        }
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    return result
  }
}

extension CompressionPipeline {
  /// Undoes the stages whose output is float32, on a record that has come back to them.
  func undoFloats(
    _ record: inout Encoded, into target: UnsafeMutableBufferPointer<Float>,
    scratch: inout CodecScratch
  ) throws(CodecError) {
    for index in stages.indices.reversed() where forms[index + 1].content == .numbers(.float32) {
      try stages[index].decode(
        &record, target: DecodeTarget(gradient: target, isDense: forms[index].coverage == .dense),
        scratch: &scratch)
    }
    let values = try record.floats(for: label)
    guard values.count == target.count else {
      throw CodecError(codec: label, "the stages did not give the gradient back")
    }
    if let source = values.baseAddress, let output = target.baseAddress,
      source != UnsafePointer(output)
    {
      output.update(from: source, count: values.count)
    }
  }
}
