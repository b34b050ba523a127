import SimKernel
import Testing
import Training

/// What TicTac's paper reports as statistics, on generated graphs.
@Suite("statistics of ordered receives")
struct TicTacStatisticsTests {
  /// The bandwidth at which the parameters take `ratio` times what one training step computes.
  private func graph(_ profile: LayerProfile, _ pass: GraphPass, ratio: Double) throws
    -> OperationGraph
  {
    let bytes = profile.layers.reduce(0.0) { $0 + Double($1.parameters.bytes) }
    let compute = profile.layers.reduce(0.0) { $0 + $1.forward.seconds + $1.backward.seconds }
    return try profile.graph(
      pass,
      channel: GraphChannel(bandwidth: .megabitsPerSecond(bytes * 8 / 1e6 / (compute * ratio))))
  }

  /// What `runs` iterations of a worker do under `order`.
  private func timelines(
    _ graph: OperationGraph, _ order: GraphOrder, runs: Int = 50, worker: Int = 0,
    noise: Double = 0
  ) -> [GraphTimeline] {
    (0..<runs).map { iteration in
      let stream = GraphRun.stream(seed: 11, worker: worker, iteration: iteration)
      var run = GraphRun(
        graph, order: order.order(graph, stream: stream), settings: .init(noise: noise))
      return run.run(stream)
    }
  }

  private func mean(_ timelines: [GraphTimeline]) -> Double {
    timelines.reduce(0) { $0 + $1.makespan.seconds } / Double(timelines.count)
  }

  /// How much more throughput `order` has than random receives.
  private func gain(_ graph: OperationGraph, _ order: GraphOrder) -> Double {
    mean(timelines(graph, .random)) / mean(timelines(graph, order, runs: 1)) - 1
  }

  @Test("the generated networks have the tensors and bytes of the paper's table 1")
  func shapes() {
    for (profile, tensors, expected) in [
      (GraphFixtures.residual(), 125, 97.45), (GraphFixtures.vgg16(), 32, 527.79),
    ] {
      let sizes = profile.layers.map(\.parameters.bytes).filter { $0 > 0 }
      #expect(sizes.count == tensors)
      let mebibytes = Double(sizes.reduce(0, +)) / 1_048_576
      #expect((mebibytes - expected).magnitude < 0.1, "\(mebibytes)")
    }
  }

  @Test("ordered receives gain 10 to 40 % in inference and 3 to 15 % in training")
  func gains() throws {
    // Parameters take as long as a training step; inference has the same network.
    let profile = GraphFixtures.residual()
    let inference = try gain(graph(profile, .inference, ratio: 1), .tic)
    let training = try gain(graph(profile, .training, ratio: 1), .tic)
    #expect((0.10...0.40).contains(inference), "\(inference)")
    #expect((0.03...0.15).contains(training), "\(training)")
  }

  @Test("one tensor that dominates leaves training less to gain")
  func vgg() throws {
    // Both on one network, as fast as the residual model's 97.4 MiB in a step of 240 ms. The paper
    // measured at most 2.2 % with VGG-16; without its other overheads there is more to hide.
    let channel = GraphChannel(bandwidth: .gigabitsPerSecond(3.41))
    let vgg = try gain(try GraphFixtures.vgg16().graph(.training, channel: channel), .tic)
    let residual = try gain(try GraphFixtures.residual().graph(.training, channel: channel), .tic)
    #expect(vgg > 0 && vgg < 0.10, "\(vgg)")
    #expect(vgg < residual * 0.75, "\(vgg), \(residual)")
  }

  @Test("gains vanish where either communication or computation does", arguments: [0.002, 200])
  func extremes(ratio: Double) throws {
    for pass in [GraphPass.inference, .training] {
      let graph = try graph(GraphFixtures.residual(), pass, ratio: ratio)
      #expect(try gain(graph, .tic) < 0.02, "\(pass)")
    }
  }

  @Test("TIC gains what TAC gains within 3 points", arguments: [0.3, 1, 3])
  func timingHardlyMatters(ratio: Double) throws {
    for profile in [GraphFixtures.residual(), GraphFixtures.vgg16()] {
      for pass in [GraphPass.inference, .training] {
        let graph = try graph(profile, pass, ratio: ratio)
        let (tic, tac) = (gain(graph, .tic), gain(graph, .tac))
        #expect((tic - tac).magnitude < 0.03, "\(profile.name), \(pass): \(tic), \(tac)")
        // No gain exceeds what there is to gain.
        #expect(tac <= graph.speedupBound, "\(profile.name), \(pass): \(tac)")
      }
    }
  }

  @Test("TIC comes near perfect overlap")
  func efficiency() throws {
    let graph = try graph(GraphFixtures.residual(), .inference, ratio: 1)
    #expect(timelines(graph, .tic, runs: 1)[0].metrics.efficiency > 0.95)
    let random = timelines(graph, .random).reduce(0) { $0 + $1.metrics.efficiency } / 50
    #expect(random < 0.6)
  }

  @Test("step time is linear in E: R squared above 0.95 over 200 random orders with noise")
  func regression() throws {
    let graph = try graph(GraphFixtures.residual(), .inference, ratio: 1)
    let runs = timelines(graph, .random, runs: 200, noise: 0.03)
    let x = runs.map { $0.metrics.efficiency }
    let y = runs.map { $0.makespan.seconds }
    let n = Double(runs.count)
    let (mx, my) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - mx) * (a - mx)
      yy += (b - my) * (b - my)
      xy += (a - mx) * (b - my)
    }
    let squared = xy * xy / (xx * yy)
    #expect(squared > 0.95 && squared < 1, "\(squared)")
    #expect(xy < 0)
  }

  @Test("any order that all workers share removes most of the straggling of random ones")
  func stragglers() throws {
    let graph = try graph(GraphFixtures.residual(), .inference, ratio: 1)
    let (workers, iterations, noise) = (16, 10, 0.02)
    func share(_ order: GraphOrder) -> Double {
      let runs = (0..<workers).map {
        timelines(graph, order, runs: iterations, worker: $0, noise: noise)
      }
      return (0..<iterations).reduce(0.0) { sum, iteration in
        sum + ScheduleMetrics.stragglerShare(of: runs.map { $0[iteration].makespan })
      } / Double(iterations)
    }
    let independent = share(.random)
    #expect(independent > 0.05, "\(independent)")
    #expect(share(.tic) < independent / 4)
    #expect(share(.layer) < independent / 4)
    // The worst order there is, shared: last layer first.
    let reversed = TransferOrder(
      ranking: TransferOrder.layer(graph).ranking.reversed(), of: graph)
    let shared = (0..<iterations).reduce(0.0) { sum, iteration in
      sum
        + ScheduleMetrics.stragglerShare(
          of: (0..<workers).map { worker in
            GraphFixtures.run(
              graph, reversed,
              random: GraphRun.stream(seed: 11, worker: worker, iteration: iteration),
              settings: .init(noise: noise)
            ).makespan
          })
    }
    #expect(shared / Double(iterations) < independent / 2)
  }
}

extension OperationGraph {
  /// The most that any order can gain over none: U against the bound on all executions.
  fileprivate var speedupBound: Double {
    loads.reduce(SimDuration.zero, +).seconds / makespanBound.seconds - 1
  }
}
