import Collectives
import Networks
import SimKernel
import Testing
import Training

/// What a recorded run says of messages, exchanges and iterations.
@Suite struct TransferTimelineTests {
  /// A forward of 100 us and a backward of two halves of 50 us, each with a unit of its own.
  private static func run(
    ranks: Int, sizes: [Int64] = [20_000, 30_000], window: Int = 1, iterations: Int = 1,
    warmup: Int = 0, model: NetworkModelKind = .alphaBeta, isRecorded: Bool = true
  ) throws -> (job: JobOutcome, timeline: TimelineCollector, exchanges: [PlannedExchange]) {
    let graph = Lab.graph { graph in
      var last = graph.add(.forward, on: .compute, for: us(100))
      var exchanges: [Int] = []
      for unit in sizes.indices {
        last = graph.add(.backward, on: .compute, for: us(50), after: [last])
        exchanges.append(
          graph.add(.exchange, on: .communication, exchange: unit, unit: unit, after: [last]))
      }
      graph.add(.optimizer, on: .compute, for: us(7), after: exchanges + [last])
    }
    let exchanges = sizes.enumerated().map { unit, size in
      var exchange = Lab.exchange(ranks: ranks, size: size)
      exchange.unit = unit
      return exchange
    }
    let topology = Lab.star(ranks)
    let timeline = TimelineCollector()
    let job = Lab.job(
      graph, exchanges, on: topology, workers: ranks, window: window, iterations: iterations,
      warmup: warmup)
    let outcome = try Lab.run(
      [job], on: topology, model, recorder: isRecorded ? timeline : nil)
    return (outcome.jobs[0], timeline, exchanges)
  }

  @Test("a ring of two sends half a payload twice, one half after the other")
  func ringOfTwo() throws {
    // A byte takes a nanosecond: 10,000 bytes take 10 us, 15,000 take 15 us.
    let (_, timeline, _) = try Self.run(ranks: 2)
    let own = timeline.transfers.filter { $0.sender == RankID(0) }
    #expect(own.map { $0.start.picoseconds / 1_000_000 } == [150, 160, 200, 215])
    #expect(own.map { $0.left.picoseconds / 1_000_000 } == [160, 170, 215, 230])
    #expect(own.map(\.delivered) == own.map(\.left))
    #expect(own.map(\.size.bytes) == [10_000, 10_000, 15_000, 15_000])
    #expect(
      own.allSatisfy { $0.receiver == RankID(1) && $0.unit == ($0.size.bytes == 10_000 ? 0 : 1) })
    #expect(own.allSatisfy { $0.queued == $0.start })
  }

  @Test(
    "every message of a plan is there once, in order, inside the exchange, and all bytes count",
    arguments: [1, 2, 3, 4, 7], NetworkModelKind.allCases)
  func conservation(ranks: Int, model: NetworkModelKind) throws {
    let (job, timeline, exchanges) = try Self.run(
      ranks: ranks, iterations: 3, warmup: 1, model: model)
    let steps = exchanges.reduce(0) { $0 + $1.plan.stepCount }
    #expect(timeline.transfers.count == steps * 4)
    var seen: Set<[Int32]> = []
    for transfer in timeline.transfers {
      let key = [transfer.iteration, transfer.exchange, transfer.step]
      #expect(seen.insert(key).inserted)
      #expect(transfer.queued <= transfer.start && transfer.start <= transfer.left)
      #expect(transfer.left <= transfer.delivered)
      #expect(transfer.source == NodeID(transfer.sender.index))
      let exchange = timeline.exchanges.first {
        $0.worker == transfer.sender && $0.iteration == transfer.iteration
          && $0.exchange == transfer.exchange
      }
      #expect((exchange?.start ?? .never) <= transfer.queued)
    }
    let counted = timeline.transfers.filter { $0.iteration >= 1 }
    #expect(counted.reduce(0) { $0 + $1.size.bytes } == job.wireBytes.bytes)
  }

  @Test("what one exchange at a time makes wait is ready before it starts")
  func waiting() throws {
    // The first unit takes 2 x 100 us from 150 us, so the second, ready at 200 us, starts at 350 us.
    let (_, timeline, _) = try Self.run(ranks: 2, sizes: [200_000, 30_000])
    let second = try #require(
      timeline.exchanges.first { $0.unit == 1 && $0.worker == RankID(0) })
    let instants = [second.ready, second.start, second.end].map { $0.picoseconds / 1_000_000 }
    #expect(instants == [200, 350, 380])
    let both = try Self.run(ranks: 2, sizes: [200_000, 30_000], window: 2).timeline.exchanges
    #expect(both.allSatisfy { $0.ready == $0.start })
  }

  @Test(
    "iterations follow one another without a gap and are as long as their parts", arguments: 1..<5)
  func iterations(count: Int) throws {
    let (job, timeline, _) = try Self.run(ranks: 3, iterations: count, warmup: 2)
    #expect(timeline.iterations.count == 3 * count)
    for worker in 0..<3 {
      let own = timeline.iterations.filter { $0.worker == RankID(worker) }
      #expect(own.map(\.iteration) == (2..<Int32(count) + 2).map { $0 })
      for (a, b) in zip(own, own.dropFirst()) { #expect(a.end == b.start) }
      for span in own { #expect(span.account.total == span.end - span.start) }
      #expect(own.last?.end == job.end)
    }
    var sum = IterationSum()
    for span in timeline.iterations { sum += span.account }
    #expect(sum == job.sum)
  }

  @Test("recording changes nothing", arguments: NetworkModelKind.allCases)
  func recordingChangesNothing(model: NetworkModelKind) throws {
    let (recorded, _, _) = try Self.run(ranks: 4, iterations: 3, model: model)
    let (plain, timeline, _) = try Self.run(
      ranks: 4, iterations: 3, model: model, isRecorded: false)
    #expect(recorded.end == plain.end && recorded.sum == plain.sum)
    #expect(recorded.samples == plain.samples && recorded.wireBytes == plain.wireBytes)
    #expect(timeline.transfers.isEmpty && timeline.spans.isEmpty && timeline.exchanges.isEmpty)
  }
}
