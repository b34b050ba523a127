/// Why a gate cannot be planned or cannot judge.
public enum GateError: Error, Equatable, Sendable {
  /// A reliability that is not inside 0...1.
  case reliabilityOutOfRange(Double)
  /// Fewer than one step.
  case noSteps(Int)
  /// A condition on n or o with a metric whose range nobody declared.
  case undeclaredRange(metric: String)
  /// A declared range that is unbounded or a single point.
  case uselessRange(metric: String, lower: Double, upper: Double)
  /// Bennett's bound for a condition without a clause on n - o beside a clause d < A.
  case noVarianceBound
  /// A clause that needs more replicates than can be counted.
  case tooManyReplicates(clause: String)
  /// Different numbers of new and old values.
  case unpaired(new: Int, old: Int)
  /// No values.
  case empty
  /// A value outside the declared range, or not a number.
  case valueOutOfRange(metric: String, index: Int, value: Double, lower: Double, upper: Double)
  /// Fewer replicates than the plan asks for.
  case tooFewReplicates(found: Int, needed: Int)
  /// A set of replicates that judged all the commits it may.
  case retired(afterSteps: Int, passed: Bool)
  /// A gate that is not the one whose steps were recorded.
  case changed(what: String, found: String, recorded: String)
}

extension GateError: CustomStringConvertible {
  /// What was found, what was expected, and what to do.
  public var description: String {
    switch self {
    case .reliabilityOutOfRange(let value):
      "reliability \(value) is outside 0 < reliability < 1; try 0.99"
    case .noSteps(let count):
      "\(count) steps; a gate judges at least 1"
    case .undeclaredRange(let metric):
      "the range of \(metric) is not declared, and no number of replicates bounds the mean of an "
        + "unbounded metric; declare it, or scale the metric to 0...1"
    case .uselessRange(let metric, let lower, let upper):
      "\(lower)...\(upper) is no range for \(metric); both ends must be finite and differ"
    case .noVarianceBound:
      "Bennett's bound needs a clause on n - o and a clause d < A with 0 < A; use hoeffding"
    case .tooManyReplicates(let clause):
      "\(clause): more replicates than can be counted; widen the tolerance"
    case .unpaired(let new, let old):
      "\(new) values of the new build and \(old) of the old one; they must come in pairs"
    case .empty:
      "no values to judge"
    case .valueOutOfRange(let metric, let index, let value, let lower, let upper):
      "\(metric) of replicate \(index) is \(value), outside its declared range \(lower)...\(upper)"
    case .tooFewReplicates(let found, let needed):
      "\(found) replicates; the condition needs \(needed)"
    case .retired(let steps, let passed):
      passed
        ? "these replicates are retired: a commit passed at step \(steps); draw new seeds"
        : "these replicates are retired: all \(steps) steps are used; draw new seeds"
    case .changed(let what, let found, let recorded):
      "\(what) is \(found), but the steps recorded are those of \(recorded); the guarantee covers one "
        + "gate: go on with it, or draw new seeds and begin a new record"
    }
  }
}
