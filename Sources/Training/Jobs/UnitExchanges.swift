import Collectives
import Compression
import SimKernel

/// What one tensor group of a unit needs: its exchanges, and the framed payload of each
/// representative.
struct GroupNeeds {
  var steps: [ExchangeStep]
  var framed: [ByteCount]
  var framing = ByteCount.zero
  var encode = CodecTiming.Cost()
  var decode = CodecTiming.Cost()
  /// Encoding and decoding a single chunk of the many a ring cuts the group into.
  var chunkEncode = CodecTiming.Cost()
  var chunkDecode = CodecTiming.Cost()
  /// The size of a sum of m contributions over that of one, at index m; empty if it stays.
  var growth: [Double] = []
  /// What its elements take uncompressed.
  var raw: ByteCount
  /// What its codecs remember from one iteration to the next.
  var memory = ByteCount.zero
}

extension JobPlanBuilder {
  /// What `unit` does in an iteration under `compression`.
  func unitPlan(
    _ unit: CommunicationUnit, index: Int, compression: CompressionSettings,
    encoding: EncodingResult?, report: inout Report
  ) throws(InvalidInput) -> UnitPlan {
    if blueprint.workers == 1 { return UnitPlan() }
    var result = UnitPlan()
    var needs: [GroupNeeds] = []
    for (position, group) in groups(of: unit, under: compression).enumerated() {
      let own = self.needs(
        of: group, compression: compression, measured: encoding?.units[index][position],
        report: &report)
      result.encode += own.encode
      result.decode += own.decode
      needs.append(own)
    }
    let framed = (0..<blueprint.workers).map { worker -> ByteCount in
      let source = peers.representative(of: worker)
      return needs.reduce(ByteCount.zero) { $0 + $1.framed[source % $1.framed.count] }
    }
    result.payload = framed.max() ?? .zero
    report.encodedBytes +=
      framed.reduce(0.0) { $0 + Double($1.bytes) } / Double(blueprint.workers)
    if !peers.hosts.isEmpty {
      let raw = needs.reduce(ByteCount.zero) { $0 + $1.raw }
      result.before = [try inner(.reduceScatter, raw, unit: index, report: &report)]
      result.after = [try inner(.allGather, raw, unit: index, report: &report)]
    }
    if peers.count > 1 {
      result.between = try exchanges(
        needs, framed, unit, index: index, plan: &result, report: &report)
    }
    noteMemory(needs, framed, compression: compression, report: &report)
    return result
  }

  /// The tensors of `unit` by what is done with them.
  private func groups(
    of unit: CommunicationUnit, under compression: CompressionSettings
  ) -> [CompressionPlan.Group] {
    let elements = unit.elements
    // Names and shapes are not copied where nobody reads them: for half of the points of a sweep
    // that would be a tenth of their time.
    if elements > 0,
      let whole = CompressionPlan.Group(untouchedBy: compression, elementCount: elements)
    {
      return [whole]
    }
    var offset = 0
    let ranges = unit.tensors.map { id in
      let tensor = blueprint.model.tensors[id.index]
      let count = unit.slice?.count ?? tensor.elements
      defer { offset += count }
      return TensorRange(
        name: tensor.name, offset: offset, count: count,
        shape: unit.slice == nil ? tensor.shape : [])
    }
    return CompressionPlan(settings: compression, tensors: ranges).groups
  }

  private func exchanges(
    _ needs: [GroupNeeds], _ framed: [ByteCount], _ unit: CommunicationUnit, index: Int,
    plan: inout UnitPlan, report: inout Report
  ) throws(InvalidInput) -> [PlannedExchange] {
    switch blueprint.communication.strategy {
    case .allReduce: return try reductions(needs, unit: index, report: &report)
    case .allGather: return try gathers(needs, framed, unit: index, report: &report)
    case .parameterServer(let servers):
      return try serverExchange(
        servers, needs, framed, unit, index: index, plan: &plan, report: &report)
    case .sparseAllReduce:
      return try sparseSum(needs, framed, unit: index, report: &report)
    case .globalTopK:
      // Every merge selects again among twice the elements.
      var merge = SimDuration.zero
      for need in needs {
        merge += need.chunkEncode.accelerator + need.chunkEncode.cpu
      }
      return [
        try exchange(
          .allReduce, CollectiveAlgorithm(.tree), sizes: framed,
          combining: CombiningCost(rate: reductionRate, perReduction: merge), unit: index,
          report: &report)
      ]
    case .reencodingRing:
      plan.encode = CodecTiming.Cost()
      var hop = SimDuration.zero
      for need in needs {
        plan.encode += need.chunkEncode
        hop +=
          need.chunkDecode.accelerator + need.chunkDecode.cpu + need.chunkEncode.accelerator
          + need.chunkEncode.cpu
      }
      // Every chunk is a frame of its own.
      let extra = needs.reduce(ByteCount.zero) { $0 + $1.framing * (peers.count - 1) }
      return [
        try exchange(
          .allReduce, CollectiveAlgorithm(.ring), sizes: framed.map { $0 + extra },
          combining: CombiningCost(rate: reductionRate, perReduction: hop), unit: index,
          report: &report)
      ]
    }
  }

