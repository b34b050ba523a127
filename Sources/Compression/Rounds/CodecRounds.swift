import SimKernel

/// One worker's side of the conversation in which gradients become their mean.
///
/// Resumable: `next` says what is to be exchanged, `receive` takes what came of it, until `next` has
/// the result. Codecs of one round need nothing of this: the pipeline sums or gathers for them. A codec
/// of several rounds (shared ranges; PowerSGD's two dependent sums; a leader's positions) returns its
/// own from ``Codec/rounds(_:)``.
public protocol CodecRounds {
  /// The next exchange, or the mean of all workers' gradients as this worker decodes it.
  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest
  /// Takes the result of the exchange that `next` asked for.
  mutating func receive(_ result: RoundResult, scratch: inout CodecScratch) throws(CodecError)
  /// This worker's share of `mean` after the last exchange: what of its own gradient was sent, as
  /// error feedback takes it off the gradient.
  ///
  /// The mean of all workers' shares is `mean` up to rounding, except under a majority vote, whose
  /// shares are the single votes.
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float]
}

/// What a worker wants next.
public enum RoundRequest: Sendable {
  /// An exchange with this worker's contribution; `leader` is the rank whose payload a broadcast
  /// carries, and without meaning elsewhere.
  case exchange(ExchangeKind, RoundPayload, leader: Int = 0)
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
public struct RoundSetup {
  public var pipeline: CompressionPipeline
  public var gradient: [Float]
  public var tensors: [TensorRange]
  public var scope: CodecScope
  /// The stream of this gradient, the same on every worker.
  public var random: RandomStream
  /// This worker's rank.
  public var worker: Int
  public var workers: Int
  /// The number of this iteration, from 0.
  public var iteration: Int
  /// What this worker remembers of the iterations before; nil starts cold.
  public var memory: CodecMemory?
  /// Positions that a leader chose for everyone; nil if there was none.
  var sharedPositions: [UInt32]?

  public init(
    pipeline: CompressionPipeline, gradient: [Float], tensors: [TensorRange], scope: CodecScope,
    random: RandomStream, worker: Int, workers: Int, iteration: Int = 0,
    memory: CodecMemory? = nil
  ) {
    self.pipeline = pipeline
    self.gradient = gradient
    self.tensors = tensors
    self.scope = scope
    self.random = random
    self.worker = worker
    self.workers = workers
    self.iteration = iteration
    self.memory = memory
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
          sharedScales: sharedScales, sharedPositions: sharedPositions, memory: memory,
          iteration: iteration, scratch: &scratch, into: &result)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    return result
  }
}

extension CompressionPipeline {
  /// The conversation of one worker.
  public func rounds(_ setup: RoundSetup) -> any CodecRounds { rounds(setup, from: 0) }

  /// The conversation that the stages from `first` on ask for.
  func rounds(_ setup: RoundSetup, from first: Int) -> any CodecRounds {
    for stage in stages[first...] {
      if let rounds = stage.rounds(setup) { return rounds }
    }
    return aggregation == .summable ? SummingRounds(setup) : GatheringRounds(setup)
  }
}
