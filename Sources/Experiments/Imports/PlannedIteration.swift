import Collectives
import Interchange
import SimKernel
import Training

/// What one iteration of a scenario's job makes its workers do, as graphs that other simulators run.
///
/// It is that of the plan: durations without stragglers, and the compression of the last phase. What
/// takes no time is left out, and what waited for it waits for what it waited for.
public struct PlannedIteration: Sendable {
  /// What was not kept, one sentence each.
  public private(set) var notes: [String] = []
  let job: JobPlan
  let name: String
  /// Which of the scenario's jobs it is.
  private let index: Int
  /// Sizes of messages by exchange, sender and step.
  private var sizes: [StepKey: ByteCount] = [:]
  /// How long what a message brings is added, by exchange, receiver and step.
  private var sums: [StepKey: SimDuration] = [:]

  private struct StepKey: Hashable {
    var exchange: Int32
    var rank: Int32
    var step: Int32
  }

  /// An operation of one worker that lasts, or communicates.
  struct Operation {
    var name: String
    var stream: StreamKind
    var duration: SimDuration
    /// Index of the job's exchange, or -1.
    var exchange: Int
    /// Operations before it that it waits for.
    var after: [Int]
  }
  /// Each after what it waits for.
  let operations: [Operation]

  /// The iteration of `point` of `file`, the first if nil.
  ///
  /// - Parameter job: the name of one of several jobs.
  /// - Throws: `InvalidInput` for a bad scenario, point or job; what measuring its compression throws.
  public init(
    _ file: ScenarioFile, point number: Int? = nil, job wanted: String? = nil
  ) throws {
    let (only, _) = try file.choosing(point: number)
    let issues = IssueCollector()
    let preparation = PointPreparation(PreparationInputs(directory: only.directory))
    guard let point = preparation.prepare(only.root, issues: issues) else {
      throw InvalidInput(issues.errors)
    }
    let names = point.jobs.map(\.name)
    guard let index = wanted.map({ names.firstIndex(of: $0) }) ?? (names.count == 1 ? 0 : nil)
    else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--job"]),
          problem: .outOfRange(
            found: wanted ?? "\(names.count) jobs", expected: names.joined(separator: ", ")))
      ])
    }
    let blueprint = point.jobs[index]
    let requests = EncodingRequest.all(blueprint, seed: point.scenario.seed, replicate: 0)
    let store = EncodingStore.prepare(requests, threads: 1, stop: StopFlag())
    let builder = JobPlanBuilder(
      blueprint, encodings: try requests.map { try store.result(for: $0) },
      topology: point.topology, transport: point.scenario.network.transport)
    let (plan, _) = try builder.build(seed: point.scenario.seed, replicate: 0)
    job = plan
    name = blueprint.name
    self.index = index
    operations = Self.operations(plan)
    if plan.phases.count > 1 { notes.append("phases of compression before the last") }
    if plan.graph.overlapsIterations {
      notes.append("iterations that overlap: forward operations do not wait for the one before")
    }
  }

  /// The workers that compute.
  public var workers: Int { job.workers }

  private static func operations(_ plan: JobPlan) -> [Operation] {
    let graph = plan.graph
    let range = plan.phases[plan.phases.count - 1].operations
    var predecessors = [[Int]](repeating: [], count: range.count)
    for from in range {
      let lists = Int(graph.successorOffsets[from])..<Int(graph.successorOffsets[from + 1])
      for to in graph.successors[lists] where range.contains(Int(to)) {
        predecessors[Int(to) - range.lowerBound].append(from - range.lowerBound)
      }
    }
    var kept: [Operation] = []
    var place = [Int](repeating: -1, count: range.count)
    var past = [[Int]](repeating: [], count: range.count)
    for index in 0..<range.count {
      let own = graph.operations[range.lowerBound + index]
      var after: Set<Int> = []
      for parent in predecessors[index] {
        if place[parent] >= 0 { after.insert(place[parent]) } else { after.formUnion(past[parent]) }
      }
      let parents = after.sorted()
      guard own.exchange >= 0 || own.duration > .zero else {
        past[index] = parents
        continue
      }
      let unit = own.unit >= 0 ? " \(own.unit)" : ""
      place[index] = kept.count
      kept.append(
        Operation(
          name: "\(own.kind)\(unit) #\(index)", stream: own.stream, duration: own.duration,
          exchange: Int(own.exchange), after: parents))
    }
    return kept
  }

  // MARK: - Chakra

  /// What worker `rank` does, collectives as one operation each.
  ///
  /// - Throws: `InterchangeError` for exchanges with servers, which are no collectives.
  public func collectiveGraph(rank: Int) throws(InterchangeError) -> TraceGraph {
    var builder = TraceGraphBuilder(origin: name)
    for (index, own) in operations.enumerated() {
      var node = TraceGraph.Node(
        id: UInt64(index), name: builder.names.index(of: own.name), rank: Int32(rank),
        lane: own.stream == .cpu ? 1 : 0, work: .compute, duration: own.duration)
      if own.exchange >= 0 {
        let exchange = job.exchanges[own.exchange]
        guard let kind = CollectiveKind(exchange.plan.operation) else {
          throw InterchangeError(
            path: name, found: "an exchange with servers", expected: "--format goal has messages")
        }
        let members = exchange.groups.first { $0.contains(rank) }
        var group: Int32 = -1
        if let members, members.count < workers {
          group = builder.group(
            .init(
              name: members.map(String.init).joined(separator: "-"),
              ranks: members.map { Int32($0) }, size: members.count))
        }
        // Of a group, sizes are by the rank in it.
        let slot = members?.firstIndex(of: rank) ?? rank
        node.work = .collective(
          .init(
            kind: kind, bytes: exchange.sizes[slot % max(1, exchange.sizes.count)], group: group))
        node.duration = nil
      }
      builder.add(node, after: own.after.map { UInt64($0) })
    }
    builder.rankCount = max(builder.rankCount, workers)
    return try builder.build()
  }

  // MARK: - GOAL

  /// Takes the sizes of messages, and how long sums took, from a run of one iteration.
  public mutating func takeMessages(of timeline: RunTimeline) {
    for transfer in timeline.transfers where transfer.job.index == index {
      let key = StepKey(
        exchange: transfer.exchange, rank: transfer.sender.rawValue, step: transfer.step)
      sizes[key] = transfer.size
    }
    for sum in timeline.reductions where sum.job.index == index {
      let key = StepKey(exchange: sum.exchange, rank: sum.rank.rawValue, step: sum.step)
      sums[key] = sum.end - sum.start
    }
  }

  /// Where sums are made, one after the other beside everything else.
  private static let sumLane: Int32 = 4

  /// Where computing, communicating and the rest run, by GOAL's numbers of CPUs.
  private static func lane(_ stream: StreamKind) -> Int32 {
    switch stream {
    case .compute: 0
    case .communication: 1
    case .side: 2
    case .cpu: 3
    }
  }

  /// What all hosts do, message by message; servers that share a worker's node are part of it.
  ///
  /// - Precondition: the sizes of all messages were taken; see ``takeMessages(of:)``.
  /// - Complexity: O(messages + dependencies).
  public func messageGraph() throws(InterchangeError) -> TraceGraph {
    var builder = MessageGraphBuilder(origin: name, slots: job.nodes.count)
    // By worker, then operation: the nodes that end it.
    var ends = [[[UInt64]]](
      repeating: [[UInt64]](repeating: [], count: operations.count), count: workers)
    for (index, own) in operations.enumerated() {
      let before = (0..<workers).map { worker in own.after.flatMap { ends[worker][$0] } }
      if own.exchange < 0 {
        for worker in 0..<workers {
          let id = builder.add(
            own.name, .compute, at: worker, lane: Self.lane(own.stream), after: before[worker],
            duration: own.duration)
          ends[worker][index] = [id]
        }
        continue
      }
      let exchange = job.exchanges[own.exchange]
      let groups = exchange.groups.isEmpty ? [Array(0..<workers)] : exchange.groups
      for members in groups {
        let ended = try add(
          exchange, own.exchange, own.name, members, before, &builder)
        for (slot, worker) in members.enumerated() { ends[worker][index] = ended[slot] }
      }
    }
    builder.graph.rankCount = max(builder.graph.rankCount, job.nodes.count)
    return try builder.graph.build()
  }

  /// Adds the messages of one group; the nodes that end the exchange for each of its workers.
  private func add(
    _ exchange: PlannedExchange, _ number: Int, _ name: String, _ members: [Int],
    _ before: [[UInt64]], _ builder: inout MessageGraphBuilder
  ) throws(InterchangeError) -> [[UInt64]] {
    let plan = exchange.plan
    func slot(_ rank: RankID) -> Int {
      // Servers come behind all workers of the job, in the order of the plan.
      rank.index < members.count ? members[rank.index] : workers + rank.index - members.count
    }
    func host(_ rank: RankID) -> Int { slot(plan.home(of: rank) ?? rank) }
    func ready(_ rank: RankID) -> [UInt64] {
      plan.contributes(rank) && rank.index < members.count ? before[members[rank.index]] : []
    }
    var sent = [UInt64](repeating: 0, count: plan.stepCount)
    var received = sent
    // What came is there once it is added to what was there.
    var applied = sent
    var isPassed = [Bool](repeating: false, count: plan.stepCount)
    func sum(_ step: Int) -> SimDuration? {
      let rank = Int32(slot(plan.step(step).destination))
      return sums[StepKey(exchange: Int32(number), rank: rank, step: Int32(step))]
    }
    // Ids first: a step may wait for a later one.
    for step in 0..<plan.stepCount {
      sent[step] = builder.reserve()
      received[step] = builder.reserve()
      applied[step] = sum(step) == nil ? received[step] : builder.reserve()
    }
    for index in 0..<plan.stepCount {
      let step = plan.step(index)
      let (from, to) = (host(step.source), host(step.destination))
      if let duration = sum(index) {
        builder.add(
          applied[index], name, .compute, at: to, lane: Self.sumLane, after: [received[index]],
          duration: duration)
      }
      var reasons = ready(step.source)
      for other in plan.departureDependencies(of: index) {
        let isPacing = host(plan.step(other).destination) != from
        reasons.append(isPacing ? sent[other] : applied[other])
      }
      var conditions = ready(step.destination)
      for other in plan.applicationDependencies(of: index) {
        conditions.append(applied[other])
        isPassed[other] = true
      }
      if from == to {
        builder.add(
          sent[index], name, .marker, at: from, lane: 1, after: reasons, duration: nil)
        builder.add(
          received[index], name, .marker, at: to, lane: 1, after: conditions + [sent[index]],
          duration: nil)
        continue
      }
      let key = StepKey(
        exchange: Int32(number), rank: Int32(slot(step.source)), step: Int32(index))
      guard let size = sizes[key] else {
        throw InterchangeError(
          path: self.name, found: "step \(index) of exchange \(number) sends nothing in a run",
          expected: "a scenario in which every message of an iteration arrives")
      }
      let tag = builder.nextTag()
      builder.add(
        sent[index], name, .send(.init(peer: Int32(to), bytes: size, tag: tag)), at: from, lane: 1,
        after: reasons, duration: nil)
      builder.add(
        received[index], name, .receive(.init(peer: Int32(from), bytes: size, tag: tag)), at: to,
        lane: 1, after: conditions, duration: nil)
    }
    var ended = (0..<members.count).map { ready(RankID($0)) }
    for index in 0..<plan.stepCount where !isPassed[index] {
      let destination = plan.step(index).destination
      if destination.index < members.count { ended[destination.index].append(applied[index]) }
    }
    return ended
  }
}

