/// Sine and cosine for drawings: sums of + and * only, so that every digit is the same everywhere.
enum Angle {
  /// sin(`x`) within 1e-9, for angles of a few turns.
  static func sine(_ x: Double) -> Double {
    let turns = (x / (2 * .pi)).rounded()
    let rest = x - turns * 2 * .pi
    // The Taylor series; at π its 15th term is below 1e-14.
    var term = rest
    var sum = rest
    for n in 1..<16 {
      term *= -rest * rest / Double((2 * n) * (2 * n + 1))
      sum += term
    }
    return sum
  }
  /// cos(`x`), as ``sine(_:)``.
  static func cosine(_ x: Double) -> Double { sine(x + .pi / 2) }
}
