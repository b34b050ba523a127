import SimKernel

/// Numbers as options name them: `0,3..5` are 0, 3, 4 and 5.
public struct NumberRanges: Sendable, Equatable {
  /// In the order written; they may overlap.
  public let ranges: [ClosedRange<Int>]

  /// Exactly `ranges`.
  public init(_ ranges: [ClosedRange<Int>]) { self.ranges = ranges }

  /// Reads `text`, the value of `option`.
  ///
  /// - Throws: `InvalidInput` for anything but numbers from 0 and ranges that do not go down.
  public init(_ text: String, option: String) throws(InvalidInput) {
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let range = Self.range(part) else {
        throw InvalidInput([
          Issue(
            path: FieldPath([option]),
            problem: .invalid(
              found: part.isEmpty ? "nothing between commas" : "\"\(part)\"",
              expected: "write numbers from 0 and ranges such as 0,3..5"))
        ])
      }
      ranges.append(range)
    }
    self.ranges = ranges
  }

  private static func range(_ part: Substring) -> ClosedRange<Int>? {
    func number(_ text: Substring) -> Int? {
      guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
      return Int(text)
    }
    if let value = number(part) { return value...value }
    let ends = part.split(separator: ".", omittingEmptySubsequences: false)
    guard ends.count == 3, ends[1].isEmpty, let low = number(ends[0]), let high = number(ends[2]),
      low <= high
    else { return nil }
    return low...high
  }

  /// Whether `number` is among them.
  public func contains(_ number: Int) -> Bool { ranges.contains { $0.contains(number) } }
  /// The largest of them.
  public var last: Int { ranges.map(\.upperBound).max() ?? -1 }
  /// As they are written.
  public var text: String {
    ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)..\($0.upperBound)" }
      .joined(separator: ",")
  }
}
