/// A way in which data and schema disagree.
public struct Anomaly: Sendable, Equatable {
  /// What was found.
  public enum Finding: Sendable, Equatable {
    /// A column that the schema does not know; `similar` is a name it was perhaps meant to be.
    case newColumn(similar: String?)
    /// A required column that the table lacks.
    case missingColumn
    /// A required column without any value.
    case notPresent
    /// Values in too small a fraction of the rows.
    case lowFractionPresent(found: Double, minimum: Double)
    /// Values in too few rows.
    case lowCountPresent(found: Int, minimum: Int)
    /// Rows with too few values.
    case lowNumberOfValues(found: Int, minimum: Int)
    /// Rows with too many values.
    case highNumberOfValues(found: Int, maximum: Int)
    /// Values of a wider type.
    case unexpectedType(found: DataType, expected: DataType)
    /// Texts outside the domain, and their fraction of all values.
    case unexpectedValues([String], mass: Double)
    /// Numbers below the range.
    case small(found: Double, minimum: Double)
    /// Numbers above the range.
    case big(found: Double, maximum: Double)
    /// Numbers that are not a number.
    case hasNaN(count: Int)
    /// Numbers that are infinite.
    case hasInfinity(count: Int)
    /// A value that occurs again; the first such.
    case repeated(value: String, count: Int)
    /// Too far from the older table; `value` is the text that differs most.
    case drift(Comparator.Distance, found: Double, threshold: Double, value: String?)
    /// Too far from the measured table.
    case skew(Comparator.Distance, found: Double, threshold: Double, value: String?)
    /// Simulated but not measured.
    case missingInCounterpart
    /// Rows whose value is too far from that of the measured row of the same key, and the first
    /// such.
    case featureSkew(found: Double, maximum: Double, key: String, here: String, there: String)
    /// Rows of either table without a partner of the same key, and the first such key.
    case unpairedRows(found: Double, maximum: Double, key: String)
    /// A column of the key that one of the tables lacks.
    case keyMissing
    /// Too few rows.
    case lowNumberOfRows(found: Int, minimum: Int)
    /// Too many rows.
    case highNumberOfRows(found: Int, maximum: Int)
    /// Too few rows beside the older table.
    case lowRowRatio(found: Double, minimum: Double)
    /// Too many rows beside the older table.
    case highRowRatio(found: Double, maximum: Double)
  }

  /// The column; nil for anomalies of the whole table.
  public var column: String?
  /// What was found.
  public var finding: Finding
  /// What makes the data valid if it is the schema that is wrong.
  public var suggestion: SchemaChange
}

extension Anomaly.Finding {
  /// The class of the anomaly, for scripts.
  public var name: String {
    switch self {
    case .newColumn: "new_column"
    case .missingColumn: "missing_column"
    case .notPresent: "not_present"
    case .lowFractionPresent: "low_fraction_present"
    case .lowCountPresent: "low_count_present"
    case .lowNumberOfValues: "low_number_of_values"
    case .highNumberOfValues: "high_number_of_values"
    case .unexpectedType: "unexpected_type"
    case .unexpectedValues: "unexpected_values"
    case .small: "below_range"
    case .big: "above_range"
    case .hasNaN: "nan"
    case .hasInfinity: "infinity"
    case .repeated: "not_unique"
    case .drift(let distance, _, _, _): "drift_\(distance.rawValue)"
    case .skew(let distance, _, _, _): "skew_\(distance.rawValue)"
    case .missingInCounterpart: "not_measured"
    case .featureSkew: "feature_skew"
    case .unpairedRows: "unpaired_rows"
    case .keyMissing: "key_missing"
    case .lowNumberOfRows: "few_rows"
    case .highNumberOfRows: "many_rows"
    case .lowRowRatio: "low_row_ratio"
    case .highRowRatio: "high_row_ratio"
    }
  }
}

extension Anomaly: CustomStringConvertible {
  /// Where, what was found, and what was expected.
  public var description: String { (column.map { "\($0): " } ?? "") + message }

  /// What was found and what was expected, without where.
  public var message: String {
    switch finding {
    case .newColumn(let similar):
      "a column that the schema does not know" + (similar.map { "; did you mean \"\($0)\"?" } ?? "")
    case .missingColumn: "the column is missing"
    case .notPresent: "no row has a value"
    case .lowFractionPresent(let found, let minimum):
      "a fraction \(found) of the rows has a value; expected at least \(minimum)"
    case .lowCountPresent(let found, let minimum):
      "\(found) rows have a value; expected at least \(minimum)"
    case .lowNumberOfValues(let found, let minimum):
      "a row has \(found) values; expected at least \(minimum)"
    case .highNumberOfValues(let found, let maximum):
      "a row has \(found) values; expected at most \(maximum)"
    case .unexpectedType(let found, let expected): "values are \(found); expected \(expected)"
    case .unexpectedValues(let values, let mass):
      "a fraction \(mass) of the values is outside the domain: "
        + values.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
        + (values.count > 5 ? " and \(values.count - 5) more" : "")
    case .small(let found, let minimum): "\(found) is below \(minimum)"
    case .big(let found, let maximum): "\(found) is above \(maximum)"
    case .hasNaN(let count): count == 1 ? "1 value is NaN" : "\(count) values are NaN"
    case .hasInfinity(let count):
      count == 1 ? "1 value is infinite" : "\(count) values are infinite"
    case .repeated(let value, let count): "\"\(value)\" occurs \(count) times; expected once"
    case .drift(let distance, let found, let threshold, let value):
      Self.comparison("the older table", distance, found, threshold, value)
    case .skew(let distance, let found, let threshold, let value):
      Self.comparison("the measured table", distance, found, threshold, value)
    case .missingInCounterpart: "the measured table has no such column"
    case .featureSkew(let found, let maximum, let key, let here, let there):
      "a fraction \(found) of the rows differs from the measured ones; expected at most \(maximum); "
        + "first \(key): \(here), measured \(there)"
    case .unpairedRows(let found, let maximum, let key):
      "a fraction \(found) of the rows has no partner in the other table; expected at most "
        + "\(maximum); first \(key)"
    case .keyMissing: "a column of the key that one of the tables lacks"
    case .lowNumberOfRows(let found, let minimum): "\(found) rows; expected at least \(minimum)"
    case .highNumberOfRows(let found, let maximum): "\(found) rows; expected at most \(maximum)"
    case .lowRowRatio(let found, let minimum):
      "\(found) times the older table's rows; expected at least \(minimum)"
    case .highRowRatio(let found, let maximum):
      "\(found) times the older table's rows; expected at most \(maximum)"
    }
  }

  private static func comparison(
    _ other: String, _ distance: Comparator.Distance, _ found: Double, _ threshold: Double,
    _ value: String?
  ) -> String {
    "\(distance.rawValue) from \(other) is \(found); expected at most \(threshold)"
      + (value.map { "; most of all \"\($0)\"" } ?? "")
  }
}
