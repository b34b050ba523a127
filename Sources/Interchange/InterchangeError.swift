/// A foreign file that cannot be read or written: facts, worded on one line.
public struct InterchangeError: Error, Equatable, CustomStringConvertible, Sendable {
  /// Whether the file's content is at fault or its surroundings.
  public enum Kind: Sendable, Equatable {
    /// The bytes are not what the format says: bad input.
    case content
    /// The system refused: a missing file, no permission, a full disk.
    case system
  }
  public var path: String
  public var kind: Kind
  /// What is wrong, such as `a header of 9,999 bytes in a file of 40`.
  public var found: String
  /// What should be there, or what to do.
  public var expected: String
  /// Where in the file; nil if it is about the whole of it.
  public var byteOffset: Int?

  public init(
    path: String, kind: Kind = .content, found: String, expected: String, byteOffset: Int? = nil
  ) {
    self.path = path
    self.kind = kind
    self.found = found
    self.expected = expected
    self.byteOffset = byteOffset
  }

  /// Where, what was found, what was expected.
  public var description: String {
    let place = byteOffset.map { ", byte \($0)" } ?? ""
    return "\(path)\(place): \(found); \(expected)"
  }
}
