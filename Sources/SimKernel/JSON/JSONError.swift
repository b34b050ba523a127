/// A place in a text: line and column count from 1, columns in bytes.
public struct TextPosition: Hashable, Sendable, CustomStringConvertible {
  /// The file, `<stdin>`, or the command-line option the text came from.
  public var origin: String
  public var line: Int
  public var column: Int

  public init(origin: String, line: Int, column: Int) {
    self.origin = origin
    self.line = line
    self.column = column
  }
  public var description: String { "\(origin):\(line):\(column)" }
}

/// Why a text is not JSON, and where.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  public var position: TextPosition
  public var message: String
  public var description: String { "\(position): \(message)" }
}
