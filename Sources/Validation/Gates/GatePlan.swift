import SimKernel

/// How many replicates one clause needs.
public struct ClausePlan: Sendable, Equatable {
  /// Where a clause's number of replicates comes from.
  public enum Reason: Sendable, Equatable {
    /// Hoeffding's inequality for each variable, the largest count of which is taken.
    case hoeffding([VariablePlan])
    /// Bennett's inequality for n - o as one variable that differs from 0 in at most a fraction
    /// `difference` of the replicates.
    case bennett(difference: Double)
  }

  /// The part of a clause that falls to one variable.
  public struct VariablePlan: Sendable, Equatable {
    /// The variable.
    public var variable: GateVariable
    /// Its coefficient.
    public var coefficient: Double
    /// The width of its range.
    public var width: Double
    /// How far its estimate may be off; the clause's tolerance, split equally and divided by the
    /// coefficient.
    public var tolerance: Double
    /// The replicates that keep it so near.
    public var replicates: Int
  }

  /// The clause.
  public var clause: Clause
  /// The natural logarithm of one over the probability that an estimate may be off.
  ///
  /// A logarithm because the probability itself, divided by 2^steps, leaves the range of doubles.
  public var logOdds: Double
  /// The replicates needed.
  public var replicates: Int
  /// Of those, how many need an outcome of both builds and not only whether it changed.
  public var labelledReplicates: Int
  /// Why so many.
  public var reason: Reason
}

/// A gate and the replicates that give its answers the reliability asked for.
///
/// With k variables in a clause of C and H steps, each estimate may be off with a probability of
/// delta / (k C H), or delta / (k C 2^H) when developers see the results; see Renggli et al., SysML
/// 2019, arXiv:1903.00278. Each error that counts is one-sided: in fp-free mode only an estimate
/// too favourable, in fn-free mode only one too unfavourable.
public struct GatePlan: Sendable {
  /// What was asked for.
  public let specification: GateSpecification
  /// The metric behind n and o.
  public let metric: Metric
  /// One plan a clause, in the order of the condition.
  public let clauses: [ClausePlan]
  /// The replicates needed: the most that any clause needs.
  public var replicates: Int { clauses.map(\.replicates).max() ?? 0 }

  /// The plan of `specification` for `metric`.
  ///
  /// - Throws: `GateError.undeclaredRange` when the condition mentions n or o and the metric has no
  ///   range; `uselessRange`, `reliabilityOutOfRange`, `noSteps`, `noVarianceBound` and
  ///   `tooManyReplicates` as their names say.
  public init(_ specification: GateSpecification, metric: Metric) throws(GateError) {
    self.specification = specification
    self.metric = metric
    guard specification.reliability > 0, specification.reliability < 1 else {
      throw .reliabilityOutOfRange(specification.reliability)
    }
    guard specification.steps >= 1 else { throw .noSteps(specification.steps) }
    let clauses = specification.condition.clauses
    let width = try Self.width(of: metric, in: clauses)
    let logOdds =
      Self.logOdds(of: specification) + DeterministicMath.log(Double(clauses.count))
    let difference = Self.boundOfDifference(in: clauses)
    var plans: [ClausePlan] = []
    var usesBennett = false
    for clause in clauses {
      let general = try Self.hoeffding(clause, logOdds: logOdds, width: width)
      let special = try Self.bennett(
        clause, logOdds: logOdds, width: width, difference: difference)
      usesBennett = usesBennett || special != nil
      switch specification.bound {
      case .hoeffding: plans.append(general)
      case .bennett: plans.append(special ?? general)
      case .smaller:
        plans.append(special.map { $0.replicates < general.replicates ? $0 : general } ?? general)
      }
    }
    if specification.bound == .bennett, !usesBennett { throw .noVarianceBound }
    self.clauses = plans
  }

  // MARK: - Probabilities

