/// A change to a schema that makes one anomaly part of what is expected.
///
/// To be applied by a person who found the data right and the schema wrong.
public enum SchemaChange: Sendable, Equatable {
  /// A new column.
  case addColumn(ColumnSchema)
  /// A column that is no longer checked.
  case stopChecking(String)
  /// The least fraction of rows with a value.
  case setMinimumFraction(String, Double)
  /// The least number of rows with a value.
  case setMinimumCount(String, Int)
  /// The number of values a row.
  case setValency(String, ClosedRange<Int>)
  /// A wider type; what was required of values of the old one is dropped.
  case setType(String, DataType)
  /// More texts of a domain.
  case addValues(String, [String])
  /// A wider range.
  case setRange(String, ClosedRange<Double>)
  /// NaN among the numbers.
  case allowNaN(String)
  /// Infinities among the numbers.
  case allowInfinity(String)
  /// Values that occur twice.
  case allowRepetition(String)
  /// A larger drift.
  case setDriftThreshold(String, Double)
  /// A larger skew.
  case setSkewThreshold(String, Double)
  /// No comparison of simulated and measured values.
  case stopComparing(String)
  /// A larger fraction of rows whose values differ from the measured ones.
  case setFeatureSkew(String, Double)
  /// A larger fraction of rows without a partner.
  case setUnpaired(Double)
  /// No pairing of simulated and measured rows.
  case removeKey
  /// The number of rows.
  case setRows(ClosedRange<Int>)
  /// The number of rows as a multiple of the older table's.
  case setRowRatio(ClosedRange<Double>)
}

extension DataSchema {
  /// The schema with `change` made; unchanged if it speaks of an unknown column.
  public func applying(_ change: SchemaChange) -> DataSchema {
    var schema = self
    switch change {
    case .addColumn(let column): if self[column.name] == nil { schema.columns.append(column) }
    case .stopChecking(let name): schema.update(name) { $0.stage = .deprecated }
    case .setMinimumFraction(let name, let value):
      schema.update(name) { $0.minimumFraction = value }
    case .setMinimumCount(let name, let value): schema.update(name) { $0.minimumCount = value }
    case .setValency(let name, let value): schema.update(name) { $0.valency = value }
    case .setType(let name, let type):
      schema.update(name) {
        $0.type = type
        if type == .text {
          $0.domain = .any
          $0.drift = nil
          $0.skew = nil
          $0.featureSkew = nil
        }
      }
    case .addValues(let name, let values):
      schema.update(name) {
        guard case .values(let known, let mass) = $0.domain else { return }
        let new = values.filter { !known.contains($0) }
        $0.domain = .values((known + new).sorted(), minimumMass: mass)
      }
    case .setRange(let name, let range): schema.update(name) { $0.domain = .range(range) }
    case .allowNaN(let name): schema.update(name) { $0.allowsNaN = true }
    case .allowInfinity(let name): schema.update(name) { $0.allowsInfinity = true }
    case .allowRepetition(let name): schema.update(name) { $0.isUnique = false }
    case .setDriftThreshold(let name, let value):
      schema.update(name) { $0.drift?.threshold = value }
    case .setSkewThreshold(let name, let value): schema.update(name) { $0.skew?.threshold = value }
    case .stopComparing(let name):
      schema.update(name) {
        $0.skew = nil
        $0.featureSkew = nil
      }
    case .setFeatureSkew(let name, let value):
      schema.update(name) { $0.featureSkew?.maximumFraction = value }
    case .setUnpaired(let value): schema.key?.maximumUnpaired = value
    case .removeKey:
      schema.key = nil
      for index in schema.columns.indices { schema.columns[index].featureSkew = nil }
    case .setRows(let range): schema.rows = range
    case .setRowRatio(let range): schema.rowRatio = range
    }
    return schema
  }

  private mutating func update(_ name: String, _ change: (inout ColumnSchema) -> Void) {
    guard let index = columns.firstIndex(where: { $0.name == name }) else { return }
    change(&columns[index])
  }
}
