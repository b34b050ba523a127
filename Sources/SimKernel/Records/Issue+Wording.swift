extension Issue: CustomStringConvertible {
  /// Where, what was found, what was expected, what to do: one line.
  public var description: String {
    let place = position.map { "\($0): " } ?? ""
    let label = severity == .warning ? "warning: " : ""
    return place + label + "\(path): " + message
  }

  /// The message without its place.
  public var message: String {
    switch problem {
    case .unknownKey(let found, let suggestion, let known):
      let hint = suggestion.map { "did you mean \"\($0)\"?" } ?? Issue.listing("known keys", known)
      return "unknown key \"\(found)\"; \(hint)"
    case .missingKey(let expected, let example):
      return "missing; expected \(expected), for example \(example)"
    case .wrongType(let found, let expected, let example):
      return "found \(found), expected \(expected), for example \(example)"
    case .missingUnit(let found, let example):
      return "\(found) has no unit; write for example \(example)"
    case .wrongUnit(let found, let units):
      return "\"\(found)\" does not end in a known unit; \(Issue.listing("units are", units))"
    case .outOfRange(let found, let expected):
      return "found \(found), expected \(expected)"
    case .unknownName(let noun, let found, let suggestion, let known):
      let hint = suggestion.map { "did you mean \"\($0)\"?" } ?? Issue.listing("known are", known)
      return "unknown \(noun) \"\(found)\"; \(hint)"
    case .invalid(let found, let expected):
      return "\(found); \(expected)"
    case .conflict(let text), .note(let text):
      return text
    }
  }

  private static func listing(_ label: String, _ names: [String]) -> String {
    let shown = names.prefix(40).joined(separator: ", ")
    return "\(label): \(shown)\(names.count > 40 ? ", ..." : "")"
  }
}

/// Everything that is wrong with an input, thrown together.
public struct InvalidInput: Error, CustomStringConvertible {
  public var issues: [Issue]
  public init(_ issues: [Issue]) { self.issues = issues }
  public var description: String { issues.map(\.description).joined(separator: "\n") }
}

/// Collects the issues of one input, so that all are reported in one pass.
public final class IssueCollector {
  /// Issues in the order they were found.
  public private(set) var issues: [Issue] = []

  public init() {}

  /// Adds an issue.
  public func report(_ issue: Issue) { issues.append(issue) }
  /// Those that forbid a run.
  public var errors: [Issue] { issues.filter { $0.severity == .error } }
  /// Those that do not.
  public var warnings: [Issue] { issues.filter { $0.severity == .warning } }

  /// Throws all errors together if there is one.
  public func throwIfInvalid() throws(InvalidInput) {
    if !errors.isEmpty { throw InvalidInput(errors) }
  }
}
