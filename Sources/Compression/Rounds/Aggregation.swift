import SimKernel

/// What became of several workers' gradients: the mean they decode, and what it cost.
public struct AggregatedGradient: Sendable {
  /// The mean as every worker has it afterwards.
  public var mean: [Float]
  /// The exact mean of the workers' gradients.
  public var exactMean: [Float]
  /// How far the one is from the other.
  public var error: GradientError
  /// The exchanges, with what each worker contributed, in bits.
  public var exchanges: [(kind: ExchangeKind, bits: [Int64])]
}

/// A conversation that is over.
struct Conversation {
  var mean: [Float]
  var exchanges: [(kind: ExchangeKind, bits: [Int64])]
  /// The sides of the workers, by rank.
  var workers: [any CodecRounds]
}

extension CompressionPipeline {
  /// Runs the conversation of all workers in memory and compares its mean with the exact one.
  ///
  /// `gradients` are the workers' flat gradients of one iteration, by rank. `memories` are what each
  /// worker's codecs remember of the iterations before; without them all start cold.
  ///
  /// - Throws: `CodecError` if a gradient is not finite, or a sum leaves its type's range.
  /// - Complexity: O(P n) for encoding; a gather of P payloads is decoded once, since all workers
  ///   decode the same bytes.
  public func aggregate(
    _ gradients: [[Float]], tensors: [TensorRange]? = nil, scope: CodecScope = .model,
    random: RandomStream, memories: [CodecMemory]? = nil, iteration: Int = 0,
    scratch: inout CodecScratch
  ) throws(CodecError) -> AggregatedGradient {
    let talk = try converse(
      gradients, tensors: tensors ?? TensorRange.whole(gradients.first?.count ?? 0), scope: scope,
      random: random, memories: memories, iteration: iteration, scratch: &scratch)
    let exact = Self.mean(of: gradients)
    return AggregatedGradient(
      mean: talk.mean, exactMean: exact,
      error: GradientError.compare(original: exact, decoded: talk.mean), exchanges: talk.exchanges)
  }

  /// The conversation of all workers, over: its mean, and every worker's side of it.
  func converse(
    _ gradients: [[Float]], tensors: [TensorRange], scope: CodecScope, random: RandomStream,
    memories: [CodecMemory]?, iteration: Int, scratch: inout CodecScratch
  ) throws(CodecError) -> Conversation {
    precondition(
      memories == nil || memories?.count == gradients.count, "a memory for every worker")
    var talk = Conversation(mean: [], exchanges: [], workers: [])
    for (rank, gradient) in gradients.enumerated() {
      precondition(gradient.count == gradients[0].count, "gradients of one length")
      talk.workers.append(
        rounds(
          RoundSetup(
            pipeline: self, gradient: gradient, tensors: tensors, scope: scope, random: random,
            worker: rank, workers: gradients.count, iteration: iteration,
            memory: memories?[rank])))
    }
    while !talk.workers.isEmpty {
      var asked = (kind: ExchangeKind.sum, leader: 0)
      var payloads: [RoundPayload] = []
      for rank in talk.workers.indices {
        switch try talk.workers[rank].next(scratch: &scratch) {
        case .finished(let mean):
          // Everyone holds the same inputs from here on, so the first worker's mean is everyone's.
          talk.mean = mean
          return talk
        case .exchange(let kind, let payload, let leader):
          asked = (kind, leader)
          payloads.append(payload)
        }
      }
      talk.exchanges.append((asked.kind, payloads.map(\.bits)))
      let result = try RoundExchange.run(asked.kind, payloads, leader: asked.leader)
      for rank in talk.workers.indices {
        try talk.workers[rank].receive(result, scratch: &scratch)
      }
    }
    return talk
  }

  /// The mean in double precision, rounded once.
  public static func mean(of gradients: [[Float]]) -> [Float] {
    guard let first = gradients.first else { return [] }
    let count = first.count
    let workers = Double(gradients.count)
    return [Float](unsafeUninitializedCapacity: count) { result, initialized in
      // Block by block: a double for every element would cost more in page faults than in sums.
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2048) { total in
        var start = 0
        while start < count {
          // In bounds: a block ends where the gradients do, which all have `count` elements.
          let length = min(total.count, count - start)
          for (rank, gradient) in gradients.enumerated() {
            gradient.withUnsafeBufferPointer { values in
              let part = UnsafeBufferPointer(rebasing: values[start..<start + length])
              if rank == 0 {
                for index in 0..<length { total[index] = Double(part[index]) }
              } else {
                for index in 0..<length { total[index] += Double(part[index]) }
              }
            }
          }
          for index in 0..<length { result[start + index] = Float(total[index] / workers) }
          start += length
        }
      }
      initialized = count
    }
  }
}

/// The exchanges themselves, in memory and in the order of ranks.
enum RoundExchange {
  static func run(
    _ kind: ExchangeKind, _ payloads: [RoundPayload], leader: Int
  ) throws(CodecError) -> RoundResult {
    switch kind {
    case .gather:
      return .gathered(
        payloads.map { payload in
          if case .frame(let bytes, _) = payload { return bytes }
          return []
        })
    case .broadcast: return .one(payloads[leader])
    case .sum, .max:
      var result = payloads[0]
      for payload in payloads.dropFirst() { result = try reduce(kind, result, payload) }
      return .one(result)
    }
  }

  private static func reduce(
    _ kind: ExchangeKind, _ a: RoundPayload, _ b: RoundPayload
  ) throws(CodecError) -> RoundPayload {
    switch (a, b) {
    case (.numbers(let left, let type), .numbers(let right, _)) where left.count == right.count:
      var result = left
      for index in result.indices {
        result[index] =
          kind == .max ? max(left[index], right[index]) : left[index] + right[index]
      }
      return .numbers(try rounded(result, to: type), type: type)
    case (.integers(let left, let width), .integers(let right, _)) where left.count == right.count:
      // Codes of at most 15 bits and accumulators of at most 31 do not overflow.
      return .integers(
        left.indices.map { kind == .max ? max(left[$0], right[$0]) : left[$0] + right[$0] },
        accumulatorBits: width)
    default: throw CodecError(codec: "rounds", "payloads of different shape cannot be reduced")
    }
  }

  private static func rounded(
    _ values: [Float], to type: ElementType
  ) throws(CodecError) -> [Float] {
    if type != .float16 && type != .bfloat16 { return values }
    var half = [UInt16](repeating: 0, count: values.count)
    var result = values
    let worst = half.withUnsafeMutableBufferPointer { output in
      result.withUnsafeMutableBufferPointer { memory -> UInt16 in
        guard let input = memory.baseAddress, let output = output.baseAddress else { return 0 }
        if type == .float16 {
          let worst = HalfPrecision.toFloat16(input, output, memory.count)
          HalfPrecision.fromFloat16(output, input, memory.count)
          return worst >= 0x7C00 ? 1 : 0
        }
        let worst = HalfPrecision.toBFloat16(input, output, memory.count)
        HalfPrecision.fromBFloat16(output, input, memory.count)
        return worst >= 0x7F80 ? 1 : 0
      }
    }
    if worst != 0 {
      throw CodecError(codec: type == .float16 ? "fp16" : "bf16", "the workers' sum overflows")
    }
    return result
  }
}
