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

/// Receives what happened, in batches in the order of ending; runs record nothing by default.
public protocol TimelineRecorder: AnyObject {
  func record(_ spans: [TimelineSpan])
}

/// Keeps every span in memory: for golden timelines and exports of short runs.
public final class TimelineCollector: TimelineRecorder {
  public private(set) var spans: [TimelineSpan] = []
  public init() {}
  public func record(_ spans: [TimelineSpan]) { self.spans += spans }
}
