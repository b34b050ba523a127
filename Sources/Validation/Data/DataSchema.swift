/// What a column's values may be.
public enum Domain: Sendable, Equatable {
  /// Anything of the column's type.
  case any
  /// Numbers in a range, whose ends may be infinite.
  case range(ClosedRange<Double>)
  /// These texts, in ascending order, for all but a fraction 1 - `minimumMass` of the values.
  case values([String], minimumMass: Double)
}

/// How a column may differ from the same column elsewhere.
public struct Comparator: Sendable, Equatable {
  /// How the difference is measured.
  public enum Distance: String, Sendable, CaseIterable {
    /// The largest difference of fractions, of texts.
    case lInfinity = "l_infinity"
    /// The divergence of the histograms of numbers, or of the fractions of texts.
    case jensenShannon = "jensen_shannon"
    /// The largest difference of counts over all counts, of texts.
    case normalizedAbsoluteDifference = "normalized_absolute_difference"
  }

  /// How the difference is measured.
  public var distance: Distance
  /// The largest difference that is no anomaly.
  public var threshold: Double

  /// At most `threshold` by `distance`.
  public init(_ distance: Distance, threshold: Double) {
    self.distance = distance
    self.threshold = threshold
  }
}

/// What one column must be like.
public struct ColumnSchema: Sendable, Equatable {
  /// The column's name.
  public var name: String
  /// The widest type that values may have.
  public var type: DataType
  /// The least fraction of rows with a value.
  public var minimumFraction = 0.0
  /// The least number of rows with a value.
  public var minimumCount = 0
  /// How many values a row that has any may have.
  public var valency = 1...1
  /// What the values may be.
  public var domain = Domain.any
  /// Whether a number may be NaN.
  public var allowsNaN = false
  /// Whether a number may be infinite.
  public var allowsInfinity = false
  /// Whether no value may occur twice.
  public var isUnique = false
  /// Whether the column is in production; planned, debugging and deprecated columns are not
  /// checked, but known.
  public var isChecked = true
  /// The environments that lack the column, such as results without seeds.
  public var absentIn: [String] = []
  /// How far the column may be from the same one of an older table.
  public var drift: Comparator?
  /// How far a simulated column may be from the measured one.
  public var skew: Comparator?

  /// A column of one value a row that may be missing, of any value of `type`.
  public init(_ name: String, type: DataType) {
    self.name = name
    self.type = type
  }
}

/// What a table must be like (Breck et al., Data Validation for Machine Learning, SysML 2019).
///
/// A schema is inferred once, read by a person, and changed only when an anomaly turns out to be
/// the schema's fault.
public struct DataSchema: Sendable, Equatable {
  /// The columns, in the order of the file they were inferred from.
  public var columns: [ColumnSchema]
  /// The least and the largest number of rows.
  public var rows = 0...Int.max
  /// The least and the largest number of rows, as a multiple of the older table's.
  public var rowRatio: ClosedRange<Double>?

  /// A schema of `columns` for any number of rows.
  public init(_ columns: [ColumnSchema]) { self.columns = columns }

  /// The schema of the column called `name`, if there is one.
  public subscript(name: String) -> ColumnSchema? { columns.first { $0.name == name } }
}

// MARK: - Inference

/// How a schema is inferred.
public struct SchemaInference: Sendable, Equatable {
  /// The most different texts that make a domain; more are free text.
  public var largestDomain = 100
  /// By how much of its width the range of a column is widened to become its domain.
  ///
  /// Nil for no range but the sign: columns without a negative number stay without. Not negative.
  public var rangeMargin: Double?
  /// The drift threshold of every column.
  public var driftThreshold = 0.1
  /// The skew threshold of every column.
  public var skewThreshold = 0.1

  /// The usual inference.
  public init() {}

  /// The narrowest sensible schema that `table` satisfies.
  ///
  /// Columns always present are required. A column without any value is text that may be missing.
  public func schema(of table: DataTable) -> DataSchema {
    var schema = DataSchema(table.columns.map { column(ColumnStatistics($0)) })
    schema.rows = min(1, table.rowCount)...Int.max
    return schema
  }

  /// The schema of one column.
  public func column(_ statistics: ColumnStatistics) -> ColumnSchema {
    var column = ColumnSchema(statistics.name, type: statistics.type ?? .text)
    guard let valency = statistics.valency else { return column }
    if statistics.present == statistics.rows {
      column.minimumFraction = 1
      column.minimumCount = 1
    }
    column.valency = valency
    column.allowsNaN = statistics.notANumber > 0
    column.allowsInfinity = statistics.negativeInfinite + statistics.positiveInfinite > 0
    let isText = column.type == .text
    if isText {
      if statistics.counts.count <= largestDomain {
        column.domain = .values(statistics.counts.map(\.value), minimumMass: 1)
      }
    } else if let extent = statistics.extent {
      column.domain = domain(extent)
    }
    // Free texts, such as identifiers, differ between any two tables.
    if !isText || column.domain != .any {
      let distance: Comparator.Distance = isText ? .lInfinity : .jensenShannon
      column.drift = Comparator(distance, threshold: driftThreshold)
      column.skew = Comparator(distance, threshold: skewThreshold)
    }
    return column
  }

  private func domain(_ extent: ClosedRange<Double>) -> Domain {
    if let rangeMargin {
      precondition(rangeMargin >= 0, "a margin widens a range")
      // Not 0 times a width that may be infinite.
      let margin =
        rangeMargin == 0 ? 0 : rangeMargin * (extent.upperBound - extent.lowerBound)
      return .range((extent.lowerBound - margin)...(extent.upperBound + margin))
    }
    return extent.lowerBound >= 0 ? .range(0...Double.infinity) : .any
  }
}
