import SimKernel

/// A cast to 16 bits: IEEE binary16 (`fp16`) or bfloat16 (`bf16`), to nearest, ties to even,
/// subnormals kept.
///
/// bfloat16 may also be the upper half of a float32 as it stands, which rounds towards zero and is
/// twice as far off.
///
/// Casts add up, so they ride reducing collectives. A value that would round to infinity is an error:
/// its decoded mean would be infinite too. The cast has the same bits on every machine, whether or not
/// it has instructions for it.
public struct FloatCast: Codec {
  /// The 16-bit format.
  public enum Format: Sendable { case float16, bfloat16 }
  /// How bfloat16 rounds.
  public enum Rounding: String, Sendable, CaseIterable {
    case nearestEven = "nearest_even"
    /// Towards zero: the lower half of the bits is dropped.
    case truncate
  }
  public let format: Format
  public let rounding: Rounding

  /// `rounding` is that of bfloat16; binary16 always rounds to nearest even.
  public init(_ format: Format, rounding: Rounding = .nearestEven) {
    self.format = format
    self.rounding = format == .float16 ? .nearestEven : rounding
  }

  public var parameters: [(key: String, value: String)] {
    rounding == .nearestEven ? [] : [("rounding", rounding.rawValue)]
  }
  public var name: String { format == .float16 ? "fp16" : "bf16" }
  var type: ElementType { format == .float16 ? .float16 : .bfloat16 }

  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "16n",
      citation: format == .float16
        ? "Micikevicius et al., Mixed Precision Training, ICLR 2018, arXiv:1710.03740"
        : "Kalamkar et al., A Study of BFLOAT16 for Deep Learning Training, 2019, arXiv:1905.12322",
      bias: .biased)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.content = .numbers(type)
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 2
    let work = CodecWork(
      kernels: 1, bytesPerElement: 6 * load.values,
      source: "derived: one pass, 4 bytes and 2 bytes a value")
    return StageCost(encode: work, decode: work, leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) { size.bitsPerValue = 16 }

  public func streamBytes(for record: Encoded) -> Int? {
    record.streams.reduce(0) { $0 + ($1.role == .values ? 2 * $1.count : 0) }
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let memory = scratch.stream(2 * values.count)
    let target = memory.assumingMemoryBound(to: UInt16.self)
    if let base = values.baseAddress {
      let worst =
        format == .float16
        ? HalfPrecision.toFloat16(base, target, values.count)
        : rounding == .truncate
          ? HalfPrecision.truncateToBFloat16(base, target, values.count)
          : HalfPrecision.toBFloat16(base, target, values.count)
      if worst >= (format == .float16 ? 0x7C00 : 0x7F80) {
        throw refusal(of: values, target, record, setting)
      }
    }
    record.replace(.values, with: PayloadStream(.values, type, count: values.count, base: memory))
  }

  /// The error for the first value that was not finite or became infinite.
  private func refusal(
    of values: UnsafeBufferPointer<Float>, _ target: UnsafeMutablePointer<UInt16>,
    _ record: Encoded, _ setting: StageSetting
  ) -> CodecError {
    // Rounding may carry a NaN's payload into the sign, so that its code looks finite.
    if values.contains(where: { !$0.isFinite }) { return setting.notFinite(name, values) }
    let limit: UInt16 = format == .float16 ? 0x7C00 : 0x7F80
    for index in 0..<values.count where target[index] & 0x7FFF >= limit {
      let tensor = setting.tensors.last { $0.offset <= index }
      return CodecError(
        codec: name, tensor: values.count == record.elementCount ? tensor?.name : nil,
        "\(values[index]) is beyond the largest \(type.title); scale the loss or use another codec")
    }
    return setting.tooLarge(name, values, "a value is out of range")
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.require(.values, type, for: name)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let input = stream.elements(as: UInt16.self)
    if format == .float16 {
      HalfPrecision.fromFloat16(input, output, stream.count)
    } else {
      HalfPrecision.fromBFloat16(input, output, stream.count)
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}

extension FloatCast {
  /// Reads the record of bfloat16.
  init(bfloat16 fields: inout FieldReader) {
    self.init(
      .bfloat16,
      rounding: fields.optional(
        "rounding", .choice("rounding"), default: .nearestEven,
        doc: "to the nearest value, ties to even, or towards zero by dropping 16 bits"))
  }
}
