import ArgumentParser
import Compression
import Experiments
import Foundation
import Reporting
import SimKernel
import Training

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measure this host for a device profile, or fit what others measured.",
    discussion: """
      Example: simnet calibrate codecs -o my-host.json
      Example: simnet calibrate nccl all_reduce_perf.log
      Example: simnet calibrate network all_reduce_perf.log -o topology.json
      """,
    subcommands: [
      CalibrateCodecsCommand.self, CalibrateNCCLCommand.self, CalibrateNetworkCommand.self,
    ])
}

struct CalibrateCodecsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "codecs",
    abstract: "Measure what codecs cost on one core of this host: launch + bytes / bandwidth.",
    discussion: """
      A scenario names the file it writes: "cluster": {"device": "my-host.json"}. Compute times and
      everything else are those of the base device; the codecs measured take their time on the
      worker's CPU stream. Without -o only the table is shown.

      Example: simnet calibrate codecs --base v100 -o my-host.json
      Example: simnet calibrate codecs --pipeline 'top_k:ratio=0.01|fp16' --elements 1000000
      """)

  @Option(
    help: ArgumentHelp(
      "A pipeline to measure, instead of every codec of simnet list codecs. May be repeated."))
  var pipeline: [String] = []

  @Option(help: "Elements of the largest gradient; sizes go from 4096 in steps of four.")
  var elements = 1 << 24

  @Option(help: "Repetitions of each size, of which the fastest counts.")
  var repeats = 5

  @Option(help: "What results call the device; by default the name of the file.")
  var name: String?

  @Option(help: "The listed device whose compute times and memory apply.")
  var base = "v100"

  @Option(
    name: .shortAndLong, help: "Write the device profile here.",
    completion: .file(extensions: ["json"]))
  var output: String?

  func validate() throws {
    let smallest = CodecCalibration.smallestElements
    if elements < smallest || elements > 1 << 30 {
      throw ValidationError("--elements must be in \(smallest)...\(1 << 30)")
    }
    if repeats < 1 { throw ValidationError("--repeats must be at least 1") }
    if let output, !output.hasSuffix(".json") {
      throw ValidationError("-o must end in .json: that is how a scenario tells a profile")
    }
  }

  func run() throws {
    let issues = IssueCollector()
    let texts = pipeline.isEmpty ? CodecCalibration.catalogue : pipeline
    let pipelines = texts.map {
      CompressionPipeline.read($0, path: FieldPath(["--pipeline"]), issues: issues)
    }
    let device = FieldKind<String>.deviceName.read(JSONNode(.string(base)))
    if case .failure(let found) = device {
      issues.report(Issue(path: FieldPath(["--base"]), problem: found.problem))
    }
    let called = name ?? output.map(Self.stem) ?? "host"
    if DeviceCatalog.names.contains(called) {
      issues.report(
        Issue(
          path: FieldPath(["--name"]),
          problem: .conflict("\(called) is a listed device; choose another name")))
    }
    try issues.throwIfInvalid()

    // Nothing is kept before the end, so an interruption needs no orderly one.
    let signals = SignalWatch { number in Foundation.exit(128 + number) }
    defer { withExtendedLifetime(signals) {} }
    var calibration = CodecCalibration(elements: elements, repeats: repeats)
    var measured: [CodecCalibration.Measurement] = []
    for (index, chain) in pipelines.enumerated() {
      if Terminal.isTalkingToPeople {
        Terminal.talk("\r\(index + 1)/\(pipelines.count) \(chain.label)\u{1B}[K")
      }
      // A pipeline given twice is one entry of a profile.
      if measured.contains(where: { $0.pipeline == chain.label }) { continue }
      measured.append(try measure(chain, with: &calibration))
    }
    if Terminal.isTalkingToPeople { Terminal.talk("\r\u{1B}[K") }
    Terminal.print(CalibrationReport.text(measured, width: Terminal.width()))
    let doubtful = measured.filter(\.isDoubtful).map(\.pipeline)
    if !doubtful.isEmpty {
      Terminal.say(
        "warning: launch + bytes / bandwidth explains the times badly (R^2 below "
          + "\(CodecCalibration.doubtfulFit)) of \(doubtful.joined(separator: ", ")); try more "
          + "--repeats on a quiet machine, or --elements near the sizes you exchange")
    }
    guard let output else { return }
    let file = DeviceFile(
      name: called, base: base,
      evidence: Evidence(
        .measured,
        "on this host by simnet \(SimnetVersion.current), one core, scope model, the fastest of "
          + "\(repeats) on \(calibration.sizes[0]) to \(elements) elements"),
      place: .cpu, codecs: measured.map(\.entry))
    try AtomicFile.write(file.text, to: output)
    Terminal.say("wrote \(output)")
  }

  private func measure(
    _ chain: CompressionPipeline, with calibration: inout CodecCalibration
  ) throws -> CodecCalibration.Measurement {
    do throws(CodecError) {
      return try calibration.measure(chain)
    } catch {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--pipeline"]),
          problem: .invalid(found: "\(error)", expected: "leave \(chain.label) out"))
      ])
    }
  }

  /// The name of a file without folders and extension.
  private static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return name.hasSuffix(".json") && name.count > 5 ? String(name.dropLast(5)) : name
  }
}
