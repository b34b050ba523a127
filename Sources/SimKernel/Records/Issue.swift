/// One thing that is wrong, or doubtful, with an input: facts, not wording.
public struct Issue: Sendable, Equatable {
  /// Whether a run is possible all the same.
  public enum Severity: Sendable, Equatable { case error, warning }

  public var path: FieldPath
  /// Where the value was written; nil if it came from nowhere in particular.
  public var position: TextPosition?
  public var severity: Severity
  public var problem: Problem

  public init(
    path: FieldPath, position: TextPosition? = nil, severity: Severity = .error, problem: Problem
  ) {
    self.path = path
    self.position = position
    self.severity = severity
    self.problem = problem
  }

  /// What can be wrong.
  ///
  /// The wording is in `Issue+Wording.swift`.
  public enum Problem: Sendable, Equatable {
    /// A key nobody reads.
    case unknownKey(found: String, suggestion: String?, known: [String])
    /// A key that must be there.
    case missingKey(expected: String, example: String)
    /// A value of another JSON type.
    case wrongType(found: String, expected: String, example: String)
    /// A number without the unit it needs.
    case missingUnit(found: String, example: String)
    /// A unit that does not measure this quantity.
    case wrongUnit(found: String, units: [String])
    /// A value outside its bounds.
    case outOfRange(found: String, expected: String)
    /// A name that is not registered.
    case unknownName(noun: String, found: String, suggestion: String?, known: [String])
    /// A value that is impossible for a reason of its own, and what to do.
    case invalid(found: String, expected: String)
    /// Choices that exclude one another, and what to do.
    case conflict(String)
    /// Something the user should know that does not stop the run.
    case note(String)
  }
}
