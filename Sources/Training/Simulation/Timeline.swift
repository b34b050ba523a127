import SimKernel

/// One thing that happened on one lane of one worker.
public struct TimelineSpan: Sendable, Equatable, BitwiseCopyable {
  public var job: JobID
  public var worker: RankID
  public var iteration: Int32
  public var kind: OperationKind
  public var stream: StreamKind
  /// The communication unit, or -1.
  public var unit: Int32
  public var start: SimTime
  public var end: SimTime
}

/// One exchange as one worker saw it.
public struct ExchangeSpan: Sendable, Equatable, BitwiseCopyable {
  public var job: JobID
  public var worker: RankID
  public var iteration: Int32
  /// Its place among the job's exchanges.
  public var exchange: Int32
  /// The communication unit it serves.
  public var unit: Int32
  /// The worker's payload existed; until `start` the unit waited for its turn.
  public var ready: SimTime
  /// The schedule let the worker begin.
  public var start: SimTime
  /// The worker had the result.
  public var end: SimTime
}

/// One message between two rank slots of a job, workers first and servers behind them.
public struct TransferSpan: Sendable, Equatable, BitwiseCopyable {
  public var job: JobID
  public var sender: RankID
  public var receiver: RankID
  public var source: NodeID
  public var destination: NodeID
  public var iteration: Int32
  /// The communication unit.
  public var unit: Int32
  /// Its place among the job's exchanges.
  public var exchange: Int32
  /// The step of the exchange's plan.
  public var step: Int32
  /// The urgency of its unit; smaller goes first where that counts.
  public var priority: Int32
  public var size: ByteCount
  /// The exchange asked for it; until `start` it waited for messages before it.
  public var queued: SimTime
  /// Its sender took it up.
  public var start: SimTime
  /// The last byte had left.
  public var left: SimTime
  /// The last byte had arrived.
  public var delivered: SimTime
}

/// One sum that a rank slot of a job, a worker or a server, made of what arrived.
public struct ReductionSpan: Sendable, Equatable, BitwiseCopyable {
  public var job: JobID
  public var rank: RankID
  public var iteration: Int32
  /// The communication unit.
  public var unit: Int32
  /// Index of the plan's exchange.
  public var exchange: Int32
  /// The step of the exchange whose message was added.
  public var step: Int32
  public var start: SimTime
  public var end: SimTime
}

/// One counted iteration of one worker, with what it went into.
public struct IterationSpan: Sendable, Equatable, BitwiseCopyable {
  public var job: JobID
  public var worker: RankID
  public var iteration: Int32
  public var start: SimTime
  /// When the worker could go on; with overlap its exchanges may last longer.
  public var end: SimTime
  public var account: IterationAccount
}

/// Receives what happened, in batches in the order of ending; runs record nothing by default.
///
/// Iterations are numbered with the warm-up. Messages of a node to itself and those still on their
/// way at the end of the run are left out.
public protocol TimelineRecorder: AnyObject {
  func record(_ spans: [TimelineSpan])
  func record(_ exchanges: [ExchangeSpan])
  func record(_ transfers: [TransferSpan])
  func record(_ reductions: [ReductionSpan])
  func record(_ iterations: [IterationSpan])
}

extension TimelineRecorder {
  public func record(_ exchanges: [ExchangeSpan]) {}
  public func record(_ transfers: [TransferSpan]) {}
  public func record(_ reductions: [ReductionSpan]) {}
  public func record(_ iterations: [IterationSpan]) {}
}

/// Keeps everything in memory: for golden timelines and exports of short runs.
public final class TimelineCollector: TimelineRecorder {
  public private(set) var spans: [TimelineSpan] = []
  public private(set) var exchanges: [ExchangeSpan] = []
  public private(set) var transfers: [TransferSpan] = []
  public private(set) var reductions: [ReductionSpan] = []
  public private(set) var iterations: [IterationSpan] = []
  public init() {}
  public func record(_ spans: [TimelineSpan]) { self.spans += spans }
  public func record(_ exchanges: [ExchangeSpan]) { self.exchanges += exchanges }
  public func record(_ transfers: [TransferSpan]) { self.transfers += transfers }
  public func record(_ reductions: [ReductionSpan]) { self.reductions += reductions }
  public func record(_ iterations: [IterationSpan]) { self.iterations += iterations }
}
