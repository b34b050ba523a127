/// How far a decoded gradient is from the original.
public struct GradientError: Sendable, Equatable {
  /// |x - y| / |x| in the l2 norm; 0 for equal zero vectors, infinite if only x is zero.
  public var relativeL2: Double
  /// The cosine of the angle between them; 1 for two zero vectors, 0 if one of them is zero.
  public var cosine: Double
  /// The largest |x_i - y_i|.
  public var maxAbsolute: Double
  /// The l2 norm of the original.
  public var originalNorm: Double
  /// The l2 norm of the decoded gradient.
  public var decodedNorm: Double

  /// Compares element by element in double precision.
  ///
  /// - Precondition: both have the same length.
  public static func compare(
    original: UnsafeBufferPointer<Float>, decoded: UnsafeBufferPointer<Float>
  ) -> GradientError {
    precondition(original.count == decoded.count, "gradients of one length")
    // Four partial sums in a fixed order: one would wait for its own addition every element.
    var difference = SIMD4<Double>(repeating: 0)
    var left = SIMD4<Double>(repeating: 0)
    var right = SIMD4<Double>(repeating: 0)
    var product = SIMD4<Double>(repeating: 0)
    var largest = 0.0
    func add(_ index: Int, _ lane: Int) {
      let x = Double(original[index])
      let y = Double(decoded[index])
      let delta = x - y
      difference[lane] += delta * delta
      left[lane] += x * x
      right[lane] += y * y
      product[lane] += x * y
      largest = max(largest, delta.magnitude)
    }
    var index = 0
    while index + 4 <= original.count {
      let x = SIMD4(
        Double(original[index]), Double(original[index + 1]), Double(original[index + 2]),
        Double(original[index + 3]))
      let y = SIMD4(
        Double(decoded[index]), Double(decoded[index + 1]), Double(decoded[index + 2]),
        Double(decoded[index + 3]))
      let delta = x - y
      difference += delta * delta
      left += x * x
      right += y * y
      product += x * y
      for lane in 0..<4 { largest = max(largest, delta[lane].magnitude) }
      index += 4
    }
    while index < original.count {
      add(index, 0)
      index += 1
    }
    func total(_ sums: SIMD4<Double>) -> Double { sums[0] + sums[1] + sums[2] + sums[3] }
    let squares = (total(left), total(right), total(difference))
    return GradientError(
      relativeL2: squares.2 == 0 ? 0 : (squares.2 / squares.0).squareRoot(),
      cosine: squares.0 == 0 && squares.1 == 0
        ? 1
        : squares.0 == 0 || squares.1 == 0
          ? 0 : total(product) / (squares.0.squareRoot() * squares.1.squareRoot()),
      maxAbsolute: largest, originalNorm: squares.0.squareRoot(),
      decodedNorm: squares.1.squareRoot())
  }

  /// As above, of arrays.
  public static func compare(original: [Float], decoded: [Float]) -> GradientError {
    original.withUnsafeBufferPointer { x in
      decoded.withUnsafeBufferPointer { y in compare(original: x, decoded: y) }
    }
  }

  /// As above, of sums in double precision.
  static func compare(original: [Double], decoded: [Double]) -> GradientError {
    precondition(original.count == decoded.count, "gradients of one length")
    var (difference, left, right, product, largest) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (x, y) in zip(original, decoded) {
      let delta = x - y
      difference += delta * delta
      left += x * x
      right += y * y
      product += x * y
      largest = max(largest, delta.magnitude)
    }
    let cosine =
      left == 0 && right == 0
      ? 1 : left == 0 || right == 0 ? 0 : product / (left.squareRoot() * right.squareRoot())
    return GradientError(
      relativeL2: difference == 0 ? 0 : (difference / left).squareRoot(), cosine: cosine,
      maxAbsolute: largest, originalNorm: left.squareRoot(), decodedNorm: right.squareRoot())
  }

  /// The l2 norm of `values`, to about seven digits, from sums in a written order.
  public static func norm(_ values: [Float]) -> Double {
    values.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return 0 }
      return Reductions.sumOfSquares(base, $0.count).squareRoot()
    }
  }
}
