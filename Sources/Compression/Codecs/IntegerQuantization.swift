import CKernels

/// Symmetric 8-bit integers: scale = max |x| / 127 per scope, rounding half to even.
///
/// Codes add up only under a common scale: with a shared range the workers first take the maximum of
/// their ranges (4 bytes a scope) and then sum codes in accumulators of 8 + ceil(log2 P) bits; without
/// one, payloads are gathered. A scope whose maximum is below 2^-100 is sent as zeros, because its
/// scale would leave the range in which it can be inverted.
///
/// Speed: buckets that a cache holds are read from memory once, each while the one before becomes
/// codes: 1.5 to 1.8 times the rate of a copy on one AVX2 core. One scale for the whole model takes two
/// passes over memory, 0.85 times that rate, which no order of the loops avoids.
public struct Int8Quantization: Codec {
  /// Whether all workers quantise with the largest range among them.
  public let sharedRange: Bool

  public init(sharedRange: Bool = false) { self.sharedRange = sharedRange }

  public var name: String { "int8" }
  public var parameters: [(key: String, value: String)] {
    sharedRange ? [("shared_range", "true")] : []
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "8n+32*ceil(n/B)",
      citation: "Dettmers, 8-Bit Approximations for Parallelism in Deep Learning, ICLR 2016, "
        + "arXiv:1511.04561",
      bias: .biased, sampleScaling: .scalesInBuckets)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireFloats(for: name) { return .failure(mismatch) }
    if sharedRange, form.aggregation == .gather {
      return .failure(
        FormMismatch(
          "int8 with shared_range sums codes but \(form.maker) leaves a payload that must be gathered;"
            + " leave shared_range out"))
    }
    var result = form
    result.content = .codes
    result.maker = name
    if !sharedRange { result.aggregation = .gather }
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 1
    return StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: 9 * load.values,
        source: "derived: one pass for the range, one to quantise"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 5 * load.values, source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = 8
    size.otherBits += 32 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    let values = record.streams.reduce(0) { $0 + ($1.role == .values ? $1.count : 0) }
    return values + 8 + 4 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let memory = scratch.stream(values.count)
    let codes = memory.assumingMemoryBound(to: UInt8.self)
    // A byte each: a fourth of the elements of float32.
    let stores = LargeStores(values.count / 4)
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    // The range of the next scope, where the scope before has found it.
    var known: Int32?
    for scope in 0..<record.scopeCount {
      let start = bounds[scope]
      let count = bounds[scope + 1] - start
      scales[scope] = 0
      if count == 0 { continue }
      let source = values.baseAddress! + start
      let bits = known ?? Reductions.largestMagnitudeBits(source, count)
      known = nil
      var range = Float(bitPattern: UInt32(bits))
      guard range.isFinite else { throw setting.notFinite(name, values) }
      if let shared = setting.sharedScales { range = max(range, shared[scope] * 127) }
      // Below this the scale could not be inverted.
      if range < 0x1p-100 {
        (codes + start).update(repeating: 0, count: count)
        continue
      }
      scales[scope] = range / 127
      // |x| * inverse <= 127 up to rounding. The second cache holds this scope and the next.
      if count <= 8192, scope + 1 < record.scopeCount,
        bounds[scope + 2] - bounds[scope + 1] == count
      {
        known = ck_quantize_and_scan(source, count, 127 / range, 0, stores.stream, codes + start)
      } else {
        ck_quantize(source, count, 127 / range, 0, stores.stream, codes + start)
      }
    }
    stores.finish()
    record.replace(.values, with: PayloadStream(.values, .int8, count: values.count, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.require(.values, .int8, for: name)
    let scales = try record.require(.scales, .float32, for: name)
    guard scales.count == record.scopeCount else {
      throw CodecError(
        codec: name, byteOffset: scales.offset,
        "\(scales.count) scales for \(record.scopeCount) scopes")
    }
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let codes = stream.elements(as: UInt8.self)
    let stores = LargeStores(stream.count)
    for scope in 0..<record.scopeCount {
      let start = bounds[scope]
      ck_dequantize(
        codes + start, bounds[scope + 1] - start, 0, scales.elements(as: Float.self)[scope],
        stores.stream, output + start)
    }
    stores.finish()
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }

  // MARK: - Rounds

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? {
    sharedRange && setup.pipeline.form.aggregation == .summable
      ? SharedRangeRounds(setup) : nil
  }
  public func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]? {
    guard sharedRange, setup.pipeline.form.aggregation == .summable else { return nil }
    let accumulator = 8 + ExchangePlan.extraBits(workers: setup.workers)
    return [
      ExchangeStep(
        .max, bits: 32 * setup.scopeCount, elements: setup.scopeCount, purpose: "range of a scope"),
      ExchangeStep(
        .sum, bits: accumulator * setup.values, elements: setup.values,
        purpose: "codes in \(accumulator)-bit accumulators"),
    ]
  }
}
