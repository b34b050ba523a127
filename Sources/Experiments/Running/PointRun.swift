import Compression
import Networks
import SimKernel
import Training

/// One run of one configuration: builds the jobs, simulates them, and writes down the numbers.
enum PointRun {
  /// The measurement cells of every job, one job after the other; `account` gets what the links
  /// carried, and `timeline` what it asks for.
  static func measure(
    _ prepared: PreparedPoint, replicate: Int, encodings: EncodingStore, stop: StopFlag,
    timeline: TimelineRecording? = nil, account: (LinkAccounts.Account) -> Void
  ) throws -> [String] {
    let point = try ScheduleSearch.settled(
      prepared, replicate: replicate, encodings: encodings, stop: stop)
    let (outcome, reports, measured) = try simulate(
      point, replicate: replicate, encodings: encodings, stop: stop, timeline: timeline)
    account(
      LinkAccounts.Account(
        topology: point.topology, usage: outcome.usage, ports: outcome.ports,
        end: outcome.jobs.map(\.end).max() ?? .zero))
    let busiest = Busiest(outcome.usage, topology: point.topology, jobs: outcome.jobs)
    var cells: [String] = []
    for index in point.jobs.indices {
      cells += row(point, index, outcome, reports[index], measured[index], busiest)
    }
    return cells
  }

  /// Runs the jobs of a point; what was encoded is that of the last phase.
  static func simulate(
    _ point: PreparedPoint, replicate: Int, encodings: EncodingStore, stop: StopFlag,
    timeline: TimelineRecording? = nil
  ) throws -> (
    outcome: NetworkRun.Outcome, reports: [JobPlanBuilder.Report], measured: [EncodingResult?]
  ) {
    let network = point.scenario.network
    var plans: [JobPlan] = []
    var reports: [JobPlanBuilder.Report] = []
    var measured: [EncodingResult?] = []
    for blueprint in point.jobs {
      let results = try EncodingRequest.all(
        blueprint, seed: point.scenario.seed, replicate: replicate
      ).map { try encodings.result(for: $0) }
      let builder = JobPlanBuilder(
        blueprint, encodings: results, topology: point.topology, transport: network.transport)
      let (plan, report) = try builder.build(seed: point.scenario.seed, replicate: replicate)
      plans.append(plan)
      reports.append(report)
      // What compression does to the gradient once it has settled.
      measured.append(results.last ?? nil)
    }
    let filter = try timeline.map {
      try TimelineFilter($0.selection, point, plans, origin: $0.origin, stop: stop)
    }
    defer { if let filter { timeline?.take(filter) } }
    var crashes = point.crashes
    crashes.random?.replicate = replicate
    let outcome = try NetworkRun.run(
      topology: point.topology, network: network, jobs: plans, faults: point.faults,
      crashes: crashes, stop: stop, recorder: filter, folding: point.scenario.folding)
    return (outcome, reports, measured)
  }

  /// The link that was busy for the largest share of the run.
  private struct Busiest {
    var name = ""
    var share = 0.0

    init(_ usage: [LinkUsage], topology: Topology, jobs: [JobOutcome]) {
      let end = jobs.map(\.end).max() ?? .zero
      guard end > .zero else { return }
      var best = SimDuration.zero
      for (index, link) in usage.enumerated() where link.busy > best {
        best = link.busy
        name = topology.links[index].name
      }
      share = best.seconds / end.seconds
    }
  }

