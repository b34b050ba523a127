import Experiments
import Testing

/// A result file whose cells can be changed.
private struct Table {
  var header: [String]
  var rows: [[String]]

  init(_ text: String) {
    let all = (try? CSV.parse(text)) ?? []
    header = all[0]
    rows = Array(all.dropFirst())
  }

  var text: String { CSV.line(header) + rows.map { CSV.line($0) }.joined() }

  mutating func set(_ column: String, _ change: (Int, String) -> String) {
    let place = header.firstIndex(of: column)!
    for row in rows.indices { rows[row][place] = change(row, rows[row][place]) }
  }

  mutating func drop(_ column: String) {
    let place = header.firstIndex(of: column)!
    header.remove(at: place)
    for row in rows.indices { rows[row].remove(at: place) }
  }

  mutating func add(_ column: String, _ value: String) {
    header.append(column)
    for row in rows.indices { rows[row].append(value) }
  }
}

/// Results of simnet itself, clean and with faults put in.
@Suite struct DataFaultTests {
  private static let model = """
    # name: tiny
    # batch: 4
    tensor,shape,macs,forward_us,backward_us
    conv.weight,32x3x3x3,5000,30,60
    fc.weight,50x32,1600,5,11
    fc.bias,50,0,0,0

    """
  private static let scenario = """
    {"simnet": 1, "title": "clean", "replicates": 20,
     "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}},
     "network": {"transport": "rdma"},
     "workload": {"model": {"file": "m.csv"}, "iterations": 3, "warmup": 0},
     "gradients": {"source": "synthetic", "sample": 1024, "study": {"steps": 0}},
     "stragglers": {"compute": {"distribution": "lognormal", "sigma": 0.1}},
     "sweep": {"communication": {"fp32": {}, "qsgd": {"strategy": "all_gather", "compression": "qsgd"}}}}

    """

