import Networks
import SimKernel
import Testing
import Training

@Suite("Crashes, checkpoints and lost messages") struct RecoveryTests {
  /// Iterations of 101 us: 100 of compute and an exchange of one.
  private static func job(
    every: Int?, iterations: Int = 6, warmup: Int = 0, workers: Int = 2, on topology: Topology,
    sending: SendingSettings = SendingSettings()
  ) -> JobPlan {
    let graph = Lab.graph {
      let backward = $0.add(.backward, on: .compute, for: us(100))
      $0.add(.exchange, on: .communication, exchange: 0, unit: 0, after: [backward])
    }
    var job = Lab.job(
      graph, [Lab.exchange(ranks: workers, size: 1000)], on: topology, workers: workers,
      iterations: iterations, warmup: warmup)
    job.recovery.every = every
    job.recovery.writing = us(50)
    job.recovery.detection = us(10)
    job.recovery.restart = us(20)
    job.sending = sending
    return job
  }

  private static func crash(at time: Int64, host: Int = 0, away: Int64 = 30) -> HostCrash {
    HostCrash(time: .zero + us(time), host: host, away: us(away))
  }

  private static func run(
    every: Int?, iterations: Int = 6, warmup: Int = 0, _ crashes: [HostCrash],
    _ model: NetworkModelKind = .flow
  ) throws -> JobOutcome {
    let star = Lab.star(2)
    return try Lab.run(
      [job(every: every, iterations: iterations, warmup: warmup, on: star)], on: star, model,
      crashes: HostCrashes(listed: crashes)
    ).jobs[0]
  }

  @Test("A crash costs the work since the checkpoint and the time until the job runs again")
  func oneCrash() throws {
    let outcome = try Self.run(every: 2, [Self.crash(at: 550)])
    let recovery = outcome.recovery
    #expect(recovery.crashes == 1 && recovery.checkpoints == 2)
    // The second checkpoint ends at 4 x 101 + 2 x 50 = 504.
    #expect(recovery.writing == us(100) && recovery.rework == us(46))
    #expect(recovery.downtime == us(30 + 20))
    #expect(outcome.end == SimTime.zero + us(6 * 101 + 100 + 46 + 50))
  }

  @Test("Without checkpoints a job begins anew")
  func noCheckpoint() throws {
    let outcome = try Self.run(every: nil, [Self.crash(at: 550, away: 0)])
    #expect(outcome.recovery.rework == us(550))
    // The host is back at once; the job needs its time to notice.
    #expect(outcome.recovery.downtime == us(10 + 20))
    #expect(outcome.end == SimTime.zero + us(550 + 30 + 606))
  }

  @Test("A checkpoint counts once it is written")
  func crashWhileWriting() throws {
    let outcome = try Self.run(every: 2, [Self.crash(at: 230)])
    #expect(outcome.recovery.rework == us(230) && outcome.recovery.checkpoints == 2)
    #expect(outcome.end == SimTime.zero + us(230 + 50 + 606 + 100))
  }

  @Test("A job waits for all of its hosts")
  func twoHosts() throws {
    let outcome = try Self.run(
      every: 2, [Self.crash(at: 550), Self.crash(at: 570, host: 1, away: 100)])
    #expect(outcome.recovery.crashes == 1)
    #expect(outcome.recovery.downtime == us(570 + 100 + 20 - 550))
  }