  private static func row(
    _ point: PreparedPoint, _ index: Int, _ run: NetworkRun.Outcome,
    _ report: JobPlanBuilder.Report, _ encoding: EncodingResult?, _ busiest: Busiest
  ) -> [String] {
    let job = point.jobs[index]
    let outcome = run.jobs[index]
    let mean =
      job.isBound ? ScheduleSearch.bound(outcome.mean, run, point, job) : outcome.mean
    let total = mean.total
    let samples = job.isBound ? [total] : outcome.samples
    var lengths = RunningStatistics(samples.map { Double($0.picoseconds) })
    func percentile(_ fraction: Double) -> String {
      SimDuration.roundingUp(picoseconds: lengths.percentile(fraction)).exactSeconds
    }
    func number(_ value: Double) -> String {
      value.isFinite ? JSONNumber.shortest(value) : ""
    }
    let micro = job.compute
    let steps = job.workload.accumulationSteps
    let alone = micro.forward * steps + micro.backward * steps + micro.optimizer
    let batch = Double(job.workload.batch * steps * job.workers)
    let raw = Double(job.rawBytes.bytes)
    let isAlone = job.workers == 1
    let encoded = isAlone ? raw : report.encodedBytes
    func perWorker(_ bytes: ByteCount) -> Double {
      Double(bytes.bytes) / Double(job.workers * max(1, job.workload.iterations))
    }
    let wire = perWorker(outcome.wireBytes)
    // What a worker sends in a plain ring all-reduce of the raw gradient.
    let ring = 2 * Double(job.workers - 1) / Double(job.workers) * raw
    let compression = job.communication.compression
    let transport = point.scenario.network.transport
    let study = encoding?.study
    /// A number of the study; where nothing is lost it is known without one.
    func studied(_ exact: Double, _ value: (CompressionStudy) -> Double) -> String {
      if let study { return number(value(study)) }
      let isExact = encoding.map { $0.studySample == EncodingResult.nothingLost } ?? true
      return isExact ? number(exact) : ""
    }
    let cells: [(column: String, text: String)] = [
      ("job", job.name),
      ("model", job.model.name),
      ("workers", String(job.workers)),
      ("iteration_time_s", total.exactSeconds),
      ("iteration_time_p50_s", percentile(0.5)),
      ("iteration_time_p99_s", percentile(0.99)),
      ("samples_per_s", number(batch / total.seconds)),
      ("compute_time_s", mean.compute.exactSeconds),
      ("exposed_encode_s", mean.encode.exactSeconds),
      ("exposed_communication_s", mean.communication.exactSeconds),
      ("exposed_decode_s", mean.decode.exactSeconds),
      ("straggler_wait_s", mean.stragglers.exactSeconds),
      ("optimizer_time_s", mean.optimizer.exactSeconds),
      ("raw_bytes", String(job.rawBytes.bytes)),
      ("encoded_bytes", number(encoded.rounded(.up))),
      ("wire_bytes", number(wire.rounded(.up))),
      ("compression_ratio", number(encoded > 0 ? raw / encoded : .nan)),
      ("wire_ratio", number(wire > 0 ? ring / wire : .nan)),
      ("scaling_efficiency", number(total > .zero ? alone.seconds / total.seconds : .nan)),
      ("gradient_rel_l2", number(encoding?.relativeL2 ?? 0)),
      ("gradient_cosine", number(encoding?.cosine ?? 1)),
      (
        "error_feedback",
        compression.errorFeedback == nil && compression.momentumCorrection == nil ? "off" : "on"
      ),
      ("algorithm", report.algorithms.joined(separator: "+")),
      ("strategy", job.communication.strategy.name),
      ("compression", compression.pipeline.label),
      ("schedule", job.scheduleLabel),
      ("exchanges", String(job.schedule.units.count)),
      ("bottleneck", bottleneck(mean)),
      ("busiest_link", busiest.name),
      ("busiest_link_share", number(busiest.share)),
      ("network_model", point.scenario.network.model.rawValue),
      ("transport", transport.name),
      (
        "compute_source",
        job.devicesNote
          + micro.evidence.map {
            "\($0.part) \($0.evidence.provenance.rawValue): \($0.evidence.sentence)"
          }.joined(separator: "; ")
      ),
      ("codec_cost_source", report.codecSource),
      (
        "transport_source",
        transport.provenance.isEmpty
          ? transport.name
          : "\(transport.name): "
            + transport.provenance.map { "\($0.key) \($0.text)" }.joined(separator: "; ")
      ),
      ("gradient_source", encoding?.source ?? "not needed: nothing is encoded"),
      ("gradient_sample", encoding?.sample ?? ""),
      ("makespan_s", (outcome.end - SimTime.zero).exactSeconds),
      ("host_bytes", number(perWorker(outcome.hostBytes).rounded(.up))),
      ("gradient_bias", studied(0, \.bias)),
      ("gradient_variance", studied(0, \.variance)),
      ("contraction_factor", studied(0, \.contraction)),
      ("residual_ratio", study?.residual.map(number) ?? ""),
      ("accumulated_rel_l2", studied(0, \.updateError)),
      ("accumulated_cosine", studied(1, \.updateCosine)),
      ("study", encoding?.studySample ?? EncodingResult.nothingLost),
      ("accuracy", "unknown"),
      ("compression_memory_bytes", String(report.memory.compression.bytes)),
      ("model_memory_bytes", String(report.memory.model.bytes)),
      ("folded", run.folded),
      ("crashes", String(outcome.recovery.crashes)),
      ("checkpoint_time_s", outcome.recovery.writing.exactSeconds),
      ("rework_time_s", outcome.recovery.rework.exactSeconds),
      ("downtime_s", outcome.recovery.downtime.exactSeconds),
      ("goodput", number(goodput(outcome))),
      ("lost_messages", String(outcome.recovery.lostMessages)),
    ]
    // A dictionary would take longer than many a simulation.
    precondition(
      cells.count == ResultColumns.measurements.count
        && zip(cells, ResultColumns.measurements).allSatisfy { $0.column == $1 },
      "cells come in the order of the columns")
    return cells.map(\.text)
  }

  /// The share of a job's run that was neither done in vain, nor waited for hosts, nor written.
  private static func goodput(_ outcome: JobOutcome) -> Double {
    let span = outcome.end - SimTime.zero
    let recovery = outcome.recovery
    let kept = span - recovery.writing - recovery.rework - recovery.downtime
    return span > .zero ? kept.seconds / span.seconds : 1
  }

  /// The part that takes the most time.
  private static func bottleneck(_ account: IterationAccount) -> String {
    let parts: [(String, SimDuration)] = [
      ("compute", account.compute + account.optimizer), ("encode", account.encode),
      ("communication", account.communication), ("decode", account.decode),
      ("stragglers", account.stragglers),
    ]
    var best = parts[0]
    for part in parts where part.1 > best.1 { best = part }
    return best.0
  }
}
