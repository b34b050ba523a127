import SimKernel

/// One worker's side of the conversation in which gradients become their mean.
///
/// Resumable: `next` says what is to be exchanged, `receive` takes what came of it, until `next` has
/// the result. Codecs of one round need nothing of this: the pipeline sums or gathers for them. A codec
/// of several rounds (shared ranges; PowerSGD's two dependent sums) returns its own from
/// ``Codec/rounds(_:)``.
public protocol CodecRounds {
  /// The next exchange, or the mean of all workers' gradients as this worker decodes it.
  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest
  /// Takes the result of the exchange that `next` asked for.
  mutating func receive(_ result: RoundResult, scratch: inout CodecScratch) throws(CodecError)
}

/// What a worker wants next.
public enum RoundRequest: Sendable {
  case exchange(ExchangeKind, RoundPayload)
  /// The conversation is over; this is the mean gradient.
  case finished([Float])
}

/// What a worker contributes to an exchange.
public enum RoundPayload: Sendable {
  /// Numbers to be reduced, rounded to `type` after every addition as a reducing collective in that
  /// type does.
  case numbers([Float], type: ElementType)
  /// Codes to be added in accumulators of so many bits.
  case integers([Int32], accumulatorBits: Int)
  /// A frame to be gathered or broadcast, with its payload in bits.
  case frame([UInt8], payloadBits: Int64)

  /// What travels, in bits.
  public var bits: Int64 {
    switch self {
    case .numbers(let values, let type): Int64(values.count * (type.bits ?? 32))
    case .integers(let codes, let width): Int64(codes.count * width)
    case .frame(_, let bits): bits
    }
  }
}

/// What a worker gets out of an exchange.
public enum RoundResult: Sendable {
  /// The sum, the maximum, or the leader's payload.
  case one(RoundPayload)
  /// All workers' frames by rank.
  case gathered([[UInt8]])
}

/// What a conversation starts from.
public struct RoundSetup: Sendable {
  public var pipeline: CompressionPipeline
  public var gradient: [Float]
  public var tensors: [TensorRange]
  public var scope: CodecScope
  /// The stream of this gradient, the same on every worker.
  public var random: RandomStream
  /// This worker's rank.
  public var worker: Int
  public var workers: Int

  public init(
    pipeline: CompressionPipeline, gradient: [Float], tensors: [TensorRange], scope: CodecScope,
    random: RandomStream, worker: Int, workers: Int
  ) {
    self.pipeline = pipeline
    self.gradient = gradient
    self.tensors = tensors
    self.scope = scope
    self.random = random
    self.worker = worker
    self.workers = workers
  }

  /// The gradient encoded by the pipeline, with agreed scales if there are any.
  func encoded(
    sharedScales: [Float]? = nil, scratch: inout CodecScratch
  ) throws(CodecError) -> EncodedGradient {
    var result = EncodedGradient()
    let failure = gradient.withUnsafeBufferPointer { values -> CodecError? in
      do throws(CodecError) {
        try pipeline.encode(
          values, tensors: tensors, scope: scope, random: random, worker: worker,
          sharedScales: sharedScales, scratch: &scratch, into: &result)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    return result
  }
}

extension CompressionPipeline {
  /// The conversation of one worker.
  public func rounds(_ setup: RoundSetup) -> any CodecRounds {
    for stage in stages {
      if let rounds = stage.rounds(setup) { return rounds }
    }
    return aggregation == .summable ? SummingRounds(setup) : GatheringRounds(setup)
  }
}
