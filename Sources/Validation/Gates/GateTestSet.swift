/// The answer of a gate to one commit.
public struct GateVerdict: Sendable, Equatable {
  /// One clause's part in it.
  public struct Part: Sendable, Equatable {
    /// The clause.
    public var clause: Clause
    /// What the sum of its variables may be.
    public var interval: ClosedRange<Double>
    /// Whether the clause holds over the interval.
    public var truth: TruthValue
  }

  /// The parts in the order of the condition.
  public var parts: [Part]
  /// The conjunction of the parts.
  public var truth: TruthValue
  /// What the mode makes of it.
  public var passes: Bool
  /// Whether developers may see the verdict; not so at adaptivity none, whose guarantee rests on
  /// their not knowing.
  public var isReleased: Bool
}

/// A set of replicates and the commits that it may still judge.
///
/// The guarantee of a plan covers its steps and no more: after them, and at adaptivity firstChange
/// after the first pass, the replicates are retired and new seeds have to be drawn.
public struct GateTestSet: Sendable {
  /// The plan whose guarantee holds.
  public let plan: GatePlan
  /// The commits judged so far.
  public private(set) var stepsUsed: Int
  private var hasPassed = false

  /// Replicates for `plan` of which `stepsUsed` steps are used, one of them for a commit that passed
  /// if `hasPassed`.
  ///
  /// - Precondition: `stepsUsed` is not negative.
  public init(_ plan: GatePlan, stepsUsed: Int = 0, hasPassed: Bool = false) {
    precondition(stepsUsed >= 0, "steps used cannot be negative")
    self.plan = plan
    self.stepsUsed = stepsUsed
    self.hasPassed = hasPassed
  }

  /// Whether no further commit may be judged.
  public var isRetired: Bool {
    stepsUsed >= plan.specification.steps
      || plan.specification.adaptivity == .firstChange && hasPassed
  }

  /// Judges one commit, which takes one step.
  ///
  /// - Throws: `GateError.retired` when no step is left and `.tooFewReplicates` when the estimate
  ///   rests on fewer replicates than planned; neither takes a step.
  public mutating func judge(_ estimate: GateEstimate) throws(GateError) -> GateVerdict {
    if isRetired {
      throw .retired(
        afterSteps: stepsUsed, passed: plan.specification.adaptivity == .firstChange && hasPassed)
    }
    let verdict = try Self.verdict(on: estimate, by: plan)
    stepsUsed += 1
    hasPassed = hasPassed || verdict.passes
    return verdict
  }

  /// What `plan` says of one commit, without counting a step: only for one that was counted before.
  ///
  /// - Throws: `GateError.tooFewReplicates` when the estimate rests on fewer replicates than planned.
  public static func verdict(
    on estimate: GateEstimate, by plan: GatePlan
  ) throws(GateError) -> GateVerdict {
    guard estimate.replicates >= plan.replicates else {
      throw .tooFewReplicates(found: estimate.replicates, needed: plan.replicates)
    }
    let parts = plan.specification.condition.clauses.map { clause in
      let interval = estimate.interval(of: clause)
      return GateVerdict.Part(
        clause: clause, interval: interval, truth: clause.truth(over: interval))
    }
    let truth = parts.reduce(TruthValue.true) { $0 && $1.truth }
    return GateVerdict(
      parts: parts, truth: truth, passes: plan.specification.mode.passes(truth),
      isReleased: plan.specification.adaptivity != .none)
  }
}
