import Collectives
import Networks
import SimKernel
import Testing
import Training

/// Iterations that overlap: a layer's forward waits only for its own parameters.
@Suite struct OverlapTests {
  /// Three layers, each forward and backward of 1 us and an exchange of 2 us, on links that carry one
  /// exchange at a time: figure 4 of P3 (Jayarajan et al., arXiv:1905.03960).
  static func threeLayers(
    _ order: AdmissionOrder, carries: Bool = true, iterations: Int = 3
  ) -> (JobPlan, Topology) {
    let topology = Lab.star(2)
    let graph = Lab.graph { graph in
      var forward: [Int] = []
      for layer in 0..<3 {
        forward.append(
          graph.add(.forward, on: .compute, for: us(1), unit: layer, after: forward.suffix(1) + []))
      }
      var last = forward[2]
      var ends: [Int] = []
      for layer in [2, 1, 0] {
        last = graph.add(.backward, on: .compute, for: us(1), unit: layer, after: [last])
        ends.append(
          graph.add(
            .exchange, on: .communication, exchange: 2 - layer, unit: layer, after: [last]))
      }
      if carries {
        for layer in 0..<3 { graph.carry(from: ends[2 - layer], to: forward[layer]) }
      }
    }
    let exchanges = [2, 1, 0].map { layer in
      var exchange = Lab.exchange(ranks: 2, size: 2000)
      exchange.unit = layer
      exchange.ticket = AdmissionTicket(priority: Int32(layer), bytes: 2000)
      return exchange
    }
    var plan = Lab.job(graph, exchanges, on: topology, iterations: iterations)
    plan.admission = AdmissionRules(order: order, isAgreed: true)
    return (plan, topology)
  }

