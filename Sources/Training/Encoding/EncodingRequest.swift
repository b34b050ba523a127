import Compression
import SimKernel

/// A gradient to encode in a certain way: what points of a sweep share when they need the same one.
public struct EncodingRequest: Sendable {
  /// Equal keys give equal results; empty if nothing is needed.
  public let key: String
  /// Whether anything is changed on the way, so that there is something to measure.
  public let isNeeded: Bool
  /// Requests with equal keys start from the same gradients; measure them one after the other.
  public let gradientKey: String
  /// Whether a sample of the gradient would not do, and all of it is few enough elements.
  private let isFull: Bool
  private let tensors: [GradientTensor]
  private let units: [CommunicationUnit]
  private let compression: CompressionSettings
  private let gradients: GradientSettings
  private let recorded: RecordedGradients?
  private let type: GradientType
  private let seed: UInt64
  private let replicate: Int
  /// The workers whose mean each representative encodes: itself, or all of its host.
  private let representatives: [[Int]]
  private let strategy: CommunicationStrategy
  private let servers: Int

  /// Models beyond this many elements, or whose payloads may be beyond as many numbers, are sampled
  /// even where a codec wants the full tensor.
  static let fullTensorLimit = 160 << 20

  /// What the phases of `blueprint` need in `replicate` of a run seeded with `seed`, in order.
  public static func all(
    _ blueprint: JobBlueprint, seed: UInt64, replicate: Int
  ) -> [EncodingRequest] {
    blueprint.phases.map {
      EncodingRequest(blueprint, compression: $0.settings, seed: seed, replicate: replicate)
    }
  }

  init(
    _ blueprint: JobBlueprint, compression: CompressionSettings, seed: UInt64, replicate: Int
  ) {
    tensors = blueprint.tensors
    units = blueprint.schedule.units
    self.compression = compression
    gradients = blueprint.gradients
    recorded = blueprint.recorded
    type = blueprint.workload.gradientType
    self.seed = seed
    // Sizes of millions of elements hardly differ between replicates, and there is nothing else to
    // learn from a lossless codec: one measurement serves all.
    let isLossless = type == .fp32 && compression.pipelines.allSatisfy(\.isLossless)
    self.replicate = isLossless ? 0 : replicate
    strategy = blueprint.communication.strategy
    servers = max(1, blueprint.servers)
    isNeeded = Self.changes(tensors, units, compression, type)
    guard isNeeded else {
      (key, gradientKey, isFull, representatives) = ("", "", false, [])
      return
    }
    var hash = StableHash()
    hash.combine(blueprint.model.name)
    hash.combine(blueprint.model.gradientIdentity)
    for unit in units {
      hash.combine(UInt64(unit.tensors.count))
      for tensor in unit.tensors { hash.combine(UInt64(tensor.index)) }
    }
    hash.combine(compression.identity)
    hash.combine(gradients.identity)
    let elements = tensors.reduce(0) { $0 + $1.elements }
    isFull =
      elements <= Self.fullTensorLimit
      && compression.treatments.contains { pipeline, scope in
        pipeline.declaration.sampleScaling.needsFullTensor(scope)
      }
      // A sketch may be many times its gradient.
      && compression.treatments.allSatisfy { pipeline, scope in
        pipeline.worstCasePayloadBits(elementCount: elements, scope: scope)
          <= 32 * Int64(Self.fullTensorLimit)
      }
    let count = min(
      blueprint.peers.count,
      blueprint.gradients.representatives(byHops: strategy.dependsOnWorkers && !isFull))
    let hosts = blueprint.peers.hosts
    representatives = hosts.isEmpty ? (0..<count).map { [$0] } : Array(hosts.prefix(count))
    let members = representatives.map { $0.map(String.init).joined(separator: "+") }
      .joined(separator: " ")
    gradientKey = [
      blueprint.model.name, gradients.identity, String(seed), String(self.replicate),
      isFull ? "full" : "sampled", members,
    ].joined(separator: "\n")
    hash.combine(type.rawValue)
    hash.combine(seed)
    hash.combine(strategy.name)
    for (pipeline, _) in compression.treatments {
      hash.combine(strategy.scheme(for: pipeline, servers: servers).description)
    }
    hash.combine(gradients.study.identity)
    hash.combine(UInt64(self.replicate))
    hash.combine(members)
    key = hash.hexadecimal
  }

