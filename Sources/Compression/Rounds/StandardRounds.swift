import SimKernel

/// One sum: encode, add the typed values up, decode, divide by the number of workers.
struct SummingRounds: CodecRounds {
  private let setup: RoundSetup
  private var frame: EncodedGradient?
  private var sum: [Float]?

  init(_ setup: RoundSetup) { self.setup = setup }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    if let sum, let frame {
      let total = try FrameValues.replacing(
        in: frame, of: setup.pipeline, count: setup.gradient.count, with: sum, scratch: &scratch)
      var mean = try setup.pipeline.decode(total, count: setup.gradient.count, scratch: &scratch)
      let workers = Float(setup.workers)
      for index in mean.indices { mean[index] /= workers }
      return .finished(mean)
    }
    let encoded = try setup.encoded(scratch: &scratch)
    frame = encoded
    let (values, type) = try FrameValues.numbers(
      in: encoded, of: setup.pipeline, count: setup.gradient.count, scratch: &scratch)
    return .exchange(.sum, .numbers(values, type: type))
  }
  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard case .one(.numbers(let values, _)) = result else {
      throw CodecError(codec: "rounds", "a sum of numbers is needed")
    }
    sum = values
  }
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    // A sketch's own estimates are no part of those of the sum: there everyone's share is the mean.
    guard let frame, setup.pipeline.stages.allSatisfy(\.decodesLinearly) else { return mean }
    return try setup.pipeline.decode(frame, count: setup.gradient.count, scratch: &scratch)
  }
}

/// One gather (and the exchange of sizes before it, which carries no numbers): encode, then decode
/// everyone's payload and take the mean in the order of ranks.
struct GatheringRounds: CodecRounds {
  private let setup: RoundSetup
  private var frame: EncodedGradient?
  private var frames: [[UInt8]]?

  init(_ setup: RoundSetup) { self.setup = setup }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    guard let frames else {
      let encoded = try setup.encoded(scratch: &scratch)
      frame = encoded
      return .exchange(.gather, .frame(encoded.bytes, payloadBits: encoded.payloadBits))
    }
    let count = setup.gradient.count
    // Memory that stays: fresh pages for every gradient would cost more than decoding it.
    let decoded = scratch.kept(0, of: Float.self, count)
    let total = scratch.kept(1, of: Double.self, count)
    // In bounds: all have `count` elements.
    for index in 0..<count { total[index] = 0 }
    var encoded = EncodedGradient()
    for frame in frames {
      encoded.bytes = frame
      try setup.pipeline.decode(
        encoded, into: UnsafeMutableBufferPointer(start: decoded, count: count),
        scratch: &scratch)
      for index in 0..<count { total[index] += Double(decoded[index]) }
    }
    let workers = Double(frames.count)
    return .finished(
      [Float](unsafeUninitializedCapacity: count) { result, initialized in
        for index in 0..<count { result[index] = Float(total[index] / workers) }
        initialized = count
      })
  }
  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard case .gathered(let gathered) = result else {
      throw CodecError(codec: "rounds", "gathered frames are needed")
    }
    frames = gathered
  }
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    guard let frame else { return mean }
    return try setup.pipeline.decode(frame, count: setup.gradient.count, scratch: &scratch)
  }
}

/// A maximum of ranges, then a sum of codes quantised with it.
struct SharedRangeRounds: CodecRounds {
  private let setup: RoundSetup
  private var scales: [Float]?
  private var frame: EncodedGradient?
  private var sum: [Int32]?

  init(_ setup: RoundSetup) { self.setup = setup }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    let count = setup.gradient.count
    if let sum, let frame {
      return .finished(
        try FrameValues.meanOfCodes(
          sum, workers: setup.workers, in: frame, of: setup.pipeline, count: count,
          scratch: &scratch))
    }
    let encoded = try setup.encoded(sharedScales: scales, scratch: &scratch)
    guard scales != nil else {
      let own = try FrameValues.scales(
        in: encoded, of: setup.pipeline, count: count, scratch: &scratch)
      return .exchange(.max, .numbers(own, type: .float32))
    }
    frame = encoded
    let codes = try FrameValues.codes(
      in: encoded, of: setup.pipeline, count: count, scratch: &scratch)
    let width = 8 + ExchangePlan.extraBits(workers: setup.workers)
    return .exchange(.sum, .integers(codes, accumulatorBits: width))
  }
  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    switch result {
    case .one(.numbers(let ranges, _)) where scales == nil: scales = ranges
    case .one(.integers(let codes, _)) where scales != nil: sum = codes
    default: throw CodecError(codec: "rounds", "a maximum of ranges, then a sum of codes is needed")
    }
  }
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    guard let frame else { return mean }
    return try setup.pipeline.decode(frame, count: setup.gradient.count, scratch: &scratch)
  }
}
