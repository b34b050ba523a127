import ArgumentParser
import Experiments
import Foundation

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Put the shards of a sweep together into one table.",
    discussion: """
      The table has the same bytes whatever the shards were, and the same as simnet run writes. \
      Missing or failed points, and journals of another build, are refused unless allowed.

      Example: simnet merge DIR -o all.csv
      Example: simnet merge DIR -o so-far.csv --allow-partial
      """)

  @Argument(help: "The folder of a sweep.", completion: .directory)
  var folder: String

  @Option(
    name: .shortAndLong, help: "The table to write (.csv, .json or .jsonl).", completion: .file())
  var output: String

  @Flag(name: .long, help: "Leave out points that are missing or failed.")
  var allowPartial = false

  @Flag(
    name: .long,
    help: "Let runs of other builds fill gaps; the column simnet_version tells them apart.")
  var allowMixed = false

  func run() throws {
    let start = Date()
    let sweep = try SweepFolder(reading: folder)
    if sweep.owns(output) {
      throw InputError(
        path: output, reason: "is a file of the sweep itself", advice: "name another with -o")
    }
    let store = try ResultStore(path: output)
    let runner = try SweepRunner(
      recorded: sweep, threads: ProcessInfo.processInfo.activeProcessorCount)
    let results = try runner.results(journals: sweep.journals, mixing: allowMixed)
    let strangers = results.otherBuilds
    if !strangers.isEmpty, !allowMixed {
      Terminal.say(
        "\(sweep.path): journals of other builds (\(strangers.joined(separator: "; "))); "
          + "run their points again with this one, or allow them with --allow-mixed")
      throw ExitCode(ExitStatus.someFailed)
    }
    let gaps = results.totalPoints - results.finishedPoints
    if gaps > 0, !allowPartial {
      let missing = results.missingPoints
      if !missing.isEmpty {
        let shown = missing.prefix(10).map(String.init).joined(separator: ", ")
        Terminal.say(
          "\(sweep.path): \(missing.count) of \(results.totalPoints) points are missing: \(shown)"
            + (missing.count > 10 ? ", ..." : "") + "; run simnet sweep \(sweep.path)")
      }
      if !results.failures.isEmpty {
        Terminal.say(
          "\(sweep.path): \(results.failures.count) of \(results.totalPoints) points failed; "
            + "simnet status \(sweep.path) says why")
      }
      Terminal.say("nothing was written; --allow-partial leaves them out")
      throw ExitCode(ExitStatus.someFailed)
    }
    if results.finishedPoints == 0 {
      Terminal.say(
        "\(sweep.path): none of \(results.totalPoints) points is finished; nothing was written")
      throw ExitCode(ExitStatus.someFailed)
    }
    try sweep.write(
      results, to: store.path, arguments: CommandLine.arguments,
      wallTime: Date().timeIntervalSince(start))
    Terminal.say(
      "wrote \(output): \(results.finishedPoints) of \(results.totalPoints) points")
  }
}
