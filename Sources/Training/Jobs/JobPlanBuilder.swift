import Collectives
import Compression
import Networks
import SimKernel

/// Turns a blueprint and its encoded gradients into what the run loop executes.
public struct JobPlanBuilder {
  let blueprint: JobBlueprint
  /// One a phase of the compression settings; nil where nothing is encoded.
  private let encodings: [EncodingResult?]
  let topology: Topology
  let transport: Transport
  let timing: CodecTiming
  var peers: PeerGroups { blueprint.peers }

  /// What results say about a job besides its times.
  public struct Report: Sendable {
    /// The algorithms that move the gradients, as `auto` chose them.
    public var algorithms: [String] = []
    /// Framed payload of one worker and iteration, the mean over workers and counted iterations.
    public var encodedBytes = 0.0
    /// Where the cost of the codecs comes from; empty without compression.
    public var codecSource = ""
    /// What a worker's accelerator keeps.
    public var memory = MemoryEstimate()

    mutating func note(algorithm: String) {
      if !algorithms.contains(algorithm) { algorithms.append(algorithm) }
    }
  }

  /// `encodings` are those of the phases of the blueprint's compression, in order.
  public init(
    _ blueprint: JobBlueprint, encodings: [EncodingResult?], topology: Topology,
    transport: Transport
  ) {
    precondition(encodings.count == blueprint.phases.count, "an encoding a phase, or nil")
    self.blueprint = blueprint
    self.encodings = encodings
    self.topology = topology
    self.transport = transport
    timing = CodecTiming(
      device: blueprint.device, factor: blueprint.workload.assumptions.codecCost)
  }

  /// Builds the plan for one replicate.
  ///
  /// - Throws: `InvalidInput` if the algorithm cannot move these payloads among these ranks, or if
  ///   they do not fit into the accelerators' memory.
  public func build(
    seed: UInt64, replicate: Int
  ) throws(InvalidInput) -> (plan: JobPlan, report: Report) {
    var report = Report()
    let communication = blueprint.communication
    var builder = JobGraphBuilder(
      compute: blueprint.compute, streams: communication.streams,
      accumulationSteps: blueprint.workload.accumulationSteps,
      copyRate: communication.sending.copyRate, overlapsForward: blueprint.schedule.overlapsForward,
      updates: !communication.strategy.updatesOnServers, keepsEmpty: blueprint.isMixed)
    var exchanges: [PlannedExchange] = []
    var phases: [JobPhase] = []
    let workload = blueprint.workload
    let settings = blueprint.phases
    let neededOffsets = blueprint.compute.neededOffsets
    for (index, phase) in settings.enumerated() {
      let end =
        index + 1 < settings.count
        ? settings[index + 1].firstIteration : workload.warmup + workload.iterations
      let counted = max(0, end - max(workload.warmup, phase.firstIteration))
      let firstOperation = builder.graph.operations.count
      let firstExchange = exchanges.count
      var units: [UnitPlan] = []
      var own = Report()
      for (position, unit) in blueprint.schedule.units.enumerated() {
        var plan = try unitPlan(
          unit, index: position, compression: phase.settings, encoding: encodings[index],
          report: &own)
        plan.ready = unit.tensors.map { blueprint.compute.readyOffsets[$0.index] }.max() ?? .zero
        plan.needed = unit.tensors.map { neededOffsets[$0.index] }.min() ?? .zero
        plan.lastTensor = unit.tensors.map(\.index).min() ?? 0
        plan.hold = unit.hold
        plan.elements = unit.elements
        plan.firstExchange = exchanges.count
        let ticket = AdmissionTicket(
          priority: unit.priority,
          bytes: Int64(unit.elements) * Int64(workload.gradientType.bytes))
        exchanges += plan.exchanges.map {
          var exchange = $0
          exchange.ticket = ticket
          return exchange
        }
        units.append(plan)
      }
      if let model = blueprint.model.graph {
        builder.add(
          units, of: blueprint.schedule.units.map(\.tensors), in: model,
          factor: workload.assumptions.computeTime)
      } else {
        builder.add(units)
      }
      phases.append(
        JobPhase(
          firstIteration: phase.firstIteration,
          operations: firstOperation..<builder.graph.operations.count,
          exchanges: firstExchange..<exchanges.count))
      for name in own.algorithms { report.note(algorithm: name) }
      report.encodedBytes +=
        own.encodedBytes * Double(counted) / Double(max(1, workload.iterations))
      if !own.codecSource.isEmpty { report.codecSource = own.codecSource }
      report.memory.widen(to: own.memory)
    }
    report.memory.model = MemoryEstimate.modelState(blueprint)
    try check(report.memory)
    var job = JobPlan(
      name: blueprint.name, graph: builder.finished(), exchanges: exchanges, phases: phases,
      workers: blueprint.workers, nodes: places.map { topology.accelerators[$0] },
      hosts: places.map { topology.hostOfAccelerator[$0] },
      admission: AdmissionRules(
        order: blueprint.schedule.order, limit: blueprint.schedule.limit,
        isAgreed: communication.strategy.needsAgreement),
      sending: communication.sending, holdsReplies: communication.strategy.holdsReplies,
      iterations: workload.iterations, warmup: workload.warmup,
      stragglers: blueprint.stragglers, progress: blueprint.communication.progress,
      overlapSlowdown: communication.streams.overlapSlowdown.map(OverlapSlowdown.init(_:))
        ?? blueprint.device.overlap ?? .none,
      seed: seed, replicate: replicate)
    job.startup = workload.execution.startup
    job.recovery = blueprint.recovery
    try addClasses(to: &job, seed: seed, replicate: replicate)
    return (job, report)
  }

