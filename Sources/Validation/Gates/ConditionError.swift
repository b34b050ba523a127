/// A condition that cannot be read, and the character at fault.
public struct ConditionError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// A character that no condition contains.
    case unexpectedCharacter(Character)
    /// A number that goes on with a character it cannot contain, or ends too early.
    case malformedNumber
    /// A number beyond the largest double.
    case numberTooLarge
    /// A name that is no variable.
    case unknownVariable(String)
    /// Something that may not stand here; `found` is nil at the end of the text.
    case unexpected(found: String?, expected: String)
    /// A variable times a variable, which no linear bound covers.
    case productOfVariables
    /// A clause whose variables are missing or cancel.
    case noVariable
    /// A tolerance that is not above 0.
    case toleranceNotPositive
  }

  /// The whole condition.
  public var text: String
  /// The offending character, counted from 0 in characters; the length of the text at its end.
  public var offset: Int
  /// What is wrong there.
  public var problem: Problem
}

// MARK: - Wording

extension ConditionError: CustomStringConvertible {
  /// The condition and, on a second line, a caret under the offending character and the reason.
  ///
  /// Tabs and line breaks of the condition are shown as single spaces, so that the caret stays
  /// where it belongs. Everything before the caret is ASCII: any other character is itself the
  /// error.
  public var description: String {
    let line = String(text.map { $0.isWhitespace ? " " : $0 })
    return "\(line)\n\(String(repeating: " ", count: offset))^ \(message)"
  }

  /// The reason, without the condition.
  public var message: String {
    switch problem {
    case .unexpectedCharacter("="):
      "unexpected \"=\"; compare by > or <, which the tolerance makes no different from >= and <="
    case .unexpectedCharacter(let character):
      "unexpected \"\(character)\"; a condition has numbers, the variables n, o and d, "
        + "+ - * > <, +/- and /\\"
    case .malformedNumber:
      "not part of a number; write 0.5, 1e-3 or, for a multiple, 2 * n"
    case .numberTooLarge:
      "this number is too large"
    case .unknownVariable(let name):
      "unknown variable \"\(name)\"; n is the new build's metric, o the old one's, "
        + "d the fraction of outcomes that differ"
    case .unexpected(let found, let expected):
      "expected \(expected), found " + (found.map { "\"\($0)\"" } ?? "the end")
    case .productOfVariables:
      "a product of two variables is not linear; multiply by a number"
    case .noVariable:
      "nothing to estimate: the clause has no variable left"
    case .toleranceNotPositive:
      "a tolerance must be above 0"
    }
  }
}
