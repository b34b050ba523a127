import ArgumentParser
import Experiments
import Interchange
import Reporting
import SimKernel
import Validation

struct CalibrateNCCLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nccl",
    abstract: "Fit launch + size / bandwidth to a log of nccl-tests, and say how well it predicts.",
    discussion: """
      Libraries change algorithm and protocol with the size, so there is a law for each range of \
      sizes. Every other size is held out: the errors are those of sizes the fit has not seen. The \
      laws printed are then fitted to all sizes. Both layouts of nccl-tests are read, with whatever \
      else stands in the log.

      Example: simnet calibrate nccl all_reduce_perf.log
      Example: simnet calibrate nccl all_reduce_perf.log --in-place --format csv
      """)

  @Argument(help: "What all_reduce_perf or another of the tests printed.")
  var log: String

  @Flag(help: "Fit the in-place times instead of the out-of-place ones.")
  var inPlace = false

  @Option(help: "table (laws and errors), or every size with its prediction as csv, json or jsonl.")
  var format: OutputFormat = .table

  func run() throws {
    let contents = try NCCLTestsLog(path: log)
    let points = try NetworkCalibration.points(
      of: contents, path: log, inPlace: inPlace, least: 4,
      reason: "half are held out, so at least 4 are needed")
    let held = HeldOutFit(points)
    if format == .table {
      printLaws(SegmentedFit(points), contents)
      printErrors(held)
    } else {
      let header = [
        "size_bytes", "measured_s", "predicted_s", "relative_error", "is_held_out",
      ]
      let rows = held.predictions.map { entry in
        [
          JSONNumber.shortest(entry.point.size), JSONNumber.shortest(entry.point.time),
          JSONNumber.shortest(entry.predicted), JSONNumber.shortest(entry.error),
          entry.isHeldOut ? "true" : "false",
        ]
      }
      Terminal.print(
        format.render(ResultTable(header: header, sweptCount: 0, rows: rows), width: .max))
    }
  }

  private func printLaws(_ fit: SegmentedFit, _ contents: NCCLTestsLog) {
    // Small bandwidths are printed with two digits; the largest sizes say it best.
    let factor = contents.rows.last { $0.busFactor != nil }?.busFactor
    var table = TextTable([
      (title: "sizes (B)", alignment: .right), (title: "launch (us)", alignment: .right),
      (title: "algbw (GB/s)", alignment: .right), (title: "busbw (GB/s)", alignment: .right),
    ])
    for segment in fit.segments {
      let rate = segment.slope > 0 ? 1e-9 / segment.slope : .infinity
      table.add([
        JSONNumber.shortest(segment.sizes.lowerBound) + "-"
          + JSONNumber.shortest(segment.sizes.upperBound),
        Numbers.fixed(segment.launch * 1e6, 2),
        rate.isFinite ? Numbers.significant(rate, 4) : "inf",
        rate.isFinite ? factor.map { Numbers.significant(rate * $0, 4) } ?? "" : "inf",
      ])
    }
    let ranks = contents.ranks.map { ", \($0) ranks" } ?? ""
    Terminal.print(
      "\(log): \(contents.rows.count) rows\(ranks)\n")
    Terminal.print(table.text(width: Terminal.width()))
  }

  private func printErrors(_ held: HeldOutFit) {
    var table = TextTable([
      (title: "held-out sizes", alignment: .left), (title: "number", alignment: .right),
      (title: "mean error", alignment: .right), (title: "largest", alignment: .right),
    ])
    for band in held.bands {
      let lower = band.sizes.lowerBound
      let upper = band.sizes.upperBound
      table.add([
        lower == 0
          ? "below \(Self.size(upper))"
          : upper.isFinite
            ? "\(Self.size(lower)) to \(Self.size(upper))"
            : "\(Self.size(lower)) and more",
        String(band.count), Numbers.fixed(band.meanError * 100, 1) + " %",
        Numbers.fixed(band.largestError * 100, 1) + " %",
      ])
    }
    Terminal.print("\n" + table.text(width: Terminal.width()))
  }

  private static func size(_ bytes: Double) -> String {
    bytes >= 1_048_576
      ? "\(Int(bytes) / 1_048_576) MiB" : "\(Int(bytes) / 1024) KiB"
  }
}
