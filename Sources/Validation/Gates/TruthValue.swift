/// Kleene's three-valued logic: true, false, or not known.
public enum TruthValue: String, Sendable, CaseIterable {
  /// Certainly not.
  case `false`
  /// The estimates do not decide it.
  case unknown
  /// Certainly so.
  case `true`

  /// Kleene's conjunction: the least certain of both, in the order false, unknown, true.
  public static func && (left: TruthValue, right: TruthValue) -> TruthValue {
    if left == .false || right == .false { return .false }
    return left == .unknown || right == .unknown ? .unknown : .true
  }
}
