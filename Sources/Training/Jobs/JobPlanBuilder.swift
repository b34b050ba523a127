import Collectives
import Compression
import Networks
import SimKernel

/// Turns a blueprint and its encoded gradients into what the run loop executes.
public struct JobPlanBuilder {
  private let blueprint: JobBlueprint
  private let encoding: EncodingResult?
  private let topology: Topology
  private let transport: Transport
  private let timing: CodecTiming

  /// What results say about a job besides its times.
  public struct Report: Sendable {
    /// The algorithms that move the gradients, as `auto` chose them.
    public var algorithms: [String] = []
    /// Framed payload of one worker and iteration, the mean over workers.
    public var encodedBytes = 0.0
    /// Where the cost of the codecs comes from; empty without compression.
    public var codecSource = ""
  }

  public init(
    _ blueprint: JobBlueprint, encoding: EncodingResult?, topology: Topology, transport: Transport
  ) {
    self.blueprint = blueprint
    self.encoding = encoding
    self.topology = topology
    self.transport = transport
    timing = CodecTiming(device: blueprint.device)
  }

  /// Builds the plan for one replicate.
  ///
  /// - Throws: `InvalidInput` if the algorithm cannot move these payloads among these ranks.
  public func build(
    seed: UInt64, replicate: Int
  ) throws(InvalidInput) -> (plan: JobPlan, report: Report) {
    var report = Report()
    var exchanges: [PlannedExchange] = []
    var units: [UnitPlan] = []
    for (index, unit) in blueprint.schedule.units.enumerated() {
      let plan = try unitPlan(unit, index: index, report: &report)
      units.append(
        UnitPlan(
          ready: unit.tensors.map { blueprint.compute.readyOffsets[$0.index] }.max() ?? .zero,
          encode: plan.encode, decode: plan.decode,
          exchanges: Array(exchanges.count..<exchanges.count + plan.exchanges.count)))
      exchanges += plan.exchanges
    }
    let job = JobPlan(
      name: blueprint.name, graph: graph(units), exchanges: exchanges,
      workers: blueprint.workers, nodes: nodes, window: blueprint.schedule.window,
      iterations: blueprint.workload.iterations, warmup: blueprint.workload.warmup,
      stragglers: blueprint.stragglers, progress: blueprint.communication.progress,
      overlapSlowdown: blueprint.communication.streams.overlapSlowdown, seed: seed,
      replicate: replicate)
    return (job, report)
  }

  /// The node of every rank slot: workers, then servers.
  private var nodes: [NodeID] {
    var nodes = blueprint.accelerators.map { topology.accelerators[$0] }
    if case .parameterServer(let servers) = blueprint.communication.strategy,
      servers.placement == .colocated
    {
      nodes += nodes.prefix(blueprint.servers)
    }
    return nodes
  }

  // MARK: - The graph

  private struct UnitPlan {
    var ready: SimDuration
    var encode: CodecTiming.Cost
    var decode: CodecTiming.Cost
    var exchanges: [Int]
  }

  /// One iteration of a worker: micro-batches that only accumulate, a last forward, backward cut
  /// where units become ready, and for each unit encode, exchanges, decode; then the update.
  private func graph(_ units: [UnitPlan]) -> JobGraph {
    var graph = JobGraph()
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
      var tail = add(.encode, unit.encode, on: streams.encode, unit: index, to: &graph, after: last)
      for exchange in unit.exchanges {
        tail = [
          graph.add(.exchange, on: .communication, exchange: exchange, unit: index, after: tail)
        ]
      }
      if !unit.exchanges.isEmpty {
        tail = add(.decode, unit.decode, on: streams.decode, unit: index, to: &graph, after: tail)
      }
      waiting += tail
    }
    if compute.backward > reached {
      last = [graph.add(.backward, on: .compute, for: compute.backward - reached, after: last)]
    }
    graph.add(
      .optimizer, on: .compute, for: compute.optimizer,
      after: Array(Set(waiting + last)).sorted())
    graph.finish()
    return graph
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

  // MARK: - Exchanges of a unit

  /// What one tensor group needs: its exchanges, and the framed payload of each representative.
  private struct GroupNeeds {
    var steps: [ExchangeStep]
    var framed: [ByteCount]
    var encode: CodecTiming.Cost
    var decode: CodecTiming.Cost
    var isIdentity: Bool
  }

