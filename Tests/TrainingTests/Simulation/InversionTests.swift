import Networks
import SimKernel
import Testing
import Training

/// How long something urgent waits behind what is not.
@Suite struct InversionTests {
  /// Twenty slices that nobody needs soon are under way when one that is urgent becomes ready.
  ///
  /// Two ranks exchange a slice in two steps of half of it each, one after the other.
  static func wait(
    slice: Int64, depth: Int, order: SendingSettings.Order, ready: Int64
  ) throws -> SimDuration {
    let topology = Lab.star(2)
    let graph = Lab.graph { graph in
      let forward = graph.add(.forward, on: .compute)
      for unit in 0..<20 {
        graph.add(.exchange, on: .communication, exchange: unit, unit: unit, after: [forward])
      }
      let backward = graph.add(.backward, on: .compute, for: us(ready), after: [forward])
      graph.add(.exchange, on: .communication, exchange: 20, unit: 20, after: [backward])
    }
    let exchanges = (0..<21).map { unit in
      var exchange = Lab.exchange(ranks: 2, size: slice)
      exchange.unit = unit
      exchange.ticket = AdmissionTicket(priority: unit == 20 ? 0 : 1, bytes: slice)
      return exchange
    }
    var job = Lab.job(graph, exchanges, on: topology)
    job.admission = AdmissionRules(
      order: order == .priority ? .priority : .arrival, limit: .unlimited)
    job.sending = SendingSettings(scope: .process, order: order, depth: depth)
    let timeline = TimelineCollector()
    _ = try Lab.run([job], on: topology, .flow, recorder: timeline)
    let urgent = try #require(timeline.spans.first { $0.kind == .exchange && $0.unit == 20 })
    return urgent.end - (SimTime.zero + us(ready))
  }

  @Test(
    "an urgent message waits for what was handed over before and no more",
    arguments: [1, 2, 3], [2000, 8000] as [Int64])
  func bound(depth: Int, slice: Int64) throws {
    // A byte takes a nanosecond.
    let message = SimDuration.picoseconds(slice / 2 * 1000)
    for ready in [1, 3, 5, 9] as [Int64] {
      let wait = try Self.wait(slice: slice, depth: depth, order: .priority, ready: ready)
      #expect(wait >= message * 2)
      // Each of its two steps waits until one of `depth` messages has left that share the link, and
      // then shares it with the others.
      #expect(wait <= message * (4 * depth), "depth \(depth), ready \(ready)")
      let fifo = try Self.wait(slice: slice, depth: depth, order: .fifo, ready: ready)
      #expect(fifo > message * (4 * depth))
    }
  }
}