  /// A folder with the results of `seeds`, as `0.csv` and so on.
  private static func scratch(_ seeds: Range<Int>) throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write("m.csv", model)
    try scratch.write("s.json", scenario)
    let run = try Simnet.shell(
      """
      for seed in $(seq \(seeds.lowerBound) \(seeds.upperBound - 1)); do
        "$SIMNET" run s.json --set seed=$seed -q -j 2 -o $seed.csv || exit 1
      done
      """, in: scratch.folder)
    try #require(run.status == 0, "\(run.errors)")
    return scratch
  }

  @Test func `none of a hundred clean files has an anomaly`() throws {
    let scratch = try Self.scratch(0..<110)
    let inferred = try Simnet.shell(
      #""$SIMNET" data infer 10[0-9].csv -o schema.json"#, in: scratch.folder)
    #expect(inferred.status == 0, "\(inferred.errors)")
    let run = try Simnet.shell(
      """
      for seed in $(seq 0 99); do
        "$SIMNET" data check $seed.csv --schema schema.json --against 100.csv --measured 101.csv
      done
      """, in: scratch.folder)
    #expect(run.output == "")
    let lines = run.errors.split(separator: "\n")
    #expect(lines.count == 100 && lines.allSatisfy { $0.contains(": no anomalies in ") })
  }

  /// One fault of each class, and the line that must name it.
  private static let faults: [(line: String, inject: @Sendable (inout Table) -> Void)] = [
    ("iteration_times: new_column: ", { $0.add("iteration_times", "1") }),
    ("algorithm: missing_column: ", { $0.drop("algorithm") }),
    ("workers: low_fraction_present: ", { $0.set("workers") { $0 == 7 ? "" : $1 } }),
    ("speedup_over_fp32: not_present: ", { $0.set("speedup_over_fp32") { _, _ in "" } }),
    (
      "bottleneck: high_number_of_values: ",
      { $0.set("bottleneck") { $0 == 3 ? "compute;encode;decode" : $1 } }
    ),
    ("model: unexpected_values: ", { $0.set("model") { $0 == 0 ? "tyni" : $1 } }),
    ("wire_bytes: unexpected_type: ", { $0.set("wire_bytes") { $0 == 5 ? "12 kB" : $1 } }),
    ("iteration_time_s: below_range: ", { $0.set("iteration_time_s") { $0 == 2 ? "-1" : $1 } }),
    ("gradient_rel_l2: nan: ", { $0.set("gradient_rel_l2") { $0 == 9 ? "nan" : $1 } }),
    ("samples_per_s: infinity: ", { $0.set("samples_per_s") { $0 == 9 ? "inf" : $1 } }),
    ("the table: low_row_ratio: ", { $0.rows.removeLast() }),
    ("the table: few_rows: ", { $0.rows.removeLast($0.rows.count - 5) }),
    ("the table: many_rows: ", { $0.rows += $0.rows }),
    ("communication: drift_l_infinity: ", { $0.set("communication") { _, _ in "fp32" } }),
    ("communication: skew_l_infinity: ", { $0.set("communication") { _, _ in "fp32" } }),
    (
      "iteration_time_s: drift_jensen_shannon: ",
      { $0.set("iteration_time_s") { "\(Double($1)! * 2)" } }
    ),
    (
      "iteration_time_s: skew_jensen_shannon: ",
      { $0.set("iteration_time_s") { "\(Double($1)! * 2)" } }
    ),
    (
      "iteration_time_s: feature_skew: ",
      { $0.set("iteration_time_s") { $0 == 4 ? "\(Double($1)! * 3)" : $1 } }
    ),
    ("the table: unpaired_rows: ", { $0.set("replicate") { $0 == 0 ? "99" : $1 } }),
    ("scenario_hash: not_unique: ", { $0.set("scenario_hash") { _, _ in "same" } }),
  ]

  @Test func `every fault is found, and accepting its change makes it expected`() throws {
    let scratch = try Self.scratch(0..<3)
    let inferred = try Simnet.shell(
      #"""
      "$SIMNET" data infer [0-2].csv --key point,replicate --feature-tolerance 9 --row-margin 0.2 \
        --split bottleneck=';' -o plain.json
      """#, in: scratch.folder)
    try #require(inferred.status == 0, "\(inferred.errors)")
    let plain = try scratch.read("plain.json")
    let clean = Table(try scratch.read("0.csv"))
    for (line, inject) in Self.faults {
      var table = clean
      var schema = plain
      // What a person adds in review.
      if line.hasPrefix("scenario_hash") {
        table.set("scenario_hash") { row, hash in "\(hash)-\(row)" }
        schema = schema.replacing(
          "\"scenario_hash\": {", with: "\"scenario_hash\": {\n      \"unique\": true,")
      }
      if line.contains("feature_skew") {
        schema = schema.replacing("\"tolerance\": 9", with: "\"tolerance\": 0")
      }
      try scratch.write("schema.json", schema)
      try scratch.write("clean.csv", table.text)
      let check = [
        "data", "check", "bad.csv", "--schema", "schema.json", "--against", "clean.csv",
        "--measured", "clean.csv", "--accept", "-o", "accepted.json",
      ]
      try scratch.write("bad.csv", table.text)
      let before = try Simnet.run(check, in: scratch.folder)
      #expect(before.status == 0 && before.output == "", "\(line) \(before.output)")
      inject(&table)
      try scratch.write("bad.csv", table.text)
      let found = try Simnet.run(check, in: scratch.folder)
      #expect(found.status == 3, "\(line)")
      #expect(
        ("\n" + found.output).contains("\n" + line),
        "\(line) \(found.output)")
      try scratch.write("schema.json", try scratch.read("accepted.json"))
      let accepted = try Simnet.run(check, in: scratch.folder)
      #expect(!("\n" + accepted.output).contains("\n" + line), "\(line) \(accepted.output)")
    }
  }
}
