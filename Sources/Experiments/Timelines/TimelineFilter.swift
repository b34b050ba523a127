import Networks
import SimKernel
import Training

/// Keeps the chosen part of a run's timeline, and stops the run when that is too much.
final class TimelineFilter: TimelineRecorder {
  private let selection: TimelineSelection
  private let plans: [JobPlan]
  private let stop: StopFlag
  /// The chosen iterations, as the run loop counts.
  private let chosen: NumberRanges
  /// The chosen workers; nil for all and the servers.
  private let workers: NumberRanges?
  private var timeline: RunTimeline
  private var use: LinkUseMeter?
  /// Events that the kept part makes, about.
  private(set) var events = 0
  /// Whether the run was stopped because of them.
  private(set) var isOverfull = false

  /// - Throws: `InvalidInput` if `selection` names iterations or workers that there are not.
  init(
    _ selection: TimelineSelection, _ point: PreparedPoint, _ plans: [JobPlan],
    origin: RunTimeline.Origin, stop: StopFlag
  ) throws(InvalidInput) {
    self.selection = selection
    self.plans = plans
    self.stop = stop
    let fewest = plans.map(\.iterations).min() ?? 0
    chosen = selection.iterations ?? NumberRanges([0...max(0, min(1, fewest - 1))])
    let most = plans.map(\.iterations).max() ?? 0
    if chosen.last >= most {
      throw Self.refusal(
        "--iterations", "iteration \(chosen.last)",
        "0..\(most - 1), the \(most) counted iterations")
    }
    let largest = plans.map(\.workers).max() ?? 0
    if let last = selection.workers?.last, last >= largest {
      throw Self.refusal("--workers", "worker \(last)", "0..\(largest - 1)")
    }
    workers =
      selection.workers
      ?? selection.mostWorkers.flatMap { largest > $0 ? NumberRanges([0...$0 - 1]) : nil }
    timeline = RunTimeline(
      topology: point.topology, jobs: zip(point.jobs, plans).map { Self.job($0, $1) },
      origin: origin)
    guard selection.transfers else { return }
    if let reason = LinkUseMeter.refusal(point.topology, point.scenario.network) {
      timeline.linksMissing = reason
    } else {
      use = LinkUseMeter()
    }
  }

  private static func refusal(
    _ option: String, _ found: String, _ expected: String
  ) -> InvalidInput {
    InvalidInput([
      Issue(path: FieldPath([option]), problem: .outOfRange(found: found, expected: expected))
    ])
  }

  private static func job(_ blueprint: JobBlueprint, _ plan: JobPlan) -> RunTimeline.Job {
    let tensors = blueprint.tensors
    let width = Int64(blueprint.workload.gradientType.bytes)
    return RunTimeline.Job(
      name: blueprint.name, model: blueprint.model.name, device: blueprint.device.name,
      workers: plan.workers, nodes: plan.nodes,
      units: blueprint.schedule.units.map { unit in
        RunTimeline.Unit(
          tensors: unit.tensors.map { tensors[$0.index].name }, slice: unit.slice,
          priority: unit.priority, bytes: ByteCount(Int64(unit.elements) * width))
      },
      exchanges: plan.exchanges.map { exchange in
        RunTimeline.Exchange(
          algorithm: exchange.plan.name, operation: exchange.plan.operation.rawValue,
          unit: exchange.unit, bytes: exchange.sizes.first ?? .zero, groups: exchange.groups)
      }, warmup: plan.warmup, iterations: plan.iterations,
      batch: blueprint.workload.batch * blueprint.workload.accumulationSteps)
  }

  private func isChosen(_ iteration: Int32, _ job: JobID) -> Bool {
    chosen.contains(Int(iteration) - plans[job.index].warmup)
  }
  private func isChosen(_ rank: RankID, of job: JobID) -> Bool {
    // Servers come with all workers only: they talk to each of them.
    workers.map {
      rank.index < plans[job.index].workers && $0.contains(rank.index)
    } ?? true
  }

  private func count(_ number: Int) {
    events += number
    if events > selection.limit, !isOverfull {
      isOverfull = true
      stop.raise(1)
    }
  }

  // MARK: - Recording

  func record(_ spans: [TimelineSpan]) {
    for span in spans where isChosen(span.iteration, span.job) {
      // Exchanges come in their own, fuller form.
      guard span.kind != .exchange, isChosen(span.worker, of: span.job), !isOverfull else {
        continue
      }
      timeline.spans.append(span)
      count(1)
    }
  }

  func record(_ exchanges: [ExchangeSpan]) {
    for exchange in exchanges where isChosen(exchange.iteration, exchange.job) {
      guard isChosen(exchange.worker, of: exchange.job), !isOverfull else { continue }
      timeline.exchanges.append(exchange)
      count(3)
    }
  }

  func record(_ transfers: [TransferSpan]) {
    guard selection.transfers else { return }
    for transfer in transfers where isChosen(transfer.iteration, transfer.job) {
      use?.add(transfer)
      let sends = isChosen(transfer.sender, of: transfer.job)
      let receives = isChosen(transfer.receiver, of: transfer.job)
      guard sends || receives, !isOverfull else { continue }
      timeline.transfers.append(transfer)
      count(sends && receives ? 6 : 3)
    }
  }

  func record(_ reductions: [ReductionSpan]) {
    guard selection.transfers else { return }
    for reduction in reductions where isChosen(reduction.iteration, reduction.job) {
      guard isChosen(reduction.rank, of: reduction.job), !isOverfull else { continue }
      timeline.reductions.append(reduction)
      count(1)
    }
  }

  func record(_ iterations: [IterationSpan]) {
    for iteration in iterations where isChosen(iteration.iteration, iteration.job) {
      guard isChosen(iteration.worker, of: iteration.job), !isOverfull else { continue }
      timeline.iterations.append(iteration)
      count(1)
    }
  }

  /// What was kept, with the links it used.
  func finished() -> RunTimeline {
    guard let use else { return timeline }
    if use.isOverfull {
      timeline.linksMissing = "more than \(LinkUseMeter.limit) messages of all workers"
      return timeline
    }
    use.fill(&timeline)
    return timeline
  }
}
