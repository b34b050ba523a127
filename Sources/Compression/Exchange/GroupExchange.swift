import SimKernel

/// One exchange of one tensor group: what goes in, and what comes of it.
struct GroupExchange {
  let group: CompressionPlan.Group
  /// The stream of this group in this iteration.
  let random: RandomStream
  let iteration: Int
  /// Whether the workers' shares are wanted, which takes a decode of their own.
  let wantsShares: Bool
  /// The workers' gradients of the group, by rank.
  let parts: [[Float]]
  /// What codecs remember, by rank and chunk, and of every server.
  let memories: ExchangeMemories.Group

  /// The mean that every worker has afterwards.
  var mean: [Float]
  /// What of the mean times the workers is each worker's own; empty if not wanted.
  var shares: [[Float]] = []
  var exchanges: [(kind: ExchangeKind, bits: [Int64])] = []
  /// What every worker has sent, in bits.
  var sent: [Int64]

  init(
    _ group: CompressionPlan.Group, random: RandomStream, iteration: Int, wantsShares: Bool,
    parts: [[Float]], memories: ExchangeMemories.Group
  ) {
    self.group = group
    self.random = random
    self.iteration = iteration
    self.wantsShares = wantsShares
    self.parts = parts
    self.memories = memories
    mean = [Float](repeating: 0, count: group.elementCount)
    sent = [Int64](repeating: 0, count: parts.count)
    if wantsShares { shares = parts.map { _ in mean } }
  }

  var workers: Int { parts.count }
  var pipeline: CompressionPipeline { group.pipeline }

  /// Notes an exchange in which every worker sent `bits`.
  mutating func note(_ kind: ExchangeKind, byWorkers bits: [Int64]) {
    exchanges.append((kind, bits))
    for rank in bits.indices { sent[rank] += bits[rank] }
  }

  /// What `values`, the elements `range` of the group, decode to once encoded, and their payload.
  func code(
    _ values: [Float], _ range: Range<Int>, random: RandomStream, worker: Int,
    memory: CodecMemory?, scratch: inout CodecScratch
  ) throws(CodecError) -> (decoded: [Float], bits: Int64) {
    let frame = try pipeline.encode(
      values, tensors: ExchangeChunks.tensors(group.tensors, in: range), scope: group.scope,
      random: random, worker: worker, memory: memory, iteration: iteration, scratch: &scratch)
    return (try pipeline.decode(frame, count: values.count, scratch: &scratch), frame.payloadBits)
  }

  // MARK: - Collective

  /// The conversation that the pipeline asks for.
  mutating func runCollective(scratch: inout CodecScratch) throws(CodecError) {
    let talk = try pipeline.converse(
      parts, tensors: group.tensors, scope: group.scope, random: random,
      memories: memories.workers.map { $0[0] }, iteration: iteration, scratch: &scratch)
    mean = talk.mean
    for exchange in talk.exchanges { note(exchange.kind, byWorkers: exchange.bits) }
    guard wantsShares else { return }
    for rank in shares.indices {
      shares[rank] = try talk.workers[rank].share(of: mean, scratch: &scratch)
    }
  }

  // MARK: - Servers

  /// Pushes to the servers of `shards` shards, and their replies.
  ///
  /// `residual` is what the servers have not sent yet, and takes what they keep of this reply.
  mutating func runServers(
    shards: Int, reply: ExchangeScheme.Reply, feedback: ErrorFeedbackSettings?,
    residual: inout [Float], scratch: inout CodecScratch
  ) throws(CodecError) {
    var pushed = [Int64](repeating: 0, count: workers)
    var replied = [Int64](repeating: 0, count: shards)
    // A vote on votes has no momentum: only values that keep their magnitude have a history.
    let remembers = pipeline.stages.allSatisfy(\.keepsMagnitude)
    let ranges = ExchangeChunks.ranges(of: group.elementCount, parts: shards)
    for (shard, range) in ranges.enumerated() where !range.isEmpty {
      var total = [Float](repeating: 0, count: range.count)
      for rank in parts.indices {
        let push = try code(
          Array(parts[rank][range]), range, random: random.split(shard), worker: rank,
          memory: memories.workers[rank][shard], scratch: &scratch)
        pushed[rank] += push.bits
        for index in total.indices { total[index] += push.decoded[index] }
        if wantsShares { shares[rank].replaceSubrange(range, with: push.decoded) }
      }
      let divisor = Float(workers)
      for index in total.indices { total[index] /= divisor }
      switch reply {
      case .dense: replied[shard] = Int64(32 * range.count)
      case .encoded:
        if let feedback {
          let decay = Float(feedback.decay)
          for index in total.indices { total[index] += decay * residual[range.lowerBound + index] }
        }
        // A server draws numbers of its own, which no worker has.
        let answer = try code(
          total, range, random: random.split(-1 - shard), worker: 0,
          memory: remembers ? memories.servers[shard] : nil, scratch: &scratch)
        replied[shard] = answer.bits
        if feedback != nil {
          for index in total.indices {
            residual[range.lowerBound + index] = total[index] - answer.decoded[index]
          }
        }
        total = answer.decoded
      }
      mean.replaceSubrange(range, with: total)
    }
    note(.gather, byWorkers: pushed)
    exchanges.append((.broadcast, replied))
  }

  // MARK: - Ring

  /// Partial sums around the ring, then a gather of the chunks' means.
  mutating func runRing(scratch: inout CodecScratch) throws(CodecError) {
    var hops = [[Int64]](
      repeating: [Int64](repeating: 0, count: workers), count: max(0, workers - 1))
    var gathered = [Int64](repeating: 0, count: workers)
    let ranges = ExchangeChunks.ranges(of: group.elementCount, parts: workers)
    for (chunk, range) in ranges.enumerated() where !range.isEmpty {
      var received = [Float](repeating: 0, count: range.count)
      // A chunk starts at the rank of its number and has been everywhere after P - 1 hops.
      for hop in 0..<workers {
        let rank = (chunk + hop) % workers
        let isLast = hop == workers - 1
        // The last one has the sum, and passes its mean on.
        let divisor: Float = isLast ? Float(workers) : 1
        var partial = Array(parts[rank][range])
        for index in partial.indices {
          partial[index] = (partial[index] + received[index]) / divisor
        }
        let sent = try code(
          partial, range, random: random.split(chunk), worker: rank,
          memory: memories.workers[rank][chunk], scratch: &scratch)
        if wantsShares {
          for index in received.indices {
            shares[rank][range.lowerBound + index] =
              sent.decoded[index] * divisor - received[index]
          }
        }
        received = sent.decoded
        if isLast { gathered[rank] += sent.bits } else { hops[hop][rank] += sent.bits }
      }
      mean.replaceSubrange(range, with: received)
    }
    for bits in hops { note(.sum, byWorkers: bits) }
    note(.gather, byWorkers: gathered)
  }
}
