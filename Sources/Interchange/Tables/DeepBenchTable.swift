import SimKernel

/// The all-reduce times of Baidu's DeepBench, as a table of comma-separated values.
///
/// Columns: `source_file, sheet, num_floats, num_accelerators, num_nodes, mean_time_ms,
/// reported_gbyte_per_s, algorithm`. The reported rate is elements times 4 times accelerators over the
/// time, which is not the bus bandwidth of nccl-tests; it is kept as it is.
public struct DeepBenchTable: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    public var source: String
    public var sheet: String
    /// Of single precision.
    public var elements: Int64
    public var accelerators: Int
    /// nil where the table leaves it out.
    public var nodes: Int?
    public var meanTime: SimDuration
    /// 10^9 bytes a second, of all accelerators together.
    public var reportedGigabytesPerSecond: Double
    public var algorithm: String
    /// What one accelerator brings.
    public var size: ByteCount { .bytes(elements * 4) }
  }
  public var rows: [Row]

  static let header = [
    "source_file", "sheet", "num_floats", "num_accelerators", "num_nodes", "mean_time_ms",
    "reported_gbyte_per_s", "algorithm",
  ]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }

  private init(rows: [Row]) { self.rows = rows }

  private static func read(_ text: TextLines) throws(InterchangeError) -> DeepBenchTable {
    var lines = text
    guard let head = lines.nextLine(), CommaSeparated.cells(head) == header else {
      throw lines.failure(
        "another first line", "expected the columns \(header.joined(separator: ","))")
    }
    var rows: [Row] = []
    while let line = lines.nextLine() {
      if line.allSatisfy({ $0 == "\r" || $0 == " " }) { continue }
      let cells = CommaSeparated.cells(line)
      guard cells.count == header.count else {
        throw lines.failure("\(cells.count) columns", "expected \(header.count)")
      }
      let time = try lines.duration(Substring(cells[5]), timesTenTo: 9, "mean_time_ms")
      guard time > .zero, let rate = Double(cells[6]), rate > 0, rate.isFinite else {
        throw lines.failure(
          "mean_time_ms is \(cells[5]) and the rate \(cells[6])", "expected both above 0")
      }
      guard !cells[7].isEmpty else { throw lines.failure("no algorithm", "the row's last column") }
      rows.append(
        Row(
          source: cells[0], sheet: cells[1],
          elements: try lines.integer(Substring(cells[2]), 1...1 << 50, "num_floats"),
          accelerators: Int(
            try lines.integer(Substring(cells[3]), 1...1 << 30, "num_accelerators")),
          nodes: cells[4].isEmpty
            ? nil : Int(try lines.integer(Substring(cells[4]), 1...1 << 30, "num_nodes")),
          meanTime: time, reportedGigabytesPerSecond: rate, algorithm: cells[7]))
    }
    guard !rows.isEmpty else { throw lines.failure("no rows", "at least one") }
    return DeepBenchTable(rows: rows)
  }
}

/// Comma-separated values without line breaks inside of quotes (RFC 4180 otherwise).
enum CommaSeparated {
  static func cells(_ line: Substring) -> [String] {
    var cells: [String] = []
    var cell = ""
    var isQuoted = false
    var wasQuote = false
    for character in line where character != "\r" {
      if character == "\"" {
        // Two quotes inside of quotes are one.
        if wasQuote, !isQuoted { cell.append("\"") }
        isQuoted.toggle()
        wasQuote = !isQuoted
        continue
      }
      wasQuote = false
      if character == ",", !isQuoted {
        cells.append(cell)
        cell = ""
      } else {
        cell.append(character)
      }
    }
    cells.append(cell)
    return cells
  }
}
