import Collectives
import Networks
import SimKernel
import Training

/// Small networks, exchanges and runs for tests.
enum Lab {
  /// 8 Gb/s: a byte takes a nanosecond.
  static let bytePerNanosecond = Bandwidth.gigabitsPerSecond(8)

  static func star(
    _ hosts: Int, _ bandwidth: Bandwidth = bytePerNanosecond, latency: SimDuration = .zero
  ) -> Topology {
    StarTopology(hosts: hosts, link: LinkSpecification(bandwidth: bandwidth, latency: latency))
      .makeTopology()
  }

  /// Every rank brings `size` bytes; between two ranks, 1000 bytes take a microsecond.
  static func exchange(
    _ algorithm: String = "ring", _ operation: CollectiveOperation = .allReduce, ranks: Int,
    size: Int64
  ) -> PlannedExchange {
    let plan = try! CollectiveAlgorithm.named(algorithm)!
      .makePlan(operation, shape: GroupShape(rankCount: ranks), size: ByteCount(size)).get()
    return PlannedExchange(plan: plan, sizes: Array(repeating: ByteCount(size), count: ranks))
  }

  static func run(
    _ jobs: [JobPlan], on topology: Topology, _ model: NetworkModelKind = .alphaBeta,
    transport: Transport = .ideal, faults: [LinkFault] = [],
    crashes: HostCrashes = .none, stop: any StopSignal = NoStopSignal(),
    recorder: (any TimelineRecorder)? = nil
  ) throws -> NetworkRun.Outcome {
    try NetworkRun.run(
      topology: topology, network: NetworkSettings(model: model, transport: transport), jobs: jobs,
      faults: faults, crashes: crashes, stop: stop, recorder: recorder)
  }

  static func job(
    _ graph: JobGraph, _ exchanges: [PlannedExchange] = [], on topology: Topology, workers: Int = 2,
    window: Int = 1, iterations: Int = 1, warmup: Int = 0,
    stragglers: any StragglerModel = StragglerCatalog.none,
    progress: any ProgressRule = BulkSynchronous(), slowdown: Double = 1, seed: UInt64 = 1,
    replicate: Int = 0
  ) -> JobPlan {
    JobPlan(
      name: "job", graph: graph, exchanges: exchanges, workers: workers,
      nodes: Array(topology.accelerators.prefix(workers)),
      admission: AdmissionRules(limit: .exchanges(window)), iterations: iterations,
      warmup: warmup, stragglers: stragglers, progress: progress,
      overlapSlowdown: OverlapSlowdown(slowdown),
      seed: seed, replicate: replicate)
  }

  static func graph(_ build: (inout JobGraph) -> Void) -> JobGraph {
    var graph = JobGraph()
    build(&graph)
    graph.finish()
    return graph
  }
}

func us(_ n: Int64) -> SimDuration { .picoseconds(n * 1_000_000) }

/// The parts of an account in whole microseconds; a fraction is left out.
func microseconds(_ account: IterationAccount) -> [Int64] {
  account.parts.map { $0.picoseconds / 1_000_000 }
}

/// `encode 150-160 of 0`, in microseconds, by start, then end.
func lines(_ spans: [TimelineSpan], worker: Int = 0, iteration: Int = 0) -> [String] {
  spans.filter { $0.worker.index == worker && $0.iteration == Int32(iteration) }
    .sorted { ($0.start, $0.end, $0.unit) < ($1.start, $1.end, $1.unit) }
    .map {
      "\($0.kind) \($0.start.picoseconds / 1_000_000)-\($0.end.picoseconds / 1_000_000)"
        + ($0.unit < 0 ? "" : " of \($0.unit)")
    }
}

func isClose(_ a: SimDuration, _ b: SimDuration, within ps: Int64) -> Bool {
  (a.picoseconds - b.picoseconds).magnitude <= UInt64(ps)
}

/// A factor given by a function of worker and iteration.
struct FactorTable: StragglerModel {
  let value: @Sendable (Int, Int) -> Double
  init(_ value: @escaping @Sendable (Int, Int) -> Double) { self.value = value }
  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    value(worker.index, iteration)
  }
}
