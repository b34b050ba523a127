/// One group of measurements, chosen by name on the command line.
///
/// A new group is a file of its own and one line in ``all``.
struct Benchmark {
  /// What the command line calls it.
  var name: String
  /// What it measures, in one line.
  var summary: String
  /// Measures, and hands every finished row over at once.
  var run: (Extent, (Measurement) -> Void) -> Void

  /// Every group, in the order in which `all` runs them.
  static var all: [Benchmark] {
    [.queue, .networks, .packets, .codecs(), .training, .sweep, .interchange]
  }

  /// How much time a measurement may take.
  enum Extent {
    /// All groups together in less than a minute.
    case brief
    /// The sizes of real studies, and more rounds.
    case full

    /// How often each contender runs.
    var rounds: Int { self == .full ? 5 : 2 }
    /// `small` where time is short, else `large`.
    func pick<Value>(_ small: Value, _ large: Value) -> Value { self == .full ? large : small }
  }
}

/// One row of the table: a speed, and the ceiling it is to be read against.
///
/// The ceiling is measured in the same run, between the same rounds, so that the ratio survives a
/// machine whose speed changes from one minute to the next.
struct Measurement {
  /// The thing and the workload.
  var what: String
  /// The size of the problem.
  var n: Int
  /// Units per second of thread time.
  var rate: Double
  /// What is counted, such as `M ops/s`.
  var unit: String
  /// What limits or rivals it.
  var ceiling: String
  /// The ceiling's speed in the same unit.
  var ceilingRate: Double
  /// The ratio that was aimed at; nil where nothing was.
  var aim: Double?

  /// How close to the ceiling, or how far beyond a rival.
  var ratio: Double { rate / ceilingRate }
}
