import Networks
import SimKernel

/// Messages of the LogGOPS machine whose operations are computed, against a heap that only orders as
/// many events: a send and a message each.
func measureLogGP(_ extent: Benchmark.Extent, _ report: (Measurement) -> Void) {
  let sizes: [(LogGPPattern.Kind, Int)] = [
    (.ring, extent.pick(256, 1024)), (.halvingDoubling, extent.pick(4096, 65_536)),
  ]
  for (kind, ranks) in sizes {
    guard let pattern = LogGPPattern(kind, ranks: ranks, bytes: .mebibytes(4)) else {
      preconditionFailure("a power of two of ranks")
    }
    let heapOperations = 1_000_000
    var messages = 0
    let contest = Contest(
      rounds: extent.rounds,
      [
        {
          ThreadClock.measure {
            guard let outcome = try? LogGP.run(pattern, on: .uniform(.logGOPSim)) else {
              preconditionFailure("a collective ends")
            }
            messages = outcome.messages
          }
        },
        { Ceilings.heapSeconds(pending: ranks, operations: heapOperations) },
      ])
    report(
      Measurement(
        what: "LogGOPS \(kind.rawValue), implicit", n: ranks,
        rate: Double(messages) / contest.best[0] / 1e6, unit: "M msg/s",
        ceiling: "binary heap, 2 events",
        ceilingRate: Double(heapOperations) / 2 / contest.best[1] / 1e6))
  }
}
