import ArgumentParser
import Experiments
import Foundation
import Reporting
import SimKernel

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Write the timeline of a run: for Perfetto, PyTorch's tools, tables or a paper.",
    discussion: """
      Example: simnet trace scenario.json -o run.json --iterations 0..1 --workers 0,3..5
      Example: simnet trace scenario.json --format kineto -o traces
      Example: simnet trace scenario.json --format svg --workers 0..1 --iterations 0 -o gantt.svg
      Example: simnet trace scenario.json --set network.transport=ideal --format csv -o -

      Formats:
        chrome: JSON for ui.perfetto.dev and chrome://tracing, with arrows and counters
        kineto: a folder of rank0.json, rank1.json, ... as PyTorch's profiler writes them
        csv: a row a slice; svg: a chart of a few workers

      Iterations are counted from 0 without the warm-up. A traced run is simulated in full, never \
      folded, with the same result.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case chrome, kineto, csv, svg }

  @Argument(
    help: "The scenario file; - reads standard input.", completion: .file(extensions: ["json"]))
  var scenario: String
  @Option(
    name: .shortAndLong, help: "The file to write, or the folder for kineto; - is standard output.",
    completion: .file())
  var output: String
  @Option(help: "chrome, kineto, csv or svg.")
  var format: Format = .chrome
  @Option(help: "Counted iterations, such as 2..4; by default the first two.")
  var iterations: String?
  @Option(
    help: """
      Workers, such as 0,3..5; by default all, with the servers. A chart has the first four by default.
      """)
  var workers: String?
  @Option(help: "The point of the sweep, from 0; by default the first.")
  var point: Int?
  @Option(help: "The replicate, from 0.")
  var replicate = 0
  @Option(name: .long, help: "Override a key: path=value. May be repeated.")
  var set: [String] = []
  @Option(help: "The width of a chart: '85 mm', '170 mm', '3.3 in', '240 pt'.")
  var width: String?
  @Flag(name: .shortAndLong, help: "Nothing on standard error unless something is wrong.")
  var quiet = false

  func validate() throws {
    if let point, point < 0 { throw ValidationError("--point counts from 0") }
    if replicate < 0 { throw ValidationError("--replicate counts from 0") }
    if width != nil, format != .svg { throw ValidationError("--width needs --format svg") }
    if output == "-", format == .kineto {
      throw ValidationError("kineto is a file a worker; give a folder with -o")
    }
    if output != "-", scenario != "-", FileIdentity.isSame(output, scenario) {
      throw ValidationError("-o names the scenario itself; name another file")
    }
  }

  func run() throws {
    let width = try self.width.map { try PaperWidth.millimetres($0) } ?? 170
    // A chart of all workers of a large job would be all lines.
    let isCut = format == .svg && workers == nil
    let selection = TimelineSelection(
      iterations: try iterations.map { try NumberRanges($0, option: "--iterations") },
      workers: try workers.map { try NumberRanges($0, option: "--workers") },
      mostWorkers: isCut ? 4 : nil, transfers: format != .kineto)
    try OutputCheck.check(output, isFolder: format == .kineto)
    var file = try ScenarioFile.read(scenario)
    for assignment in set { try file.set(assignment) }
    let recorded = try RecordedCommand.run(
      advice: ", which no viewer shows in good time; choose fewer --iterations or --workers"
    ) {
      try RecordedRun(
        file, point: point, replicate: replicate, selection: selection, stop: $0)
    }
    guard let timeline = recorded.timeline else { return }
    if !quiet { say(recorded, timeline, isCut: isCut) }
    try write(timeline, width: width)
    if !quiet, output != "-" { Terminal.say("wrote \(output)") }
  }

  private func say(_ recorded: RecordedRun, _ timeline: RunTimeline, isCut: Bool) {
    for warning in recorded.warnings { Terminal.say("\(warning)") }
    if recorded.points > 1 {
      let choice =
        point == nil ? "the first of \(recorded.points) points" : "point \(recorded.point)"
      Terminal.say("\(choice): \(recorded.label) (choose with --point or --set)")
    }
    if isCut, timeline.jobs.contains(where: { $0.workers > 4 }) {
      Terminal.say("workers 0..3 are drawn; choose with --workers")
    }
    if format == .chrome, !timeline.linksMissing.isEmpty {
      Terminal.say("no link counters: \(timeline.linksMissing)")
    }
  }

  private func write(_ timeline: RunTimeline, width: Double) throws {
    switch format {
    case .chrome:
      let trace = ChromeTrace(timeline)
      try OutputCheck.write(to: output, trace.write)
    case .csv:
      try OutputCheck.write(to: output) { emit in
        var bytes: [UInt8] = []
        CSV.append(TimelineTable.columns, to: &bytes)
        try TimelineTable(timeline).forEachRow { row in
          CSV.append(row, to: &bytes)
          if bytes.count > 1 << 18 {
            try emit(bytes)
            bytes.removeAll(keepingCapacity: true)
          }
        }
        try emit(bytes)
      }
    case .svg:
      let chart = GanttChart(timeline, millimetres: width)
      if chart.rowCount > GanttChart.rowLimit {
        throw ValidationError(
          "\(chart.rowCount) lanes do not fit a chart; choose at most a few --workers; nothing was "
            + "written")
      }
      let text = chart.svg()
      try OutputCheck.write(to: output) { try $0(Array(text.utf8)) }
    case .kineto:
      let export = KinetoExport(timeline)
      for file in export.files {
        try OutputCheck.write(to: output + "/" + file.name) { try export.write(file, $0) }
      }
    }
  }
}

/// The width of a figure as people write it.
enum PaperWidth {
  /// `text`, the value of `--width`, in millimetres.
  static func millimetres(_ text: String) throws -> Double {
    let number = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    let units: [(String, Double)] = [("mm", 1), ("cm", 10), ("in", 25.4), ("pt", 25.4 / 72)]
    guard let value = Double(number), let scale = units.first(where: { $0.0 == unit })?.1,
      (40...1000).contains(value * scale)
    else {
      throw ValidationError(
        "--width is \"\(text)\"; write a width of 40 to 1000 mm such as '85 mm', '3.3 in' or "
          + "'240 pt'")
    }
    return value * scale
  }
}

/// Where a picture or a trace goes.
enum OutputCheck {
  /// Refuses what is in the way of `path` before anything is computed.
  static func check(_ path: String, isFolder: Bool = false) throws {
    if path == "-" { return }
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    let kind = status.st_mode & S_IFMT
    if isFolder, kind != S_IFDIR {
      throw InputError(path: path, reason: "is not a folder", advice: "name a folder with -o")
    }
    if !isFolder, kind != S_IFREG {
      throw InputError(
        path: path, reason: "is not a regular file", advice: "name another with -o")
    }
  }

  /// Writes what `fill` emits to `path`, whole or not at all, or to standard output.
  static func write(
    to path: String, _ fill: (@escaping ([UInt8]) throws -> Void) throws -> Void
  ) throws {
    if path == "-" {
      try fill { Terminal.print(String(decoding: $0, as: UTF8.self)) }
      return
    }
    try AtomicFile.stream(to: path) { writer in
      try fill { try writer.append($0) }
    }
  }
}
