import Networks
import SimKernel
import Testing

private let ns = SimDuration.nanoseconds(1)

/// L = 2500 ns, o = 1500 ns, g = 1000 ns, G = 6 ns, all eager.
private let plainParameters = LogGPParameters(
  latency: ns * 2500, overhead: ns * 1500, gap: ns * 1000, gapPerByte: .nanoseconds(6))

private func finish(
  _ kind: LogGPPattern.Kind, _ ranks: Int, _ bytes: Int64,
  _ parameters: LogGPParameters = plainParameters
) throws -> [SimDuration] {
  let pattern = try #require(LogGPPattern(kind, ranks: ranks, bytes: .bytes(bytes)))
  return try LogGP.run(pattern, on: .uniform(parameters)).finish.map { $0 - SimTime.zero }
}

@Suite struct LogGPMachineTests {
  // MARK: - Closed forms

  @Test("a ring takes 2(N-1)(L + 2o + (c-1)G)", arguments: [1, 2, 3, 4, 5, 8, 17, 64])
  func ring(ranks: Int) throws {
    for chunk in [1, 2, 1000, 262_144] as [Int64] {
      let each = ns * (2500 + 2 * 1500 + 6 * Int(chunk - 1))
      let all = try finish(.ring, ranks, chunk * Int64(ranks))
      #expect(all == Array(repeating: each * (2 * (ranks - 1)), count: ranks))
    }
  }

  @Test("dissemination takes ceil(log2 N) (L + 2o + (S-1)G)", arguments: [1, 2, 3, 4, 7, 8, 9, 64])
  func dissemination(ranks: Int) throws {
    let rounds = (0...10).first { 1 << $0 >= ranks }!
    for size in [1, 8, 4096] as [Int64] {
      let each = ns * (2500 + 2 * 1500 + 6 * Int(size - 1))
      #expect(try finish(.dissemination, ranks, size).allSatisfy { $0 == each * rounds })
    }
  }

