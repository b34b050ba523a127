/// Where a value stands in a scenario, such as `jobs[1].communication.compression[0].ratio`.
public struct FieldPath: Hashable, Sendable, CustomStringConvertible {
  /// Keys, and array indices in decimal.
  public var parts: [String]

  public init(_ parts: [String] = []) { self.parts = parts }

  /// The path that `text` spells, with indices as `[0]` or `.0`; keys may be quoted by the shell only.
  public init(parsing text: String) {
    parts = text.split(whereSeparator: { $0 == "." || $0 == "[" || $0 == "]" }).map(String.init)
  }

  /// The path one key or index deeper.
  public func appending(_ part: String) -> FieldPath { FieldPath(parts + [part]) }

  public var description: String {
    var text = ""
    for part in parts {
      if Int(part) != nil {
        text += "[\(part)]"
      } else {
        text += (text.isEmpty ? "" : ".") + part
      }
    }
    return text.isEmpty ? "the scenario" : text
  }
}