  /// Whether anything is changed on the way.
  private static func changes(
    _ tensors: [GradientTensor], _ units: [CommunicationUnit], _ compression: CompressionSettings,
    _ type: GradientType
  ) -> Bool {
    if type != .fp32 { return true }
    if compression.pipelines.allSatisfy(\.isIdentity) { return false }
    if compression.isUniform { return true }
    return units.contains { unit in
      CompressionPlan(
        settings: compression, tensors: ranges(of: unit, tensors) { tensors[$0].elements }
      ).groups.contains { !$0.pipeline.isIdentity }
    }
  }

  private func ranges(of unit: CommunicationUnit, _ count: (Int) -> Int) -> [TensorRange] {
    Self.ranges(of: unit, tensors, count)
  }

  /// The tensors of a unit one after the other, of the sizes `count` says.
  private static func ranges(
    of unit: CommunicationUnit, _ tensors: [GradientTensor], _ count: (Int) -> Int
  ) -> [TensorRange] {
    var offset = 0
    return unit.tensors.map { id in
      let whole = tensors[id.index]
      let elements =
        unit.slice.map { Self.sampled($0, of: whole.elements, count(id.index)).count }
        ?? count(id.index)
      defer { offset += elements }
      return TensorRange(
        name: whole.name, offset: offset, count: elements,
        shape: elements == whole.elements ? whole.shape : [])
    }
  }

  /// The part of `count` elements sampled from a tensor of `whole` that stands for `slice`.
  private static func sampled(_ slice: Range<Int>, of whole: Int, _ count: Int) -> Range<Int> {
    if count == whole { return slice }
    let share = Double(count) / Double(whole)
    let length = min(count, max(1, Int((Double(slice.count) * share).rounded())))
    let lower = min(count - length, Int(Double(slice.lowerBound) * share))
    return lower..<lower + length
  }

  // MARK: - Measuring

  /// Encodes the representatives' gradients.
  ///
  /// - Throws: `CodecError` for a gradient that cannot be encoded; ``SimulationError/interrupted(at:)``
  ///   when asked to stop.
  public func measure(stop: any StopSignal) throws -> EncodingResult {
    var workspace = EncodingWorkspace()
    return try measure(stop: stop, workspace: &workspace)
  }

  /// As above, in memory that further requests reuse.
  public func measure(
    stop: any StopSignal, workspace: inout EncodingWorkspace
  ) throws -> EncodingResult {
    if let recorded, recorded.tensors.map(\.elements) != tensors.map(\.elements) {
      return try measureStandIn(recorded, stop: stop, workspace: &workspace)
    }
    let isLossless = type == .fp32 && compression.pipelines.allSatisfy(\.isLossless)
    let elements = tensors.reduce(0) { $0 + $1.elements }
    let source = source(isFull: isFull)
    // Only sizes can be learnt from a lossless codec, and a full tensor is long enough for them.
    let workers = source.layout.isWhole && isLossless ? 1 : representatives.count
    workspace.open(gradients: gradientKey, sampled: source.layout)
    for worker in 0..<workers {
      if stop.isRaised { throw SimulationError.interrupted(at: .zero) }
      workspace.load(worker, representatives[worker], from: source)
    }
    let sampled = source.layout.sampledElements
    var starts: [Int] = []
    var start = 0
    for count in sampled {
      starts.append(start)
      start += count
    }
    let largest = units.map { $0.tensors.reduce(0) { $0 + sampled[$1.index] } }.max() ?? 0
    /// What `unit` holds of the sample of a tensor.
    func span(_ unit: CommunicationUnit, _ tensor: Int) -> Range<Int> {
      unit.slice.map { Self.sampled($0, of: tensors[tensor].elements, sampled[tensor]) }
        ?? 0..<sampled[tensor]
    }
    var parts = workspace.takeParts(workers, capacity: largest)
    defer { workspace.giveBack(&parts) }
    var sum = ErrorSum()
    var result: [[EncodingResult.Group]] = []
    for (index, unit) in units.enumerated() {
      let plan = CompressionPlan(
        settings: compression, tensors: ranges(of: unit) { sampled[$0] })
      let whole = CompressionPlan(
        settings: compression, tensors: ranges(of: unit) { tensors[$0].elements })
      for worker in parts.indices {
        parts[worker].removeAll(keepingCapacity: true)
        for tensor in unit.tensors {
          let start = starts[tensor.index]
          let span = span(unit, tensor.index)
          parts[worker] +=
            workspace.gradients[worker][start + span.lowerBound..<start + span.upperBound]
        }
      }
      var groups: [EncodingResult.Group] = []
      for (group, full) in zip(plan.groups, whole.groups) {
        if stop.isRaised { throw SimulationError.interrupted(at: .zero) }
        let own =
          plan.groups.count == 1
          ? parts : parts.map { $0.withUnsafeBufferPointer { group.gather($0) } }
        let measured = try encode(
          own, group, full: full, unit: index, isLossless: isLossless, workspace: &workspace)
        groups.append(measured.group)
        if let error = measured.error {
          sum.add(
            error, weight: Double(full.elementCount) / Double(max(1, group.elementCount)))
        }
      }
      result.append(groups)
    }
    let studied = try study(of: tensors, source, isLossless: isLossless, workspace: &workspace)
    return EncodingResult(
      units: result, relativeL2: sum.relativeL2, cosine: sum.cosine, source: source.provenance,
      sample: "\(source.layout.elementCount) of \(elements)", study: studied.study,
      studySample: studied.sample)
  }

