import SimKernel

/// A codec that keeps what lies beyond a threshold which it derives from the scope itself.
///
/// The threshold is all that such codecs differ in; collecting, positions, counts and decoding are
/// the same. Unlike top-k they send however many elements pass.
public protocol ThresholdCodec: Codec {
  /// How positions travel.
  var index: IndexEncoding { get }
  /// The share of the elements that the method aims at.
  var expectedRatio: Double { get }
  /// Passes over the scope that finding the threshold takes, for the declared cost.
  var passes: Double { get }
  /// Whether a scope in which nothing passes sends its largest element, if that is not zero.
  ///
  /// Equal elements have no spread, so that an estimated threshold may pass none: without this a
  /// constant gradient would never be sent, whatever error feedback adds.
  var sendsLargest: Bool { get }
  /// Whether the threshold depends on the gradient; one that does not needs no pass of its own to
  /// refuse what is not finite, since NaN and infinity pass every threshold.
  var isEstimated: Bool { get }
  /// The threshold of the `count` elements, at least one, that begin at `start`.
  func limit(
    _ source: UnsafePointer<Float>, _ count: Int, start: Int, setting: StageSetting,
    scratch: inout CodecScratch
  ) -> ThresholdLimit
}

/// A threshold on the distance of elements from a centre.
public struct ThresholdLimit: Sendable {
  let rule: ThresholdRule

  /// Selects elements whose distance from `center` is strictly above `distance`.
  public init(above distance: Double, center: Float = 0) {
    rule = ThresholdRule(above: distance, center: center)
  }
  /// Selects elements of at least this magnitude; 0 selects all.
  public init(atLeast magnitude: Float) { rule = ThresholdRule(atLeast: magnitude) }
}

extension ThresholdCodec {
  public var sendsLargest: Bool { true }
  public var isEstimated: Bool { true }

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
        kernels: passes + 1 + encoded,
        bytesPerElement: 4 * (passes + 1) + (8 + 8 * encoded) * expectedRatio,
        source: "derived: \(passes) passes of 4 bytes an element for the threshold, one to collect"),
      decode: CodecWork(
        kernels: 2 + encoded, bytesPerElement: 4 + (12 + 8 * encoded) * expectedRatio,
        source: "derived: clear, then scatter"),
      leaving: StageLoad(
        values: expectedRatio, bytesPerValue: 4,
        otherBytes: index.expectedBytes(ratio: expectedRatio)))
  }
  public func worstCase(_ size: inout WorstCase) {
    // A threshold of 0 passes every element: 64 bits each, twice the gradient.
    size.values = size.elementCount
    size.otherBits += index.worstCaseBits(kept: size.elementCount, elementCount: size.elementCount)
  }

  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    if isEstimated, let base = values.baseAddress,
      Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits
    {
      throw setting.notFinite(name, values)
    }
    let rules = scratch.temporary(of: ThresholdRule.self, record.scopeCount)
    for scope in 0..<record.scopeCount {
      let range = record.bounds[scope]..<record.bounds[scope + 1]
      rules[scope] = .nothing
      if range.isEmpty { continue }
      // Thousands of buckets must not each keep the memory of their sample.
      let mark = scratch.mark
      // Elements, of which there are some, have memory.
      rules[scope] =
        limit(
          values.baseAddress! + range.lowerBound, range.count, start: range.lowerBound,
          setting: setting, scratch: &scratch
        ).rule
      scratch.release(to: mark)
    }
    let selected = Sparsification.collect(
      record, values, rules, sendsLargest: sendsLargest, scratch: &scratch)
    if !isEstimated,
      Reductions.largestMagnitudeBits(selected.values, selected.count) >= Reductions.infinityBits
    {
      let passed = UnsafeBufferPointer(start: UnsafePointer(selected.values), count: selected.count)
      throw setting.notFinite(name, passed, positions: selected.positions)
    }
    Sparsification.leave(&record, selected, index: index, scratch: &scratch)
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

