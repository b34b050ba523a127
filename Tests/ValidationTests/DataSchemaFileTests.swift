import SimKernel
import Testing
import Validation

/// A schema with every property away from its default.
private func adorned() -> DataSchema {
  var number = ColumnSchema("time_s", type: .float)
  number.minimumFraction = 0.1 + 0.2
  number.minimumCount = 3
  number.valency = 0...Int.max
  number.domain = .range(-1e-300...0x1.FFFFFFFFFFFFFp+1023)
  number.allowsNaN = true
  number.allowsInfinity = true
  number.isUnique = true
  number.stage = .beta
  number.absentIn = ["measured", "trace"]
  number.drift = Comparator(.jensenShannon, threshold: 1.0 / 3)
  number.skew = Comparator(.normalizedAbsoluteDifference, threshold: 1)
  number.featureSkew = FeatureSkew(tolerance: 0.7, maximumFraction: 0.25)
  var text = ColumnSchema(#"a "name", with\escapes"#, type: .text)
  text.domain = .values(["", "a", "b;c"], minimumMass: 0.99)
  text.separator = "; "
  text.valency = 2...5
  var open = ColumnSchema("open", type: .integer)
  open.domain = .range(-Double.infinity...(.infinity))
  var schema = DataSchema([number, text, open, ColumnSchema("plain", type: .text)])
  schema.rows = 2...100
  schema.rowRatio = 0.5...(.infinity)
  schema.key = RowKey(["point", "replicate"])
  schema.key?.maximumUnpaired = 0.125
  return schema
}

@Suite struct DataSchemaFileTests {
  @Test func `a schema reads back as it was written`() throws {
    var simple = DataSchema([])
    #expect(try DataSchema.parse(simple.text, origin: "s") == simple)
    simple.rows = 0...5
    #expect(try DataSchema.parse(simple.text, origin: "s") == simple)
    let schema = adorned()
    #expect(try DataSchema.parse(schema.text, origin: "s") == schema)
    #expect(try DataSchema.parse(schema.text, origin: "s").text == schema.text)
    for stage in Stage.allCases {
      var own = schema
      own.columns[0].stage = stage
      #expect(try DataSchema.parse(own.text, origin: "s") == own)
    }
  }

  @Test func `a column's property is a line`() throws {
    let table = try DataTable([
      DataColumn("algorithm", cells: ["ring", "tree"]), DataColumn("time_s", cells: ["0.5", "2"]),
    ])
    #expect(
      SchemaInference().schema(of: table).text == """
        {
          "simnet_data_schema": 1,
          "rows": { "min": 1 },
          "row_ratio": { "min": 0.99, "max": 1.01 },
          "columns": {
            "algorithm": {
              "type": "text",
              "presence": { "min_fraction": 1, "min_count": 1 },
              "valency": { "min": 1, "max": 1 },
              "domain": { "values": ["ring", "tree"] },
              "drift": { "distance": "l_infinity", "threshold": 0.1 },
              "skew": { "distance": "l_infinity", "threshold": 0.1 }
            },
            "time_s": {
              "type": "float",
              "presence": { "min_fraction": 1, "min_count": 1 },
              "valency": { "min": 1, "max": 1 },
              "domain": { "min": 0 },
              "drift": { "distance": "jensen_shannon", "threshold": 0.1 },
              "skew": { "distance": "jensen_shannon", "threshold": 0.1 }
            }
          }
        }

        """)
  }

  /// A fault in a schema file, and the messages it gets.
  @Test(arguments: [
    (#"{"columns": {}}"#, ["s:1:1: schema.simnet_data_schema: missing"]),
    (#"{"simnet_data_schema": 2}"#, ["s:1:24: schema.simnet_data_schema: found 2"]),
    (#"[]"#, ["s:1:1: schema: found an array"]),
    (
      #"{"simnet_data_schema": 1, "colums": {}}"#,
      [#"schema.colums: unknown key "colums"; did you mean "columns"?"#]
    ),
    (
      "{\"simnet_data_schema\": 1,\n \"columns\": {\"c\": {\"type\": \"flaot\"}}}",
      [#"s:2:28: schema.columns.c.type: unknown type "flaot"; did you mean "float"?"#]
    ),
    (
      #"{"simnet_data_schema": 1, "columns": {"c": {}, "d": {"type": "text", "valency": {"min": -1}}}}"#,
      ["schema.columns.c.type: missing", "schema.columns.d.valency.min: found -1"]
    ),
    (
      #"{"simnet_data_schema": 1, "rows": {"min": 5, "max": 3}}"#,
      ["s:1:53: schema.rows.max: max 3 is below min 5; swap them"]
    ),
    (
      #"{"simnet_data_schema": 1, "columns": {"c": {"type": "text", "domain": {"values": [], "min": 1}}}}"#,
      ["schema.columns.c.domain.values: a domain has either"]
    ),
    (
      #"{"simnet_data_schema": 1, "columns": {"c": {"type": "text", "drift": {"distance": "l_infinty", "threshold": 2}}}}"#,
      [#"did you mean "l_infinity"?"#, "schema.columns.c.drift.threshold: found 2, expected 0 <="]
    ),
    (
      #"{"simnet_data_schema": 1, "columns": {"c": {"type": "text", "separator": ""}}}"#,
      [#"schema.columns.c.separator: found "", expected a text that is not empty"#]
    ),
  ])
  func `every fault of a file is named with its place`(text: String, expected: [String]) {
    #expect {
      try DataSchema.parse(text, origin: "s")
    } throws: { error in
      guard let invalid = error as? InvalidInput else { return false }
      let messages = invalid.issues.map(\.description)
      return messages.count == expected.count
        && zip(messages, expected).allSatisfy { $0.contains($1) }
    }
  }

  @Test func `what is no JSON is found by line and column`() {
    #expect {
      try DataSchema.parse("{\"simnet_data_schema\": 1,\n}", origin: "s")
    } throws: { "\($0)".hasPrefix("s:2:") }
  }

  @Test func `the documentation describes every key that is written`() throws {
    let described = DataSchema.description.schemaDocument(id: "data")
    for key in [
      "rows", "row_ratio", "key", "max_unpaired", "columns", "type", "stage", "absent_in",
      "presence", "min_fraction", "min_count", "separator", "valency", "domain", "values",
      "min_mass", "nan", "infinity", "unique", "drift", "skew", "feature_skew", "tolerance",
      "max_fraction", "distance", "threshold",
    ] {
      #expect(described.contains("\"\(key)\": {"), "\(key)")
    }
    #expect(try JSONNode.parse(described, origin: "data")["properties"] != nil)
  }

  /// Whatever the change: merging its patch into the file is making it.
  @Test func `a patch merged into the file is the change`() throws {
    var added = ColumnSchema("new", type: .integer)
    added.domain = .range(0...Double.infinity)
    let name = "time_s"
    let text = adorned().columns[1].name
    let changes: [SchemaChange] = [
      .addColumn(added), .stopChecking(name), .setMinimumFraction(name, 0),
      .setMinimumCount(name, 0), .setMinimumCount("plain", 2), .setValency(name, 1...9),
      .setType(name, .text), .setType("open", .float), .addValues(text, ["z", "a"]),
      .setRange(name, -5...5), .allowNaN("open"), .allowInfinity("open"), .allowRepetition(name),
      .setDriftThreshold(name, 0.9), .setSkewThreshold(name, 0.5), .stopComparing(name),
      .setFeatureSkew(name, 0.5), .setUnpaired(1), .removeKey, .setRows(0...Int.max),
      .setRowRatio(0...2), .allowNaN("unknown"),
    ]
    let schema = adorned()
    for change in changes {
      var merged = try JSONNode.parse(schema.text, origin: "s")
      merged.merge(schema.mergePatch(for: change))
      #expect(try DataSchema.read(merged) == schema.applying(change), "\(change)")
    }
    #expect(schema.mergePatch(for: .allowNaN("unknown")).compactText == "{}")
  }
}

@Suite struct InferenceOfSeveralTablesTests {
  private static func table(_ cells: [String], also other: Bool = true) throws -> DataTable {
    try DataTable(
      [DataColumn("c", cells: cells)] + (other ? [DataColumn("d", cells: cells)] : []))
  }

  @Test func `all tables satisfy their schema, and a column that one lacks is not required`() throws
  {
    let tables = [
      try Self.table(["a", "b"]), try Self.table(["b", "c", "c"], also: false),
      try Self.table(["a"]),
    ]
    var inference = SchemaInference()
    inference.rowMargin = 0.5
    let schema = inference.schema(of: tables)
    #expect(schema["c"]?.domain == .values(["a", "b", "c"], minimumMass: 1))
    #expect(schema["c"]?.minimumFraction == 1 && schema["d"]?.minimumFraction == 0)
    #expect(schema.rows == 0...5)
    for table in tables { #expect(DataCheck(schema).anomalies(of: table).isEmpty) }
  }

  @Test func `thresholds are at least twice what the tables differ by`() throws {
    let one = try Self.table(["a", "a", "a", "b"])
    let two = try Self.table(["a", "a", "b", "b"])
    let schema = SchemaInference().schema(of: [one, two])
    // 3/4 against 2/4.
    #expect(schema["c"]?.drift == Comparator(.lInfinity, threshold: 0.5))
    #expect(SchemaInference().schema(of: [one, one])["c"]?.drift?.threshold == 0.1)
    let far = try Self.table(["z", "z"])
    #expect(SchemaInference().schema(of: [one, far])["c"]?.drift?.threshold == 1)
  }

  @Test func `identifiers and keys have neither domain nor thresholds`() throws {
    var inference = SchemaInference()
    inference.identifiers = ["c"]
    inference.key = ["d"]
    let schema = inference.schema(of: try Self.table(["1", "2"]))
    for name in ["c", "d"] {
      #expect(schema[name]?.domain == .any && schema[name]?.drift == nil)
      #expect(schema[name]?.type == .integer && schema[name]?.minimumFraction == 1)
    }
    #expect(schema.key == RowKey(["d"]))
  }

  @Test func `cells are divided where the schema says`() throws {
    var column = ColumnSchema("c", type: .text)
    column.separator = ", "
    column.valency = 1...3
    let table = try Self.table(["a, b", "", "c", ", ,"]).splitCells(by: DataSchema([column]))
    #expect(table["c"]?.rows == [["a", "b"], [], ["c"], ["", ","]])
    #expect(table["d"]?.rows == [["a, b"], [], ["c"], [", ,"]])
  }
}

/// Simulated and measured rows of the same key.
@Suite struct RowPairTests {
  private static func table(_ rows: [(String, String, String)]) throws -> DataTable {
    try DataTable([
      DataColumn("op", cells: rows.map(\.0)), DataColumn("kind", cells: rows.map(\.1)),
      DataColumn("us", cells: rows.map(\.2)),
    ])
  }

  private static func check(
    _ measured: [(String, String, String)], unpaired: Double = 0, share: Double = 0
  ) throws -> DataCheck {
    var kind = ColumnSchema("kind", type: .text)
    kind.featureSkew = FeatureSkew(tolerance: 0, maximumFraction: share)
    var time = ColumnSchema("us", type: .float)
    time.featureSkew = FeatureSkew(tolerance: 0.1, maximumFraction: share)
    var schema = DataSchema([ColumnSchema("op", type: .text), kind, time])
    schema.key = RowKey(["op"])
    schema.key?.maximumUnpaired = unpaired
    return DataCheck(schema, counterpart: try table(measured))
  }

  @Test func `the same rows in another order agree`() throws {
    let rows = [("a", "send", "10"), ("b", "recv", "20"), ("c", "send", "30")]
    #expect(try Self.check(rows.reversed()).anomalies(of: try Self.table(rows)).isEmpty)
  }

  @Test func `values are compared row by row, numbers within their tolerance`() throws {
    let rows = [("a", "send", "10"), ("b", "recv", "20"), ("c", "send", "30"), ("d", "send", "40")]
    // 11 of 10 is within a tenth of the larger, 23 of 20 is not; swapped, the columns' counts agree.
    let measured = [
      ("a", "recv", "11"), ("b", "send", "23"), ("c", "send", "30"), ("d", "send", "40"),
    ]
    let found = try Self.check(measured).anomalies(of: try Self.table(rows))
    #expect(
      found.map(\.finding) == [
        .featureSkew(found: 0.5, maximum: 0, key: "op a", here: "send", there: "recv"),
        .featureSkew(found: 0.25, maximum: 0, key: "op b", here: "20", there: "23"),
      ])
    #expect(
      found[1].description
        == "us: a fraction 0.25 of the rows differs from the measured ones; expected at most 0.0; "
        + "first op b: 20, measured 23")
    var check = try Self.check(measured)
    for anomaly in found { check.schema = check.schema.applying(anomaly.suggestion) }
    #expect(check.anomalies(of: try Self.table(rows)).isEmpty)
  }

  @Test func `rows without a partner are counted on both sides`() throws {
    let rows = [("a", "send", "10"), ("b", "send", "10"), ("b", "send", "12")]
    let measured = [("b", "send", "10"), ("a", "send", "10"), ("z", "send", "10")]
    let table = try Self.table(rows)
    let found = try Self.check(measured).anomalies(of: table)
    // The second b and z, of six rows.
    #expect(
      found.map(\.finding) == [.unpairedRows(found: 2.0 / 6, maximum: 0, key: "op b")])
    #expect(try Self.check(measured, unpaired: 0.34).anomalies(of: table).isEmpty)
    #expect(found[0].suggestion == .setUnpaired(2.0 / 6))
  }

  @Test func `without its columns a key pairs nothing`() throws {
    let rows = [("a", "send", "10")]
    var check = try Self.check(rows)
    check.counterpart = try DataTable([DataColumn("us", cells: ["10"])])
    let found = check.anomalies(of: try Self.table(rows))
    #expect(found.map(\.finding) == [.keyMissing] && found[0].column == "op")
    check.schema = check.schema.applying(found[0].suggestion)
    #expect(check.anomalies(of: try Self.table(rows)).isEmpty)
  }

  @Test func `empty tables have no pairs and no skew`() throws {
    let check = try Self.check([])
    #expect(check.anomalies(of: try Self.table([])).isEmpty)
    #expect(check.anomalies(of: try Self.table([("a", "send", "1")])).count == 1)
  }
}
