/// What values of a column are; each type includes those before it.
public enum DataType: Int, Sendable, CaseIterable, Comparable {
  /// Whole numbers of up to 64 bits.
  case integer
  /// Numbers, including NaN and the infinities.
  case float
  /// Anything.
  case text

  /// The narrower type is the smaller one.
  public static func < (left: DataType, right: DataType) -> Bool { left.rawValue < right.rawValue }

  /// The narrowest type of `value`.
  static func narrowest(_ value: String) -> DataType {
    if Int(value) != nil { return .integer }
    return number(value) != nil ? .float : .text
  }

  /// The number that `value` is, in decimal notation or as nan or inf.
  ///
  /// Swift would read hexadecimal floats too, which in a table are names.
  static func number(_ value: String) -> Double? {
    guard let number = Double(value) else { return nil }
    let isHexadecimal = value.utf8.contains { $0 == UInt8(ascii: "x") || $0 == UInt8(ascii: "X") }
    return isHexadecimal ? nil : number
  }
}

/// What one pass over a column tells about it.
public struct ColumnStatistics: Sendable, Equatable {
  /// One value and how often it occurs.
  public struct ValueCount: Sendable, Equatable {
    /// The value as written.
    public var value: String
    /// Its occurrences.
    public var count: Int

    /// `count` times `value`.
    public init(_ value: String, _ count: Int) {
      self.value = value
      self.count = count
    }
  }

  /// The column's name.
  public let name: String
  /// The number of rows.
  public let rows: Int
  /// The rows with at least one value.
  public let present: Int
  /// The fewest and the most values of rows that have any; nil if none has.
  public let valency: ClosedRange<Int>?
  /// The narrowest type that all values have; nil without values.
  public let type: DataType?
  /// The different values in ascending order of their text.
  public let counts: [ValueCount]
  /// The finite numbers, in the order of the rows; empty for a column of text.
  public let numbers: [Double]
  /// The values that are not a number.
  public let notANumber: Int
  /// The values that are minus infinity.
  public let negativeInfinite: Int
  /// The values that are infinity.
  public let positiveInfinite: Int

  /// The statistics of `column`.
  ///
  /// - Complexity: O(n + d log d) in the number of values and of different ones.
  public init(_ column: DataColumn) {
    name = column.name
    rows = column.rows.count
    let sizes = column.rows.map(\.count).filter { $0 > 0 }
    present = sizes.count
    valency = sizes.min().map { $0...(sizes.max() ?? $0) }
    let values = column.rows.flatMap { $0 }
    let type = values.map(DataType.narrowest).max()
    self.type = type
    // Most columns repeat few values: sorting those alone is many times faster.
    var occurrences: [String: Int] = [:]
    for value in values { occurrences[value, default: 0] += 1 }
    counts = occurrences.map { ValueCount($0.key, $0.value) }.sorted { $0.value < $1.value }
    var finite: [Double] = []
    var invalid = 0
    var negative = 0
    var positive = 0
    if let type, type < .text {
      for case let number? in values.map(DataType.number) {
        if number.isFinite {
          finite.append(number)
        } else if number.isNaN {
          invalid += 1
        } else if number < 0 {
          negative += 1
        } else {
          positive += 1
        }
      }
    }
    numbers = finite
    notANumber = invalid
    negativeInfinite = negative
    positiveInfinite = positive
  }

  /// The rows with a value over all rows; 0 without rows.
  public var presentFraction: Double { rows == 0 ? 0 : Double(present) / Double(rows) }
  /// The smallest and the largest finite number; nil without one.
  public var extent: ClosedRange<Double>? {
    numbers.min().map { $0...(numbers.max() ?? $0) }
  }
}
