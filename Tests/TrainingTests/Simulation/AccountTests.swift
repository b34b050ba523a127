import Collectives
import Networks
import SimKernel
import Testing
import Training

@Suite struct AccountTests {
  /// A random job: a chain of compute operations, codecs on any stream, exchanges of any size and
  /// algorithm, each after random earlier operations.
  static func randomJob(seed: UInt64, on topology: Topology) -> JobPlan {
    var random = RandomStream(seed: seed, purpose: RandomPurpose("random graph"))
    let workers = 1 + random.index(below: topology.accelerators.count)
    var exchanges: [PlannedExchange] = []
    let graph = Lab.graph { graph in
      var chain: [Int] = []
      for operation in 0..<(1 + random.index(below: 14)) {
        let length = SimDuration.picoseconds(Int64(random.index(below: 40_000_000)))
        let earlier = (0..<operation).filter { _ in random.index(below: 4) == 0 }
        switch random.index(below: 6) {
        case 0, 1:
          let kind = random.index(below: 2) == 0 ? OperationKind.forward : .backward
          // Some follow the one before, some may overtake others in the stream's queue.
          let after = random.index(below: 3) == 0 ? earlier : chain
          chain = [graph.add(kind, on: .compute, for: length, after: after)]
        case 2, 3:
          let streams = [StreamKind.compute, .side, .cpu]
          graph.add(
            random.index(below: 2) == 0 ? .encode : .decode,
            on: streams[random.index(below: 3)], for: length, after: earlier)
        case 4:
          graph.add(.exchange, on: .communication, exchange: exchanges.count, after: earlier)
          let size = Int64(random.index(below: 60_000))
          switch random.index(below: 3) {
          case 0: exchanges.append(Lab.exchange("ring", ranks: workers, size: size))
          case 1: exchanges.append(Lab.exchange("tree", ranks: workers, size: size))
          default: exchanges.append(Lab.exchange("ring", .allGather, ranks: workers, size: size))
          }
        default: graph.add(.optimizer, on: .compute, for: length, after: earlier)
        }
      }
    }
    let sigma = random.uniform()
    let slow = random.index(below: workers)
    let stretch = [1, 1, 1.5, 3][random.index(below: 4)]
    return Lab.job(
      graph, exchanges, on: topology, workers: workers, window: 1 + random.index(below: 3),
      iterations: 1 + random.index(below: 4), warmup: random.index(below: 3),
      stragglers: FactorTable { worker, iteration in
        1 + sigma * Double((worker * 7 + iteration * 3) % 5) + (worker == slow ? 1 : 0)
      }, progress: BulkSynchronous(barrier: random.index(below: 3) == 0), slowdown: stretch,
      seed: seed)
  }

