import SimKernel

/// Eight-bit floating point, E4M3 or E5M2, to nearest even.
///
/// Scaled, the largest magnitude of a scope maps to the format's largest number (448 or 57344) and
/// the scale travels with it. Unscaled, magnitudes below the smallest subnormal (2^-10 rounds to zero
/// in E4M3, 2^-17 in E5M2) vanish - late gradients are mostly there - and magnitudes beyond the
/// largest number saturate, as conversion hardware does. A scaled scope whose maximum is below
/// 2^-100 is sent as zeros, because its scale would leave the range in which it can be inverted.
public struct Float8: Codec {
  /// Where the bits go: to the mantissa or to the exponent.
  public enum Format: String, Sendable, CaseIterable {
    case e4m3, e5m2

    var numbers: SmallFloat { self == .e4m3 ? .e4m3 : .e5m2 }
  }

  public let format: Format
  /// Whether every scope has a scale.
  public let isScaled: Bool

  public init(format: Format = .e4m3, isScaled: Bool = true) {
    self.format = format
    self.isScaled = isScaled
  }

  public var name: String { "fp8" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if format != .e4m3 { result.append(("format", format.rawValue)) }
    if !isScaled { result.append(("scaled", "false")) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: isScaled ? "8n+32*ceil(n/B)" : "8n",
      citation: "Micikevicius et al., FP8 Formats for Deep Learning, 2022, arXiv:2209.05433",
      bias: .biased, sampleScaling: isScaled ? .needsFullTensor : .scales)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 1
    return StageCost(
      encode: CodecWork(
        kernels: isScaled ? 2 : 1, bytesPerElement: (isScaled ? 9 : 5) * load.values,
        source: isScaled
          ? "derived: one pass of 4 bytes for the range, one of 4 and 1 to cast"
          : "derived: one pass, 4 bytes and 1 byte a value"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 5 * load.values,
        source: "derived: one pass, 1 byte and 4 bytes a value"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = 8
    if isScaled { size.otherBits += 32 * size.scopeCount }
  }

  public func streamBytes(for record: Encoded) -> Int? {
    record.valueCount + (isScaled ? 8 + 4 * record.scopeCount : 0)
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let memory = scratch.stream(values.count)
    let codes = memory.assumingMemoryBound(to: UInt8.self)
    let numbers = format.numbers
    if isScaled {
      let bounds = try record.valueBounds(for: name, scratch: &scratch)
      let scaleMemory = scratch.stream(4 * record.scopeCount)
      let scales = scaleMemory.assumingMemoryBound(to: Float.self)
      for scope in 0..<record.scopeCount {
        let start = bounds[scope]
        let count = bounds[scope + 1] - start
        scales[scope] = 0
        if count == 0 { continue }
        let source = values.baseAddress! + start
        let range = Float(bitPattern: UInt32(Reductions.largestMagnitudeBits(source, count)))
        guard range.isFinite else { throw setting.notFinite(name, values) }
        let isTiny = range < 0x1p-100
        if !isTiny { scales[scope] = range / numbers.largest }
        _ = numbers.round(
          source, count, factor: isTiny ? 0 : numbers.largest / range, into: codes + start)
      }
      record.replace(
        .scales,
        with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
    } else if let source = values.baseAddress {
      let worst = numbers.round(source, values.count, factor: 1, into: codes)
      guard worst < Reductions.infinityBits else { throw setting.notFinite(name, values) }
    }
    record.replace(
      .values,
      with: PayloadStream(.values, .packed, parameter: 8, count: values.count, base: memory))
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: 8, for: name)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let codes = stream.elements(as: UInt8.self)
    if isScaled {
      let scales = try record.scales(1, for: name)
      let bounds = try record.valueBounds(for: name, scratch: &scratch)
      for scope in 0..<record.scopeCount {
        let start = bounds[scope]
        format.numbers.widen(
          codes + start, bounds[scope + 1] - start, factor: scales[scope], into: output + start)
      }
      record.remove(.scales)
    } else {
      format.numbers.widen(codes, stream.count, factor: 1, into: output)
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}

extension Float8 {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      format: fields.optional(
        "format", .choice("format"), default: .e4m3,
        doc: "e4m3 has one more bit of mantissa, e5m2 of exponent"),
      isScaled: fields.optional(
        "scaled", .bool, default: true,
        doc: "maps the largest magnitude of a scope to the format's largest number"))
  }
}
