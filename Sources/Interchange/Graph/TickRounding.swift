import SimKernel

/// Rounds durations to the tick of a format so that what follows one another on a lane does not drift.
///
/// Each gets what the one before it on its lane lost or won: any number of them in a row lasts as long
/// as it did, to half a tick.
struct TickRounding {
  private let tick: Int64
  /// By lane: what was not written yet, at least minus half a tick and less than half.
  private var carried: [(lane: Int32, picoseconds: Int64)] = []

  init(_ tick: SimDuration) { self.tick = tick.picoseconds }

  /// The ticks of the next operation on `lane`, which lasts `duration`; not negative if that is not.
  mutating func ticks(_ duration: SimDuration, lane: Int32) -> Int64 {
    let place = carried.firstIndex { $0.lane == lane } ?? carried.count
    if place == carried.count { carried.append((lane, 0)) }
    let exact = min(duration.picoseconds, .max - tick) + carried[place].picoseconds
    let half = tick / 2
    let ticks = exact >= -half ? (exact + half) / tick : 0
    carried[place].picoseconds = exact - ticks * tick
    return ticks
  }
}
