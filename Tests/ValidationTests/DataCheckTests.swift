import SimKernel
import Testing
import Validation

/// A table of results: what a sweep writes, with noise of its own for each seed.
private struct Results {
  var columns: [DataColumn]

  init(seed: UInt64, rows: Int = 1000) {
    var random = RandomStream(seed: seed, purpose: RandomPurpose("results"))
    func cells(_ make: (inout RandomStream) -> String) -> [String] {
      (0..<rows).map { _ in make(&random) }
    }
    let codecs = ["identity", "qsgd", "top_k"]
    columns = [
      DataColumn("point", cells: (0..<rows).map { "p\($0)" }),
      DataColumn("codec", cells: cells { codecs[$0.index(below: 3)] }),
      DataColumn("workers", cells: cells { "\(1 << (1 + $0.index(below: 6)))" }),
      DataColumn("iteration_time_s", cells: cells { "\(1 + $0.exponential())" }),
      DataColumn(
        "links", cells: cells { $0.index(below: 2) == 0 ? "a;b" : "a;b;c" }, separator: ";"),
      DataColumn("note", cells: cells { $0.index(below: 2) == 0 ? "" : "slow" }),
    ]
  }

  var table: DataTable { get throws { try DataTable(columns) } }

  mutating func replace(_ name: String, _ change: ([[String]]) -> [[String]]) {
    for index in columns.indices where columns[index].name == name {
      columns[index].rows = change(columns[index].rows)
    }
  }
}

/// The inferred schema, with what a person would add.
private func reviewedSchema() throws -> DataSchema {
  var schema = SchemaInference().schema(of: try Results(seed: 0).table)
  for index in schema.columns.indices {
    switch schema.columns[index].name {
    case "point": schema.columns[index].isUnique = true
    case "note": schema.columns[index].minimumCount = 100
    default: break
    }
  }
  schema.rows = 10...2_000
  schema.rowRatio = 0.5...2
  return schema
}

@Suite struct SchemaInferenceTests {
  @Test func `a schema tells type, presence, valency, domain and thresholds`() throws {
    let schema = SchemaInference().schema(of: try Results(seed: 0).table)
    #expect(schema.columns.map(\.name) == Results(seed: 0).columns.map(\.name))
    let codec = try #require(schema["codec"])
    #expect(codec.type == .text && codec.minimumFraction == 1 && codec.valency == 1...1)
    #expect(codec.domain == .values(["identity", "qsgd", "top_k"], minimumMass: 1))
    #expect(codec.drift == Comparator(.lInfinity, threshold: 0.1))
    let workers = try #require(schema["workers"])
    #expect(workers.type == .integer && workers.domain == .range(0...Double.infinity))
    #expect(workers.skew == Comparator(.jensenShannon, threshold: 0.1))
    #expect(schema["iteration_time_s"]?.type == .float)
    #expect(schema["links"]?.valency == 2...3)
    #expect(schema["note"]?.minimumFraction == 0)
    // A thousand different names are no domain.
    let point = try #require(schema["point"])
    #expect(point.domain == .any && point.drift == nil)
    #expect(schema["nothing"] == nil)
  }

  @Test func `ranges are widened by the margin asked for`() throws {
    var inference = SchemaInference()
    inference.rangeMargin = 0.5
    let column = inference.column(ColumnStatistics(DataColumn("c", cells: ["2", "6"])))
    #expect(column.domain == .range(0...8))
    inference.rangeMargin = 0
    let wide = inference.column(
      ColumnStatistics(DataColumn("c", cells: ["-1.5e308", "1.5e308"])))
    #expect(wide.domain == .range(-1.5e308...1.5e308))
    inference.rangeMargin = nil
    let signed = inference.column(ColumnStatistics(DataColumn("c", cells: ["-1", "6"])))
    #expect(signed.domain == .any)
  }

  @Test func `a table satisfies the schema inferred from it`() throws {
    let odd = try DataTable([
      DataColumn("empty", cells: ["", "", ""]), DataColumn("nan", cells: ["nan", "1", "inf"]),
      DataColumn("same", cells: ["4", "4", "4"]), DataColumn("mixed", cells: ["", "x", "1"]),
    ])
    for table in [odd, try DataTable([]), try Results(seed: 1, rows: 7).table] {
      let check = DataCheck(
        SchemaInference().schema(of: table), previous: table, counterpart: table)
      // NaN and infinities match nothing when compared, not even themselves.
      let found = check.anomalies(of: table).filter { $0.column != "nan" }
      #expect(found.isEmpty, "\(found)")
    }
  }
}

