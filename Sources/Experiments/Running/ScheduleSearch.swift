import Networks
import SimKernel
import Training

/// Finds the schedules of a point that are to be searched for, by short runs of the point itself.
enum ScheduleSearch {
  /// Iterations of a trial that count, and those before them.
  private static let iterations = 3
  private static let warmup = 1

  /// `point` with a plan for every job; itself if no job asks for a search.
  ///
  /// One job after the other, the others going by what is known of theirs. A trial has the point's own
  /// network, faults and compute times, so what is found is best for this point.
  static func settled(
    _ point: PreparedPoint, replicate: Int, encodings: EncodingStore, stop: StopFlag
  ) throws -> PreparedPoint {
    var settled = point
    for index in point.jobs.indices {
      let job = point.jobs[index]
      guard let schedule = job.communication.schedule as? any SearchedSchedule else { continue }
      let found = try schedule.search(job.scheduleInput) { plan in
        if stop.isRaised { throw SimulationError.interrupted(at: .zero) }
        var trial = settled
        trial.jobs[index] = job.scheduled(by: plan, label: job.scheduleLabel)
        for other in trial.jobs.indices {
          let own = trial.jobs[other].workload
          trial.jobs[other].workload.iterations = min(own.iterations, iterations)
          trial.jobs[other].workload.warmup = min(own.warmup, warmup)
        }
        let run = try PointRun.simulate(
          trial, replicate: replicate, encodings: encodings, stop: stop)
        return run.outcome.jobs[index].mean.total
      }
      settled.jobs[index] = job.scheduled(
        by: found.plan, label: found.label, isBound: found.isBound)
    }
    return settled
  }

  /// What no schedule beats: the computation of an iteration, and the time in which the link that
  /// carries most could carry an iteration's bytes without a pause.
  static func bound(
    _ mean: IterationAccount, _ outcome: NetworkRun.Outcome, _ point: PreparedPoint,
    _ job: JobBlueprint
  ) -> IterationAccount {
    var busiest = SimDuration.zero
    // Without contention, any number of messages share a link at full rate.
    if point.scenario.network.model != .alphaBeta {
      let transport = point.scenario.network.transport
      let count = Int64(job.workload.warmup + job.workload.iterations)
      for (index, usage) in outcome.usage.enumerated() {
        let link = point.topology.links[index]
        let rate = transport.payloadRate(of: link, at: link.bandwidth)
        if rate.bitsPerSecond == 0 { continue }
        busiest = max(busiest, rate.time(toSend: ByteCount(usage.carried.bytes / count)))
      }
    }
    var bound = IterationAccount()
    bound.compute = mean.compute
    bound.optimizer = mean.optimizer
    bound.communication = max(.zero, busiest - (mean.compute + mean.optimizer))
    return bound
  }
}
