import SimKernel

/// What inputs do not say and options do.
public struct ImportOptions: Sendable {
  /// Nil: as many as the input has, else ``usualWorkers``.
  public var workers: Int?
  /// Of a worker's link where the input has no network.
  ///
  /// Nil: what the fastest recorded collective reached, else ``usualBandwidth``.
  public var bandwidth: Bandwidth?
  /// Of a worker's link where the input has no network.
  public var latency: SimDuration = usualLatency
  /// The steps of a trace with several, by the profiler's numbers, which become one iteration.
  ///
  /// Nil: the one of median length.
  public var steps: NumberRanges?
  /// Of a computation without a time; nil: ``usualOperationTime`` where no computation has one.
  public var operationTime: SimDuration?
  /// Whether operations between two points of communication become one.
  public var isMerging = false
  /// Whether an edge of every cycle is dropped.
  public var dropsCycles = false
  /// The listed device or profile of the scenario.
  public var device = "v100"
  /// What is trained where the input is a network only, or gradients.
  public var model = "resnet50"
  /// Samples that the recorded times of a model are for.
  public var batch = 32
  /// The range of measured times; nil for the largest sizes.
  public var range: Int?
  /// The series of a DeepBench table.
  public var series: Int?

  public init() {}

  /// The smallest number that communicates.
  public static let usualWorkers = 2
  public static let usualBandwidth = Bandwidth.gigabitsPerSecond(10)
  public static let usualLatency = SimDuration.microseconds(5)
  public static let usualOperationTime = SimDuration.microseconds(10)
}
