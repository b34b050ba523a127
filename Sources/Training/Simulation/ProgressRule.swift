import SimKernel

/// How many iterations each worker has finished, and how many the slowest has.
public struct ProgressClock: Sendable {
  /// Iterations finished by each worker.
  public private(set) var finished: [Int32]
  /// The fewest iterations any worker has finished.
  public private(set) var slowest: Int32 = 0
  private var atSlowest: Int

  /// A clock on which everybody has finished `finished` iterations.
  public init(workers: Int, finished: Int = 0) {
    self.finished = Array(repeating: Int32(finished), count: workers)
    slowest = Int32(finished)
    atSlowest = workers
  }

  /// Counts one more iteration of `worker`; returns whether the slowest clock moved.
  ///
  /// - Complexity: O(1), and O(workers) when the slowest clock moves.
  public mutating func advance(_ worker: RankID) -> Bool {
    finished[worker.index] += 1
    guard finished[worker.index] == slowest + 1 else { return false }
    atSlowest -= 1
    guard atSlowest == 0 else { return false }
    slowest = finished.min() ?? 0
    atSlowest = finished.reduce(0) { $0 + ($1 == slowest ? 1 : 0) }
    return true
  }
}

/// Decides which workers may begin their next iteration.
///
/// A rule sees every worker's clock and nothing else, so the run loop assumes no kind of
/// synchronisation. It is asked when a worker finishes, and for all waiting workers when the
/// slowest clock moves.
public protocol ProgressRule: Sendable {
  /// Whether `worker` may begin another iteration.
  func mayBegin(_ worker: RankID, clock: ProgressClock) -> Bool
}

/// Bulk-synchronous data parallelism (Valiant, CACM 33, 1990, doi:10.1145/79173.79181).
///
/// An all-reduce already holds every worker until all have contributed. With `barrier`, a worker
/// also waits until every other one has finished its update.
public struct BulkSynchronous: ProgressRule {
  /// Whether a global barrier closes each iteration.
  public let barrier: Bool
  public init(barrier: Bool = false) { self.barrier = barrier }
  public func mayBegin(_ worker: RankID, clock: ProgressClock) -> Bool {
    !barrier || clock.finished[worker.index] == clock.slowest
  }
}

/// The members of the `synchronization` setting.
public enum ProgressCatalog {
  public static let registry = Registry<any ProgressRule>(
    noun: "synchronization", discriminator: "kind",
    entries: [
      .init("bulk_synchronous", summary: "every update uses the gradients of all workers") {
        BulkSynchronous(
          barrier: $0.optional(
            "barrier", .bool, default: false,
            doc: "whether workers also wait for one another's optimizer before the next iteration"))
      }
    ])
}
