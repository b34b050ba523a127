import SimKernel

/// The k = max(1, floor(n ratio)) largest magnitudes of one worker, whose positions all workers send,
/// so that values add up (ScaleCom's cyclic local top-k, CLT-k).
///
/// The leader is worker (iteration mod workers): it broadcasts the positions of the largest magnitudes
/// of its own gradient - with error feedback, of gradient plus residual - and everyone's values there
/// are summed. The payload stays that of one worker however many there are, while top-k's gathered
/// one grows with the union of supports; it works as far as the workers' residuals resemble each
/// other. A lone worker leads itself. ScaleCom's low-pass filter of the residual is not part of it.
public struct ScaleCom: Codec {
  /// The share of the elements that is kept.
  public let ratio: Double
  public let index: IndexEncoding

  public init(ratio: Double, index: IndexEncoding = .int32) {
    self.ratio = ratio
    self.index = index
  }

  /// The leader's own selection.
  private var top: TopK { TopK(ratio: ratio, index: index, name: name) }

  public var name: String { "scalecom" }
  public var parameters: [(key: String, value: String)] { top.parameters }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: "k"),
      citation: "Chen et al., ScaleCom: Scalable Sparsified Gradient Compression for "
        + "Communication-Efficient Distributed Training, NeurIPS 2020, arXiv:2104.11125",
      bias: .biased, sampleScaling: index == .int32 ? .scales : .needsFullTensor)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .sharedSelection
    result.isVariableSize = !index.isFixedSize
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost { top.cost(entering: load) }
  public func worstCase(_ size: inout WorstCase) {
    let kept = Sparsification.mostKept(size, ratio: ratio)
    size.values = kept
    size.otherBits += indexBits(kept: kept, elementCount: size.elementCount)
  }
  /// The bits of the positions: exact where they have a fixed size, otherwise the most there can be.
  private func indexBits(kept: Int, elementCount: Int) -> Int {
    index == .packed
      ? kept * IndexEncoding.packedWidth(elementCount)
      : index.worstCaseBits(kept: kept, elementCount: elementCount)
  }

  public func streamBytes(for record: Encoded) -> Int? { top.streamBytes(for: record) }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let shared = setting.sharedPositions else {
      try top.encode(&record, setting: setting, scratch: &scratch)
      return
    }
    let values = try record.floats(for: name)
    if let base = values.baseAddress,
      Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits
    {
      throw setting.notFinite(name, values)
    }
    guard shared.count == Sparsification.Totals(record.bounds, ratio: ratio).values else {
      throw CodecError(
        codec: name, "the leader chose \(shared.count) positions of another gradient")
    }
    let memory = scratch.stream(4 * shared.count)
    let output = memory.assumingMemoryBound(to: Float.self)
    let positions = scratch.temporary(of: UInt32.self, shared.count)
    // In bounds: a decoded index stream names elements of this gradient only.
    for place in 0..<shared.count {
      positions[place] = shared[place]
      output[place] = values[Int(shared[place])]
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: shared.count, base: memory))
    // Everyone knows the positions from the leader: they do not travel again.
    var stream = index.stream(
      positions, shared.count, elementCount: record.elementCount, scratch: &scratch)
    stream.role = .note
    record.replace(.note, with: stream)
    Sparsification.noteCounts(&record, ratio: ratio, scratch: &scratch)
  }

  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? {
    if var note = record.stream(.note), record.stream(.indices) == nil {
      note.role = .indices
      record.replace(.indices, with: note)
      record.remove(.note)
    }
    return try Sparsification.positions(of: record, codec: name, scratch: &scratch)
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let positions = try selection(of: &record, scratch: &scratch) else { return }
    try Sparsification.scatter(&record, positions, codec: name, target: target, scratch: &scratch)
    record.remove(.indices)
  }

  // MARK: - Rounds

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? {
    guard setup.sharedPositions == nil,
      let stage = setup.pipeline.stages.firstIndex(where: { $0 is ScaleCom })
    else { return nil }
    return LeaderRounds(setup, codec: self, stage: stage)
  }
  public func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]? {
    guard let stage = setup.pipeline.stages.firstIndex(where: { $0 is ScaleCom }) else {
      return nil
    }
    // What travels beside the positions has a known size unless it is variable itself.
    var size = WorstCase(elementCount: setup.elementCount, scopeCount: setup.scopeCount)
    worstCase(&size)
    let largest = size.otherBits
    var bits = largest
    if !index.isFixedSize, let measured = setup.measuredBits {
      bits = max(0, min(largest, measured - (setup.worstCaseBits - largest)))
    }
    var rest = setup
    rest.worstCaseBits -= largest
    rest.measuredBits = setup.measuredBits.map { max(0, $0 - bits) }
    let first = ExchangeStep(
      .broadcast, bits: bits, elements: 1, isVariableSize: !index.isFixedSize,
      purpose: "the leader's positions")
    return [first] + setup.pipeline.steps(rest, from: stage + 1)
  }
}

extension ScaleCom {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required(
        "ratio", .fraction, doc: "share of the elements that is kept, at least one a scope"),
      index: fields.index())
  }
}