/// A fault put into a clean table, and whether a finding is the one it must cause.
private struct Fault: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var inject: @Sendable (inout Results) -> Void
  var isFound: @Sendable (Anomaly) -> Bool

  init(
    _ name: String, _ inject: @escaping @Sendable (inout Results) -> Void,
    _ isFound: @escaping @Sendable (Anomaly) -> Bool
  ) {
    testDescription = name
    self.inject = inject
    self.isFound = isFound
  }

  static let all: [Fault] = [
    Fault("new column") {
      $0.columns.append(DataColumn("codecs", cells: [String](repeating: "1", count: 1000)))
    } _: {
      $0.column == "codecs" && $0.finding == .newColumn(similar: "codec")
    },
    Fault("missing column") {
      $0.columns.remove(at: 1)
    } _: {
      $0.column == "codec" && $0.finding == .missingColumn
    },
    Fault("not present") {
      $0.replace("workers") { $0.map { _ in [] } }
    } _: {
      $0.finding == .notPresent
    },
    Fault("low fraction") {
      $0.replace("workers") { [[]] + $0.dropFirst() }
    } _: {
      $0.finding == .lowFractionPresent(found: 0.999, minimum: 1)
    },
    Fault("low count") {
      $0.replace("note") { $0.map { _ in [] }.dropLast(5) + [["slow"]] * 5 }
    } _: {
      $0.finding == .lowCountPresent(found: 5, minimum: 100)
    },
    Fault("few values") {
      $0.replace("links") { [["a"]] + $0.dropFirst() }
    } _: {
      $0.finding == .lowNumberOfValues(found: 1, minimum: 2)
    },
    Fault("many values") {
      $0.replace("links") { [["a", "b", "c", "a"]] + $0.dropFirst() }
    } _: {
      $0.finding == .highNumberOfValues(found: 4, maximum: 3)
    },
    Fault("wider type") {
      $0.replace("workers") { [["2.5"]] + $0.dropFirst() }
    } _: {
      $0.finding == .unexpectedType(found: .float, expected: .integer)
    },
    Fault("text among numbers") {
      $0.replace("workers") { [["four"]] + $0.dropFirst() }
    } _: {
      $0.finding == .unexpectedType(found: .text, expected: .integer)
    },
    Fault("outside the domain") {
      $0.replace("codec") { [["topk"]] + $0.dropFirst() }
    } _: {
      $0.finding == .unexpectedValues(["topk"], mass: 0.001)
    },
    Fault("below the range") {
      $0.replace("iteration_time_s") { [["-1"]] + $0.dropFirst() }
    } _: {
      $0.finding == .small(found: -1, minimum: 0)
    },
    Fault("NaN") {
      $0.replace("iteration_time_s") { [["nan"]] + $0.dropFirst() }
    } _: {
      $0.finding == .hasNaN(count: 1)
    },
    Fault("infinity") {
      $0.replace("iteration_time_s") { [["-inf"]] + $0.dropFirst() }
    } _: {
      $0.finding == .hasInfinity(count: 1)
    },
    Fault("repeated") {
      $0.replace("point") { [["p1"]] + $0.dropFirst() }
    } _: {
      $0.finding == .repeated(value: "p1", count: 2)
    },
    Fault("few rows") {
      $0 = Results(seed: 3, rows: 9)
    } _: {
      $0.finding == .lowNumberOfRows(found: 9, minimum: 10)
    },
    Fault("many rows") {
      $0 = Results(seed: 3, rows: 2_001)
    } _: {
      $0.finding == .highNumberOfRows(found: 2_001, maximum: 2_000)
    },
    Fault("fewer rows than before") {
      $0 = Results(seed: 3, rows: 499)
    } _: {
      $0.finding == .lowRowRatio(found: 0.499, minimum: 0.5)
    },
    Fault("more rows than before") {
      $0 = Results(seed: 3, rows: 2_000 + 1)
    } _: {
      $0.finding == .highRowRatio(found: 2.001, maximum: 2)
    },
    Fault("drift and skew of texts") {
      $0.replace("codec") { $0.map { $0 == ["qsgd"] ? ["top_k"] : $0 } }
    } _: {
      guard case .drift(.lInfinity, let found, 0.1, let value) = $0.finding else { return false }
      return found > 0.25 && (value == "qsgd" || value == "top_k")
    },
    Fault("skew of texts") {
      $0.replace("codec") { $0.map { $0 == ["qsgd"] ? ["top_k"] : $0 } }
    } _: {
      guard case .skew(.lInfinity, let found, 0.1, _) = $0.finding else { return false }
      return found > 0.25
    },
    Fault("drift of numbers") {
      $0.replace("iteration_time_s") { $0.map { $0.map { "\(Double($0)! * 3)" } } }
    } _: {
      guard case .drift(.jensenShannon, let found, 0.1, nil) = $0.finding else { return false }
      return found > 0.1 && found <= 1
    },
    Fault("skew of numbers") {
      $0.replace("iteration_time_s") { $0.map { $0.map { "\(Double($0)! * 3)" } } }
    } _: {
      guard case .skew(.jensenShannon, let found, 0.1, nil) = $0.finding else { return false }
      return found > 0.1 && found <= 1
    },
  ]
}

