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

  public func streamBytes(for record: Encoded) -> Int? {
    guard record.streams.count == 1, let stream = record.stream(.values),
      stream.type == .float32
    else { return nil }
    return stream.byteCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let stream = record.stream(.values), stream.type == .float32 else { return }
    let values = try record.floats(for: name)
    guard let base = values.baseAddress else { return }
    guard scratch.writesFrame else {
      if Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits {
        throw setting.notFinite(name, values)
      }
      return
    }
    let copy = scratch.stream(stream.byteCount).assumingMemoryBound(to: Float.self)
    if Reductions.copy(base, to: copy, values.count) >= Reductions.infinityBits {
      throw setting.notFinite(name, values)
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: values.count, base: copy))
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {}
}
