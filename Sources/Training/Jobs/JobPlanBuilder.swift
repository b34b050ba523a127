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
    var graph = JobGraph()
    var exchanges: [PlannedExchange] = []
    var phases: [JobPhase] = []
    let workload = blueprint.workload
    let settings = blueprint.phases
    for (index, phase) in settings.enumerated() {
      let end =
        index + 1 < settings.count
        ? settings[index + 1].firstIteration : workload.warmup + workload.iterations
      let counted = max(0, end - max(workload.warmup, phase.firstIteration))
      let firstOperation = graph.operations.count
      let firstExchange = exchanges.count
      var units: [UnitPlan] = []
      var own = Report()
      for (position, unit) in blueprint.schedule.units.enumerated() {
        var plan = try unitPlan(
          unit, index: position, compression: phase.settings, encoding: encodings[index],
          report: &own)
        plan.ready = unit.tensors.map { blueprint.compute.readyOffsets[$0.index] }.max() ?? .zero
        plan.firstExchange = exchanges.count
        exchanges += plan.exchanges
        units.append(plan)
      }
      add(units, to: &graph)
      phases.append(
        JobPhase(
          firstIteration: phase.firstIteration,
          operations: firstOperation..<graph.operations.count,
          exchanges: firstExchange..<exchanges.count))
      for name in own.algorithms { report.note(algorithm: name) }
      report.encodedBytes +=
        own.encodedBytes * Double(counted) / Double(max(1, workload.iterations))
      if !own.codecSource.isEmpty { report.codecSource = own.codecSource }
      report.memory.widen(to: own.memory)
    }
    graph.finish()
    report.memory.model = MemoryEstimate.modelState(blueprint)
    try check(report.memory)
    let job = JobPlan(
      name: blueprint.name, graph: graph, exchanges: exchanges, phases: phases,
      workers: blueprint.workers, nodes: places.map { topology.accelerators[$0] },
      hosts: places.map { topology.hostOfAccelerator[$0] }, window: blueprint.schedule.window,
      iterations: workload.iterations, warmup: workload.warmup,
      stragglers: blueprint.stragglers, progress: blueprint.communication.progress,
      overlapSlowdown: blueprint.communication.streams.overlapSlowdown, seed: seed,
      replicate: replicate)
    return (job, report)
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

  // MARK: - The graph

  /// One iteration of a worker: micro-batches that only accumulate, a last forward, backward cut
  /// where units become ready, and for each unit the sum inside the host, encode, exchanges, decode,
  /// and the gather inside the host; then the update.
  private func add(_ units: [UnitPlan], to graph: inout JobGraph) {
    let compute = blueprint.compute
    let streams = blueprint.communication.streams
    var last: [Int] = []
    for _ in 1..<blueprint.workload.accumulationSteps {
      last = [graph.add(.forward, on: .compute, for: compute.forward, after: last)]
      last = [graph.add(.backward, on: .compute, for: compute.backward, after: last)]
    }
    last = [graph.add(.forward, on: .compute, for: compute.forward, after: last)]
    var waiting: [Int] = []
    var reached = SimDuration.zero
    let order = units.indices.sorted { (units[$0].ready, $0) < (units[$1].ready, $1) }
    for index in order {
      let unit = units[index]
      if unit.ready > reached {
        last = [
          graph.add(.backward, on: .compute, for: unit.ready - reached, after: last)
        ]
        reached = unit.ready
      }
      var tail = last
      var exchange = unit.firstExchange
      func move(_ count: Int) {
        for _ in 0..<count {
          tail = [
            graph.add(.exchange, on: .communication, exchange: exchange, unit: index, after: tail)
          ]
          exchange += 1
        }
      }
      move(unit.before.count)
      tail = add(.encode, unit.encode, on: streams.encode, unit: index, to: &graph, after: tail)
      move(unit.between.count)
      if !unit.between.isEmpty {
        tail = add(.decode, unit.decode, on: streams.decode, unit: index, to: &graph, after: tail)
      }
      move(unit.after.count)
      waiting += tail
    }
    if compute.backward > reached {
      last = [graph.add(.backward, on: .compute, for: compute.backward - reached, after: last)]
    }
    graph.add(
      .optimizer, on: .compute, for: compute.optimizer,
      after: Array(Set(waiting + last)).sorted())
  }

  /// Adds the accelerator's and the CPU's part of an encode or decode, the CPU's on its own stream.
  private func add(
    _ kind: OperationKind, _ cost: CodecTiming.Cost, on placement: CodecPlacement, unit: Int,
    to graph: inout JobGraph, after predecessors: [Int]
  ) -> [Int] {
    var tail = predecessors
    let parts: [(StreamKind, SimDuration)] = [
      (placement.stream, cost.accelerator), (.cpu, cost.cpu),
    ]
    // A host stage comes after the accelerator's when encoding, and before it when decoding.
    for (stream, duration) in kind == .encode ? parts : parts.reversed() where duration > .zero {
      tail = [graph.add(kind, on: stream, for: duration, unit: unit, after: tail)]
    }
    return tail
  }
}

/// What one communication unit of one phase does in an iteration.
struct UnitPlan {
  var ready = SimDuration.zero
  var encode = CodecTiming.Cost()
  var decode = CodecTiming.Cost()
  /// Plain sums inside hosts, before anything is encoded.
  var before: [PlannedExchange] = []
  /// The exchanges of what was encoded.
  var between: [PlannedExchange] = []
  /// Plain gathers inside hosts.
  var after: [PlannedExchange] = []
  /// Where the exchanges begin in the job's.
  var firstExchange = 0
  var exchanges: [PlannedExchange] { before + between + after }
}
