/// What a set of replicates says about n, o and d.
public struct GateEstimate: Sendable, Equatable {
  /// The mean of the metric over the replicates of the new build.
  public let new: Double
  /// The mean of the metric over the same replicates of the old build.
  public let old: Double
  /// The fraction of replicates whose values differ.
  public let difference: Double
  /// The number of replicates.
  public let replicates: Int

  /// The estimate from the values of both builds, replicate by replicate.
  ///
  /// - Throws: `GateError.unpaired`, `.empty`, `.undeclaredRange`, and `.valueOutOfRange` for a
  ///   value that voids the bounds.
  /// - Complexity: O(n).
  public init(new: [Double], old: [Double], metric: Metric) throws(GateError) {
    guard new.count == old.count else { throw .unpaired(new: new.count, old: old.count) }
    guard !new.isEmpty else { throw .empty }
    guard let range = metric.range else { throw .undeclaredRange(metric: metric.name) }
    var newSum = 0.0
    var oldSum = 0.0
    var changed = 0
    for index in new.indices {
      for value in [new[index], old[index]] where !range.contains(value) {
        throw .valueOutOfRange(
          metric: metric.name, index: index, value: value, lower: range.lowerBound,
          upper: range.upperBound)
      }
      newSum += new[index]
      oldSum += old[index]
      if new[index] != old[index] { changed += 1 }
    }
    let count = Double(new.count)
    self.new = newSum / count
    self.old = oldSum / count
    difference = Double(changed) / count
    replicates = new.count
  }

  /// The estimate of `variable`.
  public subscript(variable: GateVariable) -> Double {
    switch variable {
    case .new: new
    case .old: old
    case .difference: difference
    }
  }

  /// The interval that `clause` allows the sum of its variables, without its constant; everything
  /// if the sum leaves the range of doubles.
  public func interval(of clause: Clause) -> ClosedRange<Double> {
    var value = 0.0
    for variable in clause.expression.variables {
      value += clause.expression[variable] * self[variable]
    }
    guard value.isFinite else { return -.infinity ... .infinity }
    return (value - clause.tolerance)...(value + clause.tolerance)
  }
}
