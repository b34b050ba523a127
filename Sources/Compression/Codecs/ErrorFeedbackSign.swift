/// Signs times the mean magnitude of the scope (EF-SignSGD), meant for error feedback.
///
/// An exact zero is sent as plus, as everywhere in the sign family, so a gradient of many zeros comes
/// back full of small positive numbers: error feedback takes them away again.
public struct ErrorFeedbackSign: Codec {
  public init() {}

  public var name: String { "ef_sign" }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "n+32*ceil(n/B)",
      citation: "Karimireddy et al., Error Feedback Fixes SignSGD, ICML 2019, arXiv:1901.09847",
      bias: .biased)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.content = .codes
    result.aggregation = .gather
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 0.125
    return StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: 8.125 * load.values,
        source: "derived: one pass for the mean, one to pack signs"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 4.125 * load.values, source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = 1
    size.otherBits += 32 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    let values = record.streams.reduce(0) { $0 + ($1.role == .values ? $1.count : 0) }
    return (values + 63) / 64 * 8 + 8 + 4 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let count = values.count
    let memory = scratch.stream((count + 63) / 64 * 8)
    let words = memory.assumingMemoryBound(to: UInt64.self)
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    // Blocks of 4096 elements stay in the first cache between the sum and the packing.
    var scope = 0
    var sum = 0.0
    for start in stride(from: 0, to: count, by: Reductions.blockSize) {
      let end = min(start + Reductions.blockSize, count)
      let source = values.baseAddress!
      var position = start
      while position < end {
        while bounds[scope + 1] <= position {
          scales[scope] = try mean(sum, bounds, scope, values, setting)
          sum = 0
          scope += 1
        }
        let part = min(end, bounds[scope + 1])
        sum += Reductions.sumOfMagnitudes(source + position, part - position)
        position = part
      }
      SignPacking.pack(source + start, end - start, into: words + start / 64)
    }
    while scope < record.scopeCount {
      scales[scope] = try mean(sum, bounds, scope, values, setting)
      sum = 0
      scope += 1
    }
    record.replace(
      .values, with: PayloadStream(.values, .packed, parameter: 1, count: count, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
  }

  private func mean(
    _ sum: Double, _ bounds: UnsafeBufferPointer<Int>, _ scope: Int,
    _ values: UnsafeBufferPointer<Float>, _ setting: StageSetting
  ) throws(CodecError) -> Float {
    guard sum.isFinite else { throw setting.notFinite(name, values) }
    let count = bounds[scope + 1] - bounds[scope]
    return count == 0 ? 0 : Float(sum / Double(count))
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.require(.values, .packed, for: name)
    let scales = try record.require(.scales, .float32, for: name)
    guard stream.parameter == 1, scales.count == record.scopeCount else {
      throw CodecError(
        codec: name, byteOffset: stream.offset, "one bit a value and one scale a scope are needed")
    }
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let words = SignPacking.words(of: stream, scratch: &scratch)
    let stores = LargeStores(stream.count)
    for scope in 0..<record.scopeCount {
      let magnitude = scales.elements(as: Float.self)[scope]
      SignPacking.unpack(
        words, bounds[scope]..<bounds[scope + 1], positive: magnitude, negative: -magnitude,
        into: output, stores)
    }
    stores.finish()
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}
