import SimKernel

/// How rows become text, one at a time.
public enum RowFormat: Sendable {
  /// RFC 4180 with a header.
  case csv
  /// One array of objects.
  case json
  /// One object a line.
  case jsonLines

  /// The format that the ending of `path` asks for: CSV unless `.json` or `.jsonl`.
  public init(path: String) {
    self = path.hasSuffix(".jsonl") ? .jsonLines : path.hasSuffix(".json") ? .json : .csv
  }

  /// Appends what comes before the rows.
  func begin(_ header: [String], to out: inout [UInt8]) {
    if case .csv = self { CSV.append(header, to: &out) }
  }

  /// Appends one row with the names of its cells.
  func append(_ row: [String], header: [String], isFirst: Bool, to out: inout [UInt8]) {
    switch self {
    case .csv: CSV.append(row, to: &out)
    case .json:
      out += Array((isFirst ? "[\n  " : ",\n  ").utf8)
      Self.append(object: row, header, to: &out)
    case .jsonLines:
      Self.append(object: row, header, to: &out)
      out.append(0x0A)
    }
  }

  /// Appends what comes after the rows.
  func end(isEmpty: Bool, to out: inout [UInt8]) {
    if case .json = self { out += Array((isEmpty ? "[]\n" : "\n]\n").utf8) }
  }

  /// Names that may look like numbers.
  private static let textual: Set<String> = [
    "title", "scenario_hash", "simnet_version", "libzstd_version", "job", "model", "file",
    "busiest_link", "id", "source", "destination", "link", "from", "to", "top_talkers",
  ]

  private static func append(object row: [String], _ header: [String], to out: inout [UInt8]) {
    out.append(0x7B)
    for (index, (name, cell)) in zip(header, row).enumerated() {
      if index > 0 { out += [0x2C, 0x20] }
      JSONNode.append(quoted: name, to: &out)
      out += [0x3A, 0x20]
      if cell.isEmpty {
        out += Array("null".utf8)
      } else if !textual.contains(name), let first = cell.utf8.first,
        first == 0x2D || (first >= 0x30 && first <= 0x39),
        (try? JSONNode.parse(cell, origin: "")) != nil
      {
        out += Array(cell.utf8)
      } else {
        JSONNode.append(quoted: cell, to: &out)
      }
    }
    out.append(0x7D)
  }
}
