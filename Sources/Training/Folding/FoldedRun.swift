import Collectives
import Networks
import SimKernel

extension FoldedJob {
  /// What a folded run gives: as an unfolded one would.
  struct Outcome {
    var job: JobOutcome
    var usage: [LinkUsage]
    /// Classes of workers, and iterations, that were run.
    var classes: Int
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
    // What keeps in step repeats at once; rings take an iteration to get into theirs.
    var most = min(exchanges.allSatisfy { $0.lockstep != nil } ? 2 : 3, total)
    var classes = WorkerClasses(workers: plan.workers)
    var solutions: [SolvedExchanges.Solution] = []
    while true {
      let phases = shortened(to: most)
      var solved = SolvedExchanges(exchanges, classes: classes, solutions: solutions)
      let job: JobOutcome
      do {
        job = try simulate(phases, &solved, stop: stop)
      } catch {
        if solved.isParted {
          (classes, solutions) = (solved.classes, solved.solutions)
          continue
        }
        if case .interrupted = error { throw error }
        return nil
      }
      if let periods = periods(of: phases, solved) {
        guard let outcome = unfolded(job, solved, phases, periods) else { return nil }
        return Outcome(
          job: outcome, usage: usage(linkCount: linkCount), classes: classes.count,
          iterations: phases.reduce(0) { $0 + $1.iterations.count })
      }
      // Nor may they in a while: getting into step takes long where there are many.
      most = total
      // A phase that is run for longer puts others later.
      solutions = plan.phases.count == 1 ? solved.solutions : []
    }
  }

  /// What results say of a folded run.
  func description(of outcome: Outcome) -> String {
    var text =
      "\(plan.workers) alike as \(outcome.classes); \(outcome.iterations) of "
      + "\(plan.warmup + plan.iterations) iterations run"
    if exchanges.contains(where: \.isRounded) { text += "; chunks as the largest" }
    return text
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
    _ phases: [Phase], _ solved: inout SolvedExchanges, stop: any StopSignal
  ) throws(SimulationError) -> JobOutcome {
    var short = plan
    short.workers = solved.classes.count
    short.nodes = []
    short.hosts = []
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
      solved: solved, stop: stop)
    defer { solved = simulation.solvedExchanges! }
    return try simulation.run()[0]
  }

  /// The time from one iteration to the next at the end of every phase; nil if one does not repeat.
  private func periods(of phases: [Phase], _ solved: SolvedExchanges) -> [SimDuration]? {
    var periods: [SimDuration] = []
    for phase in phases {
      if phase.iterations.count == phase.all.count {
        periods.append(.zero)
        continue
      }
      guard phase.iterations.count >= 2 else { return nil }
      let last = phase.iterations.upperBound - 1
      guard let period = Self.period(of: solved.starts, at: last, count: solved.classes.count),
        period == Self.period(of: solved.opens, at: last, count: plan.workers)
      else { return nil }
      periods.append(period)
    }
    return periods
  }

  /// How much later all `times` of iteration `number` are than those of the one before.
  ///
  /// Nil if it is not the same for all. There are `count` an iteration.
  private static func period(of times: [SimTime], at number: Int, count: Int) -> SimDuration? {
    let first = number * count
    let period = times[first] - times[first - count]
    for place in first..<first + count where times[place] - times[place - count] != period {
      return nil
    }
    return period
  }

  /// The outcome of all iterations from that of those that were run.
  private func unfolded(
    _ short: JobOutcome, _ solved: SolvedExchanges, _ phases: [Phase], _ periods: [SimDuration]
  ) -> JobOutcome? {
    var whole = short
    whole.workers = plan.workers
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
        let count = solved.classes.count
        for position in own * count..<(own + 1) * count {
          whole.samples += repeatElement(
            short.samples[position], count: solved.classes.sizes[Int(solved.order[position])])
        }
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
