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

/// How far the values of one row may be from those of the same row elsewhere.
public struct FeatureSkew: Sendable, Equatable {
  /// The largest difference of two numbers, as a fraction of the larger one's magnitude, that is
  /// none; texts must be the same.
  public var tolerance: Double
  /// The largest fraction of the paired rows that may differ.
  public var maximumFraction: Double

  /// At most `maximumFraction` of the rows off by more than `tolerance`.
  public init(tolerance: Double, maximumFraction: Double) {
    self.tolerance = tolerance
    self.maximumFraction = maximumFraction
  }
}

/// Which rows of a simulated and a measured table are the same example.
public struct RowKey: Sendable, Equatable {
  /// The columns whose values name a row; at least one.
  public var columns: [String]
  /// The largest fraction of the rows of both tables that may lack a partner.
  public var maximumUnpaired = 0.0

  /// Rows that agree in `columns`.
  public init(_ columns: [String]) { self.columns = columns }
}

/// Where a column is in its life; only columns in use are checked.
public enum Stage: String, Sendable, CaseIterable {
  /// Not there yet.
  case planned
  /// Being tried, without a promise.
  case alpha
  /// Being tried, and checked.
  case beta
  /// In use.
  case production
  /// Only for people who look for a fault.
  case debug
  /// On its way out.
  case deprecated

  /// Whether data must satisfy the schema.
  public var isChecked: Bool { self == .beta || self == .production }
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
  /// Where the column is in its life; what is not in use is known, but not checked.
  public var stage = Stage.production
  /// What divides a cell of a file into several values; nil for one value a cell.
  public var separator: String?
  /// The environments that lack the column, such as results without seeds.
  public var absentIn: [String] = []
  /// How far the column may be from the same one of an older table.
  public var drift: Comparator?
  /// How far a simulated column may be from the measured one.
  public var skew: Comparator?
  /// How far a value may be from the measured one of the same row; needs the schema's `key`.
  public var featureSkew: FeatureSkew?

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
  /// Which rows of the measured table are the same; nil where rows are not compared.
  public var key: RowKey?

  /// A schema of `columns` for any number of rows.
  public init(_ columns: [ColumnSchema]) { self.columns = columns }

  /// The schema of the column called `name`, if there is one.
  public subscript(name: String) -> ColumnSchema? { columns.first { $0.name == name } }
}
