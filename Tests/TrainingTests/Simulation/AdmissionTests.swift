import Networks
import SimKernel
import Testing
import Training

/// Links of 5 us, so that a message of 1000 bytes leaves within 1 us and arrives 10 us later: an
/// exchange of 2000 bytes between two ranks takes two such messages, 22 us.
@Suite struct AdmissionTests {
  static let topology = Lab.star(2, latency: us(5))

  /// Forward of 10 us; unit 0 is encoded for `late` us on the CPU; two exchanges of 22 us.
  static func job(late: Int64, window: Int, iterations: Int = 1) -> JobPlan {
    let graph = Lab.graph { graph in
      let forward = graph.add(.forward, on: .compute, for: us(10))
      var ready = forward
      if late > 0 { ready = graph.add(.encode, on: .cpu, for: us(late), unit: 0, after: [forward]) }
      let x0 = graph.add(.exchange, on: .communication, exchange: 0, unit: 0, after: [ready])
      let x1 = graph.add(.exchange, on: .communication, exchange: 1, unit: 1, after: [forward])
      graph.add(.optimizer, on: .compute, for: us(1), after: [x0, x1])
    }
    let exchange = Lab.exchange(ranks: 2, size: 2000)
    return Lab.job(
      graph, [exchange, exchange], on: topology, window: window, iterations: iterations)
  }

  @Test("a window of one runs exchanges one after the other, of two side by side")
  func window() throws {
    func total(_ window: Int) throws -> SimDuration {
      try Lab.run([Self.job(late: 0, window: window)], on: Self.topology).jobs[0].mean.total
    }
    #expect(try total(1) == us(10 + 22 + 22 + 1))
    // The second exchange's messages leave 1 us behind those of the first, on the same connection.
    #expect(try total(2) == us(10 + 23 + 1))
    #expect(try total(3) == us(10 + 23 + 1))
  }

  @Test(
    "a late bucket holds back those behind it, and the account still adds up", arguments: [1, 2, 3])
  func lateBucket(window: Int) throws {
    let timeline = TimelineCollector()
    let job = try Lab.run(
      [Self.job(late: 100, window: window, iterations: 3)], on: Self.topology, recorder: timeline
    ).jobs[0]
    let exchanges = lines(timeline.spans).filter { $0.hasPrefix("exchange") }
    if window == 1 {
      #expect(exchanges == ["exchange 110-132 of 0", "exchange 132-154 of 1"])
      #expect(microseconds(job.mean) == [10, 100, 44, 0, 0, 1])
    } else {
      #expect(exchanges == ["exchange 110-132 of 0", "exchange 110-133 of 1"])
      #expect(microseconds(job.mean) == [10, 100, 23, 0, 0, 1])
    }
    #expect(job.samples.allSatisfy { $0 == (window == 1 ? us(155) : us(134)) })
  }

  @Test("an admission queue keeps the order and the window")
  func queue() {
    var queue = AdmissionQueue(
      Array(repeating: AdmissionTicket(), count: 4), rules: AdmissionRules(limit: .exchanges(2)))
    #expect(queue.admit() == nil)
    queue.ready(1)
    #expect(queue.admit() == nil)
    queue.ready(0)
    #expect(queue.admit() == 0)
    #expect(queue.admit() == 1)
    queue.ready(2)
    queue.ready(3)
    #expect(queue.admit() == nil)
    queue.complete(0)
    #expect(queue.admit() == 2)
    #expect(queue.admit() == nil)
    queue.complete(1)
    queue.complete(2)
    #expect(queue.admit() == 3)
    #expect(queue.admit() == nil)
    queue.reset(to: 0..<4, random: RandomStream(seed: 1, purpose: RandomPurpose("test")))
    queue.ready(0)
    #expect(queue.admit() == 0)
    var empty = AdmissionQueue([], rules: AdmissionRules())
    #expect(empty.admit() == nil)
  }
}
