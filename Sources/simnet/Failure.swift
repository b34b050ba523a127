import ArgumentParser
import Experiments
import Foundation
import Interchange
import SimKernel
import Training
import Validation

/// Exit codes that scripts rely on; wrong options exit with ``usage``, as with ArgumentParser, and
/// wrong files with ``invalidInput``.
enum ExitStatus {
  static let gateFailed: Int32 = 3
  static let anomaliesFound: Int32 = 3
  static let someFailed: Int32 = 4
  static let cannotProceed: Int32 = 5
  static let usage: Int32 = 64
  static let invalidInput: Int32 = 65
  static let `internal`: Int32 = 70
  static let inputOutput: Int32 = 74
}

/// Turns whatever a command threw into a message and an exit code, in one place.
enum Failure {
  static func exit(_ error: any Error) -> Never {
    switch error {
    case let invalid as InvalidInput:
      for issue in invalid.issues { Terminal.say(issue.description) }
      let count = invalid.issues.count
      Terminal.say("\(count) \(count == 1 ? "problem" : "problems"); nothing was run")
      // What is wrong with options alone is wrong usage, whoever notices.
      let isUsage = invalid.issues.allSatisfy {
        $0.position == nil && $0.path.parts.first?.hasPrefix("--") == true
      }
      Foundation.exit(isUsage ? ExitStatus.usage : ExitStatus.invalidInput)
    case let invalid as JSONError:
      Terminal.say("\(invalid)")
      Foundation.exit(ExitStatus.invalidInput)
    case let invalid as InterchangeError:
      Terminal.say("\(invalid)")
      Foundation.exit(
        invalid.kind == .system ? ExitStatus.inputOutput : ExitStatus.invalidInput)
    case let malformed as ConditionError:
      Terminal.say("\(malformed)")
      Foundation.exit(ExitStatus.invalidInput)
    case let refused as GateError:
      Terminal.say("\(refused)")
      Foundation.exit(ExitStatus.invalidInput)
    case let failure as InputError:
      Terminal.say("\(failure)")
      Foundation.exit(
        failure.kind == .system ? ExitStatus.inputOutput : ExitStatus.invalidInput)
    case let failure as SimulationError:
      Terminal.say("\(failure)")
      Foundation.exit(ExitStatus.cannotProceed)
    default:
      // Help, version, usage errors and plain exit codes; anything else is a fault of simnet.
      if Simnet.exitCode(for: error) == .failure {
        Terminal.say("internal error: \(error); please report it with the command line")
        Foundation.exit(ExitStatus.internal)
      }
      Simnet.exit(withError: error)
    }
  }
}
