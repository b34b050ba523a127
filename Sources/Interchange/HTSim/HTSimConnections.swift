import SimKernel

/// The transfers of an htsim connection matrix, `.cm`.
///
/// `Nodes` and `Connections` with numbers, then `source->destination` with `id`, `start` in
/// picoseconds, `size` in bytes, and what triggers what.
public struct HTSimConnections: Sendable, Equatable {
  public struct Connection: Sendable, Equatable {
    public var source: Int
    public var destination: Int
    public var id: Int?
    /// nil where a trigger starts it.
    public var start: SimTime?
    /// nil for one without an end.
    public var size: ByteCount?
    /// The triggers it waits for, and fires when done.
    public var trigger: Int?
    public var sendDoneTrigger: Int?
    public var receiveDoneTrigger: Int?
    public var line: Int
  }
  public var nodes: Int
  public var connections: [Connection]
  /// `trigger id 1 oneshot` and the like, as written.
  public var triggers: [String]
  /// `failure ...` lines, as written.
  public var failures: [String]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }
  private init(nodes: Int) {
    self.nodes = nodes
    connections = []
    triggers = []
    failures = []
  }

  private static func read(_ text: TextLines) throws(InterchangeError) -> HTSimConnections {
    var lines = text
    guard let head = lines.nextWords(), head.count == 2, head[0] == "Nodes" else {
      throw lines.failure("another first line", "expected Nodes and a number")
    }
    var matrix = HTSimConnections(
      nodes: Int(try lines.integer(head[1], 1...1 << 30, "the number of nodes")))
    var announced: Int?
    while let words = lines.nextWords() {
      switch words[0] {
      case "Connections", "Triggers", "Failures":
        guard words.count == 2 else { throw lines.failure("no number", "\(words[0]) and a number") }
        let count = Int(try lines.integer(words[1], 0...1 << 30, String(words[0])))
        if words[0] == "Connections" { announced = count }
      case "trigger": matrix.triggers.append(words.joined(separator: " "))
      case "failure": matrix.failures.append(words.joined(separator: " "))
      default: matrix.connections.append(try connection(words, lines, matrix.nodes))
      }
    }
    guard announced == nil || announced == matrix.connections.count else {
      throw lines.failure(
        "\(matrix.connections.count) connections", "\(announced ?? 0) were announced")
    }
    return matrix
  }

  private static func connection(
    _ words: [Substring], _ lines: TextLines, _ nodes: Int
  ) throws(InterchangeError) -> Connection {
    let ends = words[0].split(separator: "->", omittingEmptySubsequences: false)
    guard ends.count == 2 else {
      throw lines.failure("\"\(words[0].prefix(40))\"", "expected source->destination")
    }
    let range = 0...Int64(nodes - 1)
    var connection = Connection(
      source: Int(try lines.integer(ends[0], range, "the source")),
      destination: Int(try lines.integer(ends[1], range, "the destination")), line: lines.number)
    var index = 1
    while index < words.count {
      guard index + 1 < words.count else {
        throw lines.failure("\"\(words[index].prefix(40))\" at the end", "a value behind it")
      }
      let value = try lines.integer(words[index + 1], 0...1 << 60, String(words[index].prefix(40)))
      switch words[index] {
      case "id": connection.id = Int(value)
      case "start": connection.start = SimTime(picoseconds: value)
      case "size": connection.size = .bytes(value)
      case "trigger": connection.trigger = Int(value)
      case "send_done_trigger": connection.sendDoneTrigger = Int(value)
      case "recv_done_trigger": connection.receiveDoneTrigger = Int(value)
      case "prio", "stop": break
      default:
        throw lines.failure(
          "\"\(words[index].prefix(40))\"", "expected id, start, size or a trigger")
      }
      index += 2
    }
    return connection
  }
}
