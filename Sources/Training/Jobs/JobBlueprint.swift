import Collectives
import Compression
import Networks
import SimKernel

/// A job with everything decided that does not depend on the bytes of its gradients: where its ranks
/// are, when gradients become ready, what is communicated together.
public struct JobBlueprint: Sendable {
  public var name: String
  /// Where the scenario describes the job; problems that show later are reported below it.
  public var path: FieldPath
  public var workload: WorkloadSettings
  public var communication: CommunicationSettings
  public var gradients: GradientSettings
  /// The gradients of files, once read; nil for synthetic ones.
  public var recorded: RecordedGradients?
  public var stragglers: any StragglerModel
  public var model: ModelTable
  public var device: DeviceProfile
  public var compute: ComputeTimes
  /// The devices that the workers have, the cluster's first; empty if all of them have that one.
  var classes: [WorkerClass] = []
  /// The class of each worker; empty like ``classes``.
  var classOfWorker: [Int32] = []
  /// Whether the plan is one of several for workers with different devices, which must be alike but for
  /// durations.
  var isMixed = false
  public var schedule: SchedulePlan
  /// What the schedule was planned with.
  public let scheduleInput: ScheduleInput
  /// What results call the schedule.
  public var scheduleLabel: String
  /// Whether the schedule is none, but a bound that none beats; see ``OracleSchedule``.
  public var isBound = false
  /// The accelerators of the workers, then of dedicated servers.
  public var accelerators: [Int]
  public var workers: Int
  public var servers: Int
  /// Who exchanges encoded gradients with whom.
  let peers: PeerGroups

  /// Decides all that for one job.
  ///
  /// `taken` marks accelerators of earlier jobs and is extended by this one's.
  /// Problems are reported at `path`; the blueprint is then nil.
  public init?(
    name: String, workload: WorkloadSettings, communication: CommunicationSettings,
    gradients: GradientSettings, recorded: RecordedGradients?,
    stragglers: any StragglerModel, placement: PlacementSettings, model: ModelTable,
    devices: HostDevices, topology: Topology,
    taken: inout [Bool], path: FieldPath, issues: IssueCollector
  ) {
    self.name = name
    self.path = path
    self.workload = workload
    self.communication = communication
    self.gradients = gradients
    self.recorded = recorded
    self.stragglers = stragglers
    self.model = model
    let device = devices.profiles[0]
    self.device = device

    guard
      let ranks = Self.place(
        workload, communication, placement, topology, taken, path: path, issues: issues)
    else { return nil }
    accelerators = ranks.accelerators
    workers = ranks.workers
    servers = ranks.servers
    for accelerator in accelerators { taken[accelerator] = true }
    let hosts = accelerators.prefix(workers).map { topology.hostOfAccelerator[$0] }
    guard
      let peers = communication.interNode
        ? PeerGroups(betweenHosts: hosts) : PeerGroups(hosts: hosts)
    else {
      let sizes = PeerGroups.members(hosts).map(\.count)
      issues.report(
        Issue(
          path: path.appending("communication").appending("inter_node"),
          problem: .conflict(
            "hosts have between \(sizes.min() ?? 0) and \(sizes.max() ?? 0) workers of the job; "
              + "compression between hosts needs the same number on every host; "
              + "set \"workers\" or \"placement\"")))
      return nil
    }
    self.peers = peers
    if let refusal = Self.refusal(of: communication, among: peers) {
      issues.report(
        Issue(
          path: path.appending("communication").appending("algorithm"),
          problem: .conflict(refusal.reason)))
      return nil
    }

    if let (key, reason) = Self.refusal(ofGraph: model, workload) {
      issues.report(
        Issue(
          path: path.appending("workload").appending(key), problem: .conflict(reason)))
      return nil
    }
    let times = Self.times(of: model, on: device, workload)
    compute = times
    let positions = hosts.map { devices.position(of: $0) }
    if positions.contains(where: { $0 != 0 }) {
      classes = devices.profiles.map {
        WorkerClass(device: $0, compute: Self.times(of: model, on: $0, workload))
      }
      classOfWorker = positions.map { Int32($0) }
      isMixed = true
    }
    if let reason = Self.refusal(of: communication.schedule, workload.execution, times) {
      issues.report(
        Issue(
          path: path.appending("communication").appending("schedule"), problem: .conflict(reason)))
      return nil
    }
    if let reason = communication.schedule.refusal(
      of: model.tensors.map(\.elements), bytesPerElement: workload.gradientType.bytes)
    {
      issues.report(
        Issue(
          path: path.appending("communication").appending("schedule"), problem: .conflict(reason)))
      return nil
    }
    scheduleInput = ScheduleInput(
      elements: model.tensors.map(\.elements), bytesPerElement: workload.gradientType.bytes,
      readyOffsets: times.readyOffsets, neededOffsets: times.neededOffsets,
      forward: times.forward,
      cost: Self.planningCost(
        communication.strategy, accelerators, workers: workers, servers: servers, topology))
    schedule = communication.schedule.plan(scheduleInput)
    scheduleLabel = communication.schedule.name
    if let overlaps = communication.overlapsForward { schedule.overlapsForward = overlaps }
    if let reason = model.graph?.refusal(of: schedule) {
      issues.report(
        Issue(
          path: path.appending("communication").appending("schedule"), problem: .conflict(reason)))
      return nil
    }
    let state = MemoryEstimate.modelState(self)
    if state > device.memory.value {
      issues.report(
        Issue(
          path: path.appending("workload"), severity: .warning,
          problem: .note(
            "parameters, gradients and optimizer state of \(model.name) take \(state), more than "
              + "the \(device.memory.value) of a \(device.name)")))
    }
    for warning in times.warnings {
      issues.report(
        Issue(path: path.appending("workload"), severity: .warning, problem: .note(warning)))
    }
  }

