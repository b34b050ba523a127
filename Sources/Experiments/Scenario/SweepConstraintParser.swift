import SimKernel

/// Reads the text of a ``SweepConstraint`` by recursive descent; deep nesting is refused.
struct SweepConstraintParser {
  /// What could not be read.
  struct Failure: Error {
    /// In characters from the beginning.
    var offset: Int
    var found: String?
    var expected: String
  }
  private typealias Expression = SweepConstraint.Expression

  private let text: String
  private var rest: Substring
  private var depth = 0

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  /// More text than this is no condition that a person wrote.
  private static let longest = 10_000

  /// The whole text as one condition.
  mutating func parse() throws(Failure) -> SweepConstraint.Expression {
    // Long chains nest as deeply as parentheses do.
    if text.utf8.count > Self.longest {
      throw Failure(
        offset: 0, found: "\(text.utf8.count) bytes", expected: "at most \(Self.longest)")
    }
    let expression = try disjunction()
    skipSpace()
    if !rest.isEmpty { throw failure("expected &&, || or the end") }
    return expression
  }

  private mutating func disjunction() throws(Failure) -> Expression {
    var left = try conjunction()
    while take("||") { left = .or(left, try conjunction()) }
    return left
  }

  private mutating func conjunction() throws(Failure) -> Expression {
    var left = try negation()
    while take("&&") { left = .and(left, try negation()) }
    return left
  }

  private mutating func negation() throws(Failure) -> Expression {
    skipSpace()
    if rest.hasPrefix("!"), !rest.hasPrefix("!=") {
      rest.removeFirst()
      try enter()
      defer { depth -= 1 }
      return .not(try negation())
    }
    return try comparison()
  }

  private mutating func comparison() throws(Failure) -> Expression {
    let left = try sum()
    for symbol in ["==", "!=", "<=", ">=", "<", ">"] where take(symbol) {
      return .comparison(symbol, left, try sum())
    }
    skipSpace()
    if rest.first == "=" { throw failure("expected ==, != or another comparison") }
    return left
  }

  private mutating func sum() throws(Failure) -> Expression {
    var left = try product()
    while let symbol = takeOne(of: "+-") { left = .arithmetic(symbol, left, try product()) }
    return left
  }

  private mutating func product() throws(Failure) -> Expression {
    var left = try factor()
    while let symbol = takeOne(of: "*/") { left = .arithmetic(symbol, left, try factor()) }
    return left
  }

  private mutating func factor() throws(Failure) -> Expression {
    skipSpace()
    guard let first = rest.first else { throw failure("expected a path or a value") }
    switch first {
    case "(":
      rest.removeFirst()
      try enter()
      defer { depth -= 1 }
      let inner = try disjunction()
      guard take(")") else { throw failure("expected \")\"") }
      return inner
    case "-":
      rest.removeFirst()
      try enter()
      defer { depth -= 1 }
      return .arithmetic("-", .constant(.quantity(Quantity(0))), try factor())
    case "'", "\"":
      let body = rest.dropFirst()
      guard let end = body.firstIndex(of: first) else {
        throw failure("expected a closing quote after this one")
      }
      rest = body[body.index(after: end)...]
      return .constant(.text(String(body[..<end])))
    case "0"..."9", ".": return try number()
    case _ where first.isLetter || first == "_": return path()
    default: throw failure("expected a path or a value")
    }
  }

  private mutating func number() throws(Failure) -> Expression {
    var digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let after = rest[digits.endIndex...]
    // An exponent, unless the letter begins a unit.
    if let mark = after.first, "eE".contains(mark) {
      var tail = after.dropFirst()
      if let sign = tail.first, "+-".contains(sign) { tail = tail.dropFirst() }
      let exponent = tail.prefix { $0.isASCII && $0.isNumber }
      if !exponent.isEmpty { digits = rest[..<exponent.endIndex] }
    }
    guard let value = Double(digits), value.isFinite else { throw failure("expected a number") }
    rest = rest[digits.endIndex...]
    let spaced = rest.drop { $0 == " " }
    if let unit = Quantity.unit(at: spaced), let quantity = Quantity("\(value) \(unit)") {
      rest = spaced.dropFirst(unit.count)
      return .constant(.quantity(quantity))
    }
    return .constant(.quantity(Quantity(value)))
  }

  private mutating func path() -> Expression {
    let name = rest.prefix {
      $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "[" || $0 == "]"
    }
    rest = rest[name.endIndex...]
    if name == "true" || name == "false" { return .constant(.bool(name == "true")) }
    return .path(String(name))
  }

  private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }

  private mutating func take(_ symbol: String) -> Bool {
    skipSpace()
    guard rest.hasPrefix(symbol) else { return false }
    rest = rest.dropFirst(symbol.count)
    return true
  }

  private mutating func takeOne(of symbols: String) -> Character? {
    skipSpace()
    guard let first = rest.first, symbols.contains(first) else { return nil }
    rest.removeFirst()
    return first
  }

  private mutating func enter() throws(Failure) {
    depth += 1
    if depth > 100 { throw failure("expected fewer nested parentheses") }
  }

  private func failure(_ expected: String) -> Failure {
    let character = rest.first.map { String($0) }
    return Failure(
      offset: text.distance(from: text.startIndex, to: rest.startIndex), found: character,
      expected: expected)
  }
}
