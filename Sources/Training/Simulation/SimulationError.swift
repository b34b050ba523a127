import SimKernel

/// Why a run could not reach its end.
public enum SimulationError: Error, Sendable, CustomStringConvertible {
  /// Nothing more can happen, but workers still wait: exit code 5.
  case stuck(at: SimTime, waiting: [String])
  /// Simulated time left the range of 106 days: exit code 5.
  case timeOverflow(at: SimTime, what: String)
  /// A job loses its work again and again, and is not tried further: exit code 5.
  case givenUp(at: SimTime, why: String)
  /// The user asked to stop.
  case interrupted(at: SimTime)

  public var description: String {
    switch self {
    case .stuck(let time, let waiting):
      let shown = waiting.prefix(8).map { "  " + $0 }.joined(separator: "\n")
      let more = waiting.count > 8 ? "\n  and \(waiting.count - 8) more" : ""
      return "the simulation cannot proceed after \(time): nothing more can happen\n\(shown)\(more)"
    case .timeOverflow(let time, let what):
      return "\(what) at \(time) would end after more than 106 simulated days; "
        + "check bandwidths, sizes and compute times"
    case .givenUp(let time, let why): return "given up after \(time): \(why)"
    case .interrupted(let time):
      return "interrupted after \(time) of simulated time"
    }
  }
}

/// Lets another thread, or a signal handler, ask a run to stop at its next event.
public protocol StopSignal: Sendable {
  /// Whether to stop now; read often, so it must be cheap.
  var isRaised: Bool { get }
}

/// Never asks anything to stop.
public struct NoStopSignal: StopSignal {
  public init() {}
  public var isRaised: Bool { false }
}
