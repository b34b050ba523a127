import Testing

/// `simnet data infer` and `simnet data check`: what they print, say and exit with.
@Suite struct DataTests {
  private static let old = """
    point,algorithm,workers,time_s
    0,ring,4,0.5
    1,tree,8,0.25
    2,ring,16,0.125
    3,tree,32,0.5

    """
  private static let schema = """
    {
      "simnet_data_schema": 1,
      "rows": { "min": 1 },
      "row_ratio": { "min": 0.99, "max": 1.01 },
      "columns": {
        "point": {
          "type": "integer",
          "presence": { "min_fraction": 1, "min_count": 1 },
          "valency": { "min": 1, "max": 1 }
        },
        "algorithm": {
          "type": "text",
          "presence": { "min_fraction": 1, "min_count": 1 },
          "valency": { "min": 1, "max": 1 },
          "domain": { "values": ["ring", "tree"] },
          "drift": { "distance": "l_infinity", "threshold": 0.1 },
          "skew": { "distance": "l_infinity", "threshold": 0.1 }
        },
        "workers": {
          "type": "integer",
          "presence": { "min_fraction": 1, "min_count": 1 },
          "valency": { "min": 1, "max": 1 },
          "domain": { "min": 0 },
          "drift": { "distance": "jensen_shannon", "threshold": 0.1 },
          "skew": { "distance": "jensen_shannon", "threshold": 0.1 }
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

    """

  /// A folder with the old table and its schema.
  private static func scratch() throws -> Scratch {
    let scratch = try Scratch()
    try scratch.write("old.csv", old)
    try scratch.write("s.json", schema)
    return scratch
  }

