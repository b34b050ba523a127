import SimKernel

/// Checks tables against a schema.
public struct DataCheck: Sendable {
  /// What is expected.
  public var schema: DataSchema
  /// Where the table comes from; columns absent there are not required.
  public var environment: String?
  /// The older table that drift is measured from.
  public var previous: DataTable?
  /// The measured table that skew is measured from.
  public var counterpart: DataTable?

  /// A check against `schema`, and against other tables if given.
  public init(
    _ schema: DataSchema, environment: String? = nil, previous: DataTable? = nil,
    counterpart: DataTable? = nil
  ) {
    self.schema = schema
    self.environment = environment
    self.previous = previous
    self.counterpart = counterpart
  }

  /// Every anomaly of `table`: by column in the order of the schema, then new columns in the order
  /// of the table, then rows beside measured ones, then their number.
  ///
  /// - Complexity: O(v log v) in the number of values.
  public func anomalies(of table: DataTable) -> [Anomaly] {
    var anomalies: [Anomaly] = []
    for column in schema.columns where column.stage.isChecked {
      if let environment, column.absentIn.contains(environment) { continue }
      if let data = table[column.name] {
        let statistics = ColumnStatistics(data)
        let before = anomalies.count
        check(statistics, column, &anomalies)
        // Values of another type have no distribution to compare.
        if anomalies[before...].contains(where: \.isOfType) { continue }
        compare(statistics, column, &anomalies)
      } else if column.minimumFraction > 0 || column.minimumCount > 0 {
        anomalies.append(
          Anomaly(
            column: column.name, finding: .missingColumn, suggestion: .stopChecking(column.name)))
      }
    }
    let names = schema.columns.map(\.name)
    for data in table.columns where schema[data.name] == nil {
      anomalies.append(
        Anomaly(
          column: data.name,
          finding: .newColumn(similar: Spelling.suggestion(for: data.name, among: names)),
          suggestion: .addColumn(SchemaInference().column(ColumnStatistics(data)))))
    }
    if let counterpart, let key = schema.key {
      checkPairs(RowPairs(table, counterpart, key: key), key, table, counterpart, &anomalies)
    }
    checkRows(table.rowCount, &anomalies)
    return anomalies
  }

  // MARK: - One column

  private func check(
    _ statistics: ColumnStatistics, _ column: ColumnSchema, _ anomalies: inout [Anomaly]
  ) {
    let name = column.name
    func report(_ finding: Anomaly.Finding, _ suggestion: SchemaChange) {
      anomalies.append(Anomaly(column: name, finding: finding, suggestion: suggestion))
    }
    guard let valency = statistics.valency, let type = statistics.type else {
      if column.minimumFraction > 0 || column.minimumCount > 0 {
        report(.notPresent, .stopChecking(name))
      }
      return
    }
    if statistics.presentFraction < column.minimumFraction {
      report(
        .lowFractionPresent(
          found: statistics.presentFraction, minimum: column.minimumFraction),
        .setMinimumFraction(name, statistics.presentFraction))
    }
    if statistics.present < column.minimumCount {
      report(
        .lowCountPresent(found: statistics.present, minimum: column.minimumCount),
        .setMinimumCount(name, statistics.present))
    }
    // Either suggestion covers both ends, so that they can be made in any order.
    let known = column.valency
    let wider =
      min(valency.lowerBound, known.lowerBound)...max(valency.upperBound, known.upperBound)
    if valency.lowerBound < known.lowerBound {
      report(
        .lowNumberOfValues(found: valency.lowerBound, minimum: known.lowerBound),
        .setValency(name, wider))
    }
    if valency.upperBound > known.upperBound {
      report(
        .highNumberOfValues(found: valency.upperBound, maximum: known.upperBound),
        .setValency(name, wider))
    }
    if column.isUnique, let twice = statistics.counts.first(where: { $0.count > 1 }) {
      report(.repeated(value: twice.value, count: twice.count), .allowRepetition(name))
    }
    if type > column.type {
      report(.unexpectedType(found: type, expected: column.type), .setType(name, type))
      // Neither numbers nor a domain to speak of, unless an integer became a float.
      if type == .text { return }
    }
    if column.type < .text {
      if statistics.notANumber > 0, !column.allowsNaN {
        report(.hasNaN(count: statistics.notANumber), .allowNaN(name))
      }
      let infinite = statistics.negativeInfinite + statistics.positiveInfinite
      if infinite > 0, !column.allowsInfinity {
        report(.hasInfinity(count: infinite), .allowInfinity(name))
      }
    }
    checkDomain(statistics, column, report)
  }

  private func checkDomain(
    _ statistics: ColumnStatistics, _ column: ColumnSchema,
    _ report: (Anomaly.Finding, SchemaChange) -> Void
  ) {
    switch column.domain {
    case .any:
      break
    case .range(let range):
      guard let extent = statistics.extent else { return }
      let wider =
        min(extent.lowerBound, range.lowerBound)...max(extent.upperBound, range.upperBound)
      if extent.lowerBound < range.lowerBound {
        report(
          .small(found: extent.lowerBound, minimum: range.lowerBound),
          .setRange(column.name, wider))
      }
      if extent.upperBound > range.upperBound {
        report(
          .big(found: extent.upperBound, maximum: range.upperBound),
          .setRange(column.name, wider))
      }
    case .values(let values, let minimumMass):
      let known = Set(values)
      var unexpected: [String] = []
      var outside = 0
      var total = 0
      for entry in statistics.counts {
        total += entry.count
        if !known.contains(entry.value) {
          unexpected.append(entry.value)
          outside += entry.count
        }
      }
      let mass = Double(outside) / Double(total)
      // Written with what is inside, which at 9 of 10 is exactly the nearest double to 0.9.
      if Double(total - outside) / Double(total) < minimumMass {
        report(
          .unexpectedValues(unexpected, mass: mass), .addValues(column.name, unexpected))
      }
    }
  }

