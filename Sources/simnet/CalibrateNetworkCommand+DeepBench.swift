import ArgumentParser
import Experiments
import Reporting
import SimKernel

extension CalibrateNetworkCommand {
  /// Prints every machine and size of job of a DeepBench table, with the law of its largest sizes.
  func list(_ series: [DeepBenchSeries]) throws {
    if output != nil || format == .json || range != nil {
      throw ValidationError(
        "\(log) has \(series.count) machines and sizes of jobs, of which one makes a block; choose it "
          + "with --series; without options they are listed")
    }
    let header = [
      "series", "machine", "accelerators", "algorithms", "sizes", "latency_s",
      "bandwidth_bit_per_s", "largest_relative_error",
    ]
    var rows: [[String]] = []
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      (title: "series", alignment: .right), (title: "machine", alignment: .left),
      (title: "accelerators", alignment: .right), (title: "sizes", alignment: .right),
    ]
    columns += lawColumns
    columns.append((title: "largest error", alignment: .right))
    columns.append((title: "algorithms", alignment: .left))
    var table = TextTable(columns)
    for (index, own) in series.enumerated() {
      let start = [String(index), own.machine, String(own.accelerators)]
      let algorithms = own.algorithms.joined(separator: ", ")
      let count = String(own.points.count)
      guard let fit = try? own.calibration() else {
        // One size has no law.
        table.add(start + [count, "", "", "not seen", "", algorithms])
        rows.append(start + [algorithms, count, "", "", ""])
        continue
      }
      let law = fit.laws[fit.chosen]
      let error =
        fit.residuals.filter { law.sizes.contains($0.size) }.map { $0.byRange / $0.measured - 1 }
        .max { $0.magnitude < $1.magnitude } ?? 0
      table.add(start + [count] + Self.cells(law) + [percent(error), algorithms])
      rows.append(
        start + [
          algorithms, count, JSONNumber.shortest(law.latency.seconds),
          law.bandwidth.map { String($0.bitsPerSecond) } ?? "", JSONNumber.shortest(error),
        ])
    }
    if format == .table {
      Terminal.print(table.text(width: Terminal.width()))
    } else {
      Terminal.print(
        format.render(ResultTable(header: header, sweptCount: 0, rows: rows), width: .max))
    }
  }
}
