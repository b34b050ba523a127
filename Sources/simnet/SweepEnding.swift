import ArgumentParser
import Experiments
import Foundation

/// How a sweep ends: what is said, and the exit code.
struct SweepEnding {
  var failures: [PointFailure]
  var finishedPoints: Int
  var totalPoints: Int
  var isInterrupted: Bool
  /// What the user can do after an interruption.
  var goingOn: String
  /// What becomes of failed points.
  var retrying: String

  /// Reports failures and interruptions.
  ///
  /// - Throws: the exit code, unless all went well.
  func report(_ flag: StopFlag) throws {
    // A systematic failure meets every point; the first ones say all there is to say.
    for failure in failures.prefix(20) {
      Terminal.say("point \(failure.point), \(failure.reason)")
    }
    if failures.count > 20 { Terminal.say("... and \(failures.count - 20) more") }
    if isInterrupted {
      Terminal.say(
        "interrupted: \(finishedPoints) of \(totalPoints) points are done; \(goingOn)")
      throw ExitCode(Self.code(of: flag.number))
    }
    if finishedPoints < totalPoints {
      Terminal.say("\(totalPoints - finishedPoints) of \(totalPoints) points failed\(retrying)")
      throw ExitCode(
        finishedPoints == 0 && !failures.isEmpty && failures.allSatisfy(\.cannotProceed)
          ? ExitStatus.cannotProceed : ExitStatus.someFailed)
    }
  }

  /// 130 after an interrupt; 143 after anything else that asked for a stop.
  static func code(of signal: Int32) -> Int32 { signal == SIGINT ? 130 : 143 }
}