  /// The rate at which a rank adds payloads.
  private var reductionRate: Bandwidth? {
    transport.reductionRate ?? blueprint.device.reductionRate.value
  }

  // MARK: - What a group needs

  private func needs(
    of group: CompressionPlan.Group, compression: CompressionSettings,
    measured: EncodingResult.Group?, report: inout Report
  ) -> GroupNeeds {
    let elements = peers.share(group.elementCount)
    let raw = ByteCount(Int64(elements) * Int64(blueprint.workload.gradientType.bytes))
    let isGather = blueprint.communication.strategy.isGather
    let copies = isGather ? peers.count : 1
    let whole = ByteCount(
      Int64(group.elementCount) * Int64(blueprint.workload.gradientType.bytes))
    if group.pipeline.isIdentity {
      var need = GroupNeeds(
        steps: [
          ExchangeStep(
            .sum, bits: Int(raw.bytes) * 8, elements: max(1, elements), purpose: "values")
        ], framed: [raw], raw: whole)
      if isGather {
        need.decode = timing.cost(
          of: CodecTiming.accumulation, elements: elements, copied: raw, repetitions: copies)
      }
      return need
    }
    let shares = Int64(peers.shares)
    let bits = (measured?.payloadBits ?? [0]).map { ($0 + shares - 1) / shares }
    let isShared = peers.shares > 1
    let steps = group.pipeline.exchangePlan(
      elementCount: elements, scope: group.scope, tensors: isShared ? [] : group.tensors,
      workers: peers.count, payloadBits: bits.max()
    ).steps
    let framing =
      isGather || group.pipeline.aggregation == .gather ? measured?.framing ?? .zero : .zero
    var need = GroupNeeds(
      steps: steps, framed: bits.map { ByteCount.holding(bits: $0) + framing }, framing: framing,
      raw: whole)
    need.memory = ByteCount(
      4
        * Int64(
          group.pipeline.rememberedFloats(
            elementCount: elements, tensors: isShared ? [] : group.tensors)))
    let streams = blueprint.communication.streams
    let upkeep =
      compression.momentumCorrection != nil
      ? CodecTiming.momentumCorrection
      : compression.errorFeedback != nil ? CodecTiming.errorFeedback : nil
    func price(
      _ elements: Int, payloads: Int = 1, upkeep: CodecWork? = nil
    ) -> CodecTiming.Price {
      timing.price(
        CodecTiming.Order(
          pipeline: group.pipeline, elements: elements, copied: raw, payloads: payloads,
          upkeep: upkeep, streams: streams))
    }
    let own = price(elements, payloads: copies, upkeep: upkeep)
    need.encode = own.encode
    need.decode = own.decode
    report.codecSource = own.source
    switch blueprint.communication.strategy {
    case .reencodingRing:
      // Whoever encodes keeps what its own encode lost.
      let chunk = price((elements + peers.count - 1) / peers.count, upkeep: upkeep)
      need.chunkEncode = chunk.encode
      need.chunkDecode = chunk.decode
    case .globalTopK:
      if let support = measured?.support {
        let share = support.union(workers: 1) / Double(max(1, support.elementCount))
        let kept = Int((Double(elements) * share).rounded(.up))
        need.chunkEncode = price(2 * kept).encode
      }
    case .sparseAllReduce, .parameterServer:
      if let support = measured?.support, support.union(workers: 1) > 0 {
        let one = support.union(workers: 1)
        need.growth = (0...peers.count).map { $0 < 2 ? 1 : support.union(workers: $0) / one }
      }
    case .allReduce, .allGather: break
    }
    return need
  }

  // MARK: - Sums and gathers

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

