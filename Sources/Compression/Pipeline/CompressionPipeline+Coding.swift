import SimKernel

extension CompressionPipeline {
  /// Encodes a flat gradient.
  ///
  /// `tensors` are consecutive over all elements; they name offending elements and bound `layer`
  /// scopes. `random` is the stream of this gradient, the same on every worker: shared selections are
  /// drawn from it, and stochastic rounding from a child of it for `worker`. `memory` is what this
  /// worker's codecs remember of the iterations before `iteration`, and takes what they will of this
  /// one; without it they start cold.
  ///
  /// - Throws: `CodecError` naming the tensor if an element is NaN, infinite or out of a format's
  ///   range.
  /// - Complexity: O(n); the same for every input of a length, up to a small factor.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, tensors: [TensorRange], scope: CodecScope,
    random: RandomStream, worker: Int = 0, memory: CodecMemory? = nil, iteration: Int = 0,
    scratch: inout CodecScratch
  ) throws(CodecError) -> EncodedGradient {
    var result = EncodedGradient()
    try encode(
      values, tensors: tensors, scope: scope, random: random, worker: worker, memory: memory,
      iteration: iteration, scratch: &scratch, into: &result)
    return result
  }

  /// As above, from an array.
  public func encode(
    _ values: [Float], tensors: [TensorRange]? = nil, scope: CodecScope = .model,
    random: RandomStream, worker: Int = 0, memory: CodecMemory? = nil, iteration: Int = 0,
    scratch: inout CodecScratch
  ) throws(CodecError) -> EncodedGradient {
    let ranges = tensors ?? TensorRange.whole(values.count)
    let outcome = values.withUnsafeBufferPointer {
      buffer -> Result<EncodedGradient, CodecError> in
      do throws(CodecError) {
        return .success(
          try encode(
            buffer, tensors: ranges, scope: scope, random: random, worker: worker,
            memory: memory, iteration: iteration, scratch: &scratch))
      } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// As above, into memory that is reused: a steady state allocates nothing per gradient.
  ///
  /// `sharedScales` are ranges agreed in an exchange before, one a scope, and `sharedPositions` the
  /// positions that a leader chose.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, tensors: [TensorRange], scope: CodecScope,
    random: RandomStream, worker: Int = 0, sharedScales: [Float]? = nil,
    sharedPositions: [UInt32]? = nil, memory: CodecMemory? = nil, iteration: Int = 0,
    scratch: inout CodecScratch, into result: inout EncodedGradient
  ) throws(CodecError) {
    scratch.reset()
    guard let bounds = ScopeBounds.make(scope, tensors, values.count, scratch: &scratch) else {
      throw CodecError(
        codec: "frame", "the tensors are not consecutive over the \(values.count) elements")
    }
    let base = UnsafeRawPointer(
      values.baseAddress ?? UnsafePointer(scratch.temporary(of: Float.self, 1)))
    var record = Encoded(
      elementCount: values.count, bounds: bounds,
      streams: [PayloadStream(.values, .float32, count: values.count, base: base)])
    func setting(_ stage: Int) -> StageSetting {
      StageSetting(
        tensors: tensors, sharedRandom: random.split(0).split(stage),
        random: random.split(worker + 1).split(stage), sharedScales: sharedScales,
        sharedPositions: sharedPositions, stage: stage, memory: memory, iteration: iteration)
    }
    let last = stages.count - 1
    for index in 0..<last {
      try stages[index].encode(&record, setting: setting(index), scratch: &scratch)
    }
    let framing = Frame.overhead(tensorCount: bounds.count, streamCount: 8)
    if let size = stages[last].streamBytes(for: record) {
      // The other streams of the record stay beside those that the stage makes.
      let kept = record.streams.reduce(0) { $0 + ($1.role == .values ? 0 : $1.byteCount + 8) }
      try finish(
        &record, setting(last), scope, room: size + kept + framing, scratch: &scratch,
        into: &result)
    } else {
      try stages[last].encode(&record, setting: setting(last), scratch: &scratch)
      try finish(
        &record, nil, scope, room: record.streams.reduce(framing) { $0 + $1.byteCount + 8 },
        scratch: &scratch, into: &result)
    }
  }

  /// Runs the last stage, unless it has run, and frames the record in memory of `room` bytes.
  private func finish(
    _ record: inout Encoded, _ setting: StageSetting?, _ scope: CodecScope, room: Int,
    scratch: inout CodecScratch, into result: inout EncodedGradient
  ) throws(CodecError) {
    if result.bytes.count < room {
      result.bytes.append(contentsOf: repeatElement(0, count: room - result.bytes.count))
    }
    let outcome = result.bytes.withUnsafeMutableBytes { memory -> Result<Int?, CodecError> in
      do throws(CodecError) {
        if let setting {
          scratch.openWindow(memory, from: Frame.headBytes)
          try stages[stages.count - 1].encode(&record, setting: setting, scratch: &scratch)
          scratch.closeWindow()
        }
        return .success(
          Frame.finish(record, scope: scope, label: labelHash, in: memory, scratch: &scratch))
      } catch { return .failure(error) }
    }
    guard let length = try outcome.get() else {
      preconditionFailure("\(label) needs more than the room it announced")
    }
    result.bytes.removeLast(result.bytes.count - length)
    result.payloadBits = Int64(record.payloadBits)
  }

  // MARK: - Decoding

  /// Decodes into `target`, which has the gradient's length.
  ///
  /// - Throws: `CodecError` for bytes that are damaged or not of this pipeline and length; `target`
  ///   is indeterminate then.
  public func decode(
    _ encoded: EncodedGradient, into target: UnsafeMutableBufferPointer<Float>,
    scratch: inout CodecScratch
  ) throws(CodecError) {
    let outcome = encoded.bytes.withUnsafeBytes { bytes -> CodecError? in
      do throws(CodecError) {
        try decode(bytes: bytes, into: target, scratch: &scratch)
        return nil
      } catch { return error }
    }
    if let outcome { throw outcome }
  }

  /// As above, from bytes that came from anywhere.
  public func decode(
    bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>,
    scratch: inout CodecScratch
  ) throws(CodecError) {
    scratch.reset()
    var record = try parse(bytes, elementCount: target.count, scratch: &scratch)
    for index in stages.indices.reversed() {
      try stages[index].decode(
        &record, target: DecodeTarget(gradient: target, isDense: isDense(index)),
        scratch: &scratch)
    }
    let values = try record.floats(for: stages[0].name)
    guard values.count == target.count, record.streams.count == 1 else {
      throw CodecError(
        codec: "frame", byteOffset: 0, "the streams do not belong to \(label)")
    }
    if let source = values.baseAddress, let output = target.baseAddress,
      source != UnsafePointer(output)
    {
      output.update(from: source, count: values.count)
    }
  }

  /// As above, into an array of `count` elements.
  public func decode(
    _ encoded: EncodedGradient, count: Int, scratch: inout CodecScratch
  ) throws(CodecError) -> [Float] {
    var result = [Float](repeating: 0, count: count)
    let failure = result.withUnsafeMutableBufferPointer { target -> CodecError? in
      do throws(CodecError) {
        try decode(encoded, into: target, scratch: &scratch)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    return result
  }

  /// The selected elements of a sparse payload; nil if the pipeline does not select.
  ///
  /// What sparse reductions add up, and what the union of supports is counted from.
  public func sparse(
    _ encoded: EncodedGradient, count: Int, scratch: inout CodecScratch
  ) throws(CodecError) -> SparseGradient? {
    guard
      stages.indices.contains(where: {
        forms[$0].coverage == .dense && forms[$0 + 1].coverage != .dense
      })
    else { return nil }
    scratch.reset()
    let outcome = encoded.bytes.withUnsafeBytes { bytes -> Result<SparseGradient?, CodecError> in
      do throws(CodecError) {
        var record = try parse(bytes, elementCount: count, scratch: &scratch)
        let none = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
        for index in stages.indices.reversed() {
          if forms[index].coverage == .dense {
            guard let positions = try stages[index].selection(of: &record, scratch: &scratch)
            else { return .success(nil) }
            let values = try record.floats(for: stages[index].name)
            guard values.count == positions.count else {
              throw CodecError(codec: stages[index].name, byteOffset: 0, "positions are missing")
            }
            return .success(
              SparseGradient(
                elementCount: count, positions: Array(positions), values: Array(values)))
          }
          try stages[index].decode(
            &record, target: DecodeTarget(gradient: none, isDense: false), scratch: &scratch)
        }
        return .success(nil)
      } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// Whether the record before stage `index` is the dense float32 gradient.
  private func isDense(_ index: Int) -> Bool {
    forms[index].coverage == .dense && forms[index].content == .numbers(.float32)
  }

  /// The record in `bytes`, aligned first where they are not.
  func parse(
    _ bytes: UnsafeRawBufferPointer, elementCount: Int, scratch: inout CodecScratch
  ) throws(CodecError) -> Encoded {
    var aligned = bytes
    if let base = bytes.baseAddress, UInt(bitPattern: base) & 7 != 0 {
      let copy = UnsafeMutableRawPointer(scratch.temporary(of: UInt8.self, bytes.count))
      copy.copyMemory(from: base, byteCount: bytes.count)
      aligned = UnsafeRawBufferPointer(start: copy, count: bytes.count)
    }
    return try Frame.parse(
      aligned, elementCount: elementCount, label: labelHash, scratch: &scratch)
  }
}
