import Collectives
import Networks
import SimKernel

extension FoldedJob {
  /// What a folded run gives: as an unfolded one would.
  struct Outcome {
    var job: JobOutcome
    var usage: [LinkUsage]
    /// Iterations that were run.
    var iterations: Int
  }

  /// Runs as many iterations of each phase as it takes until one begins as the one before did, and
  /// repeats that one.
  ///
  /// Ends, accounts and samples of an iteration depend on nothing but how it begins: when each worker
  /// does, and since when its way out is free.
  /// - Returns: nil if time left its range, which a run in full reports better.
  func run(linkCount: Int, stop: any StopSignal) throws(SimulationError) -> Outcome? {
    let total = plan.warmup + plan.iterations
    var most = min(3, total)
    while true {
      let phases = shortened(to: most)
      let (job, solved): (JobOutcome, SolvedExchanges)
      do {
        (job, solved) = try simulate(phases, stop: stop)
      } catch {
        if case .interrupted = error { throw error }
        return nil
      }
      if let periods = periods(of: phases, solved) {
        guard let outcome = unfolded(job, phases, periods) else { return nil }
        return Outcome(
          job: outcome, usage: usage(linkCount: linkCount),
          iterations: phases.reduce(0) { $0 + $1.iterations.count })
      }
      most = min(2 * most, total)
    }
  }

  /// The iterations of a phase, and those that are run for them.
  private struct Phase {
    var iterations: Range<Int>
    var all: Range<Int>
    var plan: JobPhase

    /// The iteration that is run for `number` of the whole run.
    func representative(of number: Int) -> Int {
      iterations.lowerBound + min(number - all.lowerBound, iterations.count - 1)
    }
  }

  private func shortened(to most: Int) -> [Phase] {
    let total = plan.warmup + plan.iterations
    var next = 0
    var phases: [Phase] = []
    for (index, phase) in plan.phases.enumerated() where phase.firstIteration < total {
      let end = index + 1 < plan.phases.count ? plan.phases[index + 1].firstIteration : total
      let all = phase.firstIteration..<min(total, end)
      let count = min(most, all.count)
      phases.append(Phase(iterations: next..<next + count, all: all, plan: phase))
      next += count
    }
    return phases
  }

  private func simulate(
    _ phases: [Phase], stop: any StopSignal
  ) throws(SimulationError) -> (JobOutcome, SolvedExchanges) {
    var short = plan
    short.warmup = 0
    short.iterations = phases.last?.iterations.upperBound ?? 0
    short.phases = phases.map {
      var phase = $0.plan
      phase.firstIteration = $0.iterations.lowerBound
      return phase
    }
    if short.phases.isEmpty { short.phases = plan.phases }
    var simulation = Simulation(
      network: IdleNetwork(), topology: cables.pair.makeTopology(), job: short,
      solved: SolvedExchanges(exchanges, workers: plan.workers), stop: stop)
    let outcome = try simulation.run()[0]
    return (outcome, simulation.solvedExchanges!)
  }

  /// The time from one iteration to the next at the end of every phase; nil if one does not repeat.
  private func periods(of phases: [Phase], _ solved: SolvedExchanges) -> [SimDuration]? {
    var periods: [SimDuration] = []
    for phase in phases {
      if phase.iterations.count == phase.all.count {
        periods.append(.zero)
        continue
      }
      let last = (phase.iterations.upperBound - 1) * plan.workers
      let before = last - plan.workers
      guard phase.iterations.count >= 2 else { return nil }
      let period = solved.starts[last] - solved.starts[before]
      for worker in 0..<plan.workers
      where solved.starts[last + worker] - solved.starts[before + worker] != period
        || solved.opens[last + worker] - solved.opens[before + worker] != period
      {
        return nil
      }
      periods.append(period)
    }
    return periods
  }

  /// The outcome of all iterations from that of those that were run.
  private func unfolded(
    _ short: JobOutcome, _ phases: [Phase], _ periods: [SimDuration]
  ) -> JobOutcome? {
    var whole = short
    whole.iterations = []
    whole.sums = []
    whole.samples = []
    whole.samples.reserveCapacity(plan.iterations * plan.workers)
    var sent = ByteCount.zero
    for (phase, period) in zip(phases, periods) {
      let bytes = phase.plan.exchanges.reduce(ByteCount.zero) {
        $0 + exchanges[$1].sentBytes(workers: plan.workers)
      }
      for number in phase.all where number >= plan.warmup {
        let own = phase.representative(of: number)
        // All workers are through an iteration before one is through the next, so that the samples
        // of an iteration are neighbours.
        whole.samples += short.samples[own * plan.workers..<(own + 1) * plan.workers]
        whole.iterations.append(short.iterations[own])
        whole.sums.append(short.sums[own])
        sent += bytes
      }
      whole.end = whole.end + period * (phase.all.count - phase.iterations.count)
    }
    whole.wireBytes = sent
    whole.hostBytes = sent
    return whole.end == .never ? nil : whole
  }

  /// What every link has carried, warm-up included.
  private func usage(linkCount: Int) -> [LinkUsage] {
    var usage = Array(
      repeating: LinkUsage(carried: .zero, busy: .zero), count: linkCount)
    let total = plan.warmup + plan.iterations
    for (index, phase) in plan.phases.enumerated() where phase.firstIteration < total {
      let end = index + 1 < plan.phases.count ? plan.phases[index + 1].firstIteration : total
      let count = min(total, end) - phase.firstIteration
      for exchange in phase.exchanges {
        let loads = exchanges[exchange].loads(workers: plan.workers)
        for (rank, load) in loads.enumerated() {
          // What the rank before sends comes in; in lockstep all send the same.
          let next = rank + 1 == plan.workers ? 0 : rank + 1
          for link in [cables.up[rank], cables.down[next]] {
            usage[link.index].carried += load.bytes * count
            usage[link.index].busy += load.busy * count
          }
        }
      }
    }
    return usage
  }
}

extension SolvedExchange {
  /// What all ranks send together.
  func sentBytes(workers: Int) -> ByteCount {
    switch self {
    case .ring(let ring): ring.sentBytes
    case .lockstep(let lockstep): lockstep.bytes * workers
    }
  }
  /// What each rank sends, and for how long.
  func loads(workers: Int) -> [(bytes: ByteCount, busy: SimDuration)] {
    switch self {
    case .ring(let ring): ring.loads
    case .lockstep(let lockstep):
      Array(repeating: (lockstep.bytes, lockstep.busy), count: workers)
    }
  }
}
