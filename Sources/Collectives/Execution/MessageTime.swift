import SimKernel

/// What one message takes on a way that it has to itself.
public struct MessageTime: Hashable, Sendable, BitwiseCopyable {
  /// Until its last byte has left, and the next message may follow.
  public var leaving: SimDuration
  /// Until its last byte has arrived.
  public var arriving: SimDuration

  public init(leaving: SimDuration, arriving: SimDuration) {
    self.leaving = leaving
    self.arriving = arriving
  }
}
