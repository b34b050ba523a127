import SimKernel

/// Elements kept at random with the probabilities that lose least for their expected number, divided
/// by them: unbiased sparsification with optimal keep probabilities.
///
/// p = min(1, |x| / level) with the level at which the probabilities add up to
/// k = max(1, floor(n ratio)). A kept element above the level is sent as it is, one below as the level
/// with its sign. Only what top-k would keep can lie above, so the level is found exactly among those.
public struct Wangni: Codec {
  /// The expected share of the elements that is kept.
  public let ratio: Double
  public let index: IndexEncoding

  public init(ratio: Double, index: IndexEncoding = .int32) {
    self.ratio = ratio
    self.index = index
  }

  public var name: String { "wangni" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index.formula(kept: "nnz"),
      citation: "Wangni, Wang, Liu and Zhang, Gradient Sparsification for Communication-Efficient "
        + "Distributed Optimization, NeurIPS 2018, arXiv:1710.09854",
      bias: .unbiased, sampleScaling: index == .int32 ? .scales : .needsFullTensor,
      isRandomised: true)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .selected
    result.aggregation = .gather
    result.isVariableSize = true
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    let encoded = index == .int32 ? 0.0 : 1.0
    return StageCost(
      encode: CodecWork(
        kernels: 7 + encoded, bytesPerElement: 12 + (40 + 8 * encoded) * ratio,
        operationsPerElement: 12,
        source: "derived: sum, collecting pass, level among the collected, drawing pass with 12 "
          + "operations a random number"),
      decode: CodecWork(
        kernels: 2 + encoded, bytesPerElement: 4 + (12 + 8 * encoded) * ratio,
        source: "derived: clear, then scatter"),
      leaving: StageLoad(
        values: ratio, bytesPerValue: 4, otherBytes: index.expectedBytes(ratio: ratio)))
  }
  public func worstCase(_ size: inout WorstCase) {
    // The draw may keep everything.
    size.values = size.elementCount
    size.otherBits += index.worstCaseBits(kept: size.elementCount, elementCount: size.elementCount)
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
    let levels = scratch.temporary(of: Float.self, record.scopeCount)
    findLevels(record, values, levels, scratch: &scratch)
    let counts = scratch.temporary(of: UInt32.self, record.scopeCount)
    let hash = CounterHash(setting.random)
    let wanted = Sparsification.Totals(record.bounds, ratio: ratio).values
    var room = min(values.count, wanted + 8 * Int(Double(wanted).squareRoot()) + 64)
    var selected: SelectedElements?
    while selected == nil {
      let slots = room + ThresholdSelection.slack
      let result = SelectedElements(
        positions: scratch.temporary(of: UInt32.self, slots),
        values: scratch.temporary(of: Float.self, slots), counts: counts, count: 0)
      selected = Self.draw(record, values, levels, hash, room: room, into: result)
      // Eight standard deviations are rarely passed; everything always fits.
      room = values.count
    }
    if let selected {
      Sparsification.leave(&record, selected, index: index, scratch: &scratch)
    }
  }

  /// The level of every scope: the sum of min(1, |x| / level) is k.
  private func findLevels(
    _ record: Encoded, _ values: UnsafeBufferPointer<Float>,
    _ levels: UnsafeMutablePointer<Float>, scratch: inout CodecScratch
  ) {
    let totals = Sparsification.Totals(record.bounds, ratio: ratio)
    let positions = scratch.temporary(of: UInt32.self, totals.largestKept)
    let top = scratch.temporary(of: Float.self, totals.largestKept)
    let selection = TopSelection(
      count: totals.largestScope, k: totals.largestKept, scratch: &scratch)
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      levels[scope] = 0
      let kept = Sparsification.kept(count, ratio: ratio)
      if kept == 0 { continue }
      let source = values.baseAddress! + start
      selection.select(source, count, k: kept, base: 0, into: positions, values: top)
      let total = Reductions.sumOfMagnitudes(source, count)
      var above = 0
      var level = total / Double(kept)
      // Every round moves elements above the level out of the mean, which lowers it: it ends, since
      // fewer than k can be above. The border falls geometrically, a handful of rounds in practice.
      while true {
        var sum = 0.0
        var found = 0
        for index in 0..<kept where Double(top[index].magnitude) > level {
          sum += Double(top[index].magnitude)
          found += 1
        }
        if found <= above || found >= kept { break }
        above = found
        level = max(0, total - sum) / Double(kept - found)
      }
      levels[scope] = Float(level)
    }
  }

  /// Draws the elements of all scopes; nil where more than `room` are kept.
  private static func draw(
    _ record: Encoded, _ values: UnsafeBufferPointer<Float>, _ levels: UnsafePointer<Float>,
    _ hash: CounterHash, room: Int, into memory: SelectedElements
  ) -> SelectedElements? {
    var result = memory
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      result.counts[scope] = 0
      if count == 0 { continue }
      let level = levels[scope]
      // A scope of zeros, or one so small that its level has no inverse: what is there is kept.
      let factor: Float = level >= 0x1p-90 ? 0x1p31 / level : 0
      let before = result.count
      guard
        keep(
          values.baseAddress! + start, count, start: start, factor: factor, level: level, hash,
          room: room, into: &result)
      else { return nil }
      result.counts[scope] = UInt32(truncatingIfNeeded: result.count - before)
    }
    return result
  }

  /// Draws the elements of one scope; false where they do not fit.
  private static func keep(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, factor: Float, level: Float,
    _ hash: CounterHash, room: Int, into result: inout SelectedElements
  ) -> Bool {
    var found = result.count
    var group = 0
    while group < count {
      // In bounds: at most 32 are written between two looks at the room.
      if found > room { return false }
      let lanes = min(32, count - group)
      var word: UInt32 = 0
      if factor == 0 {
        for lane in 0..<lanes where source[group + lane] != 0 { word |= 1 << UInt32(lane) }
      } else if lanes == 32 {
        word = kept(source + group, hash, start + group, factor)
      } else {
        for lane in 0..<lanes
        where passes(source[group + lane], hash, hash.counter(start + group + lane), factor) {
          word |= 1 << UInt32(lane)
        }
      }
      while word != 0 {
        let value = source[group + word.trailingZeroBitCount]
        result.positions[found] = UInt32(
          truncatingIfNeeded: start + group + word.trailingZeroBitCount)
        result.values[found] =
          value.magnitude >= level ? value : Float(signOf: value, magnitudeOf: level)
        found += 1
        word &= word &- 1
      }
      group += 32
    }
    result.count = found
    return found <= room
  }

  /// One bit of 32 elements: whether each is kept; an or-reduction that vectorises.
  @inline(__always)
  private static func kept(
    _ source: UnsafePointer<Float>, _ hash: CounterHash, _ position: Int, _ factor: Float
  ) -> UInt32 {
    var counter = hash.counter(position)
    var bits: UInt32 = 0
    for lane in 0..<32 {
      bits |= (passes(source[lane], hash, counter, factor) ? 1 : 0) << UInt32(lane)
      counter &+= 1
    }
    return bits
  }
  /// 31 random bits against the probability times 2^31; signed, because SSE2 converts no others.
  @inline(__always)
  private static func passes(
    _ value: Float, _ hash: CounterHash, _ counter: UInt32, _ factor: Float
  ) -> Bool {
    let draw = Float(Int32(truncatingIfNeeded: hash.bits(counter: counter) >> 1))
    // At the level and above even the largest draw, which rounds to 2^31, must pass.
    let chance = value.magnitude * factor
    return draw < chance || chance >= 0x1p31
  }

  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? {
    try Sparsification.positions(of: record, codec: name, scratch: &scratch)
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let positions = try Sparsification.positions(of: record, codec: name, scratch: &scratch)
    try Sparsification.scatter(&record, positions, codec: name, target: target, scratch: &scratch)
    record.remove(.indices)
  }
}

extension Wangni {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required(
        "ratio", .fraction, doc: "share of the elements that is kept on average"),
      index: fields.index())
  }
}
