/// No compression: float32 as it is.
///
/// As the first stage it checks that the gradient is finite; anywhere it leaves the record alone.
public struct Identity: Codec {
  public init() {}

  public var name: String { "none" }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "32n", citation: "IEEE 754 binary32, little endian", bias: .exact)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> { .success(form) }
  public func cost(entering load: StageLoad) -> StageCost {
    StageCost(encode: .none, decode: .none, leaving: load)
  }
  public func worstCase(_ size: inout WorstCase) {}

  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let stream = record.stream(.values), stream.type == .float32 else { return }
    let values = try record.floats(for: name)
    guard let base = values.baseAddress, record.streams.count == 1 else { return }
    if Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits {
      throw setting.notFinite(name, values)
    }
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {}
}
