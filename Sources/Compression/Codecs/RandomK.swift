import SimKernel

/// k elements of the scope drawn at random with a seed that all workers share, so that positions are
/// not sent and payloads add up.
///
/// The draw is without replacement: the k largest hashes of the positions. Scaled by n / k it is
/// unbiased, with a relative error of sqrt(n/k - 1); unscaled it wants error feedback.
public struct RandomK: Codec {
  /// The share of the elements that is kept.
  public let ratio: Double
  /// Whether kept values are multiplied by n / k.
  public let isScaled: Bool

  public init(ratio: Double, isScaled: Bool = true) {
    self.ratio = ratio
    self.isScaled = isScaled
  }

  public var name: String { "random_k" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if !isScaled { result.append(("scaled", "false")) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "32k+64",
      citation: "Stich, Cordonnier and Jaggi, Sparsified SGD with Memory, NeurIPS 2018, "
        + "arXiv:1809.07599",
      bias: isScaled ? .unbiased : .biased, isRandomised: true)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .sharedSelection
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: 12 * ratio, operationsPerElement: 10,
        source: "derived: hash of every position, then gather"),
      decode: CodecWork(
        kernels: 3, bytesPerElement: 4 + 12 * ratio, operationsPerElement: 10,
        source: "derived: hash of every position, clear, then scatter"),
      leaving: StageLoad(values: ratio, bytesPerValue: 4, otherBytes: 0))
  }
  public func worstCase(_ size: inout WorstCase) {
    size.values = Sparsification.mostKept(size, ratio: ratio)
    size.otherBits += 64
  }

  public func streamBytes(for record: Encoded) -> Int? {
    4 * Sparsification.Totals(record.bounds, ratio: ratio).values + 24
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    if let base = values.baseAddress,
      Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits
    {
      throw setting.notFinite(name, values)
    }
    let totals = Sparsification.Totals(record.bounds, ratio: ratio)
    var shared = setting.sharedRandom
    let seed = shared.next()
    let memory = scratch.stream(4 * totals.values)
    let seedMemory = scratch.stream(8)
    let output = memory.assumingMemoryBound(to: Float.self)
    seedMemory.storeBytes(of: seed, as: UInt64.self)
    let positions = draw(seed, record, totals, scratch: &scratch)
    var written = 0
    for scope in 0..<record.scopeCount {
      let count = record.bounds[scope + 1] - record.bounds[scope]
      let kept = Sparsification.kept(count, ratio: ratio)
      let factor: Float = isScaled && kept > 0 ? Float(Double(count) / Double(kept)) : 1
      for index in written..<written + kept {
        output[index] = values[Int(positions[index])] * factor
      }
      written += kept
    }
    if written > 0, Reductions.largestMagnitudeBits(output, written) >= Reductions.infinityBits {
      throw setting.tooLarge(name, values, "a value times n/k is beyond the largest float32")
    }
    record.replace(.values, with: PayloadStream(.values, .float32, count: written, base: memory))
    record.replace(.seed, with: PayloadStream(.seed, .uint64, count: 1, base: seedMemory))
    Sparsification.noteCounts(&record, ratio: ratio, scratch: &scratch)
  }

  /// The ascending positions that `seed` selects.
  private func draw(
    _ seed: UInt64, _ record: Encoded, _ totals: Sparsification.Totals,
    scratch: inout CodecScratch
  ) -> UnsafeMutablePointer<UInt32> {
    let hash = CounterHash(key: seed)
    let positions = scratch.temporary(of: UInt32.self, totals.values)
    let memory = RandomSelection.Memory(
      count: totals.largestScope, k: totals.largestKept, scratch: &scratch)
    var written = 0
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      let kept = Sparsification.kept(count, ratio: ratio)
      if kept == 0 { continue }
      RandomSelection.select(
        hash, start: start, count: count, k: kept, into: positions + written, memory: memory)
      written += kept
    }
    return positions
  }

  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? {
    let seed = try record.require(.seed, .uint64, for: name)
    let totals = Sparsification.Totals(record.bounds, ratio: ratio)
    let values = record.stream(.values)?.count ?? 0
    guard seed.count == 1, values == totals.values else {
      throw CodecError(
        codec: name, byteOffset: seed.offset,
        "\(values) values where the ratio keeps \(totals.values)")
    }
    let positions = draw(seed.elements(as: UInt64.self)[0], record, totals, scratch: &scratch)
    return UnsafeBufferPointer(start: positions, count: totals.values)
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let positions = try selection(of: &record, scratch: &scratch) else { return }
    try Sparsification.scatter(
      &record, positions, codec: name, target: target, scratch: &scratch)
    record.remove(.seed)
  }
}

extension RandomK {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required(
        "ratio", .fraction, doc: "share of the elements that is kept, at least one a scope"),
      isScaled: fields.optional(
        "scaled", .bool, default: true,
        doc: "multiplies kept values by n/k, which makes the result unbiased"))
  }
}
