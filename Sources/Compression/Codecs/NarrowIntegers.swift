import CKernels
import SimKernel

/// Symmetric integers of 2 to 8 bits: scale = max |x| / (2^(bits-1) - 1) per scope, rounding half to
/// even; `int4` is the case of four bits.
///
/// Codes travel as code + 2^(bits-1), packed without gaps. They add up only under a common scale:
/// with a shared range the workers first take the maximum of their ranges (4 bytes a scope) and then
/// sum codes in accumulators of bits + ceil(log2 P); without one, payloads are gathered. A scope
/// whose maximum is below 2^-100 is sent as zeros, because its scale could not be inverted.
public struct NarrowIntegers: Codec {
  /// Bits of a code.
  public let bits: Int
  /// Whether all workers quantise with the largest range among them.
  public let sharedRange: Bool
  /// The name it is registered under, which may fix the number of bits.
  public let name: String

  /// Four bits, under the name `int4`.
  public static func int4(sharedRange: Bool = false) -> NarrowIntegers {
    NarrowIntegers(bits: 4, sharedRange: sharedRange, name: "int4")
  }
  /// Any number of bits from 2 to 8, under the name `intn`.
  public init(bits: Int, sharedRange: Bool = false) {
    precondition((2...8).contains(bits), "2 to 8 bits")
    self.init(bits: bits, sharedRange: sharedRange, name: "intn")
  }
  private init(bits: Int, sharedRange: Bool, name: String) {
    self.bits = bits
    self.sharedRange = sharedRange
    self.name = name
  }

  /// The largest code.
  private var half: Float { Float(1 << (bits - 1) - 1) }
  /// What is added to a code so that it is not negative.
  private var offset: UInt8 { 1 << UInt8(bits - 1) }

  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if name == "intn" { result.append(("bits", String(bits))) }
    if sharedRange { result.append(("shared_range", "true")) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "\(bits)n+32*ceil(n/B)",
      citation: "Wu et al., Integer Quantization for Deep Learning Inference, 2020, "
        + "arXiv:2004.09602",
      bias: .biased, sampleScaling: .needsFullTensor)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    sharedRange ? form.summedCodes(of: name) : form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = Double(bits) / 8
    return StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: (8 + Double(bits) / 8) * load.values,
        source: "derived: one pass of 4 bytes for the range, one to quantise and pack"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: (4 + Double(bits) / 8) * load.values,
        source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = bits
    size.otherBits += 32 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    BitPacking.bytes(record.valueCount, width: bits) + 8 + 4 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let memory = scratch.stream(BitPacking.bytes(values.count, width: bits))
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    var writer = CodeWriter<UInt8>(
      width: bits, into: memory.assumingMemoryBound(to: UInt8.self), scratch: &scratch)
    for scope in 0..<record.scopeCount {
      scales[scope] = 0
      let elements = bounds[scope]..<bounds[scope + 1]
      if elements.isEmpty { continue }
      let base = values.baseAddress!
      var range = Float(
        bitPattern: UInt32(
          Reductions.largestMagnitudeBits(base + elements.lowerBound, elements.count)))
      guard range.isFinite else { throw setting.notFinite(name, values) }
      if let shared = setting.sharedScales { range = max(range, shared[scope] * half) }
      let isTiny = range < 0x1p-100
      if !isTiny { scales[scope] = range / half }
      let inverse = isTiny ? 0 : half / range
      writer.append(elements) {
        // |x| * inverse is at most the largest code up to rounding.
        ck_quantize(base + $0.lowerBound, $0.count, inverse, offset, false, $1)
      }
    }
    writer.finish()
    record.replace(
      .values,
      with: PayloadStream(
        .values, .packed, parameter: UInt8(bits), count: values.count, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: bits, for: name)
    let scales = try record.scales(1, for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    var reader = CodeReader<UInt8>(
      width: bits, stream.elements(as: UInt8.self), total: stream.count, scratch: &scratch)
    let stores = LargeStores(stream.count)
    for scope in 0..<record.scopeCount {
      reader.runs(bounds[scope]..<bounds[scope + 1]) { run, codes in
        ck_dequantize(
          codes, run.count, offset, scales[scope], stores.stream, output + run.lowerBound)
      }
    }
    stores.finish()
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }

  // MARK: - Rounds

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? {
    sharedRange && setup.pipeline.form.aggregation == .summable
      ? SummedCodeRounds(setup, codec: self) : nil
  }
  public func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]? {
    guard sharedRange, setup.pipeline.form.aggregation == .summable else { return nil }
    return SummedCodeRounds.steps(setup, codeBits: bits, codes: setup.values)
  }
}

extension NarrowIntegers: SummableCodes {
  var codeBits: Int { bits }

  func codes(
    in record: Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> [Int32] {
    let stream = try record.packedValues(width: bits, for: name)
    var reader = CodeReader<UInt8>(
      width: bits, stream.elements(as: UInt8.self), total: stream.count, scratch: &scratch)
    var result = [Int32](repeating: 0, count: stream.count)
    reader.read(0..<stream.count) { index, code in result[index] = Int32(code) - Int32(offset) }
    return result
  }
  func restore(
    _ sum: [Int32], workers: Int, in record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) {
    let scales = try record.scales(1, for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let means = scratch.temporary(of: Float.self, sum.count)
    for scope in 0..<record.scopeCount {
      let step = scales[scope] / Float(workers)
      for index in bounds[scope]..<bounds[scope + 1] { means[index] = Float(sum[index]) * step }
    }
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: sum.count, base: means))
  }
}

extension NarrowIntegers {
  /// Reads the record of `int4`.
  static func int4(_ fields: inout FieldReader) -> NarrowIntegers {
    .int4(
      sharedRange: fields.optional(
        "shared_range", .bool, default: false,
        doc: "all workers use the largest range, so that codes add up in a reducing collective"))
  }
  /// Reads the record of `intn`.
  init(_ fields: inout FieldReader) {
    self.init(
      bits: fields.required("bits", .integer(2...8), doc: "bits of a code, sign included"),
      sharedRange: fields.optional(
        "shared_range", .bool, default: false,
        doc: "all workers use the largest range, so that codes add up in a reducing collective"))
  }
}