  /// What the steps after the first would show, on a part of `tensors`.
  private func study(
    of tensors: [GradientTensor], _ source: some GradientSource, isLossless: Bool,
    workspace: inout EncodingWorkspace
  ) throws -> (study: CompressionStudy?, sample: String) {
    let request = StudyRequest(
      settings: gradients.study, compression: compression, strategy: strategy, servers: servers,
      representatives: representatives, type: type)
    if isLossless { return (nil, EncodingResult.nothingLost) }
    if let reason = request.obstacle(elements: tensors.reduce(0) { $0 + $1.elements }) {
      return (nil, reason)
    }
    let random = RandomStream(
      seed: seed, replicate: replicate, purpose: RandomPurpose("study"), entity: 0)
    let layout = request.layout(of: tensors)
    workspace.openStudy(gradientKey + "\n" + gradients.study.identity)
    if let recorded {
      return try request.run(
        recorded.sampled(layout), random: random, workspace: &workspace)
    }
    guard case .synthetic(let settings) = gradients else {
      preconditionFailure("recorded gradients are read before they are encoded")
    }
    let synthetic = SyntheticGradients(
      tensors: tensors, profile: SyntheticProfile(stage: settings.stage, family: settings.family),
      seed: seed, replicate: replicate, layout: layout)
    return try request.run(synthetic, random: random, workspace: &workspace)
  }

  private func source(isFull: Bool) -> any GradientSource {
    if let recorded { return recorded }
    guard case .synthetic(let settings) = gradients else {
      preconditionFailure("recorded gradients are read before they are encoded")
    }
    return SyntheticGradients(
      tensors: tensors, profile: SyntheticProfile(stage: settings.stage, family: settings.family),
      seed: seed, replicate: replicate,
      layout: SampledLayout(tensors, budget: isFull ? nil : settings.sample))
  }

  private func encode(
    _ exact: [[Float]], _ group: CompressionPlan.Group, full: CompressionPlan.Group, unit: Int,
    isLossless: Bool, workspace: inout EncodingWorkspace
  ) throws -> (group: EncodingResult.Group, error: GradientError?) {
    var parts = exact
    if type != .fp32 {
      for worker in parts.indices { type.round(&parts[worker]) }
    }
    let random = RandomStream(
      seed: seed, replicate: replicate, purpose: RandomPurpose("encode"), entity: unit)
    let scale = Double(full.elementCount) / Double(max(1, group.elementCount))
    let fixed = (sample: FixedPayload.bits(of: group), full: FixedPayload.bits(of: full))
    func scaled(_ bits: Int64) -> Int64 {
      if bits == fixed.sample, let full = fixed.full { return full }
      return Int64((Double(bits) * scale).rounded(.up))
    }
    var bits: [Int64] = []
    var framing = ByteCount.zero
    var supports: [SparseGradient] = []
    for (worker, part) in parts.enumerated() {
      try part.withUnsafeBufferPointer {
        try group.pipeline.encode(
          $0, tensors: group.tensors, scope: group.scope, random: random, worker: worker,
          scratch: &workspace.scratch, into: &workspace.encoded)
      }
      bits.append(scaled(workspace.encoded.payloadBits))
      framing = workspace.encoded.encodedBytes - workspace.encoded.payloadBytes
      if strategy.needsSelection, group.pipeline.selects,
        let support = try group.pipeline.sparse(
          workspace.encoded, count: part.count, scratch: &workspace.scratch)
      {
        supports.append(support)
      }
    }
    var measured = EncodingResult.Group(payloadBits: bits, framing: framing)
    if !supports.isEmpty { measured.support = SupportGrowth(supports) }
    if isLossless { return (measured, nil) }
    let scheme = strategy.scheme(for: group.pipeline, servers: servers)
    let outcome: AggregatedGradient
    if scheme == .collective {
      outcome = try group.pipeline.aggregate(
        parts, tensors: group.tensors, scope: group.scope, random: random,
        scratch: &workspace.scratch)
    } else {
      let alone = CompressionPlan(
        settings: CompressionSettings(pipeline: group.pipeline, scope: group.scope),
        tensors: group.tensors)
      var exchange = CompressedExchange(plan: alone, scheme: scheme, workers: parts.count)
      outcome = try exchange.aggregate(
        parts, iteration: 0, random: random, scratch: &workspace.scratch)
    }
    if type == .fp32 { return (measured, outcome.error) }
    // What the wire type loses belongs to the error, so the mean is that of the unrounded gradients.
    return (
      measured,
      GradientError.compare(
        original: CompressionPipeline.mean(of: exact), decoded: outcome.mean)
    )
  }