  /// The compression settings of a run, in the order in which iterations come to them; there is one,
  /// beginning with iteration 0, unless compression starts late or ramps up.
  public var phases: [(firstIteration: Int, settings: CompressionSettings)] {
    let end = workload.warmup + workload.iterations
    return communication.compression.phases
      .filter { $0.first == 0 || $0.first < end }
      .map { ($0.first, $0.settings) }
  }

  /// What `device` needs for a micro-batch, as `workload` has it.
  private static func times(
    of model: ModelTable, on device: DeviceProfile, _ workload: WorkloadSettings
  ) -> ComputeTimes {
    var times =
      model.graph?.computeTimes
      ?? device.computeTimes(
        model: model, batch: workload.batch, precision: workload.precision,
        optimizer: workload.optimizer)
    if let override = workload.override { times = times.overridden(by: override) }
    return workload.assumptions.applied(to: times).executed(workload.execution)
  }

  /// How many workers have which device, for results; empty where all have the cluster's.
  public var devicesNote: String {
    if classes.isEmpty { return "" }
    let counts = classes.indices.map { index in
      (index, classOfWorker.reduce(0) { $0 + (Int($1) == index ? 1 : 0) })
    }
    let parts = counts.filter { $0.1 > 0 }.map { "\($0.1) workers on \(classes[$0.0].device.name)" }
    return parts.joined(separator: ", ") + "; of \(device.name): "
  }

  /// The same job as workers of class `index` see it.
  func seen(by index: Int) -> JobBlueprint {
    var job = self
    job.device = classes[index].device
    job.compute = classes[index].compute
    job.classes = []
    job.classOfWorker = []
    return job
  }

  /// What of `workload` a graph cannot have, and why; nil for other models and if there is nothing.
  private static func refusal(
    ofGraph model: ModelTable, _ workload: WorkloadSettings
  ) -> (key: String, reason: String)? {
    if model.graph == nil { return nil }
    if workload.override != nil {
      return ("compute", "the operations of a graph have durations of their own; change those")
    }
    if workload.accumulationSteps > 1 {
      return ("accumulation_steps", "a graph is a whole iteration; it cannot be accumulated")
    }
    if workload.execution.isEager {
      return (
        "execution",
        "the durations of a graph hold what dispatching its operations takes; use staged"
      )
    }
    return nil
  }

  /// Why `schedule` cannot plan what is executed so; nil if it can.
  private static func refusal(
    of schedule: any CommunicationSchedule, _ execution: ExecutionSettings, _ times: ComputeTimes
  ) -> String? {
    if schedule.needsWholeGraph, execution.isEager {
      return "\(schedule.name) needs the whole graph, which eager execution never has; set "
        + "workload.execution to staged, or take layer, p3 or byte_scheduler"
    }
    if schedule.needsDurations, times.forward + times.backward == .zero {
      return "\(schedule.name) goes by how long operations take, and forward and backward take no "
        + "time; give workload.compute, or take tic, which does without"
    }
    return nil
  }

  /// The same job under another plan, which results call `label`.
  public func scheduled(
    by plan: SchedulePlan, label: String, isBound: Bool = false
  ) -> JobBlueprint {
    var job = self
    job.schedule = plan
    if let overlaps = communication.overlapsForward { job.schedule.overlapsForward = overlaps }
    job.scheduleLabel = label
    job.isBound = isBound
    return job
  }

  /// The same job in each way in which a search for its schedule may cut the gradient; itself if
  /// nothing is searched.
  public var cuts: [JobBlueprint] {
    guard let searched = communication.schedule as? any SearchedSchedule else { return [self] }
    return searched.cuts(scheduleInput).map { scheduled(by: $0, label: scheduleLabel) }
  }

