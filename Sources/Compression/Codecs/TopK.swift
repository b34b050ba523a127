import SimKernel

/// The k largest magnitudes of the scope with their positions; k = max(1, floor(n ratio)), ties to
/// the lowest index.
///
/// Biased, so it wants error feedback. With more kept than there are nonzeros it sends zeros, the
/// first ones, like every fixed-k implementation.
public struct TopK: Codec {
  /// The share of the elements that is kept.
  public let ratio: Double
  public let index: IndexEncoding
  /// Who selects, where another codec's exact selection is this one.
  public let name: String

  public init(ratio: Double, index: IndexEncoding = .int32) {
    self.init(ratio: ratio, index: index, name: "top_k")
  }
  init(ratio: Double, index: IndexEncoding, name: String) {
    self.ratio = ratio
    self.index = index
    self.name = name
  }

  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    let formula =
      switch index {
      case .int32: "64k"
      case .packed: "k(32+ceil(log2 n))"
      case .bitmap: "n+32k"
      case .leb128: "32k+sum 8*ceil((floor(log2 gap)+1)/7)"
      case .eliasGamma: "32k+sum E(gap)"
      case .rice: "32k+min_p sum[(gap-1)>>p + 1 + p]"
      case .auto: "32k+the smallest index code"
      }
    return CodecTraits(
      payloadFormula: formula,
      citation: "Aji and Heafield, Sparse Communication for Distributed Gradient Descent, EMNLP "
        + "2017, arXiv:1704.05021",
      bias: .biased,
      sampleScaling: index == .int32 ? .scales : .needsFullTensor)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .selected
    result.aggregation = .gather
    result.isVariableSize = ![.int32, .packed, .bitmap].contains(index)
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    let indexBytes =
      switch index {
      case .bitmap: 0.125
      default: 4 * ratio
      }
    let encoded = index == .int32 ? 0.0 : 1.0
    return StageCost(
      encode: CodecWork(
        kernels: 4 + encoded, bytesPerElement: 4 + (24 + 8 * encoded) * ratio,
        source: "derived: sampled threshold, one collecting pass, selection among the collected"),
      decode: CodecWork(
        kernels: 2 + encoded, bytesPerElement: 4 + (12 + 8 * encoded) * ratio,
        source: "derived: clear, then scatter"),
      leaving: StageLoad(values: ratio, bytesPerValue: 4, otherBytes: indexBytes))
  }
  public func worstCase(_ size: inout WorstCase) {
    let kept = Sparsification.mostKept(size, ratio: ratio)
    size.values = kept
    size.otherBits += index.worstCaseBits(kept: kept, elementCount: size.elementCount)
  }

  public func streamBytes(for record: Encoded) -> Int? {
    guard index == .int32 else { return nil }
    return 8 * Sparsification.Totals(record.bounds, ratio: ratio).values + 16
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    let totals = Sparsification.Totals(record.bounds, ratio: ratio)
    let memory = scratch.stream(4 * totals.values)
    let output = memory.assumingMemoryBound(to: Float.self)
    let positions =
      index == .int32
      ? scratch.stream(4 * totals.values).assumingMemoryBound(to: UInt32.self)
      : scratch.temporary(of: UInt32.self, totals.values)
    let selection = TopSelection(
      count: totals.largestScope, k: totals.largestKept, scratch: &scratch)
    var written = 0
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      let kept = Sparsification.kept(count, ratio: ratio)
      if kept == 0 { continue }
      selection.select(
        values.baseAddress! + start, count, k: kept, base: start, into: positions + written,
        values: output + written)
      written += kept
    }
    // NaN and infinity have the largest magnitude bits of all, so they have been selected.
    if written > 0, Reductions.largestMagnitudeBits(output, written) >= Reductions.infinityBits {
      let selected = UnsafeBufferPointer(start: UnsafePointer(output), count: written)
      throw setting.notFinite(name, selected, positions: positions)
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: written, base: memory))
    record.replace(
      .indices,
      with: index.stream(
        positions, written, elementCount: record.elementCount, scratch: &scratch))
    Sparsification.noteCounts(&record, ratio: ratio, scratch: &scratch)
  }

  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? {
    guard let stream = record.stream(.indices) else {
      throw CodecError(codec: name, byteOffset: 0, "the frame has no stream of indices")
    }
    let positions = try IndexEncoding.positions(
      stream, elementCount: record.elementCount, codec: name, scratch: &scratch)
    return UnsafeBufferPointer(start: positions, count: stream.count)
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let positions = try selection(of: &record, scratch: &scratch) else { return }
    try Sparsification.scatter(
      &record, positions, codec: name, target: target, scratch: &scratch)
    record.remove(.indices)
  }
}

extension TopK {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required(
        "ratio", .fraction, doc: "share of the elements that is kept, at least one a scope"),
      index: fields.optional(
        "index", .choice("index encoding"), default: .int32,
        doc: "how positions travel; auto takes the smallest"))
  }
}