  /// A sum whose payloads grow with the union of supports, up to the plain gradient.
  private func sparseSum(
    _ needs: [GroupNeeds], _ framed: [ByteCount], unit: Int, report: inout Report
  ) throws(InvalidInput) -> [PlannedExchange] {
    let growth = growth(of: needs)
    var algorithm = blueprint.communication.algorithm
    if algorithm.kind == .auto {
      algorithm.kind = sparseChoice(size: framed.max() ?? .zero, growth: growth)
    }
    return [
      try exchange(
        .allReduce, algorithm, sizes: framed,
        combining: CombiningCost(rate: reductionRate, growth: growth), unit: unit,
        report: &report)
    ]
  }

  /// Recursive doubling for short messages, and where it moves fewer bytes than a split and an
  /// all-gather would.
  private func sparseChoice(size: ByteCount, growth: [Double]) -> CollectiveAlgorithm.Kind {
    func grown(_ count: Int) -> Double {
      growth.isEmpty ? 1 : growth[min(count, growth.count - 1)]
    }
    if size.bytes < 10_000 { return .recursiveDoubling }
    var doubling = 0.0
    var reached = 1
    while reached < peers.count {
      doubling += grown(reached)
      reached *= 2
    }
    let share = Double(peers.count - 1) / Double(peers.count)
    return doubling < share * (1 + grown(peers.count)) ? .recursiveDoubling : .direct
  }

  /// How the payload of all groups together grows: selected elements unite until they are no smaller
  /// than the plain gradient, which is then sent instead (the dense switch of SparCML).
  private func growth(of needs: [GroupNeeds]) -> [Double] {
    let longest = needs.map(\.growth.count).max() ?? 0
    if longest == 0 { return [] }
    func mean(_ need: GroupNeeds) -> Double {
      need.framed.reduce(0.0) { $0 + Double($1.bytes) } / Double(need.framed.count)
    }
    let base = needs.reduce(0.0) { $0 + mean($1) }
    if base == 0 { return [] }
    return (0..<longest).map { count in
      if count < 2 { return 1 }
      let size = needs.reduce(0.0) { sum, need in
        if need.growth.isEmpty { return sum + mean(need) }
        let united = mean(need) * need.growth[min(count, need.growth.count - 1)]
        let plain = Double(need.raw.bytes) / Double(peers.shares)
        return sum + min(united, max(plain, mean(need)))
      }
      return size / base
    }
  }

  // MARK: - Plans

  private func exchange(
    _ operation: CollectiveOperation, sizes: [ByteCount], cutUnit: Int64, unit: Int,
    isPayload: Bool, report: inout Report
  ) throws(InvalidInput) -> PlannedExchange {
    var algorithm = blueprint.communication.algorithm
    // Small agreements before the payload use whatever suits them.
    if !isPayload, !algorithm.operations.contains(operation) {
      algorithm = CollectiveAlgorithm(.auto)
    }
    return try exchange(
      operation, algorithm, sizes: sizes, combining: CombiningCost(rate: reductionRate),
      cutUnit: cutUnit, unit: unit, isPayload: isPayload, report: &report)
  }

  private func exchange(
    _ operation: CollectiveOperation, _ algorithm: CollectiveAlgorithm, sizes: [ByteCount],
    combining: CombiningCost, cutUnit: Int64 = 1, unit: Int, isPayload: Bool = true,
    report: inout Report
  ) throws(InvalidInput) -> PlannedExchange {
    let made = algorithm.makePlan(operation, shape: peers.shape, size: sizes.max() ?? .zero)
    let plan = try plan(made, at: "algorithm")
    if isPayload { report.note(algorithm: plan.name) }
    return PlannedExchange(
      plan: plan, groups: peers.groups, sizes: sizes, combining: combining, cutUnit: cutUnit,
      unit: unit)
  }

  /// A plain sum or gather of `size` bytes a worker inside every host.
  private func inner(
    _ operation: CollectiveOperation, _ size: ByteCount, unit: Int, report: inout Report
  ) throws(InvalidInput) -> PlannedExchange {
    let isGather = operation == .allGather
    let own =
      isGather ? ByteCount((size.bytes + Int64(peers.shares) - 1) / Int64(peers.shares)) : size
    let made = CollectiveAlgorithm(.auto).makePlan(
      operation, shape: GroupShape(rankCount: peers.shares), size: own)
    let plan = try plan(made, at: "inter_node")
    report.note(algorithm: "inner \(plan.name) \(operation.rawValue)")
    return PlannedExchange(
      plan: plan, groups: peers.hosts, sizes: Array(repeating: own, count: blueprint.workers),
      combining: CombiningCost(rate: reductionRate),
      cutUnit: isGather ? 1 : Int64(blueprint.workload.gradientType.bytes), unit: unit)
  }

