/// The elements that a sparsifier kept.
public struct SparseGradient: Sendable {
  /// Elements of the dense gradient.
  public let elementCount: Int
  /// Positions, ascending.
  public let positions: [UInt32]
  /// The values at these positions.
  public let values: [Float]

  public init(elementCount: Int, positions: [UInt32], values: [Float]) {
    precondition(positions.count == values.count, "a value for every position")
    self.elementCount = elementCount
    self.positions = positions
    self.values = values
  }

  /// The sum: the union of the supports, values added where both have one.
  ///
  /// - Complexity: O(a + b).
  public func adding(_ other: SparseGradient) -> SparseGradient {
    precondition(elementCount == other.elementCount, "gradients of one length")
    var positions: [UInt32] = []
    var values: [Float] = []
    positions.reserveCapacity(self.positions.count + other.positions.count)
    values.reserveCapacity(self.positions.count + other.positions.count)
    var (i, j) = (0, 0)
    while i < self.positions.count || j < other.positions.count {
      let left = i < self.positions.count ? self.positions[i] : .max
      let right = j < other.positions.count ? other.positions[j] : .max
      let position = min(left, right)
      var value: Float = 0
      if left == position {
        value += self.values[i]
        i += 1
      }
      if right == position {
        value += other.values[j]
        j += 1
      }
      positions.append(position)
      values.append(value)
    }
    return SparseGradient(elementCount: elementCount, positions: positions, values: values)
  }

  /// How many positions at least one of `gradients` has.
  ///
  /// - Complexity: O(n / 64 + all positions).
  public static func unionCount(_ gradients: [SparseGradient]) -> Int {
    let length = gradients.map(\.elementCount).max() ?? 0
    var words = [UInt64](repeating: 0, count: (length + 63) / 64)
    for gradient in gradients {
      for position in gradient.positions { words[Int(position >> 6)] |= 1 << UInt64(position & 63) }
    }
    return words.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  /// The expected union of `workers` independent supports of `kept` of `elementCount` elements:
  /// n (1 - (1 - k/n)^P).
  public static func expectedUnion(kept: Int, elementCount: Int, workers: Int) -> Double {
    if elementCount == 0 { return 0 }
    let miss = 1 - Double(kept) / Double(elementCount)
    var all = 1.0
    for _ in 0..<workers { all *= miss }
    return Double(elementCount) * (1 - all)
  }
}
