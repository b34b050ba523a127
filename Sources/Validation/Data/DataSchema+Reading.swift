import SimKernel

extension DataSchema {
  /// The version of the format.
  public static let formatVersion = 1

  /// Reads the record that a schema file holds.
  public init(_ fields: inout FieldReader) {
    _ = fields.required(
      "simnet_data_schema", .integer(Self.formatVersion...Self.formatVersion),
      doc: "the version of this format: 1")
    let rows = fields.optionalRecord("rows", doc: "how many rows a table may have") { fields in
      Self.counts(
        &fields, default: 0...Int.max, "the fewest rows", "the most rows; none: any number")
    }
    let ratio = fields.optionalRecord(
      "row_ratio", doc: "how many rows as a multiple of the older table's"
    ) { fields in
      let low = fields.optional("min", .nonNegative, default: 0, doc: "the smallest ratio")
      let high = fields.optional("max", .nonNegative, doc: "the largest ratio; none: any")
      return Self.range(low, high ?? .infinity, &fields)
    }
    let key = fields.optionalRecord(
      "key", doc: "which rows of a measured table are the same as which of this one"
    ) { fields in
      var key = RowKey(
        fields.required(
          "columns", .list(of: .text("a column", example: "point"), atLeast: 1),
          doc: "the columns whose values name a row"))
      key.maximumUnpaired = fields.optional(
        "max_unpaired", .share, default: 0,
        doc: "the largest fraction of the rows of both tables without a partner")
      return key
    }
    let columns = fields.map("columns", doc: "the columns by name, in the order of the table") {
      ColumnSchema("", &$0)
    }
    self.init(
      columns.map { name, column in
        var column = column
        column.name = name
        return column
      })
    if let rows { self.rows = rows }
    rowRatio = ratio
    self.key = key
  }

  /// Reads a whole file.
  ///
  /// - Throws: `InvalidInput` with all problems, each with its line; `JSONError` where it is not JSON.
  public static func parse(_ text: String, origin: String) throws -> DataSchema {
    try read(try JSONNode.parse(text, origin: origin))
  }

  /// Reads the schema that `root` is.
  public static func read(_ root: JSONNode) throws(InvalidInput) -> DataSchema {
    let issues = IssueCollector()
    let schema = FieldReader.read(root, path: FieldPath(["schema"]), issues: issues) {
      DataSchema(&$0)
    }
    try issues.throwIfInvalid()
    return schema
  }

  /// The format as documentation.
  public static var description: RecordDescription {
    RecordDescription.of(name: "data schema", summary: "what a table must be like") {
      _ = DataSchema(&$0)
    }
  }

  /// The bounds `min` and `max` of a count; what is absent is that of `default`.
  fileprivate static func counts(
    _ fields: inout FieldReader, default range: ClosedRange<Int>, _ low: String, _ high: String
  ) -> ClosedRange<Int> {
    let minimum = fields.optional("min", .count(0), default: range.lowerBound, doc: low)
    let maximum = fields.optional("max", .count(0), doc: high) ?? Int.max
    return Self.range(minimum, maximum, &fields)
  }

  /// `low...high`, or a report that they are the wrong way round.
  fileprivate static func range<Bound: Comparable>(
    _ low: Bound, _ high: Bound, _ fields: inout FieldReader
  ) -> ClosedRange<Bound> {
    if low <= high { return low...high }
    fields.report(
      "max", .invalid(found: "max \(high) is below min \(low)", expected: "swap them"))
    return low...low
  }
}

