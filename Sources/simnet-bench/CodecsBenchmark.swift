import Compression

extension Benchmark {
  /// Every codec, the kernels that ceilings are known of, libzstd itself and top-k's hard inputs.
  ///
  /// `filters` keep the rows whose label contains one of them; without any, all are measured.
  static func codecs(_ filters: [String] = []) -> Benchmark {
    Benchmark(
      name: "codecs",
      summary: "encode and decode a heavy-tailed gradient, against a copy of it; codecs NAME... "
        + "measures only what contains a name"
    ) { extent, report in
      do {
        try CodecBenchmark.run(
          elements: extent.pick(2_600_000, 26_000_000), filters: filters,
          rounds: extent.pick(1, 5), seconds: ThreadClock.measure
        ) { row in
          report(
            Measurement(
              what: "\(row.operation) \(row.label)", n: row.elements, rate: row.gigabytesPerSecond,
              unit: "GB/s", ceiling: row.yardstick, ceilingRate: row.yardstickGigabytesPerSecond,
              aim: row.aim))
        }
      } catch {
        preconditionFailure("the benchmark's pipelines and gradients are valid: \(error)")
      }
    }
  }
}
