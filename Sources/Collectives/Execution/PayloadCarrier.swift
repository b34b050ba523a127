import SimKernel

/// What the state machine asks of payloads: their size when they leave, and what reducing them costs.
///
/// One conformer keeps real payloads, the other only sizes, so that both run through the same state
/// machine and cannot disagree about order.
protocol PayloadCarrier {
  /// Takes the chunks of `step` out of the source's buffer as they are now; returns their size.
  mutating func depart<A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ algebra: inout A
  ) -> ByteCount
  /// Reduces or stores them at the destination; returns how long that takes.
  mutating func apply<A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ algebra: inout A
  ) -> SimDuration
  /// `rank` has all that ends at it: what it keeps of its own payload becomes part of its result.
  mutating func finish<A: PayloadAlgebra>(_ rank: Int, _ plan: Plan, _ algebra: inout A)
}

/// Sizes of chunks that are known up front.
struct ChunkSizes: PayloadCarrier, Sendable {
  /// The bytes, and the picoseconds of reducing, of all chunks before one.
  private var bytesBefore: [Int64] = [0]
  private var workBefore: [Int64] = []
  /// Of an all-to-all, the bytes of the block for each rank; from each rank, if a row is not empty.
  private var blocks: [Int64] = []
  private var row = 0
  private var ranks = 0

  init() {}

  init(_ plan: Plan, _ sizes: [ByteCount], reductionRate: Bandwidth?) {
    switch plan.cut {
    case .rotated, .blocks:
      blocks = sizes.map(\.bytes)
      ranks = plan.chunkCount
      row = sizes.count > ranks ? ranks : 0
    case .equal, .offsets, .payloads: addUp(sizes, pads: plan.pads, reductionRate: reductionRate)
    }
  }

  private mutating func addUp(_ sizes: [ByteCount], pads: Bool, reductionRate: Bandwidth?) {
    let largest = sizes.max() ?? .zero
    bytesBefore.reserveCapacity(sizes.count + 1)
    for size in sizes {
      bytesBefore.append(bytesBefore[bytesBefore.count - 1] + (pads ? largest : size).bytes)
    }
    if let reductionRate {
      workBefore = [0]
      for size in sizes {
        let time = SimDuration(picoseconds: workBefore[workBefore.count - 1])
        workBefore.append((time + reductionRate.time(toSend: size)).picoseconds)
      }
    }
  }

  /// The sum over the chunks of `step`, of which `before` holds the sums from the first on.
  @inline(__always) private func total(_ before: [Int64], _ step: PlanStep) -> Int64 {
    let count = before.count - 1
    let upper = Int(step.upper)
    if upper <= count { return before[upper] - before[Int(step.lower)] }
    return before[count] - before[Int(step.lower)] + before[upper - count]
  }

  /// The sum over the blocks of `step`.
  ///
  /// A block moves in the rounds of its distance's set bits, lowest first: in the round of a bit it
  /// has gone the lower ones, which leads back to the rank it is from.
  private func totalOfBlocks(_ step: PlanStep) -> Int64 {
    let gone = step.selectedBit.map { 1 << $0 - 1 } ?? 0
    var total: Int64 = 0
    for distance in Int(step.lower)..<Int(step.upper) where step.carries(distance) {
      var origin = step.source.index - distance & gone
      if origin < 0 { origin += ranks }
      var destination = origin + distance
      if destination >= ranks { destination -= ranks }
      total += blocks[origin * row + destination]
    }
    return total
  }

  mutating func depart<A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ algebra: inout A
  ) -> ByteCount { ByteCount(ranks > 0 ? totalOfBlocks(step) : total(bytesBefore, step)) }

  mutating func apply<A: PayloadAlgebra>(
    _ index: Int, _ step: PlanStep, _ plan: Plan, _ algebra: inout A
  ) -> SimDuration {
    if workBefore.isEmpty || step.action == .store || plan.isFree(at: step.destination) {
      return .zero
    }
    return SimDuration(picoseconds: total(workBefore, step))
  }

  mutating func finish<A: PayloadAlgebra>(_ rank: Int, _ plan: Plan, _ algebra: inout A) {}
}
