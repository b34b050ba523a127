import SimKernel

/// A random rotation, then b-bit uniform stochastic quantisation between plus and minus the largest
/// rotated magnitude (Suresh et al.; THC's uniform case).
///
/// The rotation makes elements alike, so that 2^b - 1 steps across the range suffice. Unbiased. All
/// workers rotate alike, so with a shared range the codes add up as they are: the workers take the
/// maximum of their ranges first (4 bytes a scope), sum codes in accumulators of b + ceil(log2 P)
/// bits, and rotate the sum back once. Padding up to the power of two is sent, and every scope is
/// padded on its own. A scope whose rotated maximum is below 2^-80 is sent as zeros, because its
/// steps would leave single precision.
///
/// As with ``Drive``, the transform passes over memory several times on long vectors.
public struct RotatedQuantization: Codec {
  /// b, bits of a code.
  public let bits: Int
  /// Whether all workers quantise with the largest range among them.
  public let sharedRange: Bool

  public init(bits: Int = 4, sharedRange: Bool = false) {
    precondition((1...8).contains(bits), "1 to 8 bits")
    self.bits = bits
    self.sharedRange = sharedRange
  }

  /// Steps across the range.
  private var steps: Float { Float(1 << bits - 1) }

  public var name: String { "rht_usq" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if bits != 4 { result.append(("bits", String(bits))) }
    if sharedRange { result.append(("shared_range", "true")) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "\(bits)*2^ceil(log2 n)+32",
      citation: "Suresh et al., Distributed Mean Estimation with Limited Communication, ICML 2017, "
        + "arXiv:1611.00429; Li et al., THC, NSDI 2024, arXiv:2302.08545",
      bias: .unbiased, sampleScaling: .needsFullTensor, isRandomised: true)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    sharedRange ? form.summedCodes(of: name) : form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    let padding = RandomRotation.expectedPadding
    let bytes = Double(bits) / 8
    leaving.bytesPerValue = bytes * padding
    let rotation = RandomRotation.work(values: load.values)
    return StageCost(
      encode: rotation
        + CodecWork(
          kernels: 2, bytesPerElement: (8 + bytes) * padding * load.values,
          operationsPerElement: 16 * padding * load.values,
          source: "derived: one pass for the range, one to round and pack, 16 operations a random "
            + "number"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: bytes * padding * load.values,
        source: "derived: codes are read by the rotation") + rotation,
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    let codes = RandomRotation.largestPaddedCount(size.values, scopes: size.scopeCount)
    size.bitsPerValue = bits
    size.otherBits += bits * (codes - size.values) + 32 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    record.valueCount * bits / 4 + 64 + 4 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let codes = RandomRotation.paddedCount(bounds)
    let memory = scratch.stream(BitPacking.bytes(codes, width: bits))
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let ranges = scaleMemory.assumingMemoryBound(to: Float.self)
    var shared = setting.sharedRandom
    let key = shared.next()
    let rounding = Rounding(hash: CounterHash(setting.random), steps: steps)
    let rotation = RandomRotation(key: key, bounds: bounds, scratch: &scratch)
    var writer = CodeWriter<UInt8>(
      width: bits, into: memory.assumingMemoryBound(to: UInt8.self), scratch: &scratch)
    var first = 0
    for scope in 0..<record.scopeCount {
      ranges[scope] = 0
      let elements = bounds[scope]..<bounds[scope + 1]
      if elements.isEmpty { continue }
      let count = try rotation.forward(values, elements, codec: name, setting: setting)
      let rotated = UnsafePointer(rotation.values)
      var range = Float(bitPattern: UInt32(Reductions.largestMagnitudeBits(rotated, count)))
      // Ranges travel divided by d, an exact power of two, as the transform back multiplies by it.
      if let agreed = setting.sharedScales { range = max(range, agreed[scope] * Float(count)) }
      if range < 0x1p-80 { range = 0 }
      ranges[scope] = range / Float(count)
      let start = first
      writer.append(0..<count) {
        rounding.round(rotated, $0, range: range, position: start, into: $1)
      }
      first += count
    }
    writer.finish()
    record.replace(
      .values,
      with: PayloadStream(
        .values, .bits, parameter: UInt8(bits), count: values.count, bits: bits * codes,
        base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
    record.note(key: key, scratch: &scratch)
  }

  /// Stochastic rounding to steps that begin at minus the range.
  private struct Rounding {
    let hash: CounterHash
    let steps: Float

    /// Codes of rotated elements `range`; `position` is the place of element 0 among all codes.
    func round(
      _ source: UnsafePointer<Float>, _ elements: Range<Int>, range: Float, position: Int,
      into codes: UnsafeMutablePointer<UInt8>
    ) {
      let input = source + elements.lowerBound
      let factor: Float = range == 0 ? 0 : steps / (2 * range) * 0x1p32
      let top = MagicRounding.magic + steps
      var counter = hash.counter(position + elements.lowerBound)
      for index in 0..<elements.count {
        // A level in 0...steps and a dither in [-1/2, 1/2], both times 2^32, to the nearest integer.
        let level = (input[index] + range) * factor + hash.dither(counter: counter)
        let rounded = level * 0x1p-32 + MagicRounding.magic
        codes[index] = UInt8(truncatingIfNeeded: (rounded < top ? rounded : top).bitPattern)
        counter &+= 1
      }
    }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let (stream, total) = try record.rotatedValues(width: bits, bounds, for: name)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    var reader = CodeReader<UInt8>(
      width: bits, stream.elements(as: UInt8.self), total: total, scratch: &scratch)
    let steps = Int32(1 << bits - 1)
    try restore(&record, bounds, workers: 1, into: output, scratch: &scratch) { range, target in
      let place = target - range.lowerBound
      reader.read(range) { index, code in place[index] = Float(2 &* Int32(code) &- steps) }
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }

  /// Rotates all scopes back; `fill` writes twice the codes minus the steps for positions among all
  /// codes, odd integers whose sums are exact.
  private func restore(
    _ record: inout Encoded, _ bounds: UnsafeBufferPointer<Int>, workers: Int,
    into output: UnsafeMutablePointer<Float>, scratch: inout CodecScratch,
    _ fill: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) throws(CodecError) {
    let ranges = try record.scales(1, for: name)
    let rotation = RandomRotation(
      key: try record.key(for: name), bounds: bounds, scratch: &scratch)
    var first = 0
    for scope in 0..<record.scopeCount {
      let elements = bounds[scope]..<bounds[scope + 1]
      if elements.isEmpty { continue }
      let factor = ranges[scope] / (steps * Float(workers))
      rotation.backward(elements, factor: factor, into: output) { range, target in
        fill(first + range.lowerBound..<first + range.upperBound, target)
      }
      first += HadamardTransform.paddedCount(elements.count)
    }
    record.remove(.scales)
    record.remove(.key)
  }

  // MARK: - Rounds

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? {
    sharedRange && setup.pipeline.form.aggregation == .summable
      ? SummedCodeRounds(setup, codec: self) : nil
  }
  public func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]? {
    guard sharedRange, setup.pipeline.form.aggregation == .summable else { return nil }
    return SummedCodeRounds.steps(
      setup, codeBits: bits,
      codes: RandomRotation.largestPaddedCount(setup.values, scopes: setup.scopeCount))
  }
}

extension RotatedQuantization: SummableCodes {
  var codeBits: Int { bits }

  func codes(
    in record: Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> [Int32] {
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let (stream, total) = try record.rotatedValues(width: bits, bounds, for: name)
    var reader = CodeReader<UInt8>(
      width: bits, stream.elements(as: UInt8.self), total: total, scratch: &scratch)
    var result = [Int32](repeating: 0, count: total)
    reader.read(0..<total) { index, code in result[index] = Int32(code) }
    return result
  }
  func restore(
    _ sum: [Int32], workers: Int, in record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) {
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let count = record.valueCount
    let means = scratch.temporary(of: Float.self, count)
    let steps = Int32(workers) * Int32(1 << bits - 1)
    try restore(&record, bounds, workers: workers, into: means, scratch: &scratch) {
      range, target in
      for index in range { target[index - range.lowerBound] = Float(2 * sum[index] - steps) }
    }
    record.replace(.values, with: PayloadStream(.values, .float32, count: count, base: means))
  }
}

extension RotatedQuantization {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      bits: fields.optional("bits", .integer(1...8), default: 4, doc: "bits of a code"),
      sharedRange: fields.optional(
        "shared_range", .bool, default: false,
        doc: "all workers use the largest range, so that codes add up in a reducing collective"))
  }
}