  @Test("recursive doubling takes log2 N (L + 2o + (S-1)G)", arguments: [1, 2, 4, 64, 1024])
  func recursiveDoubling(ranks: Int) throws {
    let each = ns * (2500 + 2 * 1500 + 6 * 99)
    let rounds = ranks.trailingZeroBitCount
    #expect(
      try finish(.recursiveDoubling, ranks, 100).allSatisfy { $0 == each * rounds })
  }

  @Test("halving and doubling pays for every half once each way", arguments: [2, 4, 16, 256])
  func halvingDoubling(ranks: Int) throws {
    let size: Int64 = 1 << 20
    var expected = SimDuration.zero
    for round in 1...ranks.trailingZeroBitCount {
      expected += ns * (2 * (2500 + 3000 + 6 * Int(size >> Int64(round) - 1)))
    }
    #expect(try finish(.halvingDoubling, ranks, size).allSatisfy { $0 == expected })
  }

  @Test("a power of two is asked for where it is needed")
  func powers() {
    #expect(LogGPPattern(.halvingDoubling, ranks: 6, bytes: .bytes(8)) == nil)
    #expect(LogGPPattern(.recursiveDoubling, ranks: 3, bytes: .bytes(8)) == nil)
    #expect(LogGPPattern(.ring, ranks: 0, bytes: .bytes(8)) == nil)
  }

  @Test("a root sends a message each max(o + (s-1)O, g + (s-1)G)", arguments: [2, 3, 9])
  func scatter(ranks: Int) throws {
    for (overhead, perByte) in [(1500, 0), (1500, 9), (200, 1)] {
      let parameters = LogGPParameters(
        latency: ns * 2500, overhead: ns * overhead, gap: ns * 1000,
        gapPerByte: .nanoseconds(6), overheadPerByte: .nanoseconds(Double(perByte)))
      let all = try finish(.scatter, ranks, 101, parameters)
      let pace = max(overhead + 100 * perByte, 1000 + 600)
      for rank in 1..<ranks {
        let arrival = (rank - 1) * pace + overhead + 2500
        #expect(all[rank] == ns * (arrival + overhead + max(100 * perByte, 600)))
      }
      #expect(all[0] == ns * ((ranks - 2) * pace + overhead + 100 * perByte))
    }
  }

  @Test("fractions of a picosecond a byte are rounded up once a message")
  func fractions() throws {
    var parameters = plainParameters
    parameters.gapPerByte = TimePerByte(femtoseconds: 1667)
    let all = try finish(.scatter, 2, 1_000_001, parameters)
    #expect(all[1] == ns * 5500 + .picoseconds(1_667_000))
    #expect(try finish(.scatter, 2, 2, parameters)[1] == ns * 5500 + .picoseconds(2))
  }

  // MARK: - Rendezvous

  @Test("a rendezvous send is over when its receive has begun, an eager one after o")
  func rendezvous() throws {
    for delay in [0, 100_000] {
      for size in [8, 9] as [Int64] {
        var parameters = plainParameters
        parameters.rendezvousAbove = .bytes(8)
        var builder = LogGPScheduleBuilder(hosts: 2)
        builder.begin(host: 0)
        builder.send(.bytes(size), to: 1)
        builder.begin(host: 1)
        let work = builder.calculate(ns * delay)
        let receive = builder.receive(.bytes(size), from: 0)
        builder.require(receive, after: work)
        let outcome = try LogGP.run(builder.finish(), on: .uniform(parameters))
        let begun = max(delay, 4000)
        #expect(outcome.finish[0] - SimTime.zero == ns * (size > 8 ? begun : 1500))
        #expect(outcome.finish[1] - SimTime.zero == ns * (begun + 1500 + 6 * Int(size - 1)))
      }
    }
  }

  // MARK: - Matching

  @Test("messages of one source and tag go to receives in posting order, others do not")
  func postingOrder() throws {
    for tags in [[0, 0], [0, 1], [1, 0]] as [[Int32]] {
      var builder = LogGPScheduleBuilder(hosts: 2)
      builder.begin(host: 0)
      builder.send(.bytes(1), to: 1, tag: 0)
      let pause = builder.calculate(ns * 1_000_000)
      let late = builder.send(.bytes(1), to: 1, tag: tags.contains(1) ? 1 : 0)
      builder.require(late, after: pause)
      builder.begin(host: 1)
      let receives = tags.map { builder.receive(.bytes(1), from: 0, tag: $0) }
      // A long calculation behind the receive posted first.
      let work = builder.calculate(ns * 500_000)
      builder.require(work, after: receives[0])
      let end = try LogGP.run(builder.finish(), on: .uniform(plainParameters)).finish[1]
      // The second message comes 1 ms after the first: o, the pause, then o + L + o.
      let second = 1500 + 1_000_000 + 1500 + 2500 + 1500
      #expect(end - SimTime.zero == ns * (tags[0] == 1 ? second + 500_000 : second))
    }
  }

  @Test("a receive from anybody takes what arrives first")
  func wildcards() throws {
    var builder = LogGPScheduleBuilder(hosts: 3)
    builder.begin(host: 0)
    let any = builder.receive(.bytes(1), from: nil, tag: nil)
    let work = builder.calculate(ns * 10_000)
    builder.require(work, after: any)
    builder.receive(.bytes(1), from: 2, tag: 7)
    builder.begin(host: 1)
    builder.send(.bytes(1), to: 0, tag: 5)
    builder.begin(host: 2)
    let pause = builder.calculate(ns * 50_000)
    let send = builder.send(.bytes(1), to: 0, tag: 7)
    builder.require(send, after: pause)
    let end = try LogGP.run(builder.finish(), on: .uniform(plainParameters)).finish[0]
    #expect(end - SimTime.zero == ns * (50_000 + 5500))
  }

  @Test("random schedules end as the plain transcription of LogGOPSim says")
  func randomSchedules() throws {
    var finished = 0
    for seed in 0..<4000 as Range<UInt64> {
      var random = RandomStream(seed: seed, purpose: RandomPurpose("random schedules"))
      let reference = LogGPReference.random(&random)
      let schedule = reference.schedule()
      let expected = reference.run()
      switch Result(catching: { () throws(LogGPError) in
        try LogGP.run(schedule, on: .each(reference.parameters))
      }) {
      case .success(let outcome):
        #expect(outcome.finish.map(\.picoseconds) == expected, "seed \(seed)")
        #expect(outcome.messages == schedule.messageCount)
        finished += 1
      case .failure(let error):
        guard case .stuck(_, let waiting) = error else {
          Issue.record("seed \(seed): \(error)")
          continue
        }
        #expect(expected == nil && !waiting.isEmpty, "seed \(seed)")
      }
    }
    #expect(finished > 2000 && finished < 4000)
  }

  @Test("a pattern runs as its stored form does", arguments: LogGPPattern.Kind.allCases)
  func patterns(kind: LogGPPattern.Kind) throws {
    var random = RandomStream(seed: 7, purpose: RandomPurpose("patterns"))
    for ranks in 1...17 {
      for bytes in [0, 1, 7, 100] as [Int64] {
        guard
          let pattern = LogGPPattern(kind, ranks: ranks, bytes: .bytes(bytes), segment: .bytes(3))
        else { continue }
        let schedule = pattern.schedule()
        let each = (0..<ranks).map { _ in
          LogGPParameters(
            latency: ns * random.index(below: 5), overhead: ns * random.index(below: 3),
            gap: ns * random.index(below: 5),
            gapPerByte: .nanoseconds(Double(random.index(below: 3))),
            overheadPerByte: .nanoseconds(Double(random.index(below: 2))),
            rendezvousAbove: random.index(below: 2) == 0 ? .bytes(5) : nil)
        }
        for hosts in [LogGPHosts.uniform(plainParameters), .uniform(each[0]), .each(each)] {
          let implicit = try LogGP.run(pattern, on: hosts)
          #expect(try LogGP.run(schedule, on: hosts) == implicit, "\(ranks) ranks, \(bytes) B")
          #expect(implicit.messages == schedule.messageCount)
          #expect(try LogGP.run(pattern, on: hosts) == implicit)
        }
      }
    }
  }

  // MARK: - What has no end

  private func stuck(_ fill: (inout LogGPScheduleBuilder) -> Void) -> [String] {
    var builder = LogGPScheduleBuilder(hosts: 2)
    fill(&builder)
    do {
      _ = try LogGP.run(builder.finish(), on: .uniform(.logGOPSim))
      return []
    } catch {
      guard case .stuck(_, let waiting) = error else { return ["\(error)"] }
      return waiting
    }
  }

  @Test("circles, missing messages and missing receives are named")
  func reports() {
    let circle = stuck { builder in
      builder.begin(host: 1)
      let first = builder.calculate(ns, line: 3)
      let second = builder.send(.bytes(4), to: 0, tag: 9, line: 4)
      builder.require(first, after: second)
      builder.require(second, after: first)
    }
    #expect(
      circle.first == "a circle: rank 1, line 3: calculation, which waits for rank 1, line 4: "
        + "send of 4 B to rank 0 with tag 9")
    let missing = stuck { builder in
      builder.begin(host: 0)
      let receive = builder.receive(.bytes(4), from: 1, tag: 2)
      let later = builder.calculate(ns)
      builder.require(later, after: receive)
    }
    #expect(
      missing == [
        "rank 0, operation 1: receive of 4 B from rank 1 with tag 2 waits for a message",
        "rank 0, operation 2: calculation waits for rank 0, operation 1: receive of 4 B from "
          + "rank 1 with tag 2",
      ])
    let unread = stuck { builder in
      builder.begin(host: 0)
      builder.send(.bytes(4), to: 1)
      builder.begin(host: 1)
      builder.receive(.bytes(4), from: 0, tag: 1)
    }
    #expect(unread.count == 2 && unread[1].hasSuffix("arrived and is never received"))
    let held = stuck { builder in
      builder.begin(host: 0)
      builder.send(.bytes(1 << 20), to: 1)
    }
    #expect(held[0].contains("because it is a rendezvous"))
    let own = stuck { builder in
      builder.begin(host: 0)
      let only = builder.calculate(ns)
      builder.require(only, after: only)
    }
    #expect(own.first == "rank 0, operation 1: calculation waits for itself")
  }

  @Test("time that leaves its range is an error")
  func overflow() throws {
    var parameters = plainParameters
    parameters.gapPerByte = .nanoseconds(1e6)
    let pattern = try #require(LogGPPattern(.scatter, ranks: 2, bytes: .bytes(1 << 50)))
    #expect(throws: LogGPError.timeOverflow(at: .zero + ns * 4000)) {
      try LogGP.run(pattern, on: .uniform(parameters))
    }
  }

  @Test("a raised stop ends a long run")
  func interruption() throws {
    let pattern = try #require(
      LogGPPattern(.pipelinedChain, ranks: 2, bytes: .bytes(1 << 20)))
    #expect(throws: LogGPError.self) {
      try LogGP.run(pattern, on: .uniform(plainParameters)) { true }
    }
  }
}
