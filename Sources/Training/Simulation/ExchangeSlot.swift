import Collectives
import SimKernel

/// One exchange of one iteration among one group of workers while it runs.
struct ExchangeSlot {
  /// Nil for an exchange that is solved at once.
  private let fresh: CollectiveExecution?
  private var execution: CollectiveExecution?
  private var algebra: ExchangeAlgebra
  private let sizes: [ByteCount]
  private let workers: Int
  /// Whether payloads must be followed one by one, because combining them costs more than a rate.
  private let isDense: Bool
  /// The iteration it serves, or -1.
  private(set) var iteration = -1
  /// When the last participant so far had its payload.
  var lastReady = SimTime.zero

  /// `sizes` are what the rank slots of the group bring, its `workers` first.
  ///
  /// Of an exchange that is solved at once only the iteration and who was last are kept here.
  init(_ exchange: PlannedExchange, sizes: [ByteCount], workers: Int, isSolved: Bool) {
    self.sizes = sizes
    self.workers = workers
    let cost = exchange.combining
    algebra = ExchangeAlgebra(cost: cost, unit: exchange.cutUnit, expected: workers)
    if isSolved {
      isDense = true
      fresh = nil
    } else if let chunks = exchange.denseChunks(of: sizes, workers: workers) {
      isDense = true
      fresh = CollectiveExecution(
        plan: exchange.plan, chunkSizes: chunks, reductionRate: cost.rate)
    } else {
      isDense = false
      // Payload ids count from 0 in rank order, so the same ids come back every time.
      fresh = CollectiveExecution(
        plan: exchange.plan, payloads: sizes.indices.map { PayloadID($0) })
    }
    execution = fresh
  }

  /// Prepares the slot for `number`, unless it already serves it.
  mutating func open(iteration number: Int) {
    if iteration == number { return }
    precondition(
      iteration < 0 || (0..<workers).allSatisfy { !isWaiting(for: RankID($0)) },
      "workers are at most one iteration apart: an exchange is over before its slot serves another")
    iteration = number
    lastReady = .zero
    execution = fresh
    if !isDense {
      algebra.removeAll()
      for size in sizes { _ = algebra.payload(of: size) }
    }
  }

  /// What an exchange asks for.
  typealias Action = CollectiveExecution.Action

  /// `rank` brings its payload; what to do about it goes to the end of `actions`.
  mutating func join(_ rank: RankID, actions: inout [Action]) {
    if isDense {
      execution?.ready(rank, actions: &actions)
    } else {
      execution?.ready(rank, algebra: &algebra, actions: &actions)
    }
  }
  /// The message of `step` has arrived.
  mutating func delivered(_ step: Int, actions: inout [Action]) {
    if isDense {
      execution?.delivered(step: step, actions: &actions)
    } else {
      execution?.delivered(step: step, algebra: &algebra, actions: &actions)
    }
  }
  /// The reduction that `step` caused is over.
  mutating func combined(_ step: Int, actions: inout [Action]) {
    if isDense {
      execution?.combined(step: step, actions: &actions)
    } else {
      execution?.combined(step: step, algebra: &algebra, actions: &actions)
    }
  }

  /// Whether `rank` has no result yet.
  func isWaiting(for rank: RankID) -> Bool { execution?.isFinished(rank) == false }
  /// Who waits for whom.
  var pendingDescription: String { execution?.pendingDescription(limit: 4) ?? "" }
}

extension PlannedExchange {
  /// The sizes of the plan's chunks if nothing else matters about the payloads: combining them costs
  /// no more than a rate, and all `workers`, which come first in `sizes`, bring the same to a sum.
  func denseChunks(of sizes: [ByteCount], workers: Int) -> [ByteCount]? {
    let contributors = sizes.prefix(workers)
    let first = contributors.first ?? .zero
    let isGather = plan.operation.isGather
    // A server that sums nothing into its first payload must see that there is no other yet.
    let isServed = plan.operation == .pushPull && combining.rate != nil
    guard !isServed, combining.isRateOnly,
      // Where sizes differ by pair, the plan knows them.
      isGather || plan.operation == .allToAllV || contributors.allSatisfy({ $0 == first })
    else { return nil }
    return isGather
      ? Array(sizes.prefix(plan.chunkCount)) : plan.chunkSizes(of: first, unit: cutUnit)
  }
}
