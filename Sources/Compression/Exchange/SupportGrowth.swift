/// How many positions the sum of several workers' sparse gradients has: what a sparse reduction
/// carries as it goes on.
///
/// Up to the measured workers W the size is measured: the mean, over the rotations of the rank order,
/// of the union of m neighbours. Beyond them it is an extrapolation by one number, the effective
/// population N from which W independent draws of k would have the union that was measured:
///
///     N (1 - (1 - k/N)^W) = u(W),      u(m) = N (1 - (1 - k/N)^m) for m > W
///
/// Identical supports have N = k and stay k for ever; disjoint ones have no finite N and grow by k a
/// worker up to all elements. The four recorded workers' top-1 % have a union of 1.9 to 3.5 k, where
/// independent ones would have 3.94 k. One worker alone says nothing of the others: its N is the
/// number of elements, which is independence.
public struct SupportGrowth: Sendable, Equatable {
  /// Elements of the dense gradient.
  public let elementCount: Int
  /// u(1), u(2), ...
  ///
  /// u(W); the first is k, the mean number of positions of one worker.
  public let measured: [Double]
  /// N: infinite for disjoint supports.
  public let population: Double

  /// Measures the unions of `gradients`, by rank.
  ///
  /// - Precondition: there is one at least, and all have one length.
  /// - Complexity: O(W n / 64 + W^2 k) for W gradients of n elements.
  public init(_ gradients: [SparseGradient]) {
    precondition(!gradients.isEmpty, "the support of a worker")
    let workers = gradients.count
    elementCount = gradients[0].elementCount
    var totals = [Int](repeating: 0, count: workers)
    var words = [UInt64](repeating: 0, count: (elementCount + 63) / 64)
    for first in 0..<workers {
      for index in words.indices { words[index] = 0 }
      var size = 0
      for member in 0..<workers {
        let gradient = gradients[(first + member) % workers]
        precondition(gradient.elementCount == elementCount, "gradients of one length")
        for position in gradient.positions {
          let bit = UInt64(1) << UInt64(position & 63)
          size += words[Int(position >> 6)] & bit == 0 ? 1 : 0
          words[Int(position >> 6)] |= bit
        }
        totals[member] += size
      }
    }
    measured = totals.map { Double($0) / Double(workers) }
    population = Self.population(
      kept: measured[0], union: measured[workers - 1], workers: workers,
      elementCount: Double(elementCount))
  }

  /// u(m): measured for up to W workers, extrapolated beyond; 0 for none.
  public func union(workers: Int) -> Double {
    if workers <= 0 { return 0 }
    if workers <= measured.count { return measured[workers - 1] }
    let grown = Self.expected(kept: measured[0], elements: population, workers: workers)
    return max(measured[measured.count - 1], min(Double(elementCount), grown))
  }

  /// The expected union of `workers` independent supports of `kept` of `elements` elements:
  /// n (1 - (1 - k/n)^P), which is k P for infinitely many.
  public static func expected(kept: Double, elements: Double, workers: Int) -> Double {
    if kept <= 0 || elements <= 0 || workers <= 0 { return 0 }
    if elements.isInfinite { return kept * Double(workers) }
    let miss = max(0, 1 - kept / elements)
    // Squared and multiplied along the bits of the exponent: no library's power takes part.
    var power = 1.0
    var base = miss
    var rest = workers
    while rest > 0 {
      if rest & 1 == 1 { power *= base }
      base *= base
      rest >>= 1
    }
    return elements * (1 - power)
  }

  /// The N whose `workers` independent draws of `kept` have a union of `union`.
  private static func population(
    kept: Double, union: Double, workers: Int, elementCount: Double
  ) -> Double {
    if workers == 1 || kept <= 0 { return elementCount }
    // The union grows with N from k at N = k to k W at infinity.
    if union <= kept { return kept }
    if union >= kept * Double(workers) * (1 - 1e-9) { return .infinity }
    var low = kept
    var high = 2 * kept
    while expected(kept: kept, elements: high, workers: workers) < union { high *= 2 }
    for _ in 0..<200 {
      let middle = low + (high - low) / 2
      if expected(kept: kept, elements: middle, workers: workers) < union {
        low = middle
      } else {
        high = middle
      }
    }
    return high
  }
}
