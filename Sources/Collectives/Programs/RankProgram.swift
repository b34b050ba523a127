import SimKernel

/// An implicit plan: steps and their order, computed from indices.
///
/// Every rank applies the messages that end at it in a fixed order, its *arrivals* 0, 1, 2, ...; every
/// message departs when its source has applied a certain number of them. State is therefore one
/// count a rank. Conformers are plain values without arrays, so that copying one costs nothing.
protocol RankProgram: BitwiseCopyable, Sendable {
  var stepCount: Int { get }
  func step(_ index: Int) -> PlanStep
  /// How many messages end at `rank`.
  func arrivalCount(at rank: Int) -> Int
  /// The step that is arrival `position` at `rank`.
  func arrival(_ position: Int, at rank: Int) -> Int
  /// Which arrival at its destination `step` is.
  func arrivalPosition(of step: Int) -> Int
  /// How many arrivals the source of `step` has applied when it departs.
  func departurePosition(of step: Int) -> Int
  /// The `ordinal`-th step that departs from `rank` after `position` arrivals, or -1; steps with a pace
  /// are none of these.
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int
  /// The step from the same source that must be complete before `step` departs, or -1: a rank that
  /// sends to one after the other.
  ///
  /// It is all that a paced step waits for, since what its source must have applied was there for the
  /// first one.
  func pacePredecessor(of step: Int) -> Int
  /// The step that waits for `step` in this way, or -1.
  func paceSuccessor(of step: Int) -> Int
  /// Whether arrivals wait for one another; where they only store and nothing follows from them,
  /// they need not.
  var appliesInOrder: Bool { get }
}

extension RankProgram {
  func pacePredecessor(of step: Int) -> Int { -1 }
  func paceSuccessor(of step: Int) -> Int { -1 }
  var appliesInOrder: Bool { true }
}
