import ArgumentParser
import Experiments
import Interchange
import Reporting
import SimKernel
import Validation

struct CalibrateNetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network",
    abstract: "Fit a network to a log of nccl-tests, and write it as a topology block.",
    discussion: """
      As simnet calibrate nccl, but in the parameters of a simulated network: for each range of sizes \
      the latency of a step and the bandwidth of a rank's link, under which a ring takes as long as was \
      measured. The block is a star with the law of one range, the largest sizes by default, for \
      cluster.topology with network.transport ideal. Residuals are those of each range's own law and \
      of the block.

      Example: simnet calibrate network all_reduce_perf.log -o topology.json
      Example: simnet calibrate network all_reduce_perf.log --range 1 --format json
      Example: simnet calibrate network sendrecv.log --model loggp --ranks 16
      """)

  enum Model: String, ExpressibleByArgument, CaseIterable {
    case alphaBeta = "alpha_beta"
    case loggp
  }

  @Argument(help: "What all_reduce_perf or another of the tests printed.")
  var log: String
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
    let contents = try NCCLTestsLog(path: log)
    let calibration = try NetworkCalibration(
      contents, path: log, ranks: ranks, operation: operation, inPlace: inPlace, range: range)
    let block = calibration.topology.prettyText + "\n"
    switch format {
    case .table: Terminal.print(text(calibration, contents))
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

  private func text(_ calibration: NetworkCalibration, _ contents: NCCLTestsLog) -> String {
    let isLogGP = model == .loggp
    var laws = TextTable([
      (title: "range", alignment: .right), (title: "sizes (B)", alignment: .right),
      (title: isLogGP ? "L+2o (us)" : "alpha (us)", alignment: .right),
      (title: isLogGP ? "G (ns/B)" : "beta (ns/B)", alignment: .right),
      (title: "bandwidth", alignment: .right), (title: "in the block", alignment: .left),
    ])
    for (index, law) in calibration.laws.enumerated() {
      laws.add([
        String(index),
        JSONNumber.shortest(law.sizes.lowerBound) + "-"
          + JSONNumber.shortest(law.sizes.upperBound),
        Numbers.fixed(Double(law.latency.picoseconds) / 1e6, 3),
        law.bandwidth.map { Numbers.significant(8e9 / Double($0.bitsPerSecond), 4) } ?? "0",
        law.bandwidth.map { Numbers.significant(Double($0.bitsPerSecond) / 8e9, 4) + " GB/s" }
          ?? "not seen",
        index == calibration.chosen ? "yes" : "",
      ])
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
    return "\(log): \(contents.rows.count) rows, \(calibration.traffic.rawValue) over "
      + "\(calibration.ranks) ranks in \(steps) steps\n\n" + laws.text(width: width) + "\n"
      + residuals.text(width: width)
  }

  private func percent(_ error: Double) -> String {
    (error >= 0 ? "+" : "") + Numbers.fixed(error * 100, 1) + " %"
  }
}