  @Test("What is kept is what an undisturbed run does", arguments: NetworkModelKind.allCases)
  func sameWork(model: NetworkModelKind) throws {
    let plain = try Self.run(every: nil, iterations: 5, warmup: 2, [], model)
    for time in stride(from: Int64(1), to: 1000, by: 37) {
      let crashes = [Self.crash(at: time), Self.crash(at: time + 333, host: 1, away: 5)]
      let outcome = try Self.run(every: 3, iterations: 5, warmup: 2, crashes, model)
      #expect(outcome.iterations == plain.iterations && outcome.sums == plain.sums)
      #expect(outcome.samples == plain.samples && outcome.wireBytes == plain.wireBytes)
      let cost = outcome.recovery
      #expect(
        outcome.end == plain.end + cost.writing + cost.rework + cost.downtime,
        "a crash at \(time) us")
    }
  }

  @Test("Another job on the network goes on")
  func otherJob() throws {
    let star = Lab.star(4)
    var other = Self.job(every: nil, on: star)
    other.nodes = Array(star.accelerators[2...])
    let jobs = [Self.job(every: 2, on: star), other]
    let outcome = try Lab.run(
      jobs, on: star, .flow, crashes: HostCrashes(listed: [Self.crash(at: 100)]))
    #expect(outcome.jobs[0].recovery.crashes == 1)
    #expect(outcome.jobs[1].recovery == RecoveryOutcome())
    #expect(outcome.jobs[1].end == SimTime.zero + us(606))
  }

  @Test("Random crashes depend on the seed alone, and a run that gets nowhere ends")
  func randomCrashes() throws {
    let star = Lab.star(2)
    func outcome(_ mean: Int64, seed: UInt64) throws -> JobOutcome {
      let random = RandomCrashes(mean: us(mean), away: us(30), seed: seed, replicate: 0)
      return try Lab.run(
        [Self.job(every: 3, iterations: 60, on: star)], on: star,
        crashes: HostCrashes(random: random)
      ).jobs[0]
    }
    let (a, b) = (try outcome(2000, seed: 1), try outcome(2000, seed: 1))
    #expect(a.recovery == b.recovery && a.end == b.end && a.recovery.crashes > 0)
    #expect(try outcome(2000, seed: 2).end != a.end)
    let cost = a.recovery
    #expect(a.end == SimTime.zero + us(60 * 101) + cost.writing + cost.rework + cost.downtime)
    #expect {
      try outcome(20, seed: 1)
    } throws: {
      "\($0)".contains("crashed 255 times") && "\($0)".contains("iteration 0")
    }
  }

  /// The interval of Young (CACM 17, 1974, doi:10.1145/361147.361115): sqrt(2 x cost x mean time
  /// between failures of the job).
  @Test("The best interval between checkpoints is near Young's") func youngsInterval() throws {
    let star = Lab.star(2)
    // Two hosts of 40 ms each fail every 20 ms: sqrt(2 x 50 us x 20 ms) is 1.4 ms, 14 iterations.
    func total(_ every: Int) throws -> Double {
      var sum = 0.0
      for seed in 0..<12 as Range<UInt64> {
        let random = RandomCrashes(mean: us(40_000), away: .zero, seed: seed, replicate: 0)
        sum += try Lab.run(
          [Self.job(every: every, iterations: 2000, on: star)], on: star,
          crashes: HostCrashes(random: random)
        ).jobs[0].end.seconds
      }
      return sum
    }
    let best = try total(14)
    #expect(try best < total(2))
    #expect(try best < total(100))
  }

  @Test(
    "A lost message is sent again after the time-out, until it arrives",
    arguments: NetworkModelKind.allCases)
  func lostMessages(model: NetworkModelKind) throws {
    let star = Lab.star(2)
    func outcome(_ loss: Double) throws -> JobOutcome {
      try Lab.run(
        [
          Self.job(
            every: nil, iterations: 40, on: star,
            sending: SendingSettings(loss: loss, resendAfter: us(500)))
        ], on: star, model
      ).jobs[0]
    }
    let (none, some) = (try outcome(0), try outcome(0.2))
    #expect(none.recovery.lostMessages == 0)
    // 40 iterations of 4 messages, each lost 0.25 times on average: 40 with a deviation of 7.
    #expect((15...70).contains(some.recovery.lostMessages))
    #expect(some.end > none.end + us(500 * 10) && some.wireBytes == none.wireBytes)
    #expect(try outcome(0.2).end == some.end)
    // Which messages are lost does not depend on the network.
    let other = try Lab.run(
      [
        Self.job(
          every: nil, iterations: 40, on: star,
          sending: SendingSettings(loss: 0.2, resendAfter: us(500)))
      ], on: star, .alphaBeta
    ).jobs[0]
    #expect(other.recovery.lostMessages == some.recovery.lostMessages)
  }
}