  // MARK: - Other tables

  private func compare(
    _ statistics: ColumnStatistics, _ column: ColumnSchema, _ anomalies: inout [Anomaly]
  ) {
    if let comparator = column.drift, let other = previous?[column.name],
      let (distance, value) = Self.distance(
        statistics, ColumnStatistics(other), comparator.distance),
      distance > comparator.threshold
    {
      anomalies.append(
        Anomaly(
          column: column.name,
          finding: .drift(
            comparator.distance, found: distance, threshold: comparator.threshold, value: value),
          suggestion: .setDriftThreshold(column.name, distance)))
    }
    guard let comparator = column.skew, let counterpart, statistics.present > 0 else { return }
    guard let other = counterpart[column.name] else {
      anomalies.append(
        Anomaly(
          column: column.name, finding: .missingInCounterpart,
          suggestion: .stopComparing(column.name)))
      return
    }
    if let (distance, value) = Self.distance(
      statistics, ColumnStatistics(other), comparator.distance),
      distance > comparator.threshold
    {
      anomalies.append(
        Anomaly(
          column: column.name,
          finding: .skew(
            comparator.distance, found: distance, threshold: comparator.threshold, value: value),
          suggestion: .setSkewThreshold(column.name, distance)))
    }
  }

  /// The distance of two columns and the text behind it; nil when either has no value.
  static func distance(
    _ left: ColumnStatistics, _ right: ColumnStatistics, _ distance: Comparator.Distance
  ) -> (Double, String?)? {
    guard let leftType = left.type, let rightType = right.type else { return nil }
    switch distance {
    case .lInfinity:
      let largest = DistributionDistance.lInfinity(left.counts, right.counts)
      return (largest.distance, largest.value)
    case .normalizedAbsoluteDifference:
      let largest = DistributionDistance.normalizedAbsoluteDifference(left.counts, right.counts)
      return (largest.distance, largest.value)
    case .jensenShannon:
      if leftType == .text || rightType == .text {
        return (DistributionDistance.jensenShannon(left.counts, right.counts), nil)
      }
      return (DistributionDistance.jensenShannon(Histogram(left), Histogram(right)), nil)
    }
  }

  // MARK: - The same rows

  private func checkPairs(
    _ pairs: RowPairs, _ key: RowKey, _ table: DataTable, _ counterpart: DataTable,
    _ anomalies: inout [Anomaly]
  ) {
    if let missing = pairs.missing {
      anomalies.append(Anomaly(column: missing, finding: .keyMissing, suggestion: .removeKey))
      return
    }
    if let first = pairs.firstUnpaired, pairs.unpairedFraction > key.maximumUnpaired {
      anomalies.append(
        Anomaly(
          column: nil,
          finding: .unpairedRows(
            found: pairs.unpairedFraction, maximum: key.maximumUnpaired, key: first),
          suggestion: .setUnpaired(pairs.unpairedFraction)))
    }
    for column in schema.columns where column.stage.isChecked {
      if let environment, column.absentIn.contains(environment) { continue }
      guard let allowed = column.featureSkew, let here = table[column.name],
        let there = counterpart[column.name]
      else { continue }
      guard let difference = pairs.difference(here, there, tolerance: allowed.tolerance),
        difference.fraction > allowed.maximumFraction
      else { continue }
      anomalies.append(
        Anomaly(
          column: column.name,
          finding: .featureSkew(
            found: difference.fraction, maximum: allowed.maximumFraction, key: difference.key,
            here: difference.here, there: difference.there),
          suggestion: .setFeatureSkew(column.name, difference.fraction)))
    }
  }

  // MARK: - Rows

  private func checkRows(_ count: Int, _ anomalies: inout [Anomaly]) {
    let rows = schema.rows
    if count < rows.lowerBound {
      anomalies.append(
        Anomaly(
          column: nil, finding: .lowNumberOfRows(found: count, minimum: rows.lowerBound),
          suggestion: .setRows(count...rows.upperBound)))
    }
    if count > rows.upperBound {
      anomalies.append(
        Anomaly(
          column: nil, finding: .highNumberOfRows(found: count, maximum: rows.upperBound),
          suggestion: .setRows(rows.lowerBound...count)))
    }
    guard let ratios = schema.rowRatio, let previous, previous.rowCount > 0 else { return }
    let ratio = Double(count) / Double(previous.rowCount)
    if ratio < ratios.lowerBound {
      anomalies.append(
        Anomaly(
          column: nil, finding: .lowRowRatio(found: ratio, minimum: ratios.lowerBound),
          suggestion: .setRowRatio(ratio...ratios.upperBound)))
    }
    if ratio > ratios.upperBound {
      anomalies.append(
        Anomaly(
          column: nil, finding: .highRowRatio(found: ratio, maximum: ratios.upperBound),
          suggestion: .setRowRatio(ratios.lowerBound...ratio)))
    }
  }
}

extension Anomaly {
  fileprivate var isOfType: Bool {
    if case .unexpectedType = finding { true } else { false }
  }
}
