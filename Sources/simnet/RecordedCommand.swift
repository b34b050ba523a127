import ArgumentParser
import Experiments

/// What commands that record a run have in common.
enum RecordedCommand {
  /// Runs `body` while signals are watched, and says what stopped it; nothing was written then.
  ///
  /// - Parameter advice: what to do about a run with too many events.
  static func run<Result>(
    advice: String, _ body: (StopFlag) throws -> Result
  ) throws -> Result {
    let flag = StopFlag()
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    do { return try body(flag) } catch RecordedRun.Stopped.tooManyEvents(let limit) {
      throw ValidationError("more than \(limit) events\(advice); nothing was written")
    } catch RecordedRun.Stopped.interrupted {
      Terminal.say("interrupted; nothing was written")
      throw ExitCode(SweepEnding.code(of: flag.number))
    }
  }
}