/// Selected elements in memory of a scratch, and how many each scope has.
struct SelectedElements {
  var positions: UnsafeMutablePointer<UInt32>
  var values: UnsafeMutablePointer<Float>
  var counts: UnsafeMutablePointer<UInt32>
  var count: Int
}

extension Sparsification {
  /// What passes the rule of its scope.
  ///
  /// Room for an eighth of the elements is tried first, so that a selection of the usual size is
  /// one pass; more are counted, then collected.
  static func collect(
    _ record: Encoded, _ values: UnsafeBufferPointer<Float>,
    _ rules: UnsafePointer<ThresholdRule>, sendsLargest: Bool, scratch: inout CodecScratch
  ) -> SelectedElements {
    let counts = scratch.temporary(of: UInt32.self, record.scopeCount)
    func attempt(room: Int) -> SelectedElements? {
      let slots = room + ThresholdSelection.slack
      var result = SelectedElements(
        positions: scratch.temporary(of: UInt32.self, slots),
        values: scratch.temporary(of: Float.self, slots), counts: counts, count: 0)
      for scope in 0..<record.scopeCount {
        let start = record.bounds[scope]
        let count = record.bounds[scope + 1] - start
        counts[scope] = 0
        if count == 0 { continue }
        let source = values.baseAddress! + start
        guard
          let found = ThresholdSelection.collect(
            source, count, rules[scope], base: start, from: result.count, room: room,
            positions: result.positions, values: result.values)
        else { return nil }
        counts[scope] = UInt32(truncatingIfNeeded: found - result.count)
        if found == result.count, sendsLargest, let largest = firstLargest(source, count) {
          result.positions[found] = UInt32(truncatingIfNeeded: start + largest)
          result.values[found] = source[largest]
          counts[scope] = 1
        }
        result.count += Int(counts[scope])
      }
      return result
    }
    // Every scope may send one element although none passes.
    if let result = attempt(room: values.count / 8 + record.scopeCount + 1024) { return result }
    var total = record.scopeCount
    for scope in 0..<record.scopeCount {
      let range = record.bounds[scope]..<record.bounds[scope + 1]
      if range.isEmpty { continue }
      total += ThresholdSelection.count(
        values.baseAddress! + range.lowerBound, range.count, rules[scope])
    }
    guard let result = attempt(room: total) else {
      preconditionFailure("the elements that pass have been counted")
    }
    return result
  }

  /// The first element of the largest magnitude, unless all are zero.
  private static func firstLargest(_ source: UnsafePointer<Float>, _ count: Int) -> Int? {
    let bits = UInt32(bitPattern: Reductions.largestMagnitudeBits(source, count))
    if bits == 0 { return nil }
    var index = 0
    while source[index].bitPattern & 0x7FFF_FFFF != bits { index += 1 }
    return index
  }

  /// Leaves selected elements in `record`: values, positions, and the counts of several scopes.
  static func leave(
    _ record: inout Encoded, _ selected: SelectedElements, index: IndexEncoding,
    scratch: inout CodecScratch
  ) {
    record.replace(
      .values,
      with: PayloadStream(
        .values, .float32, count: selected.count, base: UnsafeRawPointer(selected.values)))
    record.replace(
      .indices,
      with: index.stream(
        selected.positions, selected.count, elementCount: record.elementCount, scratch: &scratch))
    if record.scopeCount > 1 {
      record.replace(
        .counts,
        with: PayloadStream(.counts, .uint32, count: record.scopeCount, base: selected.counts))
    }
  }

  /// The positions in the record's index stream, checked.
  static func positions(
    of record: Encoded, codec: String, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32> {
    guard let stream = record.stream(.indices) else {
      throw CodecError(codec: codec, byteOffset: 0, "the frame has no stream of indices")
    }
    let positions = try IndexEncoding.positions(
      stream, elementCount: record.elementCount, codec: codec, scratch: &scratch)
    return UnsafeBufferPointer(start: positions, count: stream.count)
  }
}
