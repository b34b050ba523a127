import Interchange

extension Benchmark {
  /// Other tools' files, from memory: what a core reads a second, against what was asked of it, and
  /// against looking at every byte once.
  static var interchange: Benchmark {
    Benchmark(
      name: "interchange", summary: "traces of other tools, read by one core from memory"
    ) { extent, report in
      let kineto = TraceBenchmark.kineto(events: extent.pick(100_000, 1_000_000))
      let chakra = TraceBenchmark.chakra(nodes: extent.pick(10_000, 50_000))
      measure("Kineto JSON, event by event", kineto, asked: 400, extent, report) {
        _ = try? TraceBenchmark.readKineto(kineto)
      }
      measure("Kineto JSON, all events kept", kineto, asked: nil, extent, report) {
        _ = try? KinetoTrace(bytes: kineto, path: "benchmark")
      }
      measure("Chakra .et", chakra, asked: 50, extent, report) {
        _ = try? ChakraFile.read(bytes: chakra, path: "benchmark.0.et")
      }
    }
  }

  /// Reports megabytes a second of `read`, which reads all of `bytes`.
  private static func measure(
    _ what: String, _ bytes: [UInt8], asked: Double?, _ extent: Extent,
    _ report: (Measurement) -> Void, _ read: @escaping () -> Void
  ) {
    var quotes = 0
    let contest = Contest(
      rounds: extent.rounds,
      [
        { ThreadClock.measure(read) },
        { ThreadClock.measure { quotes &+= TraceBenchmark.scan(bytes) } },
      ])
    precondition(quotes >= 0, "keeps the scan from being left out")
    let megabytes = Double(bytes.count) / 1e6
    report(
      Measurement(
        what: what, n: bytes.count, rate: megabytes / contest.best[0], unit: "MB/s",
        ceiling: asked == nil ? "every byte once" : "asked for",
        ceilingRate: asked ?? megabytes / contest.best[1], aim: asked.map { _ in 1 }))
  }
}
