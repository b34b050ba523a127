/// One bit an element, without any magnitude (signSGD); several workers' signs become their majority
/// (signSGD with majority vote).
///
/// Zeros, minus zero too, are sent as plus, as everywhere in the sign family, so a gradient of many
/// exact zeros decodes to many ones. Decoded values are +1 and -1: the learning rate is the only
/// scale. A tied vote is plus, like a zero; after a sparsifier, elements that nobody selected stay 0.
public struct SignSGD: Codec {
  /// Who sends signs, where another codec sends them as this one does.
  public let name: String

  public init() { self.init(name: "signsgd") }
  init(name: String) { self.name = name }

  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "n",
      citation: "Bernstein et al., signSGD, ICML 2018, arXiv:1802.04434; signSGD with Majority "
        + "Vote, ICLR 2019, arXiv:1810.05291",
      bias: .biased)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = 0.125
    let work = CodecWork(
      kernels: 1, bytesPerElement: 4.125 * load.values,
      source: "derived: one pass, 4 bytes and 1 bit a value")
    return StageCost(encode: work, decode: work, leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) { size.bitsPerValue = 1 }

  public func streamBytes(for record: Encoded) -> Int? { (record.valueCount + 63) / 64 * 8 }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let count = values.count
    let memory = scratch.stream((count + 63) / 64 * 8)
    let words = memory.assumingMemoryBound(to: UInt64.self)
    let worst = values.baseAddress.map { SignPacking.pack($0, count, into: words) } ?? 0
    guard worst < Reductions.infinityBits else { throw setting.notFinite(name, values) }
    record.replace(
      .values, with: PayloadStream(.values, .packed, parameter: 1, count: count, base: memory))
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: 1, for: name)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let words = SignPacking.words(of: stream, scratch: &scratch)
    let stores = LargeStores(stream.count)
    SignPacking.unpack(words, 0..<stream.count, positive: 1, negative: -1, into: output, stores)
    stores.finish()
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }

  public var keepsMagnitude: Bool { false }

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? { MajorityVoteRounds(setup) }
}
