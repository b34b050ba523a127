/// Adjusts the probabilities of several tests for their number.
///
/// Either way a test is significant at level alpha if its adjusted probability is at most alpha.
public enum MultipleComparisons: String, Sendable, CaseIterable {
  /// As they are.
  case none
  /// Bounds the probability of any false discovery, whatever the dependence (Holm, Scandinavian
  /// Journal of Statistics 6, 1979).
  case holm
  /// Bounds the expected fraction of false discoveries, for independent or positively dependent
  /// tests (Benjamini and Hochberg, JRSS B 57, 1995,
  /// doi:10.1111/j.2517-6161.1995.tb02031.x).
  case benjaminiHochberg = "bh"

  /// The adjusted probabilities, in the order of `probabilities`.
  ///
  /// - Precondition: every probability is in 0...1.
  /// - Complexity: O(n log n).
  public func adjusted(_ probabilities: [Double]) -> [Double] {
    precondition(
      probabilities.allSatisfy { $0 >= 0 && $0 <= 1 }, "a probability lies in 0...1")
    let count = probabilities.count
    // Ties by position; they get the same adjusted value in any order.
    let order = probabilities.indices.sorted {
      (probabilities[$0], $0) < (probabilities[$1], $1)
    }
    var result = probabilities
    switch self {
    case .none:
      break
    case .holm:
      var largest = 0.0
      for (rank, index) in order.enumerated() {
        largest = max(largest, min(1, probabilities[index] * Double(count - rank)))
        result[index] = largest
      }
    case .benjaminiHochberg:
      var smallest = 1.0
      for (rank, index) in order.enumerated().reversed() {
        // The quotient first: it is exactly 1 for the largest, which must not become smaller.
        let factor = Double(count) / Double(rank + 1)
        smallest = min(smallest, probabilities[index] * factor)
        result[index] = smallest
      }
    }
    return result
  }
}
