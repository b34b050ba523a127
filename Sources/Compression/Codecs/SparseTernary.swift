import SimKernel

/// The largest magnitudes as signs times their mean, positions as gaps in Rice code (sparse ternary
/// compression).
///
/// k = max(1, floor(n ratio)); one mean a scope. Of a scope with fewer than k nonzeros only those are
/// sent: one bit has no room for a third sign, and a zero sent as plus would come back as the mean.
public struct SparseTernary: Codec {
  /// The share of the elements that is kept.
  public let ratio: Double

  public init(ratio: Double) { self.ratio = ratio }

  public var name: String { "stc" }
  public var parameters: [(key: String, value: String)] {
    [("ratio", JSONNumber.shortest(ratio))]
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "k+32*ceil(n/B)+min_p sum[(gap-1)>>p + 1 + p]",
      citation: "Sattler, Wiedemann, Mueller and Samek, Robust and Communication-Efficient "
        + "Federated Learning from Non-i.i.d. Data, IEEE TNNLS 31(9), 2020, arXiv:1903.02891",
      bias: .biased, sampleScaling: .needsFullTensor)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .selected
    result.content = .codes
    result.aggregation = .gather
    result.isVariableSize = true
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    // A gap of the mean length takes 1.6 bits beyond its logarithm in the best Rice code.
    let gapBits = 1.6 + max(0, -DeterministicMath.log2(ratio))
    return StageCost(
      encode: CodecWork(
        kernels: 6, bytesPerElement: 4 + 40 * ratio,
        source: "derived: sampled threshold, one collecting pass, selection, mean, signs, gaps"),
      decode: CodecWork(
        kernels: 3, bytesPerElement: 4 + 16 * ratio,
        source: "derived: gaps, clear, then scatter"),
      leaving: StageLoad(
        values: ratio, bytesPerValue: 0.125, otherBytes: ratio * gapBits / 8))
  }
  public func worstCase(_ size: inout WorstCase) {
    let kept = min(size.elementCount, Int(Double(size.elementCount) * ratio) + size.scopeCount)
    size.values = kept
    size.bitsPerValue = 1
    size.otherBits += 32 * size.scopeCount
    size.otherBits += IndexEncoding.rice.worstCaseBits(
      kept: kept, elementCount: size.elementCount)
  }

  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    let totals = Sparsification.Totals(record.bounds, ratio: ratio)
    let positions = scratch.temporary(of: UInt32.self, totals.values)
    let chosen = scratch.temporary(of: Float.self, totals.values)
    let counts = scratch.temporary(of: UInt32.self, record.scopeCount)
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    let selection = TopSelection(
      count: totals.largestScope, k: totals.largestKept, scratch: &scratch)
    var written = 0
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      let kept = Sparsification.kept(count, ratio: ratio)
      counts[scope] = 0
      scales[scope] = 0
      if kept == 0 { continue }
      selection.select(
        values.baseAddress! + start, count, k: kept, base: start, into: positions + written,
        values: chosen + written)
      let bits = Reductions.largestMagnitudeBits(chosen + written, kept)
      if bits >= Reductions.infinityBits {
        throw setting.notFinite(
          name, UnsafeBufferPointer(start: chosen + written, count: kept),
          positions: positions + written)
      }
      var nonzeros = 0
      for index in written..<written + kept where chosen[index] != 0 {
        positions[written + nonzeros] = positions[index]
        chosen[written + nonzeros] = chosen[index]
        nonzeros += 1
      }
      if nonzeros == 0 { continue }
      scales[scope] = Float(
        Reductions.sumOfMagnitudes(chosen + written, nonzeros) / Double(nonzeros))
      counts[scope] = UInt32(truncatingIfNeeded: nonzeros)
      written += nonzeros
    }
    let signs = scratch.stream((written + 63) / 64 * 8)
    SignPacking.pack(chosen, written, into: signs.assumingMemoryBound(to: UInt64.self))
    record.replace(
      .values, with: PayloadStream(.values, .packed, parameter: 1, count: written, base: signs))
    record.replace(
      .indices,
      with: IndexEncoding.rice.stream(
        positions, written, elementCount: record.elementCount, scratch: &scratch))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
    if record.scopeCount > 1 {
      record.replace(
        .counts, with: PayloadStream(.counts, .uint32, count: record.scopeCount, base: counts))
    }
  }

  /// Turns signs and means back into values.
  private func restoreValues(
    _ record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) {
    let target = DecodeTarget(
      gradient: UnsafeMutableBufferPointer(start: nil, count: 0), isDense: false)
    do throws(CodecError) {
      try ErrorFeedbackSign().decode(&record, target: target, scratch: &scratch)
    } catch {
      throw CodecError(codec: name, byteOffset: error.byteOffset, error.message)
    }
  }
  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? {
    try restoreValues(&record, scratch: &scratch)
    return try Sparsification.positions(of: record, codec: name, scratch: &scratch)
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let positions = try Sparsification.positions(of: record, codec: name, scratch: &scratch)
    try restoreValues(&record, scratch: &scratch)
    try Sparsification.scatter(&record, positions, codec: name, target: target, scratch: &scratch)
    record.remove(.indices)
  }
}

extension SparseTernary {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required(
        "ratio", .fraction, doc: "share of the elements that is kept, at least one a scope"))
  }
}
