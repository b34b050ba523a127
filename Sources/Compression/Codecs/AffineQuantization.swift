import SimKernel

/// Unsigned 8-bit integers with a zero point: code = round(x / scale) + zero, where scale =
/// (max - min) / 255 per scope and the range always holds 0 (PyTorch's `quantization_pertensor_hook`).
///
/// PyTorch's observer never lets the scale fall below 2^-23, so a gradient within +-1.5e-5 comes back
/// as at most a few levels, and one within +-6e-8 as zeros: that is what `min_scale` reproduces, and 0
/// switches it off (then a scope whose scale is below 2^-100 is sent as zeros). Payloads are gathered,
/// as the hook does.
public struct AffineQuantization: Codec {
  /// The smallest scale.
  public let minimumScale: Float

  /// PyTorch's epsilon, unless told otherwise.
  public init(minimumScale: Float = 0x1p-23) { self.minimumScale = minimumScale }

  public var name: String { "uint8_affine" }
  public var parameters: [(key: String, value: String)] {
    minimumScale == 0x1p-23 ? [] : [("min_scale", JSONNumber.shortest(Double(minimumScale)))]
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "8n+64*ceil(n/B)",
      citation: "Jacob et al., Quantization and Training of Neural Networks for Efficient "
        + "Integer-Arithmetic-Only Inference, CVPR 2018, arXiv:1712.05877; PyTorch DDP "
        + "communication hooks",
      bias: .biased, sampleScaling: .needsFullTensor)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 1
    return StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: 9 * load.values,
        source: "derived: one pass of 4 bytes for minimum and maximum, one of 4 and 1 to quantise"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 5 * load.values,
        source: "derived: one pass, 1 byte and 4 bytes a value"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = 8
    size.otherBits += 64 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    record.valueCount + 8 + 8 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let memory = scratch.stream(values.count)
    let codes = memory.assumingMemoryBound(to: UInt8.self)
    let scaleMemory = scratch.stream(8 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    for scope in 0..<record.scopeCount {
      let start = bounds[scope]
      let count = bounds[scope + 1] - start
      scales[2 * scope] = 0
      scales[2 * scope + 1] = 0
      if count == 0 { continue }
      let source = values.baseAddress! + start
      let range = Self.range(source, count)
      guard range.low.isFinite, range.high.isFinite else { throw setting.notFinite(name, values) }
      let width = range.high - range.low
      // The difference of two numbers near the largest float may not be one.
      var scale = width.isFinite ? width / 255 : range.high / 255 - range.low / 255
      scale = max(scale, minimumScale)
      if scale < 0x1p-100 {
        for index in start..<start + count { codes[index] = 0 }
        continue
      }
      let zero = max(0, min(255, -(range.low / scale).rounded(.toNearestOrEven)))
      scales[2 * scope] = scale
      scales[2 * scope + 1] = zero
      Self.quantize(source, count, scale: scale, zero: Int32(zero), into: codes + start)
    }
    record.replace(
      .values,
      with: PayloadStream(.values, .packed, parameter: 8, count: values.count, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: 2 * record.scopeCount, base: scaleMemory))
  }

  /// The smallest and the largest element, or 0 if that is outside them; not finite if an element is
  /// not.
  ///
  /// Compares bits, which order like the numbers once those of negative ones are inverted: a minimum
  /// of floats would stay scalar, because of NaN.
  private static func range(
    _ source: UnsafePointer<Float>, _ count: Int
  ) -> (low: Float, high: Float) {
    var low: Int32 = 0
    var high: Int32 = 0
    for index in 0..<count {
      let bits = Int32(bitPattern: source[index].bitPattern)
      let key = bits ^ (bits >> 31 & 0x7FFF_FFFF)
      low = key < low ? key : low
      high = key > high ? key : high
    }
    return (
      Float(bitPattern: UInt32(bitPattern: low ^ (low >> 31 & 0x7FFF_FFFF))),
      Float(bitPattern: UInt32(bitPattern: high))
    )
  }

  /// Divides, as the hook does: a product with the inverse would round some halves the other way.
  private static func quantize(
    _ source: UnsafePointer<Float>, _ count: Int, scale: Float, zero: Int32,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    let base = Int32(bitPattern: MagicRounding.magic.bitPattern) &- zero
    for index in 0..<count {
      // |x| / scale <= 255 up to rounding, so the difference of bits is the rounded integer.
      let code = Int32(bitPattern: MagicRounding.bits(source[index] / scale)) &- base
      let positive = code > 0 ? code : 0
      codes[index] = UInt8(truncatingIfNeeded: positive < 255 ? positive : 255)
    }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: 8, for: name)
    let scales = try record.scales(2, for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let codes = stream.elements(as: UInt8.self)
    for scope in 0..<record.scopeCount {
      let scale = scales[2 * scope]
      let zero = scales[2 * scope + 1]
      for index in bounds[scope]..<bounds[scope + 1] {
        output[index] = (Float(codes[index]) - zero) * scale
      }
    }
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}

extension AffineQuantization {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      minimumScale: Float(
        fields.optional(
          "min_scale", .number(in: 0...1), default: 0x1p-23,
          doc: "the smallest scale; PyTorch's observer has 2^-23, 0 has none")))
  }
}