  /// What a schedule takes a message to cost when it plans: the links between the first two ranks,
  /// without contention, under a ring; or with servers, a push while all workers push.
  private static func planningCost(
    _ strategy: CommunicationStrategy, _ accelerators: [Int], workers: Int, servers: Int,
    _ topology: Topology
  ) -> TransferCost {
    var latency = SimDuration.zero
    var slowest = Bandwidth(bitsPerSecond: .max)
    if accelerators.count > 1 {
      let (from, to) = (
        topology.accelerators[accelerators[0]], topology.accelerators[accelerators[1]]
      )
      let key = Topology.routeKey(from: from, to: to)
      for id in topology.route(from: from, to: to, key: key) ?? [] {
        latency += topology.links[id.index].latency
        slowest = min(slowest, topology.links[id.index].bandwidth)
      }
    }
    let byte = 8e12 / Double(max(1, slowest.bitsPerSecond))
    guard case .parameterServer = strategy else {
      return .allReduce(
        .ring, workers: workers, latency: latency, picosecondsPerByte: byte)
    }
    let crowd = max(1, Double(workers) / Double(max(1, servers)))
    return TransferCost(startup: latency, picosecondsPerByte: byte * crowd)
  }

  /// Elements of the whole gradient.
  public var elements: Int { model.parameters }
  /// The gradient of one worker in its wire type, before compression.
  public var rawBytes: ByteCount {
    ByteCount(Int64(elements) * Int64(workload.gradientType.bytes))
  }
  /// The tensors of the gradient, in forward order.
  public var tensors: [GradientTensor] { model.gradientTensors }

  /// Why the algorithm cannot move the payloads among these ranks, as far as that does not depend
  /// on the gradients; nil if it can.
  private static func refusal(
    of communication: CommunicationSettings, among peers: PeerGroups
  ) -> PlanRefusal? {
    if communication.algorithm.kind == .inNetwork {
      return PlanRefusal(
        "in_network sums at switches, which the workers of a job do not have; time it with "
          + "simnet collective")
    }
    let operation: CollectiveOperation
    switch communication.strategy {
    case .allReduce:
      // Some payloads of a sum are gathered; which algorithm moves those shows when it is planned.
      let pipelines = communication.compression.pipelines
      if pipelines.contains(where: { $0.aggregation == .gather }) { return nil }
      operation = .allReduce
    case .sparseAllReduce: operation = .allReduce
    case .allGather: operation = .allGather
    case .parameterServer, .globalTopK, .reencodingRing: return nil
    }
    guard peers.count > 1 else { return nil }
    let made = communication.algorithm.makePlan(operation, shape: peers.shape, size: .zero)
    if case .failure(let refusal) = made { return refusal }
    return nil
  }

  private static func place(
    _ workload: WorkloadSettings, _ communication: CommunicationSettings,
    _ placement: PlacementSettings, _ topology: Topology, _ taken: [Bool], path: FieldPath,
    issues: IssueCollector
  ) -> (accelerators: [Int], workers: Int, servers: Int)? {
    let available = placement.order(in: topology, taken: taken)
    if case .list(let numbers) = placement {
      for number in numbers {
        let problem: String? =
          if number >= topology.accelerators.count {
            "accelerator \(number) does not exist: \(topology.name) has "
              + "\(topology.accelerators.count), counted from 0"
          } else if taken[number] {
            "accelerator \(number) already belongs to an earlier job"
          } else if numbers.count(where: { $0 == number }) > 1 {
            "accelerator \(number) is listed twice"
          } else {
            nil
          }
        if let problem {
          issues.report(
            Issue(path: path.appending("placement"), problem: .conflict(problem)))
          return nil
        }
      }
    }
    var dedicated = 0
    var colocated = false
    var serverCount: Int?
    if case .parameterServer(let servers) = communication.strategy {
      colocated = servers.placement == .colocated
      serverCount = servers.count
      dedicated = colocated ? 0 : servers.count ?? 1
    }
    let workers = workload.workers ?? (available.count - dedicated)
    guard workers >= 1, workers + dedicated <= available.count else {
      issues.report(
        Issue(
          path: path.appending("workload").appending("workers"),
          problem: .conflict(
            "\(max(workers, 1)) workers and \(dedicated) dedicated servers need "
              + "\(max(workers, 1) + dedicated) accelerators, but \(available.count) are free "
              + "on \(topology.name)")))
      return nil
    }
    let servers = colocated ? serverCount ?? workers : dedicated
    if colocated, servers > workers {
      issues.report(
        Issue(
          path: path.appending("communication").appending("servers").appending("count"),
          problem: .conflict(
            "\(servers) co-located servers need as many workers, but there are \(workers)")))
      return nil
    }
    return (Array(available.prefix(workers + dedicated)), workers, servers)
  }
}
