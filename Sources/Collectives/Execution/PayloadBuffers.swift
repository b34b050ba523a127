import SimKernel

/// The real payloads of a running collective: every rank's chunks, and what is on its way.
///
/// A rank's own payload is cut when a chunk of it is first needed. A message is taken out of the
/// buffer when it departs, so that its source may go on reducing into the same chunk.
struct PayloadBuffers: PayloadCarrier, Sendable {
  private struct Node: Sendable {
    var payload: PayloadID
    var next: Int32
  }

  private var payloads: [PayloadID] = []
  /// Chunk c of rank r at r * chunkCount + c; -1 if not held, or not yet cut from the own payload.
  private var chunks: [Int32] = []
  /// The first node of every step that has departed and is not applied.
  private var messages = StepTable()
  private var nodes: [Node] = []
  private var freeNode: Int32 = -1
  private var paddedSize: ByteCount?
  private var rankCount = 0
  /// Ranks of a padding plan that are ready and wait for the sizes of the others.
  private var waiting: [RankID] = []

  init() {}

  init(_ plan: Plan, payloads: [PayloadID], paddedSize: ByteCount?) {
    for rank in payloads.count..<max(plan.rankCount, payloads.count) {
      precondition(
        !plan.contributes(RankID(rank)), "every rank that contributes has a payload")
    }
    self.payloads = payloads
    self.paddedSize = paddedSize
    rankCount = plan.rankCount
    chunks = Array(repeating: -1, count: plan.rankCount * plan.chunkCount)
  }

  // MARK: - Chunks

  /// The payload that `rank` holds as `chunk`, or nil.
  private mutating func payload<A: PayloadAlgebra>(
    _ chunk: Int, at rank: Int, _ plan: Plan, _ algebra: inout A
  ) -> PayloadID? {
    let place = rank * plan.chunkCount + chunk
    if chunks[place] >= 0 { return PayloadID(rawValue: chunks[place]) }
    guard plan.initialChunks(of: RankID(rank)).contains(Int32(chunk)) else { return nil }
    var payload = payloads[rank]
    if plan.chunkCount > 1, plan.cut != .payloads {
      let owner = RankID(rank)
      payload = algebra.slice(
        payload, part: plan.bounds(ofChunk: chunk, at: owner), of: plan.whole(at: owner))
    }
    chunks[place] = payload.rawValue
    return payload
  }

  /// The payload that `rank` holds as `chunk` in the end.
  func held(_ chunk: Int, at rank: Int, _ plan: Plan) -> PayloadID {
    let value = chunks[rank * plan.chunkCount + chunk]
    precondition(value >= 0, "a plan leaves every rank with the chunks it promises")
    return PayloadID(rawValue: value)
  }

  mutating func finish<A: PayloadAlgebra>(_ rank: Int, _ plan: Plan, _ algebra: inout A) {
    for chunk in plan.finalChunks(of: RankID(rank)) {
      _ = payload(Int(chunk), at: rank, plan, &algebra)
    }
  }

  mutating func depart<A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ algebra: inout A
  ) -> ByteCount {
    var size = ByteCount.zero
    var first: Int32 = -1
    // From the last chunk to the first, so that the list is in ascending order.
    var position = Int(step.upper)
    while position > Int(step.lower) {
      position -= 1
      if !step.carries(position) { continue }
      let chunk = position >= plan.chunkCount ? position - plan.chunkCount : position
      guard let payload = payload(chunk, at: step.source.index, plan, &algebra) else {
        preconditionFailure("a plan sends only chunks that its source holds")
      }
      size += paddedSize ?? algebra.size(of: payload)
      first = node(payload, next: first)
    }
    messages.insert(index, first)
    return size
  }

  mutating func apply<A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ algebra: inout A
  ) -> SimDuration {
    var duration = SimDuration.zero
    let rank = step.destination
    let isFree = plan.isFree(at: rank)
    guard var node = messages.remove(index) else {
      preconditionFailure("a step is delivered once, after it was sent")
    }
    for position in Int(step.lower)..<Int(step.upper) where step.carries(position) {
      let chunk = position >= plan.chunkCount ? position - plan.chunkCount : position
      let incoming = nodes[Int(node)].payload
      var outcome = incoming
      if step.action == .reduce,
        let local = payload(chunk, at: rank.index, plan, &algebra)
      {
        if !isFree { duration += algebra.combiningTime(of: local, with: incoming, at: rank) }
        outcome = algebra.combine(local, with: incoming, at: rank)
      }
      chunks[rank.index * plan.chunkCount + chunk] = outcome.rawValue
      let next = nodes[Int(node)].next
      nodes[Int(node)].next = freeNode
      freeNode = node
      node = next
    }
    return duration
  }

  private mutating func node(_ payload: PayloadID, next: Int32) -> Int32 {
    if freeNode >= 0 {
      let index = freeNode
      freeNode = nodes[Int(index)].next
      nodes[Int(index)] = Node(payload: payload, next: next)
      return index
    }
    nodes.append(Node(payload: payload, next: next))
    return Int32(nodes.count - 1)
  }

  // MARK: - Padding

  /// Whether `rank` of a padding plan, now ready, may go on: the size to pad to is known.
  mutating func mayStart<A: PayloadAlgebra>(afterJoining rank: RankID, algebra: A) -> Bool {
    if paddedSize != nil { return true }
    precondition(!waiting.contains(rank), "a rank becomes ready once")
    waiting.append(rank)
    if waiting.count < rankCount { return false }
    paddedSize = payloads[..<rankCount].map { algebra.size(of: $0) }.max()
    return true
  }
  /// The ranks that waited for the size, in the order in which they became ready.
  mutating func takeWaiting() -> [RankID]? {
    if waiting.isEmpty { return nil }
    defer { waiting = [] }
    return waiting
  }
  func waits(_ rank: Int) -> Bool { waiting.contains(RankID(rank)) }
}
