import SimKernel

/// All workers' gradients become their mean, iteration after iteration, with whatever is kept between
/// them: residuals, momenta, codecs' memories, residuals of servers.
///
///     var exchange = CompressedExchange(plan: plan, scheme: .collective, workers: 4)
///     for iteration in 0..<100 {
///       let result = try exchange.aggregate(
///         gradients(iteration), iteration: iteration, random: stream, scratch: &scratch)
///       result.error.relativeL2       // of this iteration's mean against the exact one
///     }
///
/// With error feedback (or momentum correction without momentum) nothing is lost, only late: the sum
/// of the means so far, plus the mean of the workers' residuals, plus the servers' residual, is the
/// sum of the exact means up to rounding - except under a majority vote, whose result is no mean, and
/// under a residual that decays.
///
/// A copy goes its own way from then on.
public struct CompressedExchange {
  public let scheme: ExchangeScheme
  public let workers: Int
  public let settings: CompressionSettings
  public let elementCount: Int
  /// The plan of every phase, by its first iteration.
  private let phases: [(first: Int, plan: CompressionPlan)]
  private var phase = 0
  private var memories: ExchangeMemories
  private var feedback: [ErrorFeedback] = []
  private var corrections: [MomentumCorrection] = []
  /// What servers have not sent yet, over the whole gradient; empty without their feedback.
  public private(set) var serverResidual: [Float] = []
  /// What every worker sent in the last exchange, in bits of payload: pushes, hops and broadcasts, but
  /// not the replies of servers.
  public private(set) var sentBits: [Int64]

  /// An exchange before its first iteration.
  ///
  /// - Precondition: the scheme takes the plan's pipelines; see ``refusal(of:scheme:)``.
  public init(plan: CompressionPlan, scheme: ExchangeScheme, workers: Int) {
    precondition(workers >= 1, "an exchange needs a worker")
    if let reason = Self.refusal(of: plan.settings, scheme: scheme) { preconditionFailure(reason) }
    self.scheme = scheme
    self.workers = workers
    settings = plan.settings
    elementCount = plan.elementCount
    phases = plan.settings.phases.map {
      ($0.first, CompressionPlan(settings: $0.settings, tensors: plan.tensors))
    }
    memories = Self.memories(phases[0].plan, scheme, workers)
    sentBits = [Int64](repeating: 0, count: workers)
    if let own = plan.settings.momentumCorrection {
      let start = MomentumCorrection(elementCount: plan.elementCount, settings: own)
      corrections = [MomentumCorrection](repeating: start, count: workers)
    } else if let own = plan.settings.errorFeedback {
      let start = ErrorFeedback(elementCount: plan.elementCount, settings: own)
      feedback = [ErrorFeedback](repeating: start, count: workers)
    }
    if case .servers(_, _, .some) = scheme {
      serverResidual = [Float](repeating: 0, count: plan.elementCount)
    }
  }

  /// Why `scheme` cannot exchange what `settings` make of a gradient, and what to do; nil if it can.
  public static func refusal(
    of settings: CompressionSettings, scheme: ExchangeScheme
  ) -> String? {
    if case .servers(let shards, _, _) = scheme, shards < 1 {
      return "\(shards) servers keep no gradient; use at least one"
    }
    for pipeline in settings.pipelines {
      if let reason = scheme.refusal(of: pipeline) { return reason }
    }
    return nil
  }

  private static func memories(
    _ plan: CompressionPlan, _ scheme: ExchangeScheme, _ workers: Int
  ) -> ExchangeMemories {
    let chunks =
      switch scheme {
      case .collective, .topKTree: 1
      case .servers(let shards, _, _): shards
      case .ring: workers
      }
    return ExchangeMemories(groups: plan.groups.count, workers: workers, chunks: chunks)
  }

  // MARK: - One iteration