  @Test(
    "the parts of every iteration add up to its length, whatever the graph",
    arguments: NetworkModelKind.allCases)
  func addsUp(model: NetworkModelKind) throws {
    let topology = Lab.star(5, latency: us(3))
    for seed in 0..<300 as Range<UInt64> {
      let plan = Self.randomJob(seed: seed, on: topology)
      let timeline = TimelineCollector()
      let job = try Lab.run([plan], on: topology, model, recorder: timeline).jobs[0]
      let total = plan.warmup + plan.iterations
      #expect(job.samples.count == plan.workers * plan.iterations, "seed \(seed)")
      // Ends of iterations as the timeline shows them, without anything of the account.
      var ends = Array(
        repeating: Array(repeating: SimTime.zero, count: total + 1), count: plan.workers)
      for span in timeline.spans {
        let (worker, iteration) = (span.worker.index, Int(span.iteration) + 1)
        ends[worker][iteration] = max(ends[worker][iteration], span.end)
      }
      let barrier = (plan.progress as! BulkSynchronous).barrier
      for iteration in 1...total where barrier {
        let last = ends.map { $0[iteration] }.max()!
        for worker in 0..<plan.workers { ends[worker][iteration] = last }
      }
      var lengths: [SimDuration] = []
      for iteration in plan.warmup..<total {
        let own = ends.map { $0[iteration + 1] - $0[iteration] }
        lengths += own
        let account = job.iterations[iteration - plan.warmup]
        #expect(
          account.total == own.reduce(.zero, +), "seed \(seed), iteration \(iteration)")
        #expect(account.parts.allSatisfy { $0 >= .zero }, "seed \(seed): \(account)")
        if plan.overlapSlowdown == .none {
          let busy = timeline.spans.filter {
            Int($0.iteration) == iteration && ($0.kind == .forward || $0.kind == .backward)
          }.reduce(SimDuration.zero) { $0 + ($1.end - $1.start) }
          #expect(account.compute == busy, "seed \(seed)")
        }
      }
      #expect(job.samples.sorted() == lengths.sorted(), "seed \(seed)")
      #expect(
        job.mean.total.picoseconds == lengths.reduce(0) { $0 + $1.picoseconds }
          / Int64(lengths.count))
    }
  }

  @Test("compute time is what was computed, whatever the network and the codecs do")
  func computeTime() throws {
    for bandwidth in [0.1, 1, 10, 100] {
      for codec in ["none", "fp16", "int8:shared_range=true"] {
        var scene = Scene()
        scene.communication = #""compression": "\#(codec)", "algorithm": "ring""#
        scene.topology = Lab.star(3, .gigabitsPerSecond(bandwidth), latency: us(1))
        let mean = try scene.run().job.mean
        #expect(mean.compute == us(300))
        #expect(mean.optimizer == us(10))
      }
    }
  }

  @Test("work that overlaps runs slower, but compute time stays within a picosecond an overlap")
  func slowedCompute() throws {
    var scene = Scene()
    scene.model = Scene.table([30_000, 30_000, 30_000, 30_000])
    let streams = #""streams": {"encode": "side_stream", "overlap_slowdown": 1.3}"#
    scene.communication = #""compression": "fp16", "schedule": "per_tensor", \#(streams)"#
    let slowed = try scene.run().job.mean
    #expect(isClose(slowed.compute, us(300), within: 20))
    scene.communication =
      #""compression": "fp16", "schedule": "per_tensor", "streams": {"encode": "side_stream"}"#
    let plain = try scene.run().job.mean
    #expect(slowed.encode > plain.encode)
  }

  @Test("a mean loses less than a picosecond, and its parts add up")
  func mean() {
    var random = RandomStream(seed: 3, purpose: RandomPurpose("account"))
    for _ in 0..<500 {
      var sum = IterationAccount()
      sum.compute = .picoseconds(Int64(random.index(below: 1 << 40)))
      sum.encode = .picoseconds(Int64(random.index(below: 100)))
      sum.communication = .picoseconds(Int64(random.index(below: 1 << 20)))
      sum.decode = .picoseconds(Int64(random.index(below: 3)))
      sum.stragglers = .picoseconds(Int64(random.index(below: 1 << 30)))
      sum.optimizer = .picoseconds(Int64(random.index(below: 7)))
      let count = 1 + random.index(below: 50)
      let mean = sum.mean(of: count)
      #expect(mean.total.picoseconds == sum.total.picoseconds / Int64(count))
      for (part, whole) in zip(mean.parts, sum.parts) {
        let floor = whole.picoseconds / Int64(count)
        #expect(part.picoseconds == floor || part.picoseconds == floor + 1)
      }
    }
    #expect(IterationAccount().mean(of: 3) == IterationAccount())
  }

  @Test("a sum beyond the longest duration still has an exact mean")
  func sumBeyondDurations() {
    var account = IterationAccount()
    account.compute = .picoseconds(.max - 7)
    account.communication = .picoseconds(5)
    account.stragglers = .picoseconds(2)
    var sum = IterationSum()
    for _ in 0..<1_000 { sum += account }
    #expect(sum.mean(of: 1_000) == account)
  }
}