extension ColumnSchema {
  /// Reads the record of the column called `name`.
  fileprivate init(_ name: String, _ fields: inout FieldReader) {
    self.init(name, type: fields.required("type", .dataType, doc: "the widest type of a value"))
    stage = fields.optional(
      "stage", .choice("stage"), default: .production,
      doc: "where the column is in its life; only beta and production are checked")
    absentIn = fields.optional(
      "absent_in", .list(of: .text("an environment", example: "measured")), default: [],
      doc: "the environments (simnet data check --environment) that lack the column")
    (minimumFraction, minimumCount) =
      fields.optionalRecord("presence", doc: "which rows have a value; none: any") { fields in
        (
          fields.optional(
            "min_fraction", .share, default: 0, doc: "the least fraction of the rows"),
          fields.optional("min_count", .count(0), default: 0, doc: "the fewest rows")
        )
      } ?? (0, 0)
    separator = fields.optional(
      "separator", .separator, doc: "what divides a cell into several values")
    valency =
      fields.optionalRecord("valency", doc: "how many values a row that has any has; none: one") {
        DataSchema.counts(&$0, default: 1...Int.max, "the fewest", "the most; none: any number")
      } ?? 1...1
    domain = fields.optionalRecord("domain", doc: "what values may be", Domain.init) ?? .any
    allowsNaN = fields.optional("nan", .bool, default: false, doc: "whether a number may be NaN")
    allowsInfinity = fields.optional(
      "infinity", .bool, default: false, doc: "whether a number may be infinite")
    isUnique = fields.optional(
      "unique", .bool, default: false, doc: "whether no value may occur twice")
    drift = fields.optionalRecord(
      "drift", doc: "how far the column may be from that of an older table", Comparator.init)
    skew = fields.optionalRecord(
      "skew", doc: "how far a simulated column may be from the measured one", Comparator.init)
    featureSkew = fields.optionalRecord(
      "feature_skew", doc: "how far values may be from the measured ones of the same key"
    ) { fields in
      FeatureSkew(
        tolerance: fields.optional(
          "tolerance", .nonNegative, default: 0,
          doc: "the difference of two numbers, as a fraction of the larger, that is none"),
        maximumFraction: fields.optional(
          "max_fraction", .share, default: 0, doc: "the fraction of the rows that may differ"))
    }
  }
}

extension Domain {
  fileprivate init(_ fields: inout FieldReader) {
    let values = fields.optional(
      "values", .list(of: .text("a value", example: "ring")), doc: "the only texts")
    let mass = fields.optional(
      "min_mass", .share, default: 1, doc: "the least fraction of the values that is among them")
    let low = fields.optional("min", .anyNumber, doc: "the smallest number; none: any")
    let high = fields.optional("max", .anyNumber, doc: "the largest number; none: any")
    guard let values else {
      if fields.has("min_mass") {
        fields.report("min_mass", .conflict("min_mass goes with \"values\", which are missing"))
      }
      self = .range(DataSchema.range(low ?? -.infinity, high ?? .infinity, &fields))
      return
    }
    if low != nil || high != nil {
      fields.report("values", .conflict("a domain has either \"values\" or \"min\" and \"max\""))
    }
    self = .values(Array(Set(values)).sorted(), minimumMass: mass)
  }
}

extension Comparator {
  fileprivate init(_ fields: inout FieldReader) {
    self.init(
      fields.required("distance", .choice("distance"), doc: "how the difference is measured"),
      threshold: fields.required(
        "threshold", .share, doc: "the largest distance that is no anomaly"))
  }
}

extension DataType {
  /// What a schema file calls the type.
  public var name: String {
    switch self {
    case .integer: "integer"
    case .float: "float"
    case .text: "text"
    }
  }
}

// MARK: - Kinds of values

extension FieldKind where Value == Double {
  /// A number in 0...1.
  fileprivate static var share: FieldKind<Double> { number(in: 0...1) }
  fileprivate static var anyNumber: FieldKind<Double> {
    number("a number", example: 0) { _ in true }
  }
}

extension FieldKind where Value == String {
  fileprivate static var separator: FieldKind<String> {
    var kind = FieldKind<String>.text("a text that is not empty", example: ";")
    let any = kind.read
    kind.read = { node in
      any(node).flatMap { text in
        text.isEmpty
          ? .failure(.init(.outOfRange(found: "\"\"", expected: "a text that is not empty")))
          : .success(text)
      }
    }
    kind.schema = #"{"type":"string","minLength":1}"#
    return kind
  }
}

/// The names of types in a file.
private enum TypeName: String, CaseIterable, Sendable { case integer, float, text }

extension FieldKind where Value == DataType {
  fileprivate static var dataType: FieldKind<DataType> {
    let names = FieldKind<TypeName>.choice("type")
    return FieldKind(
      expectation: names.expectation, example: names.example, schema: names.schema,
      placeholder: { .text },
      read: { node in
        names.read(node).map { name in
          switch name {
          case .integer: .integer
          case .float: .float
          case .text: .text
          }
        }
      },
      show: { JSONNode.quoted($0.name) })
  }
}
