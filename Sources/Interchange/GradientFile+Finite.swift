extension GradientFile {
  /// A value that is not a number or infinite, and where it stands.
  public struct NonFiniteValue: Sendable, Equatable {
    public var tensor: String
    /// Its position among the tensor's elements, row-major.
    public var index: Int
    /// `nan`, `inf` or `-inf`.
    public var text: String
    /// How many such values the file has.
    public var total: Int
  }

  /// The first value that is not finite; nil if there is none.
  ///
  /// - Complexity: one pass at memory speed.
  public func firstNonFiniteValue() -> NonFiniteValue? {
    let total = values.withUnsafeBufferPointer(Self.countNonFinite)
    if total == 0 { return nil }
    for tensor in tensors {
      let part = values(of: tensor)
      guard let position = part.firstIndex(where: { !$0.isFinite }) else { continue }
      let value = part[position]
      return NonFiniteValue(
        tensor: tensor.name, index: position - tensor.offset,
        text: value.isNaN ? "nan" : value < 0 ? "-inf" : "inf", total: total)
    }
    return nil
  }

  /// In blocks, so that the inner loop has a plain 32-bit counter and vectorises.
  private static func countNonFinite(_ values: UnsafeBufferPointer<Float>) -> Int {
    var total = 0
    var start = 0
    while start < values.count {
      let end = min(start + 1 << 16, values.count)
      var count: UInt32 = 0
      for index in start..<end {
        // An exponent of all ones is infinite or not a number: one more in its lowest place carries
        // into the sign's, without a branch. At most 2^16 additions of 1: no overflow.
        count &+= ((values[index].bitPattern & 0x7FFF_FFFF) &+ 0x0080_0000) >> 31
      }
      total += Int(count)
      start = end
    }
    return total
  }

  /// Checks that every value is finite.
  ///
  /// - Throws: ``InterchangeError`` naming the tensor and the element of the first that is not.
  public func checkFinite() throws(InterchangeError) {
    guard let value = firstNonFiniteValue() else { return }
    let more = value.total > 1 ? " (and \(value.total - 1) more)" : ""
    throw InterchangeError(
      path: origin, found: "\(value.text) at \(value.tensor)[\(value.index)]\(more)",
      expected: "gradients are finite numbers")
  }
}
