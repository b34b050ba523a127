import Collectives
import SimKernel
import Testing

/// One registered algorithm with one operation it can carry out.
struct PlanCase: Sendable, CustomTestStringConvertible {
  var algorithm: CollectiveAlgorithm
  var operation: CollectiveOperation
  var equalSizes = true

  var testDescription: String {
    let sizes = equalSizes ? "" : " \(algorithm.variableSize.rawValue)"
    let levels = algorithm.factors.isEmpty ? "" : " with factors"
    return "\(operation.rawValue) by \(algorithm.kind.rawValue)\(sizes)\(levels)"
  }

  /// Everything in the registry, every way of gathering unequal sizes, and levels of every kind.
  static var all: [PlanCase] {
    let named = CollectiveAlgorithm.registry.names.map { CollectiveAlgorithm.named($0)! }
    let factored = CollectiveAlgorithm(.hierarchical, factors: [1])
    return (named + [factored]).flatMap { algorithm -> [PlanCase] in
      return algorithm.operations.flatMap { operation -> [PlanCase] in
        let equal = PlanCase(algorithm: algorithm, operation: operation)
        if operation != .allGather { return [equal] }
        return [equal]
          + CollectiveAlgorithm.VariableSize.allCases.map {
            var algorithm = algorithm
            algorithm.variableSize = $0
            return PlanCase(algorithm: algorithm, operation: operation, equalSizes: false)
          }
      }
    }
  }

  /// Groups of 1 to 17 ranks; for `hierarchical` also every number of ranks a host.
  var shapes: [GroupShape] {
    (1...17).flatMap { n -> [GroupShape] in
      algorithm.kind == .hierarchical && algorithm.factors.isEmpty
        ? (1...n).map { GroupShape(rankCount: n, ranksPerHost: $0) }
        : [GroupShape(rankCount: n)]
    }
  }

  func plan(
    _ shape: GroupShape, size: ByteCount = .bytes(40_000), root: Int = 0
  ) throws -> Plan {
    var algorithm = algorithm
    if algorithm.kind == .torusRing || !algorithm.factors.isEmpty {
      algorithm.factors = primeFactors(of: shape.rankCount)
    }
    return try algorithm.makePlan(
      operation, shape: shape, size: size, root: RankID(root), equalSizes: equalSizes,
      blocks: operation == .allToAllV ? unevenBlocks(shape.rankCount) : nil
    ).get()
  }
}

/// The prime factors of `number` in falling order, with a level of one in between.
func primeFactors(of number: Int) -> [Int] {
  var factors: [Int] = []
  var (rest, factor) = (number, 2)
  while rest > 1 {
    if rest % factor == 0 {
      factors.append(factor)
      rest /= factor
    } else {
      factor += 1
    }
  }
  factors.reverse()
  factors.insert(1, at: factors.count / 2)
  return factors
}

/// Blocks of 0 to 4 integers, unlike in most rows and columns.
func unevenBlocks(_ ranks: Int) -> BlockSizes {
  var sizes: [ByteCount] = []
  for source in 0..<ranks {
    for destination in 0..<ranks {
      let elements = (source * 7 + destination * 3 + source * destination) % 5
      sizes.append(ByteCount(Int64(8 * elements)))
    }
  }
  return BlockSizes(rankCount: ranks, sizes: sizes)
}

/// Payloads for `plan` that differ in every element; of an all-gather with `unequal` sizes also in
/// length.
func vectors(for plan: Plan, elements: Int, unequal: Bool = false) -> [[Int]] {
  (0..<plan.rankCount).map { rank -> [Int] in
    var count = unequal ? (rank * 7 + 3) % 5 * elements / 4 : elements
    if case .blocks(let blocks) = plan.cut { count = Int(blocks.payload(of: rank).bytes / 8) }
    let first = (rank + 1) * 1_000_003
    return (0..<count).map { first + $0 * (17 + rank) }
  }
}

/// What `rank` must end with, chunk by chunk joined together.
func expectedResult(_ plan: Plan, _ vectors: [[Int]], rank: RankID) -> [Int] {
  let workers = vectors[..<plan.workerCount]
  switch plan.operation {
  case .allGather: return vectors.flatMap { $0 }
  case .gather: return rank == plan.root ? vectors.flatMap { $0 } : []
  case .broadcast: return vectors[plan.root.index]
  case .barrier: return []
  case .scatter:
    let whole = vectors[plan.root.index]
    let n = plan.rankCount
    return Array(whole[whole.count * rank.index / n..<whole.count * (rank.index + 1) / n])
  case .allToAll, .allToAllV:
    // The block that is 0, 1, ... places from home.
    return (0..<plan.rankCount).flatMap { distance -> [Int] in
      let source = (rank.index - distance + plan.rankCount) % plan.rankCount
      return block(plan, vectors[source], from: source, to: rank.index)
    }
  case .allReduce, .reduceScatter, .reduce, .pushPull:
    let sum = workers.dropFirst().reduce(workers[0]) { zip($0, $1).map { $0 + $1 } }
    return plan.finalChunks(of: rank).flatMap { chunk -> [Int] in
      let part = plan.bounds(ofChunk: Int(chunk))
      let count = Int64(sum.count)
      return Array(
        sum[
          Int(count * part.lowerBound / plan.whole())..<Int(count * part.upperBound / plan.whole())]
      )
    }
  }
}

/// The part of the payload of `source` that is for `destination`.
private func block(
  _ plan: Plan, _ vector: [Int], from source: Int, to destination: Int
) -> [Int] {
  let n = plan.rankCount
  guard case .blocks(let blocks) = plan.cut else {
    return Array(vector[vector.count * destination / n..<vector.count * (destination + 1) / n])
  }
  let sizes = (0..<n).map { Int(blocks.size(from: source, to: $0).bytes / 8) }
  let start = sizes[..<destination].reduce(0, +)
  return Array(vector[start..<start + sizes[destination]])
}

/// Runs `plan` on integer vectors in a random order and checks every rank's result.
@discardableResult
func checkOnIntegers(
  _ plan: Plan, elements: Int, unequal: Bool = false, seed: UInt64,
  costPerElement: SimDuration = .zero
) -> RandomDriver {
  var algebra = IntegerAlgebra(costPerElement: costPerElement)
  let vectors = vectors(for: plan, elements: elements, unequal: unequal)
  let payloads = vectors.map { algebra.payload($0) }
  var execution = CollectiveExecution(plan: plan, payloads: payloads)
  let driver = RandomDriver(&execution, &algebra, seed: seed)
  #expect(execution.isComplete, "\(plan.name): \(execution.pendingDescription())")
  #expect(execution.pendingDescription() == "")
  #expect(driver.sent.reduce(0, +) == plan.stepCount)
  #expect(driver.maximumCombining <= 1)
  for rank in (0..<plan.rankCount).map({ RankID($0) }) where execution.isFinished(rank) {
    let result = execution.result(of: rank)
    #expect(result.map(\.chunk) == plan.finalChunks(of: rank).map(Int.init))
    let values = result.flatMap { algebra.vectors[$0.payload.index] }
    #expect(
      values == expectedResult(plan, vectors, rank: rank),
      "\(plan.name), \(plan.rankCount) ranks, rank \(rank.index), seed \(seed)")
  }
  return driver
}
