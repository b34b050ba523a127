import SimKernel

/// Which exchange each worker of a job starts next: a queue a worker, or one order for all.
struct Admission {
  private var queues: [AdmissionQueue] = []
  private var agreed: AgreedOrder?
  /// The iteration whose exchanges a worker's queue holds.
  private var iterations: [Int32]
  private let phases: [JobPhase]
  private let seed: UInt64
  private let replicate: Int
  private let job: Int

  init(_ plan: JobPlan, job: Int) {
    self.job = job
    seed = plan.seed
    replicate = plan.replicate
    phases = plan.phases
    iterations = Array(repeating: -1, count: plan.workers)
    let tickets = plan.exchanges.map(\.ticket)
    if plan.admission.isAgreed, plan.admission.order != .fixed {
      agreed = AgreedOrder(
        tickets, rules: plan.admission, workers: plan.workers,
        random: RandomStream(
          seed: seed, replicate: replicate, purpose: RandomPurpose("exchange order"),
          entity: job << 40))
    } else {
      queues = Array(
        repeating: AdmissionQueue(tickets, rules: plan.admission), count: plan.workers)
    }
  }

  /// The payload of `exchange` exists on `worker`; returns whether other workers may now go on, too.
  mutating func ready(_ exchange: Int, worker: Int, iteration: Int) -> Bool {
    if agreed != nil { return agreed?.ready(exchange) ?? false }
    if Int(iterations[worker]) != iteration {
      iterations[worker] = Int32(iteration)
      var phase = phases.count - 1
      while phases[phase].firstIteration > iteration { phase -= 1 }
      queues[worker].reset(
        to: phases[phase].exchanges,
        random: RandomStream(
          seed: seed, replicate: replicate, purpose: RandomPurpose("exchange order"),
          entity: (job << 40) | (worker << 20) | iteration))
    }
    queues[worker].ready(exchange)
    return false
  }

  /// `worker` has the result of `exchange`.
  mutating func complete(_ exchange: Int, worker: Int) {
    if agreed != nil {
      agreed?.complete(exchange, worker: worker)
    } else {
      queues[worker].complete(exchange)
    }
  }

  /// The exchange that `worker` may start now, or nil.
  mutating func admit(_ worker: Int) -> Int? {
    if agreed != nil { return agreed?.admit(worker: worker) }
    return queues[worker].admit()
  }
}