  /// Encodes the gradient of another model and carries bits an element over to this one.
  private func measureStandIn(
    _ recorded: RecordedGradients, stop: any StopSignal, workspace: inout EncodingWorkspace
  ) throws -> EncodingResult {
    var offset = 0
    let ranges = recorded.tensors.map { tensor in
      defer { offset += tensor.elements }
      return TensorRange(
        name: tensor.name, offset: offset, count: tensor.elements, shape: tensor.shape)
    }
    var flats: [[Float]] = []
    for members in representatives {
      let parts = members.map { recorded.gradient(worker: $0, iteration: 0) }
      flats.append(parts.count == 1 ? parts[0] : CompressionPipeline.mean(of: parts))
    }
    let isLossless = type == .fp32 && compression.pipelines.allSatisfy(\.isLossless)
    var known: [String: (group: EncodingResult.Group, error: GradientError?, fixedBits: Int64?)] =
      [:]
    var sum = ErrorSum()
    var result: [[EncodingResult.Group]] = []
    for unit in units {
      let whole = CompressionPlan(
        settings: compression, tensors: self.ranges(of: unit) { tensors[$0].elements })
      var groups: [EncodingResult.Group] = []
      for full in whole.groups {
        if stop.isRaised { throw SimulationError.interrupted(at: .zero) }
        let label = full.pipeline.label + " " + full.scope.description
        if known[label] == nil {
          let stand = CompressionPlan(
            settings: CompressionSettings(pipeline: full.pipeline, scope: full.scope),
            tensors: ranges
          ).groups[0]
          let measured = try encode(
            flats, stand, full: stand, unit: 0, isLossless: isLossless, workspace: &workspace)
          known[label] = (measured.group, measured.error, FixedPayload.bits(of: stand))
        }
        let stand = known[label]!
        let scale = Double(full.elementCount) / Double(max(1, offset))
        let fixed = FixedPayload.bits(of: full)
        groups.append(
          EncodingResult.Group(
            payloadBits: stand.group.payloadBits.map { bits in
              if bits == stand.fixedBits, let fixed { return fixed }
              return Int64((Double(bits) * scale).rounded(.up))
            }, framing: stand.group.framing, support: stand.group.support))
        if let error = stand.error { sum.add(error, weight: scale) }
      }
      result.append(groups)
    }
    let elements = tensors.reduce(0) { $0 + $1.elements }
    let studied = try study(
      of: recorded.tensors, recorded, isLossless: isLossless, workspace: &workspace)
    return EncodingResult(
      units: result, relativeL2: sum.relativeL2, cosine: sum.cosine,
      source: recorded.provenance + ", standing in for the model's own",
      sample: "\(offset) for \(elements)", study: studied.study, studySample: studied.sample)
  }
}

extension GradientType {
  /// Rounds values to this type, to nearest even; nothing for fp32.
  func round(_ values: inout [Float]) {
    switch self {
    case .fp32: return
    case .fp16: for index in values.indices { values[index] = Float(Float16(values[index])) }
    case .bf16:
      for index in values.indices {
        let bits = values[index].bitPattern
        // Finite input: adding half of the last kept bit, and the bit itself, rounds to even.
        let rounded = bits &+ 0x7FFF &+ (bits >> 16 & 1)
        values[index] = Float(bitPattern: rounded & 0xFFFF_0000)
      }
    }
  }
}
