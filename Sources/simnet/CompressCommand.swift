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
      """)

  @Argument(
    help: "safetensors, npy or raw float32 files, or folders of npy.",
    completion: .file(extensions: ["safetensors", "npy", "f32", "bin", "raw"]))
  var files: [String]

  @Option(help: "Codecs in the order they encode; see simnet list codecs.")
  var pipeline: String

  @Option(help: "Over which elements a scale or selection reaches: model, layer or bucket:512.")
  var scope = "model"

  @Option(help: "Keys the random numbers of stochastic codecs.")
  var seed: UInt64 = 1

  @Option(help: "What standard output gets.")
  var format: OutputFormat = .table

  func run() throws {
    let issues = IssueCollector()
    let chain = CompressionPipeline.read(
      JSONNode(.string(pipeline)), path: FieldPath(["--pipeline"]), issues: issues)
    let reach = FieldKind<CodecScope>.scope.read(JSONNode(.string(scope)))
    if case .failure(let found) = reach {
      issues.report(Issue(path: FieldPath(["--scope"]), problem: found.problem))
    }
    try issues.throwIfInvalid()
    var rows: [[String]] = []
    for file in files {
      let gradient = try GradientFile.read(path: file)
      try gradient.checkFinite()
      rows.append(
        try CompressionMeasurement(pipeline: chain, scope: reach.get(), seed: seed)
          .row(of: gradient, file: file))
    }
    Terminal.print(render(rows))
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
