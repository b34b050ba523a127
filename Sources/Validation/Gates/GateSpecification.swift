/// Which kind of wrong answer a gate must not give.
public enum GateMode: String, Sendable, CaseIterable {
  /// No false pass: unknown fails.
  case falsePositiveFree = "fp-free"
  /// No false fail: unknown passes.
  case falseNegativeFree = "fn-free"

  /// Whether a condition that is `truth` passes.
  public func passes(_ truth: TruthValue) -> Bool {
    switch self {
    case .falsePositiveFree: truth == .true
    case .falseNegativeFree: truth != .false
    }
  }
}

/// What developers learn from one set of replicates, and so how far they can fit to it.
public enum Adaptivity: String, Sendable, CaseIterable {
  /// Results are withheld: the commits cannot depend on each other through the gate.
  case none
  /// Pass or fail is released at each commit: 2^steps histories are possible.
  case full
  /// Released, but the replicates are retired at the first pass, before which every history is a
  /// row of fails.
  case firstChange
}

/// By which inequality the replicates are counted.
public enum BoundChoice: String, Sendable, CaseIterable {
  /// Hoeffding's for every variable of every clause.
  case hoeffding
  /// Bennett's for clauses on n - o beside a clause d < A; Hoeffding's for the others.
  case bennett
  /// For each clause whichever of both needs fewer replicates.
  ///
  /// The choice depends on the condition alone, never on the data, and costs no reliability.
  case smaller
}

/// A metric, and the range that its every value lies in.
public struct Metric: Sendable, Equatable {
  /// What the metric is called.
  public var name: String
  /// The values it can take; nil when nobody declared them, as for times, whose bounds are void.
  public var range: ClosedRange<Double>?

  /// The metric called `name`, with values in `range`.
  public init(_ name: String, range: ClosedRange<Double>?) {
    self.name = name
    self.range = range
  }
}

/// A gate: a condition and how sure its answers have to be.
public struct GateSpecification: Sendable, Equatable {
  /// What a commit must satisfy.
  public var condition: Condition
  /// The probability that none of the steps is answered wrongly; above 0 and below 1.
  public var reliability: Double
  /// Which answers count as wrong.
  public var mode: GateMode
  /// What developers learn.
  public var adaptivity: Adaptivity
  /// How many commits one set of replicates judges; at least 1.
  public var steps: Int
  /// The inequality used.
  public var bound: BoundChoice

  /// A gate on `condition`.
  public init(
    _ condition: Condition, reliability: Double, mode: GateMode = .falsePositiveFree,
    adaptivity: Adaptivity = .full, steps: Int = 32, bound: BoundChoice = .hoeffding
  ) {
    self.condition = condition
    self.reliability = reliability
    self.mode = mode
    self.adaptivity = adaptivity
    self.steps = steps
    self.bound = bound
  }
}
