import ArgumentParser
import Experiments
import Interchange
import Reporting
import SimKernel
import Validation

struct CalibrateNetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network",
    abstract: "Fit a network to measured collectives, and write it as a topology block.",
    discussion: """
      Reads a log of nccl-tests, or a table of DeepBench, whose machines are listed and chosen from by \
      --series. As simnet calibrate nccl, but in the parameters of a simulated network: for each range of sizes \
      the latency of a step and the bandwidth of a rank's link, under which a ring takes as long as was \
      measured. The block is a star with the law of one range, the largest sizes by default, for \
      cluster.topology with network.transport ideal. Residuals are those of each range's own law and \
      of the block.

      Example: simnet calibrate network all_reduce_perf.log -o topology.json
      Example: simnet calibrate network all_reduce_perf.log --range 1 --format json
      Example: simnet calibrate network sendrecv.log --model loggp --ranks 16
      Example: simnet calibrate network deepbench/allreduce.csv --series 12
      """)

  enum Model: String, ExpressibleByArgument, CaseIterable {
    case alphaBeta = "alpha_beta"
    case loggp
  }

  @Argument(
    help: "What all_reduce_perf or another of the tests printed, or DeepBench's allreduce.csv.")
  var log: String
  @Option(help: "The machine and size of job of a DeepBench table, by their number in the list.")
  var series: Int?
  @Option(help: "alpha_beta, or loggp, which names the same numbers L + 2o and G.")
  var model: Model = .alphaBeta
  @Option(help: "The range whose law the block has, from 0; by default that of the largest sizes.")
  var range: Int?
  @Option(help: "Ranks; by default as the log says, or as its bus bandwidths do.")
  var ranks: Int?
  @Option(
    help: """
      What was timed: all_reduce, scattered (reduce_scatter, all_gather, all_to_all) or rooted \
      (broadcast, reduce); by default as the bus bandwidths say.
      """)
  var operation: String?
  @Flag(help: "Fit the in-place times instead of the out-of-place ones.")
  var inPlace = false
  @Option(
    help: "table (laws and residuals), json (the block), or every size as csv or jsonl.")
  var format: OutputFormat = .table
  @Option(
    name: .shortAndLong, help: "Write the block here.", completion: .file(extensions: ["json"]))
  var output: String?

  func validate() throws {
    if let ranks, ranks < 2 || ranks > 1 << 20 {
      throw ValidationError("--ranks must be in 2...\(1 << 20)")
    }
    if let output, FileIdentity.isSame(output, log) {
      throw ValidationError("-o names the log itself; name another file")
    }
  }

  func run() throws {
    guard (try? FileFormat.recognise(path: log)) == .deepBench else {
      if series != nil { throw ValidationError("--series needs a DeepBench table, not a log") }
      let contents = try NCCLTestsLog(path: log)
      let calibration = try NetworkCalibration(
        contents, path: log, ranks: ranks, operation: operation, inPlace: inPlace, range: range)
      if !contents.brokenLines.isEmpty {
        Terminal.say(
          "\(log): not kept: lines that begin like a row and are none: \(contents.brokenLinesText)")
      }
      try show(calibration, title: "\(contents.rows.count) rows")
      return
    }
    if ranks != nil || operation != nil || inPlace {
      throw ValidationError(
        "--ranks, --operation and --in-place are for logs; the table says them itself")
    }
    let all = DeepBenchSeries.all(of: try DeepBenchTable(path: log))
    if let series {
      let own = try DeepBenchSeries.choose(series, of: all)
      try show(try own.calibration(range: range), title: own.title)
    } else {
      try list(all)
    }
  }

  private func show(_ calibration: NetworkCalibration, title: String) throws {
    let block = calibration.topology.prettyText + "\n"
    switch format {
    case .table: Terminal.print(text(calibration, title))
    case .json: Terminal.print(block)
    case .csv, .jsonl:
      Terminal.print(format.render(rows(calibration), width: .max))
    }
    guard let output else { return }
    try AtomicFile.write(block, to: output)
    Terminal.say("wrote \(output)")
  }

  private func rows(_ calibration: NetworkCalibration) -> ResultTable {
    let rows = calibration.residuals.map { entry in
      [
        JSONNumber.shortest(entry.size), JSONNumber.shortest(entry.measured),
        JSONNumber.shortest(entry.byRange),
        JSONNumber.shortest(entry.byRange / entry.measured - 1),
        JSONNumber.shortest(entry.byChoice),
        JSONNumber.shortest(entry.byChoice / entry.measured - 1),
      ]
    }
    return ResultTable(
      header: [
        "size_bytes", "measured_s", "range_s", "range_relative_error", "block_s",
        "block_relative_error",
      ], sweptCount: 0, rows: rows)
  }

  private func text(_ calibration: NetworkCalibration, _ title: String) -> String {
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      (title: "range", alignment: .right), (title: "sizes (B)", alignment: .right),
    ]
    columns += lawColumns
    columns.append((title: "in the block", alignment: .left))
    var laws = TextTable(columns)
    for (index, law) in calibration.laws.enumerated() {
      laws.add(
        [String(index), Self.sizes(law)] + Self.cells(law)
          + [index == calibration.chosen ? "yes" : ""])
    }
    var residuals = TextTable([
      (title: "size (B)", alignment: .right), (title: "measured (us)", alignment: .right),
      (title: "its range (us)", alignment: .right), (title: "residual", alignment: .right),
      (title: "the block (us)", alignment: .right), (title: "residual", alignment: .right),
    ])
    for entry in calibration.residuals {
      residuals.add([
        JSONNumber.shortest(entry.size), Numbers.fixed(entry.measured * 1e6, 2),
        Numbers.fixed(entry.byRange * 1e6, 2), percent(entry.byRange / entry.measured - 1),
        Numbers.fixed(entry.byChoice * 1e6, 2), percent(entry.byChoice / entry.measured - 1),
      ])
    }
    let width = Terminal.width()
    let steps = calibration.traffic.steps(calibration.ranks)
    return "\(log): \(title), \(calibration.traffic.rawValue) over "
      + "\(calibration.ranks) ranks in \(steps) steps\n\n" + laws.text(width: width) + "\n"
      + residuals.text(width: width)
  }

  func percent(_ error: Double) -> String {
    (error >= 0 ? "+" : "") + Numbers.fixed(error * 100, 1) + " %"
  }

  /// The columns that ``cells(_:)`` fills.
  var lawColumns: [(title: String, alignment: TextTable.Alignment)] {
    let isLogGP = model == .loggp
    return [
      (title: isLogGP ? "L+2o (us)" : "alpha (us)", alignment: .right),
      (title: isLogGP ? "G (ns/B)" : "beta (ns/B)", alignment: .right),
      (title: "bandwidth", alignment: .right),
    ]
  }

  static func cells(_ law: NetworkCalibration.Law) -> [String] {
    [
      Numbers.fixed(Double(law.latency.picoseconds) / 1e6, 3),
      law.bandwidth.map { Numbers.significant(8e9 / Double($0.bitsPerSecond), 4) } ?? "0",
      law.bandwidth.map { Numbers.significant(Double($0.bitsPerSecond) / 8e9, 4) + " GB/s" }
        ?? "not seen",
    ]
  }

  static func sizes(_ law: NetworkCalibration.Law) -> String {
    JSONNumber.shortest(law.sizes.lowerBound) + "-" + JSONNumber.shortest(law.sizes.upperBound)
  }
}
