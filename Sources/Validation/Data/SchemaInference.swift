/// How a schema is inferred.
public struct SchemaInference: Sendable, Equatable {
  /// The most different texts that make a domain; more are free text.
  public var largestDomain = 100
  /// By how much of its width the range of a column is widened to become its domain.
  ///
  /// Nil for no range but the sign: columns without a negative number stay without. Not negative.
  public var rangeMargin: Double?
  /// By which fraction later tables may have fewer or more rows; nil for any number but none.
  public var rowMargin: Double?
  /// The rows a table may have as a multiple of the older table's.
  public var rowRatio: ClosedRange<Double>? = 0.99...1.01
  /// The drift threshold of every column, or twice the largest distance between two of the tables
  /// if that is more: so far they differ by chance.
  public var driftThreshold = 0.1
  /// The skew threshold of every column, raised like that of drift.
  public var skewThreshold = 0.1
  /// Columns that name a row and measure nothing, such as seeds and hashes: they differ between any
  /// two tables, so that only their type, presence and valency are inferred.
  public var identifiers: [String] = []
  /// The columns by which rows are paired with measured ones; empty for no pairing.
  public var key: [String] = []
  /// With a key: how far numbers of the same row may differ, as a fraction of the larger.
  public var featureTolerance = 0.1

  /// The usual inference.
  public init() {}

  /// The narrowest sensible schema that `table` satisfies.
  ///
  /// Columns always present are required. A column without any value is text that may be missing.
  public func schema(of table: DataTable) -> DataSchema { schema(of: [table]) }

  /// The narrowest sensible schema that all `tables` satisfy.
  ///
  /// - Complexity: O(v + d log d) in the number of values and of different ones, and O(d t^2) for
  ///   the distances between t tables.
  public func schema(of tables: [DataTable]) -> DataSchema {
    let all = DataTable(joining: tables)
    var schema = DataSchema(all.columns.map { column(ColumnStatistics($0)) })
    for index in schema.columns.indices {
      guard let distance = schema.columns[index].drift?.distance else { continue }
      let chance = Self.largestDistance(schema.columns[index].name, in: tables, distance)
      schema.columns[index].drift?.threshold = Self.threshold(driftThreshold, above: chance)
      schema.columns[index].skew?.threshold = Self.threshold(skewThreshold, above: chance)
    }
    let counts = tables.map(\.rowCount)
    let fewest = counts.min() ?? 0
    if let rowMargin {
      precondition(rowMargin >= 0, "a margin widens a range")
      let most = Double(counts.max() ?? 0) * (1 + rowMargin)
      let least = (Double(fewest) * max(0, 1 - rowMargin)).rounded(.down)
      schema.rows = Int(least)...(most < 0x1p62 ? Int(most.rounded(.up)) : Int.max)
    } else {
      schema.rows = min(1, fewest)...Int.max
    }
    schema.rowRatio = rowRatio
    if !key.isEmpty { schema.key = RowKey(key) }
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
    if identifiers.contains(column.name) || key.contains(column.name) { return column }
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
      if !key.isEmpty {
        column.featureSkew = FeatureSkew(tolerance: featureTolerance, maximumFraction: 0)
      }
    }
    return column
  }

  /// The largest distance between the same column of any two tables.
  private static func largestDistance(
    _ name: String, in tables: [DataTable], _ distance: Comparator.Distance
  ) -> Double {
    if tables.count < 2 { return 0 }
    let statistics = tables.compactMap { table in table[name].map { ColumnStatistics($0) } }
    var largest = 0.0
    for (index, one) in statistics.enumerated() {
      for other in statistics[(index + 1)...] {
        largest = max(largest, DataCheck.distance(one, other, distance)?.0 ?? 0)
      }
    }
    return largest
  }

  /// Twice `chance` in thousandths, rounded up, unless `threshold` is more; at most 1.
  private static func threshold(_ threshold: Double, above chance: Double) -> Double {
    max(threshold, min(1, (chance * 2_000).rounded(.up) / 1_000))
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
