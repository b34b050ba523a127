/// Student's t distribution for whole degrees of freedom.
public enum StudentT {
  /// P(T <= t) by the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4.
  ///
  /// - Complexity: O(degreesOfFreedom).
  public static func cumulative(_ t: Double, degreesOfFreedom n: Int) -> Double {
    precondition(n >= 1, "t needs at least one degree of freedom")
    let ratio = t / Double(n).squareRoot()
    let cosineSquared = 1 / (1 + ratio * ratio)
    let sine = ratio * cosineSquared.squareRoot()
    let central: Double
    if n % 2 == 1 {
      var sum = 0.0
      if n > 1 {
        var term = cosineSquared.squareRoot()
        sum = term
        for k in stride(from: 3, to: n, by: 2) {
          term *= cosineSquared * Double(k - 1) / Double(k)
          sum += term
        }
      }
      central = (arctangent(ratio) + sine * sum) * 2 / Double.pi
    } else {
      var term = 1.0
      var sum = 1.0
      for k in stride(from: 2, to: n, by: 2) {
        term *= cosineSquared * Double(k - 1) / Double(k)
        sum += term
      }
      central = sine * sum
    }
    return 0.5 + central / 2
  }

  /// The t with P(T <= t) = `p`, by bisection to the last bit that matters.
  ///
  /// - Precondition: 0 < `p` < 1.
  /// - Complexity: O(degreesOfFreedom), some sixty times.
  public static func quantile(_ p: Double, degreesOfFreedom n: Int) -> Double {
    precondition(p > 0 && p < 1, "a quantile needs a probability inside 0...1")
    if p == 0.5 { return 0 }
    if p < 0.5 { return -quantile(1 - p, degreesOfFreedom: n) }
    var low = 0.0
    var high = 1.0
    while cumulative(high, degreesOfFreedom: n) < p, high < 1e12 { high *= 2 }
    for _ in 0..<200 where low < high {
      let middle = (low + high) / 2
      if middle == low || middle == high { break }
      if cumulative(middle, degreesOfFreedom: n) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The arctangent, by halving the angle three times and Taylor's series.
  private static func arctangent(_ x: Double) -> Double {
    if x.magnitude > 1 { return (x > 0 ? 1 : -1) * Double.pi / 2 - arctangent(1 / x) }
    var y = x
    for _ in 0..<3 { y = y / (1 + (1 + y * y).squareRoot()) }
    let square = y * y
    var sum = 0.0
    for k in stride(from: 25, through: 1, by: -2) {
      sum = (((k / 2) % 2 == 0) ? 1 : -1) / Double(k) + square * sum
    }
    return 8 * y * sum
  }
}
