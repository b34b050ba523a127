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
}
