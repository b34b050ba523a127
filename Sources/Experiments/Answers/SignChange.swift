/// The place between two numbers where a function changes its sign, narrowed step by step.
///
/// By the ITP method (Oliveira and Takahashi, ACM Transactions on Mathematical Software 47, 2020,
/// doi:10.1145/3423597) with kappa1 = 0.2 / (b - a), kappa2 = 2 and n0 = 1: never more than one step
/// behind bisection, and superlinear where the function is smooth. Zero is a sign of its own: next to
/// a stretch where the function is zero the edge of the stretch is found, by bisection.
struct SignChange {
  /// The bracket and the function at its ends; their signs differ.
  private(set) var low: (x: Double, value: Double)
  private(set) var high: (x: Double, value: Double)
  /// The function last seen on either side, where it is not zero on that side altogether.
  private(set) var below: Double
  private(set) var above: Double
  private let tolerance: Double
  private let kappa: Double
  /// Half the width that the next bracket may have.
  private var radius: Double

  /// A change between two places, narrowed to `tolerance`.
  init(
    _ low: (x: Double, value: Double), _ high: (x: Double, value: Double), tolerance: Double
  ) {
    precondition(low.x < high.x && tolerance > 0, "a bracket has a width")
    precondition(Self.sign(low.value) != Self.sign(high.value), "the signs differ")
    self.low = low
    self.high = high
    (below, above) = (low.value, high.value)
    self.tolerance = tolerance
    kappa = 0.2 / (high.x - low.x)
    var steps = 0.5 * tolerance
    while steps < high.x - low.x { steps *= 2 }
    // 2^(n_max - j) epsilon, halved with every step.
    radius = steps
  }

  static func sign(_ value: Double) -> Int { value > 0 ? 1 : value < 0 ? -1 : 0 }

  /// Whether the bracket is as narrow as was asked for, or cannot become narrower.
  var isDone: Bool {
    let middle = low.x + (high.x - low.x) / 2
    return high.x - low.x <= tolerance || middle <= low.x || middle >= high.x
  }

  /// Where to look next, inside the bracket.
  var next: Double {
    let middle = low.x + (high.x - low.x) / 2
    if low.value == 0 || high.value == 0 { return middle }
    let width = high.x - low.x
    let falsi = (high.value * low.x - low.value * high.x) / (high.value - low.value)
    let side: Double = middle >= falsi ? 1 : -1
    let truncation = kappa * width * width
    let moved = truncation <= (middle - falsi).magnitude ? falsi + side * truncation : middle
    let reach = max(0, radius - width / 2)
    let projected = (moved - middle).magnitude <= reach ? moved : middle - side * reach
    return projected > low.x && projected < high.x ? projected : middle
  }

  /// Narrows the bracket by what the function is at `x`.
  mutating func take(_ x: Double, _ value: Double) {
    precondition(x > low.x && x < high.x, "a look inside the bracket")
    radius /= 2
    if Self.sign(value) == Self.sign(low.value) {
      low = (x, value)
      below = value
    } else if Self.sign(value) == Self.sign(high.value) {
      high = (x, value)
      above = value
    } else {
      // The function is zero here and changes from one sign to the other: this is the place.
      low = (x, value)
      high = (x, value)
    }
  }

  /// The best guess: where the line between the ends crosses zero, or the edge of a stretch of zeros.
  var estimate: Double {
    if low.x == high.x { return low.x }
    if low.value == 0 || high.value == 0 { return low.x + (high.x - low.x) / 2 }
    return (high.value * low.x - low.value * high.x) / (high.value - low.value)
  }
}