  /// The mean of `gradients`, by rank, as every worker has it afterwards, against the exact mean of the
  /// gradients as they came in.
  ///
  /// `iteration` decides the phase, the leader and the random numbers, which come from a child of
  /// `random`: the same stream may be given every time. With momentum correction the mean is of
  /// momenta, so that its distance from the gradients' is no error of compression alone;
  /// ``CompressionStudy`` compares it with momenta.
  ///
  /// - Throws: `CodecError` if a gradient is not finite, or a sum leaves its type's range; what is kept
  ///   between iterations is indeterminate then.
  /// - Complexity: O(P n) for encoding, and as much again for a worker's share of the mean where a
  ///   residual needs it.
  public mutating func aggregate(
    _ gradients: [[Float]], iteration: Int, random: RandomStream, scratch: inout CodecScratch
  ) throws(CodecError) -> AggregatedGradient {
    precondition(gradients.count == workers, "a gradient of every worker")
    precondition(
      gradients.allSatisfy { $0.count == elementCount }, "gradients of the plan's length")
    let plan = enter(iteration)
    let corrected = correct(gradients)
    let stream = random.split(iteration)
    let wantsShares = !feedback.isEmpty || !corrections.isEmpty
    var mean = [Float](repeating: 0, count: elementCount)
    var shares = wantsShares ? gradients.map { _ in mean } : []
    var exchanges: [(kind: ExchangeKind, bits: [Int64])] = []
    sentBits = [Int64](repeating: 0, count: workers)
    for (index, group) in plan.groups.enumerated() {
      var part = GroupExchange(
        group, random: stream.split(index), iteration: iteration, wantsShares: wantsShares,
        parts: corrected.map { gradient in
          gradient.withUnsafeBufferPointer { group.gather($0) }
        }, memories: memories.groups[index])
      try run(&part, scratch: &scratch)
      mean.withUnsafeMutableBufferPointer { CompressionPlan.scatter(group, part.mean, $0) }
      for rank in shares.indices {
        shares[rank].withUnsafeMutableBufferPointer {
          CompressionPlan.scatter(group, part.shares[rank], $0)
        }
      }
      exchanges += part.exchanges
      for rank in sentBits.indices { sentBits[rank] += part.sent[rank] }
    }
    settle(corrected, shares, plan)
    let exact = CompressionPipeline.mean(of: gradients)
    return AggregatedGradient(
      mean: mean, exactMean: exact, error: GradientError.compare(original: exact, decoded: mean),
      exchanges: exchanges)
  }

  /// The plan of `iteration`; codecs of a new phase start cold.
  private mutating func enter(_ iteration: Int) -> CompressionPlan {
    let current = phases.lastIndex { $0.first <= iteration } ?? 0
    if current != phase {
      phase = current
      memories = Self.memories(phases[current].plan, scheme, workers)
    } else if !isKnownUniquelyReferenced(&memories) {
      memories = memories.copy()
    }
    return phases[current].plan
  }

  /// The gradients with what is left of those before.
  private mutating func correct(_ gradients: [[Float]]) -> [[Float]] {
    var result = gradients
    for rank in feedback.indices { feedback[rank].apply(to: &result[rank]) }
    for rank in corrections.indices {
      corrections[rank].apply(to: &result[rank], workers: workers)
    }
    return result
  }

  private mutating func run(
    _ part: inout GroupExchange, scratch: inout CodecScratch
  ) throws(CodecError) {
    switch scheme {
    case .collective: try part.runCollective(scratch: &scratch)
    case .ring: try part.runRing(scratch: &scratch)
    case .topKTree:
      // What is not compressed is summed.
      if part.pipeline.isIdentity {
        try part.runCollective(scratch: &scratch)
      } else {
        try part.runTopKTree(scratch: &scratch)
      }
    case .servers(let shards, let reply, let own):
      var residual: [Float] = []
      if own != nil {
        residual = serverResidual.withUnsafeBufferPointer {
          part.group.gather($0)
        }
      }
      try part.runServers(
        shards: shards, reply: reply, feedback: own, residual: &residual, scratch: &scratch)
      if own != nil {
        serverResidual.withUnsafeMutableBufferPointer {
          CompressionPlan.scatter(part.group, residual, $0)
        }
      }
    }
  }

  /// Keeps what was not sent.
  private mutating func settle(
    _ corrected: [[Float]], _ shares: [[Float]], _ plan: CompressionPlan
  ) {
    for rank in feedback.indices {
      feedback[rank].update(corrected: corrected[rank], decoded: shares[rank])
    }
    if corrections.isEmpty { return }
    var masks: [Range<Int>] = []
    for group in plan.groups where group.pipeline.selects && !group.pipeline.isLossless {
      masks += group.sources.map { $0.offset..<$0.offset + $0.count }
    }
    for rank in corrections.indices { corrections[rank].update(sent: shares[rank], masks: masks) }
  }

  // MARK: - What is kept

  /// What each worker has not sent yet, by rank; empty without error feedback or momentum correction.
  public var residuals: [[Float]] {
    corrections.isEmpty ? feedback.map(\.residual) : corrections.map(\.residual)
  }
  /// The l2 norms of ``residuals``.
  public var residualNorms: [Double] { residuals.map(GradientError.norm) }
  /// The l2 norm of ``serverResidual``; 0 without servers' feedback.
  public var serverResidualNorm: Double { GradientError.norm(serverResidual) }

  /// float32 numbers that a worker keeps from one iteration to the next: residual, momentum, and what
  /// its codecs remember so far.
  public func keptFloats(ofWorker rank: Int) -> Int {
    let own = corrections.isEmpty ? feedback.isEmpty ? 0 : elementCount : 2 * elementCount
    return own + memories.floatCount(ofWorker: rank)
  }
}