/// The nodes of a graph of messages on their way, with ids that all differ.
private struct MessageGraphBuilder {
  var graph: TraceGraphBuilder
  private var next: UInt64 = 0
  private var tag: Int32 = 0

  init(origin: String, slots: Int) { graph = TraceGraphBuilder(origin: origin) }

  mutating func reserve() -> UInt64 {
    defer { next += 1 }
    return next
  }
  mutating func nextTag() -> Int32 {
    defer { tag += 1 }
    return tag
  }
  mutating func add(
    _ id: UInt64, _ name: String, _ work: TraceGraph.Work, at host: Int, lane: Int32,
    after: [UInt64], duration: SimDuration?
  ) {
    graph.add(
      TraceGraph.Node(
        id: id, name: graph.names.index(of: name), rank: Int32(host), lane: lane, work: work,
        duration: duration), after: Array(Set(after)).sorted())
  }
  mutating func add(
    _ name: String, _ work: TraceGraph.Work, at host: Int, lane: Int32, after: [UInt64],
    duration: SimDuration?
  ) -> UInt64 {
    let id = reserve()
    add(id, name, work, at: host, lane: lane, after: after, duration: duration)
    return id
  }
}

extension CollectiveKind {
  /// What simnet calls `operation` in the words of traces; nil for exchanges with servers.
  init?(_ operation: CollectiveOperation) {
    switch operation {
    case .allReduce: self = .allReduce
    case .reduceScatter: self = .reduceScatter
    case .reduce: self = .reduce
    case .allGather: self = .allGather
    case .gather: self = .gather
    case .scatter: self = .scatter
    case .broadcast: self = .broadcast
    case .allToAll, .allToAllV: self = .allToAll
    case .barrier: self = .barrier
    case .pushPull: return nil
    }
  }
}
