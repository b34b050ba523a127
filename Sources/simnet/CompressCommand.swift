import ArgumentParser
import Compression
import Experiments
import Interchange
import Reporting
import SimKernel

struct CompressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract: "Run a codec pipeline on gradient files: sizes, error, speed.",
    discussion: """
      Example: simnet compress gradient.safetensors --pipeline 'top_k:ratio=0.01|fp16|zstd:level=3'
      Example: simnet compress *.npy --pipeline qsgd:s=16 --scope bucket:512 --format json
      Example: simnet compress gradient.npy --pipeline fp16 --pipeline top_k:ratio=0.01 --compare
      """)

  @Argument(
    help: "safetensors, npy or raw float32 files, or folders of npy.",
    completion: .file(extensions: ["safetensors", "npy", "f32", "bin", "raw"]))
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "Codecs in the order they encode; see simnet list codecs. Several with --compare."))
  var pipeline: [String]

  @Flag(
    help: "Pipelines side by side, a table a file; the Pareto-optimal in size and error marked.")
  var compare = false

  @Option(help: "Over which elements a scale or selection reaches: model, layer or bucket:512.")
  var scope = "model"

  @Option(help: "Keys the random numbers of stochastic codecs.")
  var seed: UInt64 = 1

  @Option(help: "What standard output gets.")
  var format: OutputFormat = .table

  func validate() throws {
    if pipeline.count > 1, !compare {
      throw ValidationError("several pipelines are shown side by side: add --compare")
    }
  }

  func run() throws {
    let issues = IssueCollector()
    let chains = pipeline.map {
      // Of several, a message says which one it means.
      CompressionPipeline.read(
        $0, path: FieldPath([pipeline.count > 1 ? "--pipeline \($0)" : "--pipeline"]),
        issues: issues)
    }
    let reach = FieldKind<CodecScope>.scope.read(JSONNode(.string(scope)))
    if case .failure(let found) = reach {
      issues.report(Issue(path: FieldPath(["--scope"]), problem: found.problem))
    }
    try issues.throwIfInvalid()
    let measurements = try chains.map {
      CompressionMeasurement(pipeline: $0, scope: try reach.get(), seed: seed)
    }
    if compare {
      try showComparisons(measurements)
    } else {
      let rows = try files.map { file in try measurements[0].row(of: read(file), file: file) }
      Terminal.print(render(rows))
    }
  }

  private func read(_ file: String) throws -> GradientFile {
    let gradient = try GradientFile.read(path: file)
    try gradient.checkFinite()
    return gradient
  }

  /// A table a file, as soon as it is there; a pipeline that cannot take a gradient leaves the others.
  private func showComparisons(_ measurements: [CompressionMeasurement]) throws {
    var comparisons: [PipelineComparison] = []
    for file in files {
      let gradient = try read(file)
      let entries = zip(pipeline, measurements).map { text, measurement in
        do throws(CodecError) {
          return PipelineComparison.Entry(text, .success(try measurement.measure(gradient)))
        } catch {
          return PipelineComparison.Entry(
            text, .failure(PipelineComparison.Failure(error.description)))
        }
      }
      let comparison = PipelineComparison(file: file, scope: scope, entries: entries)
      comparisons.append(comparison)
      if format == .table {
        Terminal.print(
          (comparisons.count > 1 ? "\n" : "") + comparison.text(width: Terminal.width()))
      }
    }
    if format != .table {
      Terminal.print(
        format.render(
          ResultTable(
            header: PipelineComparison.header, sweptCount: 0, rows: comparisons.flatMap(\.rows)),
          width: .max))
    }
    if comparisons.contains(where: \.hasFailures) { throw ExitCode(ExitStatus.someFailed) }
  }

  private func render(_ rows: [[String]]) -> String {
    if format != .table {
      return format.render(
        ResultTable(header: CompressionMeasurement.header, sweptCount: 0, rows: rows), width: .max)
    }
    var table = TextTable(
      CompressionMeasurement.header.enumerated().map {
        (title: $1, alignment: $0 == 0 ? .left : .right)
      })
    for row in rows {
      table.add(
        row.enumerated().map { index, cell in
          index < 4 ? cell : Double(cell).map { Numbers.significant($0, 4) } ?? cell
        })
    }
    return table.text(width: Terminal.width())
  }
}
