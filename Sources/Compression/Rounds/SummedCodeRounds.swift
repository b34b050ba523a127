import SimKernel

/// A codec whose codes add up across workers once they share the ranges of all scopes.
protocol SummableCodes: Codec {
  /// Bits of one worker's code.
  var codeBits: Int { get }
  /// The codes of a frame, wide enough to be added.
  func codes(in record: Encoded, scratch: inout CodecScratch) throws(CodecError) -> [Int32]
  /// Replaces the values of `record`, and what belongs to them, by the float32 mean of `workers`
  /// workers whose codes added up to `sum`.
  func restore(
    _ sum: [Int32], workers: Int, in record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError)
}

/// A maximum of ranges, then a sum of codes quantised with it.
struct SummedCodeRounds: CodecRounds {
  private let setup: RoundSetup
  private let codec: any SummableCodes
  private var ranges: [Float]?
  private var frame: EncodedGradient?
  private var sum: [Int32]?

  init(_ setup: RoundSetup, codec: any SummableCodes) {
    self.setup = setup
    self.codec = codec
  }

  /// The exchanges, for `codes` codes of `codeBits` bits.
  static func steps(_ setup: ExchangeSetup, codeBits: Int, codes: Int) -> [ExchangeStep] {
    let accumulator = codeBits + ExchangePlan.extraBits(workers: setup.workers)
    return [
      ExchangeStep(
        .max, bits: 32 * setup.scopeCount, elements: setup.scopeCount, purpose: "range of a scope"),
      ExchangeStep(
        .sum, bits: accumulator * codes, elements: max(1, codes),
        purpose: "codes in \(accumulator)-bit accumulators"),
    ]
  }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    let count = setup.gradient.count
    if let sum, let frame {
      var mean = [Float](repeating: 0, count: count)
      let failure = mean.withUnsafeMutableBufferPointer { target -> CodecError? in
        do throws(CodecError) {
          try FrameValues.withRecord(frame, setup.pipeline, count, &scratch) {
            (record, scratch) throws(CodecError) -> Void in
            try codec.restore(sum, workers: setup.workers, in: &record, scratch: &scratch)
            try setup.pipeline.undoFloats(&record, into: target, scratch: &scratch)
          }
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
      return .finished(mean)
    }
    let encoded = try setup.encoded(sharedScales: ranges, scratch: &scratch)
    guard ranges != nil else {
      let own = try FrameValues.scales(
        in: encoded, of: setup.pipeline, count: count, scratch: &scratch)
      return .exchange(.max, .numbers(own, type: .float32))
    }
    frame = encoded
    let codes = try FrameValues.withRecord(encoded, setup.pipeline, count, &scratch) {
      (record, scratch) throws(CodecError) -> [Int32] in
      try codec.codes(in: record, scratch: &scratch)
    }
    let width = codec.codeBits + ExchangePlan.extraBits(workers: setup.workers)
    return .exchange(.sum, .integers(codes, accumulatorBits: width))
  }
  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    switch result {
    case .one(.numbers(let agreed, _)) where ranges == nil: ranges = agreed
    case .one(.integers(let codes, _)) where ranges != nil: sum = codes
    default: throw CodecError(codec: "rounds", "a maximum of ranges, then a sum of codes is needed")
    }
  }
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    guard let frame else { return mean }
    return try setup.pipeline.decode(frame, count: setup.gradient.count, scratch: &scratch)
  }
}
