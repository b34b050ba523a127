import SimKernel

/// What every row of results must satisfy, whatever the scenario: finite numbers, times that add
/// up, and bytes that suffice to move what was encoded.
enum ResultInvariants {
  /// What is wrong with `table`, as sentences; empty if nothing is.
  ///
  /// - Parameter isBetweenHosts: whether a job of the scenario gathers between hosts alone, where its
  ///   workers have summed before.
  static func violations(of table: ResultTable, isBetweenHosts: Bool) -> [String] {
    var violations: [String] = []
    for (number, row) in table.rows.enumerated() {
      violations += Row(table: table, row: row, isBetweenHosts: isBetweenHosts).violations.map {
        "row \(number + 1): \($0)"
      }
    }
    return violations
  }

  private struct Row {
    let table: ResultTable
    let row: [String]
    let isBetweenHosts: Bool

    var violations: [String] { numbers + times + bytes }

    private func cell(_ name: String) -> String { table.cell(name, row) }
    private func number(_ name: String) -> Double { table.number(name, row) ?? .nan }

    // MARK: - Numbers

    /// Columns that are numbers in every row.
    private static let always = [
      "workers", "raw_bytes", "encoded_bytes", "wire_bytes", "host_bytes", "exchanges",
      "busiest_link_share", "gradient_rel_l2", "gradient_cosine", "compression_memory_bytes",
      "model_memory_bytes",
    ]
    /// Columns that are numbers or, where they mean nothing, empty.
    private static let perhaps = [
      "samples_per_s", "compression_ratio", "wire_ratio", "scaling_efficiency", "gradient_bias",
      "gradient_variance", "contraction_factor", "residual_ratio", "accumulated_rel_l2",
      "accumulated_cosine",
    ]
    /// Of these the ones that may be below 0.
    private static let signed = ["gradient_cosine", "accumulated_cosine"]

    private var numbers: [String] {
      var found: [String] = []
      for name in Self.always + Self.perhaps {
        let text = cell(name)
        if text.isEmpty, Self.perhaps.contains(name) { continue }
        let value = Double(text) ?? .nan
        if !value.isFinite {
          found.append("\(name) is \"\(text)\", not a finite number")
        } else if value < 0, !Self.signed.contains(name) {
          found.append("\(name) is \(text), below 0")
        }
      }
      if number("busiest_link_share") > 1 {
        found.append("busiest_link_share is \(cell("busiest_link_share")), above 1")
      }
      for name in Self.signed where (Double(cell(name)) ?? 0).magnitude > 1.000_001 {
        found.append("\(name) is \(cell(name)), beyond 1")
      }
      return found
    }

    // MARK: - Times

    private static let parts = [
      "compute_time_s", "exposed_encode_s", "exposed_communication_s", "exposed_decode_s",
      "straggler_wait_s", "optimizer_time_s",
    ]

    /// An exact decimal of seconds in picoseconds; nil if it is none or below 0.
    private func picoseconds(_ name: String) -> Int? {
      let pieces = cell(name).split(separator: ".", omittingEmptySubsequences: false)
      guard pieces.count <= 2, let seconds = pieces.first.flatMap({ Int($0) }), seconds >= 0 else {
        return nil
      }
      let fraction = pieces.count == 2 ? String(pieces[1]) : ""
      guard fraction.count <= 12,
        let rest = Int(fraction + String(repeating: "0", count: 12 - fraction.count))
      else { return nil }
      let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000_000)
      let (sum, overflowToo) = product.addingReportingOverflow(rest)
      return overflow || overflowToo ? nil : sum
    }

    private var times: [String] {
      var found: [String] = []
      let names =
        Self.parts + [
          "iteration_time_s", "iteration_time_p50_s", "iteration_time_p99_s", "makespan_s",
        ]
      for name in names where picoseconds(name) == nil {
        found.append("\(name) is \"\(cell(name))\", not a time of at least 0")
      }
      if !found.isEmpty { return found }
      let total = picoseconds("iteration_time_s") ?? 0
      let sum = Self.parts.reduce(0) { $0 + (picoseconds($1) ?? 0) }
      if sum != total { found.append("the parts add up to \(sum) ps, the iteration to \(total)") }
      if picoseconds("iteration_time_p50_s") ?? 0 > picoseconds("iteration_time_p99_s") ?? 0 {
        found.append("the median is above the 99th percentile")
      }
      // A mean over at least one iteration, all of which are inside the makespan.
      if total > picoseconds("makespan_s") ?? 0 {
        found.append("an iteration exceeds the makespan")
      }
      return found
    }

    // MARK: - Bytes

    /// Bounds from below that no algorithm escapes, of what n workers send on average.
    ///
    /// Every byte of a sum needs n - 1 transfers to be formed and n - 1 to be known everywhere,
    /// whether as a ring, a tree or halves; every payload gathered is received by n - 1 others;
    /// every payload for servers leaves its worker but for what the servers on it take.
    private var bytes: [String] {
      var found: [String] = []
      let (n, wire, raw) = (number("workers"), number("wire_bytes"), number("raw_bytes"))
      if number("host_bytes") > wire { found.append("more bytes leave hosts than workers") }
      if n == 1 {
        if wire != 0 { found.append("one worker alone sends \(cell("wire_bytes")) bytes") }
        return found
      }
      guard cell("compression") == "none" else { return found }
      let least: Double
      switch cell("strategy") {
      case "all_reduce": least = 2 * (n - 1) / n * raw
      case "all_gather": least = isBetweenHosts ? 2 * (n - 1) / n * raw : (n - 1) * raw
      case "parameter_server": least = (n - 1) / n * raw
      default: return found
      }
      // The mean is rounded up, so that the bound holds for it as it is, but for its own rounding.
      if wire < least * (1 - 0x1p-50) {
        found.append("\(cell("wire_bytes")) bytes are sent where at least \(least) are needed")
      }
      return found
    }
  }
}
