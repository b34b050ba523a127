/// A quantity that a gate's condition speaks about.
public enum GateVariable: String, Sendable, CaseIterable {
  /// The metric of the new build, averaged over the replicates.
  case new = "n"
  /// The metric of the old build, averaged over the same replicates.
  case old = "o"
  /// The fraction of replicates whose outcome differs between the two builds; in 0...1.
  case difference = "d"
}

/// A weighted sum of a gate's variables and a constant.
public struct LinearExpression: Sendable, Equatable {
  private var new = 0.0
  private var old = 0.0
  private var difference = 0.0
  /// The constant added to the variables.
  public var offset = 0.0

  /// The expression that is always 0.
  public init() {}

  /// The coefficient of `variable`; 0 if the expression does not mention it.
  public subscript(variable: GateVariable) -> Double {
    get {
      switch variable {
      case .new: new
      case .old: old
      case .difference: difference
      }
    }
    set {
      switch variable {
      case .new: new = newValue
      case .old: old = newValue
      case .difference: difference = newValue
      }
    }
  }

  /// The variables whose coefficient is not 0, in the order n, o, d.
  public var variables: [GateVariable] { GateVariable.allCases.filter { self[$0] != 0 } }
}

/// `expression > threshold +/- tolerance`, or the same with `<`.
public struct Clause: Sendable, Equatable {
  /// Which side of the threshold the expression must be on.
  public enum Comparison: String, Sendable {
    /// Strictly above.
    case above = ">"
    /// Strictly below.
    case below = "<"
  }

  /// What is estimated.
  public var expression: LinearExpression
  /// On which side of the threshold it must be.
  public var comparison: Comparison
  /// The number compared with, as written.
  public var threshold: Double
  /// How far the estimate of the expression may be from its true value; above 0.
  public var tolerance: Double

  /// The threshold of the variables alone: what is left when the expression's constant moves to
  /// the right-hand side.
  public var thresholdOfVariables: Double { threshold - expression.offset }

  /// Whether the clause holds for every value, for none, or for some values of `interval`, which
  /// bounds the sum of the variables without the constant.
  ///
  /// Both comparisons are strict, so an interval that ends at the threshold from the wrong side is
  /// false and one that begins there is unknown.
  public func truth(over interval: ClosedRange<Double>) -> TruthValue {
    let threshold = thresholdOfVariables
    switch comparison {
    case .above:
      if interval.lowerBound > threshold { return .true }
      return interval.upperBound <= threshold ? .false : .unknown
    case .below:
      if interval.upperBound < threshold { return .true }
      return interval.lowerBound >= threshold ? .false : .unknown
    }
  }
}

/// What a gate demands: every clause, joined by `/\`.
///
///     condition := clause ( "/\" clause )*
///     clause    := sum ( ">" | "<" ) number "+/-" number
///     sum       := term ( ( "+" | "-" ) term )*
///     term      := number | variable | number "*" variable | variable "*" number
///     variable  := "n" | "o" | "d"
///
/// The language is that of ease.ml/ci (Renggli et al., SysML 2019, arXiv:1903.00278) with the usual
/// precedence. Numbers may have a sign and an exponent.
public struct Condition: Sendable, Equatable {
  /// The clauses in the order written; at least one.
  public var clauses: [Clause]

  /// The condition written as `text`.
  ///
  /// - Throws: `ConditionError`, which knows the offending character.
  public init(_ text: String) throws(ConditionError) {
    var parser = try ConditionParser(text)
    clauses = try parser.condition()
  }
}

// MARK: - Text

extension LinearExpression: CustomStringConvertible {
  /// The expression in the notation that `Condition` reads.
  public var description: String {
    var text = ""
    for variable in variables {
      let coefficient = self[variable]
      Self.append(coefficient < 0, to: &text)
      if coefficient.magnitude != 1 { text += "\(coefficient.magnitude) * " }
      text += variable.rawValue
    }
    if offset != 0 || text.isEmpty {
      Self.append(offset < 0, to: &text)
      text += "\(offset.magnitude)"
    }
    return text
  }

  private static func append(_ isNegative: Bool, to text: inout String) {
    if text.isEmpty {
      if isNegative { text += "-" }
    } else {
      text += isNegative ? " - " : " + "
    }
  }
}

extension Clause: CustomStringConvertible {
  /// The clause in the notation that `Condition` reads.
  public var description: String {
    "\(expression) \(comparison.rawValue) \(threshold) +/- \(tolerance)"
  }
}

extension Condition: CustomStringConvertible {
  /// A text that reads back as the same condition.
  public var description: String { clauses.map(\.description).joined(separator: #" /\ "#) }
}
