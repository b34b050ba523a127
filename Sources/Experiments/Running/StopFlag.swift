import Synchronization
import Training

/// A stop request that a signal handler may raise: an atomic word, nothing else.
public final class StopFlag: StopSignal {
  private let signal = Atomic<Int32>(0)
  public init() {}
  /// Asks everything that watches this flag to stop, because of `number` (a signal).
  public func raise(_ number: Int32) { signal.store(number, ordering: .relaxed) }
  public var isRaised: Bool { signal.load(ordering: .relaxed) != 0 }
  /// The signal that raised the flag, or 0.
  public var number: Int32 { signal.load(ordering: .relaxed) }
}
