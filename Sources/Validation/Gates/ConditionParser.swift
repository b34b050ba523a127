/// Reads a condition by recursive descent, one token ahead.
struct ConditionParser {
  private var lexer: ConditionLexer
  private var token: ConditionLexer.Token

  init(_ text: String) throws(ConditionError) {
    lexer = ConditionLexer(text)
    token = try lexer.next()
  }

  /// The whole text, as clauses.
  mutating func condition() throws(ConditionError) -> [Clause] {
    var clauses = [try clause()]
    while try accept(.and) { clauses.append(try clause()) }
    if token.kind != .end { throw unexpected(#"/\ or the end"#) }
    return clauses
  }

  private mutating func clause() throws(ConditionError) -> Clause {
    let start = token.range.lowerBound
    let expression = try sum()
    let comparison: Clause.Comparison
    if try accept(.greater) {
      comparison = .above
    } else if try accept(.less) {
      comparison = .below
    } else {
      throw unexpected("an operator or one of > and <")
    }
    if expression.variables.isEmpty { throw lexer.error(.noVariable, at: start) }
    let threshold = try signedNumber("a number to compare with")
    guard try accept(.plusMinus) else { throw unexpected("+/- and a tolerance") }
    let toleranceStart = token.range.lowerBound
    let tolerance = try signedNumber("a tolerance")
    guard tolerance > 0 else { throw lexer.error(.toleranceNotPositive, at: toleranceStart) }
    return Clause(
      expression: expression, comparison: comparison, threshold: threshold, tolerance: tolerance)
  }

  // MARK: - Sums

  private mutating func sum() throws(ConditionError) -> LinearExpression {
    var expression = LinearExpression()
    try addTerm(to: &expression, sign: 1)
    while true {
      if try accept(.plus) {
        try addTerm(to: &expression, sign: 1)
      } else if try accept(.minus) {
        try addTerm(to: &expression, sign: -1)
      } else {
        return expression
      }
    }
  }

  /// A product of numbers and at most one variable, in any order.
  private mutating func addTerm(
    to expression: inout LinearExpression, sign: Double
  ) throws(ConditionError) {
    let start = token.range.lowerBound
    var coefficient = try sign * acceptSign()
    var variable: GateVariable?
    repeat {
      switch token.kind {
      case .number(let value):
        coefficient *= value
      case .variable(let name):
        if variable != nil { throw lexer.error(.productOfVariables, at: token.range.lowerBound) }
        variable = name
      case .plus, .minus, .times, .greater, .less, .plusMinus, .and, .end:
        throw unexpected("a number or one of n, o and d")
      }
      token = try lexer.next()
    } while try accept(.times)
    if let variable {
      expression[variable] += coefficient
      coefficient = expression[variable]
    } else {
      expression.offset += coefficient
      coefficient = expression.offset
    }
    if !coefficient.isFinite { throw lexer.error(.numberTooLarge, at: start) }
  }

  // MARK: - Tokens

  private mutating func signedNumber(_ expected: String) throws(ConditionError) -> Double {
    let sign = try acceptSign()
    guard case .number(let value) = token.kind else { throw unexpected(expected) }
    token = try lexer.next()
    return sign * value
  }

  /// 1 or -1, and the sign consumed if there is one.
  private mutating func acceptSign() throws(ConditionError) -> Double {
    if try accept(.minus) { return -1 }
    _ = try accept(.plus)
    return 1
  }

  private mutating func accept(_ kind: ConditionLexer.Kind) throws(ConditionError) -> Bool {
    guard token.kind == kind else { return false }
    token = try lexer.next()
    return true
  }

  private func unexpected(_ expected: String) -> ConditionError {
    let found = token.range.isEmpty ? nil : String(lexer.characters[token.range])
    return lexer.error(
      .unexpected(found: found, expected: expected), at: token.range.lowerBound)
  }
}
