import SimKernel

/// The part of a run whose timeline is kept.
public struct TimelineSelection: Sendable {
  /// Counted iterations from 0, the warm-up left out; nil for the first two.
  public var iterations: NumberRanges?
  /// Workers of every job; nil for all of them and the servers.
  public var workers: NumberRanges?
  /// Where ``workers`` is nil and a job has more workers than this, only so many, without servers.
  public var mostWorkers: Int?
  /// Whether messages, sums and link use are kept, or only what runs on workers.
  public var transfers: Bool
  /// Events that may be kept before the run is given up.
  public var limit: Int

  /// Some or all of it.
  public init(
    iterations: NumberRanges? = nil, workers: NumberRanges? = nil, mostWorkers: Int? = nil,
    transfers: Bool = true, limit: Int = Self.eventLimit
  ) {
    self.iterations = iterations
    self.workers = workers
    self.mostWorkers = mostWorkers
    self.transfers = transfers
    self.limit = limit
  }

  /// More than this no viewer shows in good time.
  public static let eventLimit = 2_000_000
}