  private func plan(
    _ made: Result<Plan, PlanRefusal>, at key: String
  ) throws(InvalidInput) -> Plan {
    switch made {
    case .success(let plan): return plan
    case .failure(let refusal):
      throw InvalidInput([
        Issue(
          path: blueprint.path.appending("communication").appending(key),
          problem: .conflict(refusal.reason))
      ])
    }
  }

  // MARK: - Servers

  private func serverExchange(
    _ servers: ServerSettings, _ needs: [GroupNeeds], _ framed: [ByteCount],
    _ unit: CommunicationUnit, index: Int, plan result: inout UnitPlan, report: inout Report
  ) throws(InvalidInput) -> [PlannedExchange] {
    let group = ParameterServers(
      count: blueprint.servers, placement: servers.placement, sharding: servers.sharding,
      pullsOnRequest: servers.pull == .request)
    let served = unit.tensors.map {
      ServedTensor(
        key: unit.slice == nil ? $0.index : index,
        elements: Int64(unit.slice?.count ?? blueprint.model.tensors[$0.index].elements))
    }
    let plan = try plan(
      group.makePlan(workers: blueprint.workers, tensors: served, turn: index), at: "servers")
    report.note(algorithm: plan.name)
    var combining = CombiningCost(rate: servers.aggregationRate ?? reductionRate)
    if servers.update == .server, servers.aggregationRate == nil {
      // A rate of aggregation includes the update; without one a server updates as fast as a worker.
      let share = Double(unit.elements) / Double(max(1, blueprint.elements))
      combining.onLast = blueprint.compute.optimizer.scaled(
        by: share / Double(max(1, plan.chunkCount)))
    }
    // Codes that first agree on a range do not add here either: nobody agrees before a push.
    let isEncoded = needs.contains { need in
      need.steps.count > 1 || need.steps.contains { $0.kind == .gather }
    }
    if servers.reply == .union {
      combining.growth = growth(of: needs)
    } else if isEncoded {
      // A server decodes every push before it adds it, shard by shard.
      let shards = max(1, plan.chunkCount)
      func share(_ cost: CodecTiming.Cost) -> SimDuration {
        .picoseconds((cost.accelerator + cost.cpu).picoseconds / Int64(shards))
      }
      combining.perPayload = share(result.decode)
      if servers.reply == .encoded {
        combining.onLast += share(result.encode)
        if servers.errorFeedback != nil {
          combining.onLast += share(
            timing.cost(
              of: CodecTiming.errorFeedback,
              elements: unit.elements, copied: .zero))
        }
      } else {
        let raw = Double(unit.elements * blueprint.workload.gradientType.bytes)
        let sent = framed.reduce(0.0) { $0 + Double($1.bytes) } / Double(framed.count)
        combining.replyScale = sent > 0 ? raw / sent : 1
        result.decode = CodecTiming.Cost()
      }
    }
    return [
      PlannedExchange(
        plan: plan, sizes: framed + Array(repeating: .zero, count: blueprint.servers),
        combining: combining, cutUnit: 1, unit: index)
    ]
  }

  // MARK: - Memory

  /// Residuals stay; payloads and buffers of the largest unit come and go.
  private func noteMemory(
    _ needs: [GroupNeeds], _ framed: [ByteCount], compression: CompressionSettings,
    report: inout Report
  ) {
    var isEncoded = false
    var elements: Int64 = 0
    var remembered = ByteCount.zero
    for need in needs where need.encode != CodecTiming.Cost() {
      isEncoded = true
      remembered += need.memory
      elements += need.raw.bytes / Int64(blueprint.workload.gradientType.bytes)
    }
    guard isEncoded, blueprint.communication.streams.encode != .cpu else { return }
    let own = framed.max() ?? .zero
    // A residual, and with momentum correction a momentum beside it.
    let vectors: Int64 =
      compression.momentumCorrection != nil ? 2 : compression.errorFeedback != nil ? 1 : 0
    report.memory.state += remembered + ByteCount(vectors * 4 * elements / Int64(peers.shares))
    let received = blueprint.communication.strategy.isGather ? own * peers.count : own
    // The payload, what is received, and the decoded sum.
    let buffers = own + received + ByteCount(4 * elements / Int64(peers.shares))
    report.memory.buffers = max(report.memory.buffers, buffers)
  }
}