private func * (rows: [[String]], count: Int) -> [[String]] {
  (0..<count).flatMap { _ in rows }
}

@Suite struct DataCheckTests {
  private static func check() throws -> DataCheck {
    DataCheck(
      try reviewedSchema(), previous: try Results(seed: 1).table,
      counterpart: try Results(seed: 2).table)
  }

  @Test func `a hundred clean tables raise no alarm`() throws {
    let check = try Self.check()
    for seed in 100..<200 {
      let found = check.anomalies(of: try Results(seed: UInt64(seed)).table)
      #expect(found.isEmpty, "seed \(seed): \(found)")
    }
  }

  @Test(arguments: Fault.all)
  private func `every fault is found, and its suggestion makes it expected`(fault: Fault) throws {
    var check = try Self.check()
    var results = Results(seed: 3)
    fault.inject(&results)
    let table = try results.table
    let found = check.anomalies(of: table)
    let anomaly = try #require(found.first(where: fault.isFound), "\(found)")
    #expect(!anomaly.description.isEmpty)
    check.schema = check.schema.applying(anomaly.suggestion)
    #expect(!check.anomalies(of: table).contains(where: fault.isFound))
  }

  /// Whatever is wrong, accepting every suggestion ends with a schema that the table satisfies.
  @Test func `accepting all suggestions ends in agreement`() throws {
    for subset in 0..<40 {
      var random = RandomStream(seed: UInt64(subset), purpose: RandomPurpose("faults"))
      var results = Results(seed: 3)
      for fault in Fault.all where random.uniform() < 0.3 { fault.inject(&results) }
      for index in results.columns.indices {
        // Faults that replace the table leave others' rows behind.
        let count = results.columns[0].rows.count
        let rows = results.columns[index].rows
        results.columns[index].rows = Array((rows + rows + rows + rows * 250).prefix(count))
      }
      var check = try Self.check()
      let table: DataTable
      do { table = try results.table } catch DataTable.Malformation.duplicateColumn { continue }
      var rounds = 0
      while rounds < 4 {
        let found = check.anomalies(of: table)
        if found.isEmpty { break }
        for anomaly in found { check.schema = check.schema.applying(anomaly.suggestion) }
        rounds += 1
      }
      #expect(rounds < 4, "\(check.anomalies(of: table))")
    }
  }

  @Test func `above the range, and both ends at once`() throws {
    var column = ColumnSchema("c", type: .float)
    column.domain = .range(0...1)
    let table = try DataTable([DataColumn("c", cells: ["-1", "0.5", "3"])])
    var schema = DataSchema([column])
    let found = DataCheck(schema).anomalies(of: table)
    #expect(found.map(\.finding) == [.small(found: -1, minimum: 0), .big(found: 3, maximum: 1)])
    // Either suggestion covers both.
    #expect(found[0].suggestion == .setRange("c", -1...3))
    schema = schema.applying(found[1].suggestion)
    #expect(DataCheck(schema).anomalies(of: table).isEmpty)
  }

  @Test func `a domain may tolerate a fraction outside`() throws {
    let cells = [String](repeating: "a", count: 9) + ["z"]
    let table = try DataTable([DataColumn("c", cells: cells)])
    for (mass, expected) in [(1.0, 1), (0.95, 1), (0.9, 0), (0.5, 0)] {
      var column = ColumnSchema("c", type: .text)
      column.domain = .values(["a"], minimumMass: mass)
      #expect(DataCheck(DataSchema([column])).anomalies(of: table).count == expected)
    }
  }

  @Test func `columns out of production or absent in an environment are not required`() throws {
    var seed = ColumnSchema("seed", type: .integer)
    seed.minimumFraction = 1
    seed.absentIn = ["measured"]
    let empty = try DataTable([])
    #expect(DataCheck(DataSchema([seed])).anomalies(of: empty).count == 1)
    #expect(DataCheck(DataSchema([seed]), environment: "simulated").anomalies(of: empty).count == 1)
    #expect(DataCheck(DataSchema([seed]), environment: "measured").anomalies(of: empty).isEmpty)
    seed.stage = .deprecated
    #expect(DataCheck(DataSchema([seed])).anomalies(of: empty).isEmpty)
  }

  @Test func `a column simulated but not measured is no comparison`() throws {
    let table = try Results(seed: 3).table
    var other = Results(seed: 4)
    other.columns.removeAll { $0.name == "workers" }
    var check = DataCheck(try reviewedSchema(), counterpart: try other.table)
    let found = check.anomalies(of: table)
    #expect(found.map(\.finding) == [.missingInCounterpart])
    #expect(found.first?.description == "workers: the measured table has no such column")
    check.schema = check.schema.applying(found[0].suggestion)
    #expect(check.anomalies(of: table).isEmpty)
  }
}