  private func unitPlan(
    _ unit: CommunicationUnit, index: Int, report: inout Report
  ) throws(InvalidInput) -> (
    exchanges: [PlannedExchange], encode: CodecTiming.Cost, decode: CodecTiming.Cost
  ) {
    var offset = 0
    let ranges = unit.tensors.map { id in
      let tensor = blueprint.model.tensors[id.index]
      defer { offset += tensor.elements }
      return TensorRange(
        name: tensor.name, offset: offset, count: tensor.elements, shape: tensor.shape)
    }
    let plan = CompressionPlan(
      settings: blueprint.communication.compression, tensors: ranges)
    if blueprint.workers == 1 { return ([], CodecTiming.Cost(), CodecTiming.Cost()) }
    var encode = CodecTiming.Cost()
    var decode = CodecTiming.Cost()
    var needs: [GroupNeeds] = []
    for (position, group) in plan.groups.enumerated() {
      let own = self.needs(
        of: group, measured: encoding?.units[index][position], report: &report)
      encode += own.encode
      decode += own.decode
      needs.append(own)
    }
    let framed = (0..<blueprint.workers).map { worker in
      needs.reduce(ByteCount.zero) { $0 + $1.framed[worker % $1.framed.count] }
    }
    report.encodedBytes +=
      framed.reduce(0.0) { $0 + Double($1.bytes) } / Double(blueprint.workers)
    let exchanges: [PlannedExchange]
    switch blueprint.communication.strategy {
    case .allReduce:
      exchanges = try reductions(needs, unit: index, report: &report)
    case .allGather:
      exchanges = try gathers(needs, framed, unit: index, report: &report)
    case .parameterServer(let servers):
      exchanges = try serverExchange(
        servers, needs, framed, unit, index: index, encode: encode, decode: &decode,
        report: &report)
    }
    return (exchanges, encode, decode)
  }

  private func needs(
    of group: CompressionPlan.Group, measured: EncodingResult.Group?, report: inout Report
  ) -> GroupNeeds {
    let compression = blueprint.communication.compression
    let elements = group.elementCount
    let raw = ByteCount(Int64(elements) * Int64(blueprint.workload.gradientType.bytes))
    let gathered = if case .allGather = blueprint.communication.strategy { true } else { false }
    let copies = gathered ? blueprint.workers : 1
    if group.pipeline.isIdentity {
      let decode =
        gathered
        ? timing.cost(
          of: CodecTiming.accumulation, elements: elements, copied: raw, repetitions: copies)
        : CodecTiming.Cost()
      return GroupNeeds(
        steps: [
          ExchangeStep(
            .sum, bits: Int(raw.bytes) * 8, elements: max(1, elements), purpose: "values")
        ], framed: [raw], encode: CodecTiming.Cost(), decode: decode, isIdentity: true)
    }
    let bits = measured?.payloadBits ?? [0]
    let steps = group.pipeline.exchangePlan(
      elementCount: elements, scope: group.scope, tensors: group.tensors,
      workers: blueprint.workers, payloadBits: bits.max()
    ).steps
    let framing =
      gathered || group.pipeline.aggregation == .gather ? measured?.framing ?? .zero : .zero
    let framed = bits.map { ByteCount.holding(bits: $0) + framing }
    let declaration = group.pipeline.declaration
    var work = declaration.encode
    if compression.errorFeedback != nil {
      work = work + CodecTiming.errorFeedback + declaration.decode
    }
    let streams = blueprint.communication.streams
    let encode =
      streams.encode == .cpu
      ? timing.onCPU(work, elements: elements, copied: raw)
      : timing.cost(of: work, elements: elements, copied: raw)
    let decode =
      streams.decode == .cpu
      ? timing.onCPU(declaration.decode, elements: elements, copied: raw, repetitions: copies)
      : timing.cost(of: declaration.decode, elements: elements, copied: raw, repetitions: copies)
    report.codecSource =
      "derived: launches and memory traffic of \(group.pipeline.label) on "
      + "\(blueprint.device.name)" + (work.source.isEmpty ? "" : " (\(work.source))")
    return GroupNeeds(
      steps: steps, framed: framed, encode: encode, decode: decode, isIdentity: false)
  }

  /// All groups' exchanges of one round travel together: first those that agree on something, then
  /// the payloads.
  private func reductions(
    _ needs: [GroupNeeds], unit: Int, report: inout Report
  ) throws(InvalidInput) -> [PlannedExchange] {
    let rounds = needs.map(\.steps.count).max() ?? 0
    var exchanges: [PlannedExchange] = []
    for round in (0..<rounds).reversed() {
      // Rounds are counted from the last one, which moves the values of every group.
      let steps = needs.compactMap { need in
        round < need.steps.count ? need.steps[need.steps.count - 1 - round] : nil
      }
      let bits = steps.reduce(0) { $0 + $1.bits }
      let elements = max(1, steps.reduce(0) { $0 + $1.elements })
      let size = ByteCount.holding(bits: Int64(bits))
      let kind = steps[0].kind
      exchanges.append(
        try exchange(
          kind == .gather ? .allGather : kind == .broadcast ? .broadcast : .allReduce,
          sizes: Array(repeating: size, count: blueprint.workers),
          cutUnit: max(1, size.bytes / Int64(elements)), unit: unit,
          isPayload: round == 0, report: &report))
    }
    return exchanges
  }

