import ArgumentParser
import Interchange
import SimKernel

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Say what traces, schedules, profiles, configurations and gradients hold.",
    discussion: """
      Formats are told by their content, gzip'd or not: format, version, counts by kind, time span, \
      ranks, bytes, and what simnet cannot keep. Several files are each said; one that cannot be read \
      does not stop the others, and the exit code then is that of the first such file.

      Example: simnet inspect trace.json.gz all_reduce.*.et
      Example: simnet inspect workload.txt --format json

      Formats:
      \(FileFormat.allCases.map { "  \($0.rawValue): \($0.title)" }.joined(separator: "\n"))
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl }

  @Argument(help: "Files, or folders of .npy files.", completion: .file())
  var files: [String]

  @Option(help: "text, json (an array, or an object for one file), or jsonl.")
  var format: Form = .text

  func run() throws {
    var first: InterchangeError?
    var objects: [JSONNode] = []
    for (index, file) in files.enumerated() {
      do throws(InterchangeError) {
        let summary = try FileSummary(path: file)
        switch format {
        case .text: Terminal.print((index > 0 ? "\n" : "") + summary.text)
        case .json: objects.append(summary.json)
        case .jsonl: Terminal.print(summary.json.compactText + "\n")
        }
      } catch {
        if first == nil { first = error } else { Terminal.say("\(error)") }
      }
    }
    if format == .json {
      let node = files.count == 1 ? objects.first : JSONNode(.array(objects))
      if let node { Terminal.print(node.prettyText + "\n") }
    }
    if let first { throw first }
  }
}
