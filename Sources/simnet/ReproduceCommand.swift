import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Run what papers published, and show their numbers beside the simulated ones.",
    discussion: """
      A paper file names a paper and a figure, how its numbers were obtained, what is not modelled, \
      constants and where they were fitted, a scenario with its sweep, the published numbers by the \
      coordinates of that sweep, and the band in which a number counts as reproduced.

      Every file's numbers go to FOLDER/NAME.csv; the summary goes to standard output, misses and their \
      explanations with it. A file whose required files of others are missing is left out. Exits with 3 \
      under --strict if a number is outside its band.

      Example: simnet reproduce Scenarios/papers/p3-resnet50.json -o Results/papers
      """)

  @Argument(help: "Paper files.", completion: .file(extensions: ["json"]))
  var files: [String]

  @Option(
    name: .shortAndLong, help: "Write NAME.csv for each file into this folder.",
    completion: .directory)
  var output: String?

  @Flag(help: "Exit with 3 if a number is outside its band.")
  var strict = false

  @Flag(
    help: """
      Also try every candidate for the constants, on the points each was fitted on and here; with -o \
      into NAME.constants.csv.
      """)
  var sensitivity = false

  @Option(name: .shortAndLong, help: "Runs at a time; results do not depend on it.")
  var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "What standard output gets: table, md, csv, json or jsonl.")
  var format = AnswerDocument.Format.table

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    let names = files.map { URL(fileURLWithPath: $0).lastPathComponent }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw ValidationError("two files are called \(twice), and so would their results; rename one")
    }
  }

  func run() throws {
    let papers = try files.map { try PaperFile.read($0) }
    let flag = StopFlag()
    let signals = SignalWatch(flag)
    defer { withExtendedLifetime(signals) {} }
    let isLive = !quiet && Terminal.isTalkingToPeople
    var reproducer = Reproducer(
      SweepOptions(
        jobs: jobs, stop: flag, progress: isLive ? LiveProgress() : SilentProgress()))
    var reproductions: [Reproduction] = []
    var sensitivities: [(paper: String, constants: [ConstantSensitivity])] = []
    do {
      for paper in papers {
        let reproduction = try reproducer.reproduce(paper)
        reproductions.append(reproduction)
        // A table that could not be made is no reason to lose the last one.
        if paper.missingFile != nil { continue }
        try write(reproduction.csv, paper.name + ".csv")
        guard sensitivity else { continue }
        let constants = try reproducer.sensitivity(of: paper)
        if constants.isEmpty { continue }
        sensitivities.append((paper.name, constants))
        try write(ConstantSensitivity.csv(constants), paper.name + ".constants.csv")
      }
    } catch is AnswerInterrupted {
      Terminal.say("interrupted; what is written so far is whole")
      throw ExitCode(128 + flag.number)
    }
    let report = ReproductionReport(reproductions, sensitivities: sensitivities)
    Terminal.print(report.document.text(format, width: Terminal.width()))
    let missed = reproductions.reduce(0) { $0 + $1.cases.count - $1.within }
    if strict, missed > 0 {
      Terminal.say("\(missed) \(missed == 1 ? "number is" : "numbers are") outside the band")
      throw ExitCode(ExitStatus.gateFailed)
    }
  }

  private func write(_ text: String, _ name: String) throws {
    guard let output else { return }
    try AtomicFile.write(
      text, to: URL(fileURLWithPath: output).appendingPathComponent(name).path)
  }
}