  /// ln(1 / delta) and what the steps add to it.
  private static func logOdds(of specification: GateSpecification) -> Double {
    let once = -DeterministicMath.log(1 - specification.reliability)
    switch specification.adaptivity {
    case .none, .firstChange:
      return once + DeterministicMath.log(Double(specification.steps))
    case .full:
      return once + Double(specification.steps) * DeterministicMath.log(2)
    }
  }

  /// The width of n's and o's range, refused when they are used and it is not known.
  private static func width(of metric: Metric, in clauses: [Clause]) throws(GateError) -> Double {
    guard clauses.contains(where: { $0.expression[.new] != 0 || $0.expression[.old] != 0 }) else {
      return 0
    }
    guard let range = metric.range else { throw .undeclaredRange(metric: metric.name) }
    let width = range.upperBound - range.lowerBound
    guard width > 0, width.isFinite else {
      throw .uselessRange(metric: metric.name, lower: range.lowerBound, upper: range.upperBound)
    }
    return width
  }

  // MARK: - Bounds

  private static func hoeffding(
    _ clause: Clause, logOdds: Double, width: Double
  ) throws(GateError) -> ClausePlan {
    let variables = clause.expression.variables
    let share = Double(variables.count)
    let logOdds = logOdds + DeterministicMath.log(share)
    var parts: [ClausePlan.VariablePlan] = []
    for variable in variables {
      let coefficient = clause.expression[variable]
      let tolerance = clause.tolerance / (share * coefficient.magnitude)
      let width = variable == .difference ? 1 : width
      let count = ConcentrationBound.hoeffding(
        logOdds: logOdds, width: width, tolerance: tolerance)
      parts.append(
        ClausePlan.VariablePlan(
          variable: variable, coefficient: coefficient, width: width, tolerance: tolerance,
          replicates: try roundedUp(count, clause)))
    }
    let replicates = parts.map(\.replicates).max() ?? 0
    return ClausePlan(
      clause: clause, logOdds: logOdds, replicates: replicates,
      // Whether an outcome changed shows without knowing which of both is right.
      labelledReplicates: variables == [.difference] ? 0 : replicates,
      reason: .hoeffding(parts))
  }

  /// The plan of a clause a (n - o) when d is bounded; nil for any other clause.
  ///
  /// A false pass needs a wrong clause on d, or d below its bound and this clause wrong; a false
  /// fail needs every clause to hold. In both modes the bound may thus be taken as true.
  private static func bennett(
    _ clause: Clause, logOdds: Double, width: Double, difference: Double?
  ) throws(GateError) -> ClausePlan? {
    let expression = clause.expression
    let coefficient = expression[.new].magnitude
    guard let difference, coefficient > 0, expression[.old] == -expression[.new],
      expression[.difference] == 0
    else { return nil }
    let count = ConcentrationBound.bennett(
      logOdds: logOdds, secondMoment: difference,
      tolerance: clause.tolerance / (coefficient * width))
    let replicates = try roundedUp(count, clause)
    return ClausePlan(
      clause: clause, logOdds: logOdds, replicates: replicates,
      labelledReplicates: min(replicates, try roundedUp(count * difference, clause)),
      reason: .bennett(difference: difference))
  }

  /// The smallest A of the clauses that say d < A, at most 1; nil if none does or A is not above 0.
  private static func boundOfDifference(in clauses: [Clause]) -> Double? {
    var bound: Double?
    for clause in clauses where clause.expression.variables == [.difference] {
      let coefficient = clause.expression[.difference]
      // -d > -A says d < A too.
      guard (clause.comparison == .below) == (coefficient > 0) else { continue }
      let limit = clause.thresholdOfVariables / coefficient
      if limit > 0 { bound = min(bound ?? 1, limit) }
    }
    return bound
  }

  private static func roundedUp(_ count: Double, _ clause: Clause) throws(GateError) -> Int {
    // Doubles above 2^53 no longer tell one replicate from the next.
    guard count < 0x1p53 else { throw .tooManyReplicates(clause: clause.description) }
    return Int(count.rounded(.up))
  }
}