  private func gathers(
    _ needs: [GroupNeeds], _ framed: [ByteCount], unit: Int, report: inout Report
  ) throws(InvalidInput) -> [PlannedExchange] {
    var exchanges: [PlannedExchange] = []
    // Receivers must know sizes that differ before they can post their buffers.
    let isVariable = needs.contains { need in need.steps.contains { $0.isVariableSize } }
    if isVariable || Set(framed).count > 1 {
      exchanges.append(
        try exchange(
          .allGather, sizes: Array(repeating: ByteCount(8), count: blueprint.workers), cutUnit: 1,
          unit: unit, isPayload: false, report: &report))
    }
    exchanges.append(
      try exchange(
        .allGather, sizes: framed, cutUnit: 1, unit: unit, isPayload: true, report: &report))
    return exchanges
  }

  private func exchange(
    _ operation: CollectiveOperation, sizes: [ByteCount], cutUnit: Int64, unit: Int,
    isPayload: Bool, report: inout Report
  ) throws(InvalidInput) -> PlannedExchange {
    let hosts = blueprint.accelerators.prefix(blueprint.workers).map {
      topology.hostOfAccelerator[$0]
    }
    let size = sizes.max() ?? .zero
    var algorithm = blueprint.communication.algorithm
    // Small agreements before the payload use whatever suits them.
    if !isPayload, !algorithm.operations.contains(operation) {
      algorithm = CollectiveAlgorithm(.auto)
    }
    let made = algorithm.makePlan(operation, shape: GroupShape(hosts: hosts), size: size)
    switch made {
    case .failure(let refusal):
      throw InvalidInput([
        Issue(
          path: blueprint.path.appending("communication").appending("algorithm"),
          problem: .conflict(refusal.reason))
      ])
    case .success(let plan):
      if isPayload, !report.algorithms.contains(plan.name) { report.algorithms.append(plan.name) }
      return PlannedExchange(
        plan: plan, sizes: sizes,
        combining: CombiningCost(
          rate: transport.reductionRate ?? blueprint.device.reductionRate.value),
        cutUnit: cutUnit, unit: unit)
    }
  }

  // MARK: - Servers

  private func serverExchange(
    _ servers: ServerSettings, _ needs: [GroupNeeds], _ framed: [ByteCount],
    _ unit: CommunicationUnit, index: Int, encode: CodecTiming.Cost,
    decode: inout CodecTiming.Cost, report: inout Report
  ) throws(InvalidInput) -> [PlannedExchange] {
    let group = ParameterServers(
      count: blueprint.servers, placement: servers.placement, sharding: servers.sharding)
    let served = unit.tensors.map {
      ServedTensor(
        key: $0.index, elements: Int64(blueprint.model.tensors[$0.index].elements))
    }
    let plan: Plan
    switch group.makePlan(workers: blueprint.workers, tensors: served) {
    case .success(let made): plan = made
    case .failure(let refusal):
      throw InvalidInput([
        Issue(
          path: blueprint.path.appending("communication").appending("servers"),
          problem: .conflict(refusal.reason))
      ])
    }
    if !report.algorithms.contains(plan.name) { report.algorithms.append(plan.name) }
    var combining = CombiningCost(
      rate: transport.reductionRate ?? blueprint.device.reductionRate.value)
    // Codes that first agree on a range do not add here either: nobody agrees before a push.
    let isEncoded = needs.contains { need in
      need.steps.count > 1 || need.steps.contains { $0.kind == .gather }
    }
    if isEncoded {
      // A server decodes every push before it adds it, shard by shard.
      let shards = max(1, plan.chunkCount)
      func share(_ cost: CodecTiming.Cost) -> SimDuration {
        .picoseconds((cost.accelerator + cost.cpu).picoseconds / Int64(shards))
      }
      combining.perPayload = share(decode)
      if servers.reply == .encoded {
        combining.onLast = share(encode)
      } else {
        let raw = Double(unit.elements * blueprint.workload.gradientType.bytes)
        let sent = framed.reduce(0.0) { $0 + Double($1.bytes) } / Double(framed.count)
        combining.replyScale = sent > 0 ? raw / sent : 1
        decode = CodecTiming.Cost()
      }
    }
    return [
      PlannedExchange(
        plan: plan, sizes: framed + Array(repeating: .zero, count: blueprint.servers),
        combining: combining, cutUnit: 1, unit: index)
    ]
  }
}
