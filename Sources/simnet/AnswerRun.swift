import ArgumentParser
import Experiments
import Foundation
import SimKernel

/// Reads the scenario that a question is about, and lets signals stop the search for its answer.
struct AnswerRun {
  private let flag = StopFlag()
  private let file: ScenarioFile

  /// The scenario at `path` with `assignments` applied.
  init(_ path: String, set assignments: [String]) throws {
    var file = try ScenarioFile.read(path)
    for assignment in assignments { try file.set(assignment) }
    self.file = file
  }

  /// What `ask` makes of the scenario; a signal ends the program with its exit code.
  func answer<Answer>(
    jobs: Int, _ ask: (ScenarioFile, AnswerOptions) throws -> Answer
  ) throws -> Answer {
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    do { return try ask(file, AnswerOptions(jobs: jobs, stop: flag)) } catch is AnswerInterrupted {
      Terminal.say("interrupted; there is no answer yet")
      throw ExitCode(128 + flag.number)
    }
  }
}
