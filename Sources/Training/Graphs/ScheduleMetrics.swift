import SimKernel

/// TicTac's measures of an execution (Hashemi, Abdu Jyothi, Campbell, MLSys 2019, section 4).
public struct ScheduleMetrics: Sendable, Equatable {
  /// U: the sum of all operation times, what one resource after the other would take.
  public var upper: SimDuration
  /// L: the busiest resource; nothing ends before it.
  public var lower: SimDuration
  public var makespan: SimDuration

  public init(upper: SimDuration, lower: SimDuration, makespan: SimDuration) {
    self.upper = upper
    self.lower = lower
    self.makespan = makespan
  }

  /// The measures of an execution that kept each resource busy for `loads`.
  public init(loads: [SimDuration], makespan: SimDuration) {
    self.init(
      upper: loads.reduce(.zero, +), lower: loads.max() ?? .zero, makespan: makespan)
  }

  /// E = (U - makespan)/(U - L): 1 for perfect overlap, 0 for none.
  ///
  /// Where U = L one resource does everything and every execution is the best: 1. Below 0 only where
  /// resources wait, which ``GraphRun`` never lets all of them do.
  public var efficiency: Double {
    if upper == lower { return 1 }
    return Double((upper - makespan).picoseconds) / Double((upper - lower).picoseconds)
  }

  /// S = (U - L)/L: the most that order can gain over none, as a share; 0 where U = L.
  public var speedup: Double {
    if upper == lower { return 0 }
    return Double((upper - lower).picoseconds) / Double(lower.picoseconds)
  }

  /// How much of a synchronous iteration the worst worker waits for the slowest: the largest wait
  /// over the iteration's length, in 0...1; 0 for one worker, or where nothing takes time.
  public static func stragglerShare(of makespans: [SimDuration]) -> Double {
    guard let slowest = makespans.max(), let fastest = makespans.min(), slowest > .zero else {
      return 0
    }
    return Double((slowest - fastest).picoseconds) / Double(slowest.picoseconds)
  }
}
