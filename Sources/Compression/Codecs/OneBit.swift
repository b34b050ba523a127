/// One bit an element and two means a scope: elements below zero become the mean of those, the others
/// the mean of the others (1-bit SGD), meant for error feedback.
///
/// The two means are the best pair of values for this split. Exact zeros count among the others and
/// pull their mean towards zero.
public struct OneBit: Codec {
  public init() {}

  public var name: String { "onebit" }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "n+64*ceil(n/B)",
      citation: "Seide et al., 1-Bit Stochastic Gradient Descent, Interspeech 2014",
      bias: .biased)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 0.125
    return StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: 8.125 * load.values,
        source: "derived: one pass of 4 bytes for both means, one of 4 bytes and 1 bit to pack"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 4.125 * load.values, source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = 1
    size.otherBits += 64 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    (record.valueCount + 63) / 64 * 8 + 8 + 8 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let count = values.count
    let memory = scratch.stream((count + 63) / 64 * 8)
    let words = memory.assumingMemoryBound(to: UInt64.self)
    let scaleMemory = scratch.stream(8 * record.scopeCount)
    let means = scaleMemory.assumingMemoryBound(to: Float.self)
    for scope in 0..<2 * record.scopeCount { means[scope] = 0 }
    var scope = 0
    var sums = Reductions.SignedSums()
    // Blocks of 4096 elements stay in the first cache between the sums and the packing.
    for start in stride(from: 0, to: count, by: Reductions.blockSize) {
      let end = min(start + Reductions.blockSize, count)
      let source = values.baseAddress!
      var position = start
      while position < end {
        while bounds[scope + 1] <= position { scope += 1 }
        let part = min(end, bounds[scope + 1])
        Reductions.addSigned(source + position, part - position, to: &sums)
        position = part
        if position == bounds[scope + 1] {
          guard sums.isFinite else { throw setting.notFinite(name, values) }
          let others = bounds[scope + 1] - bounds[scope] - sums.negatives
          means[2 * scope] = others == 0 ? 0 : Float(sums.positive / Double(others))
          means[2 * scope + 1] =
            sums.negatives == 0 ? 0 : Float(sums.negative / Double(sums.negatives))
          sums = Reductions.SignedSums()
        }
      }
      SignPacking.pack(source + start, end - start, into: words + start / 64)
    }
    record.replace(
      .values, with: PayloadStream(.values, .packed, parameter: 1, count: count, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: 2 * record.scopeCount, base: scaleMemory))
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: 1, for: name)
    let means = try record.scales(2, for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let words = SignPacking.words(of: stream, scratch: &scratch)
    let stores = LargeStores(stream.count)
    for scope in 0..<record.scopeCount {
      SignPacking.unpack(
        words, bounds[scope]..<bounds[scope + 1], positive: means[2 * scope],
        negative: means[2 * scope + 1], into: output, stores)
    }
    stores.finish()
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}
