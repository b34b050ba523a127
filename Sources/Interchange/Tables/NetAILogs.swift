import SimKernel

/// When each gradient of a backward pass was ready, as NetAI'20's logs record it.
///
/// A line of explanation, the number of batches, the number of layers, then for each layer the
/// microseconds since the one before and the bytes of its gradient.
public struct NetAIBackwardLog: Sendable, Equatable {
  public struct Event: Sendable, Equatable {
    /// Since the event before, to the nearest picosecond.
    public var wait: SimDuration
    public var size: ByteCount
  }
  public var batches: Int
  /// The last layer first, batch after batch.
  public var events: [Event]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }

  private init(batches: Int, events: [Event]) {
    self.batches = batches
    self.events = events
  }

  /// From the start of backward to its last gradient.
  public var total: SimDuration { events.reduce(.zero) { $0 + $1.wait } }

  private static func read(_ text: TextLines) throws(InterchangeError) -> NetAIBackwardLog {
    var lines = text
    guard let head = lines.nextLine(), head.hasPrefix("first line is for") else {
      throw lines.failure("another first line", "a NetAI backward log explains its lines first")
    }
    guard let batchLine = lines.nextWords(), let layerLine = lines.nextWords() else {
      throw lines.failure("the end of the file", "expected the numbers of batches and layers")
    }
    let batches = Int(try lines.integer(batchLine[0], 1...1 << 20, "the number of batches"))
    let layers = Int(try lines.integer(layerLine[0], 1...1 << 20, "the number of layers"))
    var events: [Event] = []
    while let line = lines.nextWords() {
      let cells = line[0].split(separator: ",")
      guard line.count == 1, cells.count == 2 else {
        throw lines.failure("\"\(line[0].prefix(40))\"", "expected microseconds,bytes")
      }
      events.append(
        Event(
          wait: try lines.duration(cells[0], timesTenTo: 6, "the time"),
          size: .bytes(try lines.integer(cells[1], 0...1 << 50, "the gradient's bytes"))))
    }
    guard events.count == batches * layers else {
      throw lines.failure(
        "\(events.count) events", "\(batches) batches of \(layers) layers")
    }
    return NetAIBackwardLog(batches: batches, events: events)
  }
}

/// How long a GPU took to add two vectors, by their bytes: NetAI'20's `cuda_vec_add.log`.
///
/// Rows of bytes and seconds, by growing size.
public struct VectorAddLog: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    public var size: ByteCount
    public var time: SimDuration
  }
  public var rows: [Row]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }

  private init(rows: [Row]) { self.rows = rows }

  private static func read(_ text: TextLines) throws(InterchangeError) -> VectorAddLog {
    var lines = text
    var rows: [Row] = []
    while let line = lines.nextWords() {
      let cells = line[0].split(separator: ",")
      guard line.count == 1, cells.count == 2 else {
        throw lines.failure("\"\(line[0].prefix(40))\"", "expected bytes,seconds")
      }
      let size = try lines.integer(cells[0], 0...1 << 50, "the bytes")
      guard rows.last.map({ $0.size.bytes < size }) ?? true else {
        throw lines.failure("\(size) bytes after more", "growing sizes")
      }
      rows.append(
        Row(
          size: .bytes(size),
          time: try lines.duration(cells[1], timesTenTo: 12, "the time")))
    }
    guard !rows.isEmpty else { throw lines.failure("no rows", "bytes,seconds") }
    return VectorAddLog(rows: rows)
  }
}
