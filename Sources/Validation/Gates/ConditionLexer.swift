/// Cuts the text of a condition into tokens.
struct ConditionLexer {
  enum Kind: Equatable {
    case number(Double)
    case variable(GateVariable)
    case plus, minus, times, greater, less, plusMinus, and, end
  }

  struct Token: Equatable {
    var kind: Kind
    /// The first character and the one after the last.
    var range: Range<Int>
  }

  let text: String
  let characters: [Character]
  private var position = 0

  init(_ text: String) {
    self.text = text
    characters = Array(text)
  }

  /// The next token; `.end`, again and again, after the last.
  mutating func next() throws(ConditionError) -> Token {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
    let start = position
    guard start < characters.count else { return Token(kind: .end, range: start..<start) }
    let kind: Kind
    switch characters[start] {
    case "+" where follows("/-"): kind = take(3, as: .plusMinus)
    case "/" where follows("\\"): kind = take(2, as: .and)
    case "+": kind = take(1, as: .plus)
    case "-": kind = take(1, as: .minus)
    case "*": kind = take(1, as: .times)
    case ">": kind = take(1, as: .greater)
    case "<": kind = take(1, as: .less)
    case let first where Self.isDigit(first) || first == ".": kind = try number()
    case let first where Self.isLetter(first): kind = try variable()
    case let other: throw error(.unexpectedCharacter(other), at: start)
    }
    return Token(kind: kind, range: start..<position)
  }

  func error(_ problem: ConditionError.Problem, at offset: Int) -> ConditionError {
    ConditionError(text: text, offset: offset, problem: problem)
  }

  private func follows(_ rest: String) -> Bool {
    characters[(position + 1)...].starts(with: rest)
  }

  private mutating func take(_ count: Int, as kind: Kind) -> Kind {
    position += count
    return kind
  }

  // MARK: - Numbers and names

  /// Digits, at most one point among or beside them, and perhaps an exponent.
  private mutating func number() throws(ConditionError) -> Kind {
    let start = position
    var digits = skipDigits()
    if position < characters.count, characters[position] == "." {
      position += 1
      digits += skipDigits()
    }
    if digits == 0 { throw error(.malformedNumber, at: start) }
    if position < characters.count, characters[position] == "e" || characters[position] == "E" {
      position += 1
      if position < characters.count, characters[position] == "+" || characters[position] == "-" {
        position += 1
      }
      if skipDigits() == 0 { throw error(.malformedNumber, at: position) }
    }
    if position < characters.count {
      let after = characters[position]
      if after == "." || Self.isLetter(after) { throw error(.malformedNumber, at: position) }
    }
    guard let value = Double(String(characters[start..<position])) else {
      throw error(.malformedNumber, at: start)
    }
    if !value.isFinite { throw error(.numberTooLarge, at: start) }
    return .number(value)
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while position < characters.count, Self.isDigit(characters[position]) { position += 1 }
    return position - start
  }

  private mutating func variable() throws(ConditionError) -> Kind {
    let start = position
    while position < characters.count,
      Self.isLetter(characters[position]) || Self.isDigit(characters[position])
    { position += 1 }
    let name = String(characters[start..<position])
    guard let variable = GateVariable(rawValue: name) else {
      throw error(.unknownVariable(name), at: start)
    }
    return .variable(variable)
  }

  /// ASCII only: other scripts' digits are no numbers here.
  private static func isDigit(_ character: Character) -> Bool {
    character.isASCII && character.isNumber
  }

  private static func isLetter(_ character: Character) -> Bool {
    character == "_" || character.isASCII && character.isLetter
  }
}
