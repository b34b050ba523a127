import Networks
import SimKernel
import Testing
import Training

/// One forward of 100 us, a backward of two times 50 us, and after each half a unit that is encoded,
/// exchanged (20 us and 30 us), decoded beside (5 us); an update of 7 us.
@Suite struct GoldenTimelineTests {
  static let topology = Lab.star(2)

  static func run(
    encode stream: StreamKind, for length: Int64 = 10, slowdown: Double = 1, iterations: Int = 1
  ) throws -> (job: JobOutcome, spans: [TimelineSpan]) {
    let graph = Lab.graph { graph in
      let forward = graph.add(.forward, on: .compute, for: us(100))
      let first = graph.add(.backward, on: .compute, for: us(50), after: [forward])
      let early = graph.add(.encode, on: stream, for: us(length), unit: 0, after: [first])
      let x0 = graph.add(.exchange, on: .communication, exchange: 0, unit: 0, after: [early])
      let d0 = graph.add(.decode, on: .side, for: us(5), unit: 0, after: [x0])
      let second = graph.add(.backward, on: .compute, for: us(50), after: [first])
      let late = graph.add(.encode, on: stream, for: us(length), unit: 1, after: [second])
      let x1 = graph.add(.exchange, on: .communication, exchange: 1, unit: 1, after: [late])
      let d1 = graph.add(.decode, on: .side, for: us(5), unit: 1, after: [x1])
      graph.add(.optimizer, on: .compute, for: us(7), after: [d0, d1, second])
    }
    let timeline = TimelineCollector()
    let job = Lab.job(
      graph, [Lab.exchange(ranks: 2, size: 20_000), Lab.exchange(ranks: 2, size: 30_000)],
      on: topology, iterations: iterations, slowdown: slowdown)
    let outcome = try Lab.run([job], on: topology, recorder: timeline)
    return (outcome.jobs[0], timeline.spans)
  }

  @Test("encoding on the compute stream delays the rest of backward")
  func computeStream() throws {
    let (job, spans) = try Self.run(encode: .compute)
    #expect(
      lines(spans) == [
        "forward 0-100", "backward 100-150", "encode 150-160 of 0", "exchange 160-180 of 0",
        "backward 160-210", "decode 180-185 of 0", "encode 210-220 of 1", "exchange 220-250 of 1",
        "decode 250-255 of 1", "optimizer 255-262",
      ])
    #expect(lines(spans) == lines(spans, worker: 1))
    #expect(microseconds(job.mean) == [200, 20, 30, 5, 0, 7])
  }

  @Test("encoding on a side stream hides all but the last unit's")
  func sideStream() throws {
    let (job, spans) = try Self.run(encode: .side)
    #expect(
      lines(spans) == [
        "forward 0-100", "backward 100-150", "encode 150-160 of 0", "backward 150-200",
        "exchange 160-180 of 0", "decode 180-185 of 0", "encode 200-210 of 1",
        "exchange 210-240 of 1", "decode 240-245 of 1", "optimizer 245-252",
      ])
    #expect(microseconds(job.mean) == [200, 10, 30, 5, 0, 7])
  }

  @Test("a slow CPU encodes one unit after the other")
  func cpu() throws {
    let (job, spans) = try Self.run(encode: .cpu, for: 60)
    #expect(
      lines(spans) == [
        "forward 0-100", "backward 100-150", "backward 150-200", "encode 150-210 of 0",
        "exchange 210-230 of 0", "encode 210-270 of 1", "decode 230-235 of 0",
        "exchange 270-300 of 1", "decode 300-305 of 1", "optimizer 305-312",
      ])
    // Of the first encode, 50 us lie behind the second half of backward.
    #expect(microseconds(job.mean) == [200, 70, 30, 5, 0, 7])
  }

  @Test("compute and side stream run at half speed while both are busy")
  func slowdown() throws {
    let (job, spans) = try Self.run(encode: .side, slowdown: 2)
    // 150: encode (10 left) and backward (50 left) slow each other down; encode ends at 170, when
    // backward has 40 left. 190: decode (5) meets backward (20 left); it ends at 200, backward has
    // 15 left and ends at 215. Everything after has the device to itself.
    #expect(
      lines(spans) == [
        "forward 0-100", "backward 100-150", "encode 150-170 of 0", "backward 150-215",
        "exchange 170-190 of 0", "decode 190-200 of 0", "encode 215-225 of 1",
        "exchange 225-255 of 1", "decode 255-260 of 1", "optimizer 260-267",
      ])
    // Backward lost 10 us to the encode and 5 us to the decode beside it.
    #expect(microseconds(job.mean) == [200, 20, 30, 10, 0, 7])
  }

  @Test("a CPU does not slow the device down")
  func cpuBeside() throws {
    let alone = try Self.run(encode: .cpu, for: 60).spans
    let beside = try Self.run(encode: .cpu, for: 60, slowdown: 2).spans
    #expect(lines(alone) == lines(beside))
  }

  @Test("iterations repeat the timeline")
  func repeats() throws {
    let (job, spans) = try Self.run(encode: .compute, iterations: 3)
    #expect(job.samples == Array(repeating: us(262), count: 6))
    for iteration in 1..<3 {
      let moved = spans.filter { $0.iteration == Int32(iteration) }.map { span in
        var span = span
        span.iteration = 0
        span.start = span.start - us(262 * Int64(iteration))
        span.end = span.end - us(262 * Int64(iteration))
        return span
      }
      #expect(lines(moved) == lines(spans))
    }
  }

  @Test("operations that are ready at the same instant run in graph order, then by readiness")
  func graphOrder() throws {
    let topology = Self.topology
    let graph = Lab.graph { graph in
      let start = graph.add(.forward, on: .compute, for: us(10))
      // Added first, ready last.
      let other = graph.add(.encode, on: .cpu, for: us(15))
      let last = graph.add(.decode, on: .side, for: us(1), unit: 9, after: [other])
      let a = graph.add(.encode, on: .side, for: us(10), unit: 0, after: [start])
      let b = graph.add(.encode, on: .side, for: us(10), unit: 1, after: [start])
      graph.add(.optimizer, on: .compute, for: us(1), after: [last, a, b])
    }
    let timeline = TimelineCollector()
    _ = try Lab.run([Lab.job(graph, on: topology, workers: 1)], on: topology, recorder: timeline)
    #expect(
      lines(timeline.spans) == [
        "forward 0-10", "encode 0-15", "encode 10-20 of 0", "encode 20-30 of 1",
        "decode 30-31 of 9", "optimizer 31-32",
      ])
  }
}
