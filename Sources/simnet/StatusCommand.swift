import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Say how far a sweep is, from its files alone.",
    discussion: "Example: simnet status DIR\nExample: simnet status DIR --format json")

  @Argument(help: "The folder of a sweep.", completion: .directory)
  var folder: String

  @Option(name: .long, help: "text or json.")
  var format = Format.text

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  func run() throws {
    let sweep = try SweepFolder(reading: folder)
    let runner = try SweepRunner(
      recorded: sweep, threads: ProcessInfo.processInfo.activeProcessorCount)
    let journals = sweep.journals
    let results = try runner.results(journals: journals)
    switch format {
    case .text: print(sweep, runner, results, journals)
    case .json: printJSON(sweep, runner, results, journals)
    }
  }

  private func name(_ journal: String) -> String { URL(fileURLWithPath: journal).lastPathComponent }

  private func print(
    _ sweep: SweepFolder, _ runner: SweepRunner, _ results: SweepResults, _ journals: [String]
  ) {
    var text = "\(runner.scenario.title): \(results.finishedPoints) of \(results.totalPoints) "
    text += "points are done, \(results.failures.count) failed, "
    text += "\(results.missingPoints.count) missing\n"
    for journal in journals {
      let age = Self.age(of: journal).map { ", last written \($0) ago" } ?? ""
      let count = (try? JournalIndex([journal]).finishedCount) ?? 0
      text += "  \(name(journal)): \(count) runs\(age)\n"
    }
    for failure in results.failures.prefix(20) {
      text += "  point \(failure.point), \(failure.reason)\n"
    }
    if results.failures.count > 20 { text += "  ... and \(results.failures.count - 20) more\n" }
    for build in results.otherBuilds { text += "  a journal of another build: \(build)\n" }
    Terminal.print(text)
  }

  /// How long ago `path` was written, in the largest unit that fits.
  private static func age(of path: String) -> String? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let date = attributes[.modificationDate] as? Date
    else { return nil }
    let seconds = max(0, Int(Date().timeIntervalSince(date)))
    if seconds < 120 { return "\(seconds) s" }
    return seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
  }

  private func printJSON(
    _ sweep: SweepFolder, _ runner: SweepRunner, _ results: SweepResults, _ journals: [String]
  ) {
    func number(_ value: Int) -> JSONNode { JSONNode(.number(JSONNumber(value))) }
    let failures = results.failures.map { failure in
      JSONNode(
        .object([
          JSONMember("point", number(failure.point)),
          JSONMember("replicate", number(failure.replicate)),
          JSONMember("reason", JSONNode(.string("\(failure.error)"))),
        ]))
    }
    let shards = journals.map { journal in
      JSONNode(
        .object([
          JSONMember("journal", JSONNode(.string(name(journal)))),
          JSONMember("runs", number((try? JournalIndex([journal]).finishedCount) ?? 0)),
        ]))
    }
    let members: [JSONMember] = [
      JSONMember("title", JSONNode(.string(runner.scenario.title))),
      JSONMember("points", number(results.totalPoints)),
      JSONMember("finished", number(results.finishedPoints)),
      JSONMember("failed", JSONNode(.array(failures))),
      JSONMember("missing", JSONNode(.array(results.missingPoints.map(number)))),
      JSONMember("journals", JSONNode(.array(shards))),
      JSONMember(
        "other_builds", JSONNode(.array(results.otherBuilds.map { JSONNode(.string($0)) }))),
    ]
    Terminal.print(JSONNode(.object(members)).prettyText + "\n")
  }
}
