import SimKernel

/// What a LogGOPS run came to.
public struct LogGPOutcome: Sendable, Equatable {
  /// When the CPUs of each host are idle for good.
  public var finish: [SimTime]
  /// Messages sent.
  public var messages: Int
  /// Bytes in them.
  public var bytes: ByteCount

  /// When the last host is done.
  public var makespan: SimTime { finish.max() ?? .zero }
}

/// Why a LogGOPS run has no end.
public enum LogGPError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing more can happen, but operations wait or messages were not received.
  case stuck(at: SimTime, waiting: [String])
  /// Simulated time left its range of 26 days.
  case timeOverflow(at: SimTime)
  /// The caller asked to stop.
  case interrupted(at: SimTime)

  public var description: String {
    switch self {
    case .stuck(let time, let waiting):
      let shown = waiting.prefix(8).map { "  " + $0 }.joined(separator: "\n")
      let more = waiting.count > 8 ? "\n  and \(waiting.count - 8) more" : ""
      return "the schedule cannot proceed after \(time): nothing more can happen\n\(shown)\(more)"
    case .timeOverflow(let time):
      return "something that begins at \(time) would end after more than 26 simulated days; "
        + "check sizes, durations and parameters"
    case .interrupted(let time):
      return "interrupted after \(time) of simulated time"
    }
  }
}

/// Runs schedules and patterns on the LogGOPS machine.
public enum LogGP {
  /// Carries out `schedule` on `hosts`.
  ///
  /// - Parameter stop: asked now and then whether to stop.
  /// - Throws: ``LogGPError`` if operations wait for ever or messages are never received.
  /// - Complexity: O(1) amortised for each operation, plus the queue; 60 bytes an operation.
  public static func run(
    _ schedule: LogGPSchedule, on hosts: LogGPHosts, stop: () -> Bool = { false }
  ) throws(LogGPError) -> LogGPOutcome {
    var machine = LogGPMachine(StoredProgram(schedule), hosts: hosts)
    return try machine.run(stop)
  }

  /// Carries out `pattern` on `hosts` without storing its operations.
  ///
  /// Gives what ``LogGPPattern/schedule()`` gives.
  /// - Complexity: memory is about 80 bytes a host and 48 a message under way or waiting.
  public static func run(
    _ pattern: LogGPPattern, on hosts: LogGPHosts, stop: () -> Bool = { false }
  ) throws(LogGPError) -> LogGPOutcome {
    var machine = LogGPMachine(PatternProgram(pattern), hosts: hosts)
    return try machine.run(stop)
  }
}
