import Collectives
import SimKernel

/// One exchange of one communication unit: the collective that moves it and what each rank brings.
///
/// Usually all workers take part in one collective. With ``groups`` they fall into several that run
/// side by side, such as the accelerators of each host.
public struct PlannedExchange: Sendable {
  /// The collective as a plan over rank slots, those of one group.
  public var plan: Plan
  /// The workers of every group by their rank in it; empty if all workers are one group.
  public var groups: [[Int]]
  /// The payload of each rank slot when the exchange begins; servers bring nothing.
  public var sizes: [ByteCount]
  public var combining: CombiningCost
  /// Bytes are only cut between multiples of this.
  public var cutUnit: Int64
  /// The communication unit it serves.
  public var unit: Int
  /// What admission and senders go by.
  public var ticket: AdmissionTicket

  public init(
    plan: Plan, groups: [[Int]] = [], sizes: [ByteCount],
    combining: CombiningCost = CombiningCost(), cutUnit: Int64 = 1, unit: Int = 0,
    ticket: AdmissionTicket = AdmissionTicket()
  ) {
    precondition(
      groups.allSatisfy { $0.count == plan.rankCount }, "a group has a worker for every rank")
    self.plan = plan
    self.groups = groups
    self.sizes = sizes
    self.combining = combining
    self.cutUnit = cutUnit
    self.unit = unit
    self.ticket = ticket
  }
}

/// A stretch of iterations that are alike: the part of the graph they run.
///
/// Compression that begins late, or ramps up, has several.
public struct JobPhase: Sendable, Equatable {
  /// The first iteration of the phase, warm-up included.
  public var firstIteration: Int
  public var operations: Range<Int>
  public var exchanges: Range<Int>
  public init(firstIteration: Int, operations: Range<Int>, exchanges: Range<Int>) {
    self.firstIteration = firstIteration
    self.operations = operations
    self.exchanges = exchanges
  }
}

/// Everything the run loop needs to know about one job.
public struct JobPlan: Sendable {
  public var name: String
  /// One iteration of one worker, for each phase.
  public var graph: JobGraph
  /// In the order in which workers admit them, where that is fixed.
  public var exchanges: [PlannedExchange]
  /// In ascending order; the first begins with iteration 0.
  public var phases: [JobPhase]
  /// How many rank slots are workers; the rest are servers.
  public var workers: Int
  /// The place of each rank slot.
  public var nodes: [NodeID]
  /// The host of each rank slot; empty if every node is one.
  public var hosts: [Int]
  /// Which exchanges a worker starts when.
  public var admission: AdmissionRules
  /// How messages leave.
  public var sending: SendingSettings
  /// Whether servers reply only once the pushes of the whole iteration are summed.
  public var holdsReplies: Bool
  /// Iterations that count.
  public var iterations: Int
  /// Iterations before them, simulated and excluded.
  public var warmup: Int
  /// Where workers have several devices, which of them each has, and what every operation takes on the
  /// first, then on the second, and so on; empty where all are alike.
  public var classOfWorker: [Int32] = []
  public var durations: [SimDuration] = []
  /// When workers begin, such as once a graph is traced.
  public var startup = SimDuration.zero
  /// How the job survives crashes of hosts.
  public var recovery = RecoveryPlan()
  public var stragglers: any StragglerModel
  public var progress: any ProgressRule
  /// How much slower the compute and side streams run while both are busy.
  public var overlapSlowdown: OverlapSlowdown
  /// Keys the random streams of the job.
  public var seed: UInt64
  public var replicate: Int

  public init(
    name: String, graph: JobGraph, exchanges: [PlannedExchange], phases: [JobPhase]? = nil,
    workers: Int, nodes: [NodeID], hosts: [Int] = [],
    admission: AdmissionRules = AdmissionRules(),
    sending: SendingSettings = SendingSettings(), holdsReplies: Bool = false,
    iterations: Int = 1, warmup: Int = 0, stragglers: any StragglerModel,
    progress: any ProgressRule = BulkSynchronous(), overlapSlowdown: OverlapSlowdown = .none,
    seed: UInt64 = 0, replicate: Int = 0
  ) {
    self.name = name
    self.graph = graph
    self.exchanges = exchanges
    self.phases =
      phases ?? [
        JobPhase(
          firstIteration: 0, operations: graph.operations.indices, exchanges: exchanges.indices)
      ]
    precondition(self.phases.first?.firstIteration == 0, "the first phase begins at once")
    self.workers = workers
    self.nodes = nodes
    self.hosts = hosts
    self.admission = admission
    self.sending = sending
    self.holdsReplies = holdsReplies
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
  /// The sum over workers, for each counted iteration; a part beyond 106 days stays there.
  public var iterations: [IterationAccount]
  /// The same sums, exact.
  public var sums: [IterationSum]
  /// The length of every counted iteration of every worker.
  public var samples: [SimDuration]
  /// Payload bytes sent by all workers over all counted iterations.
  public var wireBytes: ByteCount
  /// The part of them that left the sender's host.
  public var hostBytes: ByteCount
  /// When the last worker finished.
  public var end: SimTime
  /// What crashes, checkpoints and lost messages cost.
  public var recovery = RecoveryOutcome()

  /// The sum over workers and counted iterations.
  public var sum: IterationSum {
    var sum = IterationSum()
    for own in sums { sum += own }
    return sum
  }

  /// The mean over workers and iterations; its parts add up exactly.
  public var mean: IterationAccount {
    sum.mean(of: max(1, samples.count))
  }
}
