import SimKernel

/// What a job would go on from after a crash, and what crashes have cost it so far.
struct SavedProgress {
  /// The first iteration that is not safe: those before it need not be done again.
  var iteration = 0
  /// Since when work is unsafe, while the job runs.
  var since = SimTime.zero
  /// When its hosts crashed, while it does not; `never` while it does.
  var stopped = SimTime.never
  var samples = 0
  var wireBytes = ByteCount.zero
  var hostBytes = ByteCount.zero
}

extension JobState {
  // MARK: - Checkpoints

  /// Holds workers back before `number` until a checkpoint is written; returns whether it does.
  mutating func waitForCheckpoint(before number: Int, at now: SimTime) -> Bool {
    guard plan.recovery.isDue(before: number), saved.iteration != number else { return false }
    if Int(clock.slowest) < number || isWriting { return true }
    // All have come so far; with overlap, their exchanges must be over, too.
    if operationsLeft.contains(where: { $0 > 0 }) { return true }
    isWriting = true
    mustWrite = true
    for worker in 0..<plan.workers { closeIteration(worker, at: now) }
    return true
  }

  /// Schedules the end of a checkpoint that has just begun.
  mutating func beginWriting(at now: SimTime, queue: inout EventQueue<JobEvent>) {
    mustWrite = false
    let end = now + plan.recovery.writing
    if end == .never {
      fail(.timeOverflow(at: now, what: "a checkpoint"))
      return
    }
    queue.schedule(
      JobEvent(kind: .checkpointed, of: incarnation, rank: 0, index: 0), at: end)
  }

  /// A checkpoint is written: nothing before it is ever done again.
  mutating func endWriting(at now: SimTime) {
    isWriting = false
    saved.iteration = Int(clock.slowest)
    saved.since = now
    saved.samples = outcome.samples.count
    saved.wireBytes = outcome.wireBytes
    saved.hostBytes = outcome.hostBytes
    outcome.recovery.checkpoints += 1
    outcome.recovery.writing += plan.recovery.writing
    for worker in 0..<plan.workers { beginIteration(worker, at: now) }
  }

  // MARK: - Crashes

  /// Whether it waits for its hosts.
  var isStopped: Bool { saved.stopped != .never }

  /// Everything since the last checkpoint is lost; what was under way is forgotten.
  ///
  /// A job that stands still already loses nothing more, but has to wait again.
  mutating func crash(at now: SimTime) {
    var next = JobState(plan: plan, index: index, isRecording: record != nil)
    next.incarnation = incarnation
    next.incarnation.number &+= 1
    next.saved = saved
    next.outcome = outcome
    if saved.stopped == .never {
      next.outcome.recovery.crashes += 1
      if hasBegun { next.outcome.recovery.rework += now - saved.since }
      next.saved.stopped = now
    }
    next.outcome.samples.removeLast(outcome.samples.count - saved.samples)
    for position in max(0, saved.iteration - plan.warmup)..<plan.iterations {
      next.outcome.iterations[position] = IterationAccount()
      next.outcome.sums[position] = IterationSum()
    }
    next.outcome.wireBytes = saved.wireBytes
    next.outcome.hostBytes = saved.hostBytes
    if Int(next.incarnation.number) >= Incarnation.most {
      next.fail(
        .givenUp(
          at: now,
          why:
            "the hosts of \(plan.name) crashed \(Incarnation.most) times; it comes no further than "
            + "iteration \(saved.iteration); write checkpoints more often, or let hosts live longer"
        ))
    }
    self = next
  }

  /// The job runs on from its last checkpoint.
  mutating func resume(at now: SimTime) {
    outcome.recovery.downtime += now - saved.stopped
    saved.stopped = .never
    iteration = Array(repeating: Int32(saved.iteration), count: plan.workers)
    clock = ProgressClock(workers: plan.workers, finished: saved.iteration)
    // Nobody has waited: the time since the crash is nobody's iteration.
    waitingSince = Array(repeating: .never, count: plan.workers)
    begin(at: now)
  }
}

/// What crashes and checkpoints cost a job.
public struct RecoveryOutcome: Sendable, Equatable {
  /// How often a host of the job crashed while it ran.
  public var crashes = 0
  /// Checkpoints that were finished.
  public var checkpoints = 0
  /// Time in which they were written.
  public var writing = SimDuration.zero
  /// Work that was lost: from the checkpoint before each crash to the crash.
  public var rework = SimDuration.zero
  /// From crashes until the job ran again.
  public var downtime = SimDuration.zero
  /// Messages that were lost: on their way when a host crashed, or dropped and sent again.
  public var lostMessages = 0
  public init() {}
}
