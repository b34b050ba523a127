/// Talks about a sweep while it runs.
public protocol ProgressReporter: Sendable {
  /// `done` of `total` runs are finished, of which `resumed` were found in the journal.
  func update(done: Int, total: Int, resumed: Int)
  /// Something else worth a line.
  func note(_ line: String)
  /// Nothing more will come.
  func finish()
}

/// Says nothing.
public struct SilentProgress: ProgressReporter {
  public init() {}
  public func update(done: Int, total: Int, resumed: Int) {}
  public func note(_ line: String) {}
  public func finish() {}
}