  /// What operations take on each of several devices: plans that are alike but for that.
  private func addClasses(
    to job: inout JobPlan, seed: UInt64, replicate: Int
  ) throws(InvalidInput) {
    for index in blueprint.classes.indices {
      let own = try JobPlanBuilder(
        blueprint.seen(by: index), encodings: encodings, topology: topology, transport: transport
      ).build(seed: seed, replicate: replicate).plan.graph
      let isAlike =
        own.operations.count == job.graph.operations.count
        && zip(own.operations, job.graph.operations).allSatisfy {
          $0.kind == $1.kind && $0.stream == $1.stream && $0.exchange == $1.exchange
        }
      guard isAlike else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["cluster", "devices"]),
            problem: .conflict(
              "\(blueprint.device.name) and \(blueprint.classes[index].device.name) do not run the "
                + "same operations, since a codec takes no time on one of them; give both their costs"
            ))
        ])
      }
      job.durations += own.operations.map(\.duration)
    }
    job.classOfWorker = blueprint.classOfWorker
  }

  private func check(_ memory: MemoryEstimate) throws(InvalidInput) {
    let capacity = blueprint.device.memory.value
    // A model that does not fit by itself has been warned of; its optimizer may be sharded.
    let model = memory.model <= capacity ? memory.model : .zero
    if model + memory.compression <= capacity { return }
    throw InvalidInput([
      Issue(
        path: blueprint.path.appending("communication"),
        problem: .conflict(
          "a worker needs \(memory.compression) for residuals, payloads and buffers beside \(model) "
            + "of parameters, gradients and optimizer state, but a \(blueprint.device.name) has "
            + "\(capacity), and activations come on top; use another strategy, smaller buckets or "
            + "fewer workers"))
    ])
  }

  /// The accelerator of every rank slot: workers, then servers.
  private var places: [Int] {
    var places = blueprint.accelerators
    if case .parameterServer(let servers) = blueprint.communication.strategy,
      servers.placement == .colocated
    {
      places += places.prefix(blueprint.servers)
    }
    return places
  }
}
