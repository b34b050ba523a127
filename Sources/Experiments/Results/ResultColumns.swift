import SimKernel

/// The columns of a result: fixed names and order, to which scripts may hold on.
///
/// Swept paths come after the identification, one column each, named by the path. New columns are
/// added at the end of their group; none is ever renamed.
public enum ResultColumns {
  /// What names a row.
  public static let identification = [
    "title", "point", "replicate", "seed", "scenario_hash", "simnet_version", "libzstd_version",
  ]
  /// What a run measured, in the order of ``ResultRow/cells``.
  public static let measurements = [
    "job", "model", "workers", "iteration_time_s", "iteration_time_p50_s", "iteration_time_p99_s",
    "samples_per_s", "compute_time_s", "exposed_encode_s", "exposed_communication_s",
    "exposed_decode_s", "straggler_wait_s", "optimizer_time_s", "raw_bytes", "encoded_bytes",
    "wire_bytes", "compression_ratio", "wire_ratio", "scaling_efficiency", "gradient_rel_l2",
    "gradient_cosine", "error_feedback", "algorithm", "strategy", "compression", "schedule",
    "exchanges", "bottleneck", "busiest_link", "busiest_link_share", "network_model", "transport",
    "compute_source", "codec_cost_source", "transport_source", "gradient_source",
    "gradient_sample", "makespan_s",
  ]
  /// What comparing a row with its baselines adds: the same scenario with plain fp32 and plain
  /// fp16 gradients.
  public static let comparisons = ["speedup_over_fp32", "speedup_over_fp16"]

  /// The header of a result whose sweep adds `swept`.
  public static func header(swept: [String]) -> [String] {
    identification + swept + measurements + comparisons
  }
  /// The position of a measurement.
  public static func index(of measurement: String) -> Int {
    measurements.firstIndex(of: measurement)!
  }
}

/// One finished run of one job, as the cells of a CSV line.
public struct ResultRow: Sendable, Equatable {
  /// The sweep point.
  public var point: Int
  public var replicate: Int
  /// The cells of the whole line, in the order of ``ResultColumns/header(swept:)``.
  public var cells: [String]
}

/// The rows of a sweep with their header.
public struct ResultTable: Sendable {
  public var header: [String]
  /// How many columns after the identification are swept paths.
  public var sweptCount: Int
  public var rows: [[String]]

  public init(header: [String], sweptCount: Int, rows: [[String]]) {
    self.header = header
    self.sweptCount = sweptCount
    self.rows = rows
  }

  /// The names of the swept columns.
  public var swept: [String] {
    let first = ResultColumns.identification.count
    return Array(header[first..<first + sweptCount])
  }
  /// The position of column `name`.
  public func column(_ name: String) -> Int? { header.firstIndex(of: name) }
  /// The cell of `name` in `row`.
  public func cell(_ name: String, _ row: [String]) -> String {
    column(name).map { row[$0] } ?? ""
  }
  /// The number in the cell of `name` in `row`.
  public func number(_ name: String, _ row: [String]) -> Double? { Double(cell(name, row)) }

  /// The table as CSV text.
  public var csv: String {
    var text = CSV.line(header)
    for row in rows { text += CSV.line(row) }
    return text
  }

  /// The table as JSON: an array of objects, numbers as numbers, empty cells as null.
  public var json: String {
    if rows.isEmpty { return "[]\n" }
    return "[\n" + rows.map { "  " + object($0) }.joined(separator: ",\n") + "\n]\n"
  }
  /// The table as JSON Lines: one object a line.
  public var jsonLines: String { rows.map { object($0) + "\n" }.joined() }

  private func object(_ row: [String]) -> String {
    // Names that may look like numbers.
    let textual: Set<String> = [
      "title", "scenario_hash", "simnet_version", "libzstd_version", "job", "model", "file",
      "busiest_link",
    ]
    let members = zip(header, row).map { name, cell -> String in
      let value: String
      if cell.isEmpty {
        value = "null"
      } else if !textual.contains(name), let first = cell.utf8.first,
        first == 0x2D || (first >= 0x30 && first <= 0x39),
        (try? JSONNode.parse(cell, origin: "")) != nil
      {
        value = cell
      } else {
        value = JSONNode.quoted(cell)
      }
      return JSONNode.quoted(name) + ": " + value
    }
    return "{" + members.joined(separator: ", ") + "}"
  }
}
