import Collectives
import SimKernel

/// What reducing two payloads costs a rank.
public struct CombiningCost: Sendable, Equatable {
  /// The rate at which dense payloads are summed; nil costs nothing.
  public var rate: Bandwidth?
  /// Added to a reduction for each single contribution in it, such as decoding an encoded payload.
  public var perPayload: SimDuration
  /// Added once all contributions are in, such as encoding the sum for the way back.
  public var onLast: SimDuration
  /// The size of the whole sum over the size of a contribution, such as a plain reply to encoded
  /// pushes.
  public var replyScale: Double
  public init(
    rate: Bandwidth? = nil, perPayload: SimDuration = .zero, onLast: SimDuration = .zero,
    replyScale: Double = 1
  ) {
    self.rate = rate
    self.perPayload = perPayload
    self.onLast = onLast
    self.replyScale = replyScale
  }
}

/// One exchange of one communication unit: the collective that moves it and what each rank brings.
public struct PlannedExchange: Sendable {
  /// The collective as a plan over rank slots.
  public var plan: Plan
  /// The payload of each rank slot when the exchange begins; servers bring nothing.
  public var sizes: [ByteCount]
  public var combining: CombiningCost
  /// Bytes are only cut between multiples of this.
  public var cutUnit: Int64
  /// The communication unit it serves.
  public var unit: Int

  public init(
    plan: Plan, sizes: [ByteCount], combining: CombiningCost = CombiningCost(),
    cutUnit: Int64 = 1, unit: Int = 0
  ) {
    self.plan = plan
    self.sizes = sizes
    self.combining = combining
    self.cutUnit = cutUnit
    self.unit = unit
  }
}

/// Everything the run loop needs to know about one job.
public struct JobPlan: Sendable {
  public var name: String
  /// One iteration of one worker.
  public var graph: JobGraph
  /// In the order in which workers admit them.
  public var exchanges: [PlannedExchange]
  /// How many rank slots are workers; the rest are servers.
  public var workers: Int
  /// The place of each rank slot.
  public var nodes: [NodeID]
  /// Exchanges a worker may have in flight.
  public var window: Int
  /// Iterations that count.
  public var iterations: Int
  /// Iterations before them, simulated and excluded.
  public var warmup: Int
  public var stragglers: any StragglerModel
  public var progress: any ProgressRule
  /// How much slower the compute and side streams run while both are busy; 1 is no effect.
  public var overlapSlowdown: Double
  /// Keys the random streams of the job.
  public var seed: UInt64
  public var replicate: Int

  public init(
    name: String, graph: JobGraph, exchanges: [PlannedExchange], workers: Int, nodes: [NodeID],
    window: Int = 1, iterations: Int = 1, warmup: Int = 0, stragglers: any StragglerModel,
    progress: any ProgressRule = BulkSynchronous(), overlapSlowdown: Double = 1, seed: UInt64 = 0,
    replicate: Int = 0
  ) {
    self.name = name
    self.graph = graph
    self.exchanges = exchanges
    self.workers = workers
    self.nodes = nodes
    self.window = window
    self.iterations = iterations
    self.warmup = warmup
    self.stragglers = stragglers
    self.progress = progress
    self.overlapSlowdown = overlapSlowdown
    self.seed = seed
    self.replicate = replicate
  }
}

/// What one job did, warm-up excluded.
public struct JobOutcome: Sendable {
  public var name: String
  public var workers: Int
  /// The sum over workers, for each counted iteration.
  public var iterations: [IterationAccount]
  /// The length of every counted iteration of every worker.
  public var samples: [SimDuration]
  /// Payload bytes sent by all workers over all counted iterations.
  public var wireBytes: ByteCount
  /// When the last worker finished.
  public var end: SimTime

  /// The mean over workers and iterations; its parts add up exactly.
  public var mean: IterationAccount {
    var sum = IterationAccount()
    for account in iterations { sum += account }
    return sum.mean(of: max(1, samples.count))
  }
}