  /// From the end of backward to the start of the next forward.
  static func gap(_ plan: JobPlan, _ topology: Topology) throws -> SimDuration {
    let timeline = TimelineCollector()
    _ = try Lab.run([plan], on: topology, recorder: timeline)
    let spans = timeline.spans.filter { $0.worker.index == 0 }
    let end = try #require(
      spans.filter { $0.kind == .backward && $0.iteration == 0 }.map(\.end).max())
    let start = try #require(
      spans.filter { $0.kind == .forward && $0.iteration == 1 }.map(\.start).min())
    return start - end
  }

  @Test("P3's three layers: 4 units until the next forward in the order they come, 2 by priority")
  func toy() throws {
    let (fifo, topology) = Self.threeLayers(.arrival)
    #expect(try Self.gap(fifo, topology) == us(4))
    let (priority, _) = Self.threeLayers(.priority)
    #expect(try Self.gap(priority, topology) == us(2))
    // Without overlap forward waits for all three, whatever their order.
    for order in [AdmissionOrder.fixed, .arrival, .priority, .random] {
      let (whole, _) = Self.threeLayers(order, carries: false)
      #expect(try Self.gap(whole, topology) == us(4))
    }
  }

  @Test("iterations run from one backward to the next, and their parts add up")
  func accounts() throws {
    let (plan, topology) = Self.threeLayers(.priority, iterations: 4)
    let job = try Lab.run([plan], on: topology).jobs[0]
    // The first has its parameters.
    #expect(
      job.samples.map(\.picoseconds) == [6, 6].map { $0 * 1_000_000 }
        + Array(
          repeating: job.samples[2].picoseconds, count: 6))
    #expect(microseconds(job.iterations[0]) == [12, 0, 0, 0, 0, 0])
    // Two workers: 6 us of compute each, and waits of 2 and 1 us before layers 0 and 1; the third was
    // exchanged before.
    #expect(microseconds(job.iterations[1]) == [12, 0, 6, 0, 0, 0])
    #expect(job.iterations[1] == job.iterations[3])
    // What is still to be exchanged after the last backward belongs to no iteration.
    #expect(job.end.picoseconds / 1_000_000 == 6 + 3 * 9 + 4)
  }

  static let schedules = [
    #""per_tensor""#, #""layer""#, #"{"policy": "layer", "window": 3}"#, #""random""#,
    #"{"policy": "p3", "slice": 700}"#, #"{"policy": "p3", "slice": 700, "priority": false}"#,
    #"{"policy": "byte_scheduler", "partition": 1000, "credit": 2500}"#,
    #"{"policy": "byte_scheduler", "partition": 900, "credit": 1000, "overshoot": false}"#,
    #"{"policy": "horovod", "cycle_time": "30 us", "fusion_threshold": "20 kB"}"#,
    #"{"policy": "timed_fusion", "time": "50 us"}"#, #""mg_wfbp""#, #""tic""#, #""tac""#,
    #"{"policy": "pace", "segment": "4 kB"}"#, #""pace""#,
    #"{"policy": "buckets", "bucket": "9 kB"}"#,
  ]
  static let strategies = [
    #""strategy": "all_reduce", "algorithm": "ring""#,
    #""strategy": "parameter_server""#,
    #""strategy": "parameter_server", "servers": {"reply_time": "all_summed", "update": "server"}"#,
    #""strategy": "parameter_server", "servers": {"pull": "request", "count": 2}"#,
    #""strategy": "parameter_server", "servers": {"placement": "dedicated", "count": 2}"#,
  ]
  static let sendings = [
    "", #", "sending": {"scope": "process", "order": "priority", "depth": 2}"#,
    #", "sending": {"order": "priority", "overhead": "2 us", "copy_rate": "4 GB/s"}"#,
  ]

  @Test(
    "no schedule deadlocks: iterations add up, every byte is sent, runs repeat",
    arguments: schedules)
  func everySchedule(schedule: String) throws {
    var random = RandomStream(
      seed: UInt64(schedule.utf8.count), purpose: RandomPurpose("overlap"))
    for strategy in Self.strategies {
      for sending in Self.sendings {
        for overlap in [true, false] {
          var scene = Scene()
          scene.topology = Lab.star(6, latency: us(1))
          scene.model = Scene.table((0..<7).map { _ in 1 + random.index(below: 4000) })
          scene.workload =
            #""workers": 4, "iterations": 3, "warmup": 1, "accumulation_steps": "#
            + "\(1 + random.index(below: 2)), "
            + #""compute": {"forward": "70 us", "backward": "140 us", "optimizer": "9 us"}"#
          scene.communication =
            "\(strategy), \"schedule\": \(schedule), \"overlap_forward\": \(overlap)\(sending)"
          scene.stragglers = #""distribution": "lognormal", "sigma": 0.5"#
          let plan = try scene.plan().plan
          let job = try Lab.run([plan], on: scene.topology, .flow).jobs[0]
          let name = "\(schedule) \(strategy) \(sending) \(overlap)"
          #expect(job.samples.count == 12, "\(name)")
          var sum = IterationSum()
          for account in job.iterations { sum += account }
          #expect(sum == job.sum, "\(name)")
          let length = job.samples.reduce(SimDuration.zero, +)
          let parts = job.iterations.reduce(SimDuration.zero) { $0 + $1.total }
          #expect(length == parts, "\(name)")
          #expect(.zero + length.scaled(by: 0.25) <= job.end, "\(name)")
          // Each payload goes over the wire the same number of times, in whatever order.
          let expected = try Self.expectedBytes(plan)
          #expect(job.wireBytes == expected, "\(name)")
          let again = try Lab.run([plan], on: scene.topology, .flow).jobs[0]
          #expect(again.samples == job.samples && again.end == job.end, "\(name)")
        }
      }
    }
  }

  /// What the workers of `plan` send in all counted iterations, from the plans of its exchanges alone.
  static func expectedBytes(_ plan: JobPlan) throws -> ByteCount {
    var sum = ByteCount.zero
    for exchange in plan.exchanges {
      let sizes = exchange.plan.chunkSizes(of: exchange.sizes[0], unit: exchange.cutUnit)
      for index in 0..<exchange.plan.stepCount {
        let step = exchange.plan.step(index)
        let (source, target) = (step.source.index, step.destination.index)
        if source >= plan.workers || plan.nodes[source] == plan.nodes[target] { continue }
        for chunk in step.chunks { sum += sizes[Int(chunk)] }
      }
    }
    return sum * plan.iterations
  }

  @Test("agreed orders survive workers that are ready in opposite orders")
  func opposite() throws {
    let topology = Lab.star(2)
    for order in [AdmissionOrder.arrival, .priority, .random] {
      for window in [1, 2] {
        let graph = Lab.graph { graph in
          let start = graph.add(.forward, on: .compute, for: us(1))
          let backward = graph.add(.backward, on: .compute, for: us(20), after: [start])
          let side = graph.add(.encode, on: .cpu, for: us(10), after: [start])
          graph.add(.exchange, on: .communication, exchange: 0, after: [backward])
          graph.add(.exchange, on: .communication, exchange: 1, after: [side])
        }
        let exchange = Lab.exchange(ranks: 2, size: 2000)
        var plan = Lab.job(
          graph, [exchange, exchange], on: topology, iterations: 5,
          stragglers: FactorTable { worker, iteration in
            (worker + iteration) % 2 == 0 ? 0.1 : 1
          })
        plan.admission = AdmissionRules(
          order: order, limit: .exchanges(window), isAgreed: true)
        #expect(try Lab.run([plan], on: topology).jobs[0].samples.count == 10)
      }
    }
  }

  @Test("servers that wait for all pushes reply in the order of urgency")
  func heldReplies() throws {
    var scene = Scene()
    scene.topology = Lab.star(3)
    scene.model = Scene.table([1000, 1000, 1000, 1000])
    scene.workload =
      #""workers": 2, "iterations": 2, "warmup": 0, "#
      + #""compute": {"forward": "40 us", "backward": "80 us", "optimizer": "0 us"}"#
    scene.communication =
      #""strategy": "parameter_server", "schedule": "layer", "sending": {"order": "priority"}, "#
      + #""servers": {"placement": "dedicated", "reply_time": "all_summed", "update": "server"}"#
    let plan = try scene.plan().plan
    let timeline = TimelineCollector()
    _ = try Lab.run([plan], on: scene.topology, .flow, recorder: timeline)
    let spans = timeline.spans.filter { $0.worker.index == 0 && $0.iteration == 0 }
    let pushed = try #require(spans.filter { $0.kind == .backward }.map(\.end).max())
    let exchanges = spans.filter { $0.kind == .exchange }.sorted { $0.end < $1.end }
    // Nothing comes back before the last gradient was sent, and the first layer is back first.
    #expect(exchanges.allSatisfy { $0.end > pushed + us(4) })
    #expect(
      exchanges.map { Int(plan.exchanges[Int($0.unit)].ticket.priority) } == [0, 1, 2, 3])
  }

  @Test("a sender spends its overhead on every message, one after the other")
  func overhead() throws {
    let topology = Lab.star(2)
    let graph = Lab.graph { graph in
      let start = graph.add(.forward, on: .compute, for: us(1))
      graph.add(.exchange, on: .communication, exchange: 0, after: [start])
    }
    var plan = Lab.job(graph, [Lab.exchange(ranks: 2, size: 2000)], on: topology)
    // Two messages of 1 us each way.
    #expect(try Lab.run([plan], on: topology).jobs[0].end == .zero + us(3))
    plan.sending.overhead = us(5)
    #expect(try Lab.run([plan], on: topology).jobs[0].end == .zero + us(13))
  }

  @Test("compression that begins late meets iterations that overlap")
  func phases() throws {
    var scene = Scene()
    scene.model = Scene.table([4000, 3000, 2000])
    scene.workload =
      #""iterations": 6, "warmup": 0, "#
      + #""compute": {"forward": "30 us", "backward": "60 us", "optimizer": "3 us"}"#
    scene.communication =
      #""strategy": "all_gather", "schedule": "layer", "start_iteration": 3, "#
      + #""compression": "fp16""#
    let job = try Lab.run([try scene.plan().plan], on: scene.topology, .flow).jobs[0]
    let totals = job.iterations.map(\.total)
    #expect(totals.count == 6)
    #expect(totals[4] < totals[2])
    let length = job.samples.reduce(SimDuration.zero, +)
    #expect(length == totals.reduce(SimDuration.zero, +))
  }
}