  @Test func `a schema goes to standard output or to a file`() throws {
    let scratch = try Self.scratch()
    let shown = try Simnet.run(["data", "infer", "old.csv"], in: scratch.folder)
    #expect(shown.status == 0 && shown.errors == "" && shown.output == Self.schema)
    let written = try Simnet.run(
      ["data", "infer", "old.csv", "-o", "new/s.json"], in: scratch.folder)
    #expect(written.status == 0 && written.output == "")
    #expect(
      written.errors == "wrote new/s.json: 4 columns from 4 rows; read it before you rely on it\n")
    #expect(try scratch.read("new/s.json") == Self.schema)
  }

  @Test func `what satisfies the schema exits with 0`() throws {
    let scratch = try Self.scratch()
    for format in ["table", "json"] {
      let clean = try Simnet.run(
        [
          "data", "check", "old.csv", "--schema", "s.json", "--against", "old.csv", "--measured",
          "old.csv", "--format", format,
        ], in: scratch.folder)
      #expect(clean.status == 0)
      #expect(clean.output == (format == "json" ? "[]\n" : ""))
      #expect(clean.errors == "old.csv: no anomalies in 4 columns, 4 rows\n")
    }
  }

  @Test func `anomalies are printed with their changes, and accepted into a new file`() throws {
    let scratch = try Self.scratch()
    try scratch.write(
      "new.csv",
      """
      point,algorithm,workers,time_s,algoritm
      0,ring,4,0.5,x
      1,rings,8,-1,x
      2,ring,16,nan,x
      3,tree,,0.5,x
      4,tree,4,inf,x

      """)
    let check = ["data", "check", "new.csv", "--schema", "s.json"]
    let found = try Simnet.run(check, in: scratch.folder)
    #expect(found.status == 3)
    #expect(found.errors == "new.csv: 6 anomalies in 5 columns, 5 rows\n")
    #expect(
      found.output == #"""
        algorithm: unexpected_values: a fraction 0.2 of the values is outside the domain: "rings"
          change: {"columns":{"algorithm":{"domain":{"values":["ring","rings","tree"]}}}}
        workers: low_fraction_present: a fraction 0.8 of the rows has a value; expected at least 1.0
          change: {"columns":{"workers":{"presence":{"min_fraction":0.8}}}}
        time_s: nan: 1 value is NaN
          change: {"columns":{"time_s":{"nan":true}}}
        time_s: infinity: 1 value is infinite
          change: {"columns":{"time_s":{"infinity":true}}}
        time_s: below_range: -1.0 is below 0.0
          change: {"columns":{"time_s":{"domain":{"min":-1}}}}
        algoritm: new_column: a column that the schema does not know; did you mean "algorithm"?
          change: {"columns":{"algoritm":{"type":"text","presence":{"min_fraction":1,"min_count":1},"valency":{"min":1,"max":1},"domain":{"values":["x"]},"drift":{"distance":"l_infinity","threshold":0.1},"skew":{"distance":"l_infinity","threshold":0.1}}}}

        """#)
    let json = try Simnet.run(
      check + ["--format", "json", "--accept", "-o", "s2.json"], in: scratch.folder)
    #expect(json.status == 3)
    #expect(
      json.output.hasPrefix(
        #"""
        [
          {"column":"algorithm","anomaly":"unexpected_values","message":"a fraction 0.2 of the values is outside the domain: \"rings\"","change":{"columns":{"algorithm":{"domain":{"values":["ring","rings","tree"]}}}}},

        """#))
    #expect(
      json.errors == """
        new.csv: 6 anomalies in 5 columns, 5 rows
        wrote s2.json with these changes

        """)
    let accepted = try Simnet.run(
      ["data", "check", "new.csv", "--schema", "s2.json"], in: scratch.folder)
    #expect(accepted.status == 0 && accepted.output == "")
    #expect(try scratch.read("s.json") == Self.schema)
  }

  @Test func `what an accepted change brings to light is said`() throws {
    let scratch = try Self.scratch()
    try scratch.write("new.csv", Self.old.replacing("32,0.5", with: "320.5,0.5"))
    let run = try Simnet.run(
      [
        "data", "check", "new.csv", "--schema", "s.json", "--against", "old.csv", "--accept",
        "-o", "s2.json",
      ], in: scratch.folder)
    #expect(run.status == 3)
    #expect(
      run.errors.hasSuffix("wrote s2.json with this change; it finds 1 more, so check again\n"))
    #expect(
      run.output == """
        workers: unexpected_type: values are float; expected integer
          change: {"columns":{"workers":{"type":"float"}}}

        """)
  }

  @Test func `tables come as CSV, JSON, JSON Lines and model tables`() throws {
    let scratch = try Self.scratch()
    try scratch.write(
      "old.jsonl",
      """
      {"point": 0, "algorithm": "ring", "workers": 4, "time_s": 0.5}
      {"point": 1, "algorithm": "tree", "workers": 8, "time_s": 0.25}

      {"point": 2, "algorithm": "ring", "workers": 16, "time_s": 0.125}
      {"point": 3, "algorithm": "tree", "workers": 32, "time_s": 0.5}

      """)
    try scratch.write(
      "old.json",
      "[" + (try scratch.read("old.jsonl")).split(separator: "\n").joined(separator: ",") + "]")
    for file in ["old.jsonl", "old.json"] {
      let run = try Simnet.run(["data", "infer", file], in: scratch.folder)
      #expect(run.status == 0 && run.output == Self.schema, "\(run.errors)")
    }
    try scratch.write("m.csv", "# name: m\n# batch: 4\ntensor,shape\nw,3x2\nb,2\n")
    try scratch.write(
      "m.json",
      #"{"tensors_forward_order": [{"name": "w", "shape": [3, 2]}, {"name": "b", "shape": [2]}]}"#)
    let csv = try Simnet.run(
      ["data", "infer", "m.csv", "--split", "shape=x"], in: scratch.folder)
    #expect(csv.output.contains(#""separator": "x""#))
    let json = try Simnet.run(["data", "infer", "m.json"], in: scratch.folder)
    for run in [csv, json] {
      #expect(run.status == 0 && run.output.contains(#""valency": { "min": 1, "max": 2 }"#))
    }
  }

  @Test func `bad input exits with 65, and says where`() throws {
    let scratch = try Self.scratch()
    for (name, text, message) in [
      ("ragged.csv", "a,b\n1\n", "ragged.csv, row 1: 1 cells; the header has 2\n"),
      ("empty.csv", "", "empty.csv: there is no header; give a table with named columns\n"),
      (
        "twice.csv", "a,a\n1,2\n",
        "twice.csv: two columns are called a; give every column a name of its own\n"
      ),
      (
        "nested.jsonl", "{\"a\": 1}\n{\"a\": {\"b\": 2}}\n",
        "nested.jsonl:2:1: [1].a: found an object inside a record, expected a value or a list of "
          + "values, for example 1\n"
      ),
      (
        "torn.jsonl", "{\"a\": 1}\n{\"a\":\n",
        "torn.jsonl:2:6: line 2: the text ends where a value should begin; give one object a line\n"
      ),
      ("torn.json", "[1,\n", "torn.json:2:1: "),
      ("object.json", "{}", "object.json: an object that is no model table; give a list"),
      ("plain.json", "[1]", "plain.json:1:2: [0]: found a number, expected a flat object"),
    ] {
      try scratch.write(name, text)
      let run = try Simnet.run(["data", "infer", name], in: scratch.folder)
      #expect(run.status == 65 && run.output == "", "\(name)")
      #expect(run.errors.hasPrefix(message), "\(run.errors)")
    }
    try scratch.write("damaged.json", Self.schema.replacing("\"integer\"", with: "\"intger\""))
    let damaged = try Simnet.run(
      ["data", "check", "old.csv", "--schema", "damaged.json"], in: scratch.folder)
    #expect(damaged.status == 65 && damaged.output == "")
    #expect(
      damaged.errors == """
        damaged.json:7:15: schema.columns.point.type: unknown type "intger"; did you mean "integer"?
        damaged.json:20:15: schema.columns.workers.type: unknown type "intger"; did you mean "integer"?
        2 problems; nothing was run

        """)
    let unknown = try Simnet.run(
      ["data", "infer", "old.csv", "--key", "poin"], in: scratch.folder)
    #expect(unknown.status == 64)
    #expect(unknown.errors.hasPrefix(#"--key: unknown column "poin"; did you mean "point"?"#))
  }

  @Test func `usage exits with 64 and what is not there with 74`() throws {
    let scratch = try Self.scratch()
    for arguments in [
      ["infer"], ["check", "old.csv"], ["check", "old.csv", "--schema", "s.json", "--accept"],
      ["check", "old.csv", "--schema", "s.json", "-o", "s2.json"],
      ["check", "old.csv", "--schema", "s.json", "--accept", "-o", "./s.json"],
      ["infer", "old.csv", "--drift-threshold", "2"], ["infer", "old.csv", "--split", "shape"],
      ["infer", "old.csv", "--range-margin", "-1"], ["fuzz", "-n", "0"], ["fuzz", "--only", "-1"],
      ["fuzz", "--limit", "0"],
    ] {
      let run = try Simnet.run(["data"] + arguments, in: scratch.folder)
      #expect(run.status == 64 && run.output == "", "\(arguments): \(run.errors)")
    }
    for arguments in [
      ["infer", "none.csv"], ["check", "old.csv", "--schema", "none.json"], ["infer", "."],
    ] {
      let run = try Simnet.run(["data"] + arguments, in: scratch.folder)
      #expect(run.status == 74 && run.output == "", "\(arguments): \(run.errors)")
    }
  }

  @Test func `the schema of schemas is printed`() throws {
    let run = try Simnet.run(["schema", "data"])
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains(#""title": "simnet data schema, format 1""#))
  }

  @Test(arguments: [["data"], ["data", "infer"], ["data", "check"], ["data", "fuzz"]])
  func `the help has an example`(command: [String]) throws {
    let help = try Simnet.run(command + ["--help"])
    #expect(help.status == 0 && help.output.contains("Example: simnet data"))
  }
}
