import SimKernel

/// The largest magnitudes by a threshold between mean and maximum (RedSync).
///
/// `trim` lowers the threshold from the maximum in steps of a fifth of its distance to the mean until
/// at least k elements pass, and takes the exact top k of those, so what it sends is what top-k sends;
/// only the work on an accelerator differs. `binary_search` halves the distance until k <= nnz <= 2k
/// and sends all that pass. Biased.
public struct RedSync: ThresholdCodec {
  /// How the threshold is found.
  public enum Mode: String, Sendable, CaseIterable {
    case trim
    case binarySearch = "binary_search"
  }

  /// k as a share of the elements.
  public let ratio: Double
  public let mode: Mode
  public let index: IndexEncoding

  public init(ratio: Double, mode: Mode = .trim, index: IndexEncoding = .int32) {
    self.ratio = ratio
    self.mode = mode
    self.index = index
  }

  public var name: String { "redsync" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if mode != .trim { result.append(("mode", mode.rawValue)) }
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: mode == .trim ? "k" : "nnz"),
      citation: "Fang, Fu, Yang and Hsieh, RedSync, JPDC 133, 2019, arXiv:1808.04357",
      bias: .biased, sampleScaling: index == .int32 ? .scales : .needsFullTensor)
  }
  public var expectedRatio: Double { mode == .trim ? ratio : min(1, 1.5 * ratio) }
  // Mean and maximum, then one count a step: four steps are usual in either mode.
  public var passes: Double { 6 }

  private var exact: TopK { TopK(ratio: ratio, index: index, name: name) }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .selected
    result.aggregation = .gather
    result.isVariableSize = mode == .binarySearch || !index.isFixedSize
    result.maker = name
    return .success(result)
  }
  public func worstCase(_ size: inout WorstCase) {
    if mode == .trim { return exact.worstCase(&size) }
    // Nothing bounds the ties at the threshold where the search ends.
    size.values = size.elementCount
    size.otherBits += index.worstCaseBits(kept: size.elementCount, elementCount: size.elementCount)
  }
  public func streamBytes(for record: Encoded) -> Int? {
    mode == .trim ? exact.streamBytes(for: record) : nil
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    // At least k pass the trimming threshold, so the top k of those that pass are the top k of all.
    if mode == .trim {
      return try exact.encode(&record, setting: setting, scratch: &scratch)
    }
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    let rules = scratch.temporary(of: ThresholdRule.self, record.scopeCount)
    for scope in 0..<record.scopeCount {
      let range = record.bounds[scope]..<record.bounds[scope + 1]
      rules[scope] = .nothing
      if range.isEmpty { continue }
      guard let base = values.baseAddress,
        let rule = search(base + range.lowerBound, range.count)
      else { throw setting.notFinite(name, values) }
      rules[scope] = rule
    }
    let selected = Sparsification.collect(
      record, values, rules, sendsLargest: true, scratch: &scratch)
    Sparsification.leave(&record, selected, index: index, scratch: &scratch)
  }

  public func limit(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, setting: StageSetting,
    scratch: inout CodecScratch
  ) -> ThresholdLimit {
    ThresholdLimit(above: search(source, count).map { Double(Float(bits: $0.limit)) } ?? 0)
  }

  /// The rule of a scope, or nil if an element is not finite.
  private func search(_ source: UnsafePointer<Float>, _ count: Int) -> ThresholdRule? {
    let bits = Reductions.largestMagnitudeBits(source, count)
    if bits >= Reductions.infinityBits { return nil }
    let largest = Double(Float(bits: bits))
    let mean = Reductions.sumOfMagnitudes(source, count) / Double(count)
    let k = Sparsification.kept(count, ratio: ratio)
    // The search would only come closer and closer to the mean.
    let lowest = ThresholdRule(above: mean)
    if ThresholdSelection.count(source, count, lowest) <= k { return lowest }
    var (low, high) = (0.0, 1.0)
    var rule = lowest
    while high - low > 0x1p-24 {
      let middle = low + (high - low) / 2
      rule = ThresholdRule(above: mean + middle * (largest - mean))
      let passed = ThresholdSelection.count(source, count, rule)
      if passed >= k, passed <= 2 * k { return rule }
      if passed < k { high = middle } else { low = middle }
    }
    return rule
  }
}

extension Float {
  /// The magnitude with these bits, which are below 2^31.
  fileprivate init(bits: Int32) { self.init(bitPattern: UInt32(bitPattern: bits)) }
}

extension RedSync {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required("ratio", .fraction, doc: "share of the elements that is wanted"),
      mode: fields.optional(
        "mode", .choice("mode"), default: .trim,
        doc: "trim sends exactly k, binary_search between k and 2k where it can"),
      index: fields.index())
  }
}
