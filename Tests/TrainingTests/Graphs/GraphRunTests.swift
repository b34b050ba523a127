import SimKernel
import Testing
import Training

@Suite("execution of operation graphs")
struct GraphRunTests {
  @Test("figure 1a of TicTac: 6 in the good order, 8 in the other")
  func figure1a() throws {
    let graph = try GraphFixtures.figure1a()
    let good = GraphFixtures.run(graph, GraphFixtures.ranked(graph, ["r1", "r2"]))
    let bad = GraphFixtures.run(graph, GraphFixtures.ranked(graph, ["r2", "r1"]))
    #expect(good.makespan == GraphFixtures.steps(6))
    #expect(bad.makespan == GraphFixtures.steps(8))
    #expect(good.metrics.upper == GraphFixtures.steps(8))
    #expect(good.metrics.lower == GraphFixtures.steps(4))
    #expect(good.metrics.efficiency == 0.5)
    #expect(bad.metrics.efficiency == 0)
    #expect(good.metrics.speedup == 1)
    #expect(graph.makespanBound == GraphFixtures.steps(6))
  }

  @Test("figure 4a of TicTac: 8 with A first, 10 with B first")
  func figure4a() throws {
    let graph = try GraphFixtures.figure4a()
    let good = GraphFixtures.run(graph, GraphFixtures.ranked(graph, ["A", "B"]))
    let bad = GraphFixtures.run(graph, GraphFixtures.ranked(graph, ["B", "A"]))
    #expect(good.makespan == GraphFixtures.steps(8))
    #expect(bad.makespan == GraphFixtures.steps(10))
    #expect(good.metrics.upper == GraphFixtures.steps(11))
    #expect(good.metrics.lower == GraphFixtures.steps(6))
    #expect((good.metrics.efficiency - 0.6).magnitude < 1e-12)
    #expect((bad.metrics.efficiency - 0.2).magnitude < 1e-12)
    #expect((good.metrics.speedup - 5.0 / 6).magnitude < 1e-12)
  }

  @Test("the critical path names what each step waited for")
  func criticalPath() throws {
    let graph = try GraphFixtures.figure1a()
    let bad = GraphFixtures.run(graph, GraphFixtures.ranked(graph, ["r2", "r1"]))
    let path = bad.criticalPath(of: graph)
    #expect(path.map { graph.names[$0.operation.index] } == ["r2", "r1", "op1", "op2"])
    #expect(
      path.map(\.reason) == [
        .start, .resource(OperationID(1)), .dependency(OperationID(0)),
        .dependency(OperationID(2)),
      ])
  }

  /// Checks everything that holds for any execution.
  private func check(_ graph: OperationGraph, _ timeline: GraphTimeline, _ label: String) {
    #expect(timeline.makespan >= graph.makespanBound, "\(label)")
    #expect(timeline.makespan <= timeline.metrics.upper, "\(label)")
    #expect(timeline.loads == graph.loads, "\(label)")
    #expect((0...1).contains(timeline.metrics.efficiency), "\(label)")
    var isFaulty = false
    for index in 0..<graph.count {
      for predecessor in graph.predecessors(of: index) {
        isFaulty =
          isFaulty
          || timeline.finish(of: OperationID(rawValue: predecessor)) > timeline.starts[index]
      }
    }
    for resource in graph.resources.indices {
      let sequence = timeline.sequence(on: GraphResourceID(resource), of: graph)
      for (a, b) in zip(sequence, sequence.dropFirst()) {
        isFaulty = isFaulty || timeline.finish(of: a) > timeline.start(of: b)
      }
    }
    #expect(!isFaulty, "\(label): something overlaps")
    let path = timeline.criticalPath(of: graph)
    #expect(path.reduce(.zero) { $0 + $1.duration } == timeline.makespan, "\(label)")
    for (step, next) in zip(path, path.dropFirst()) {
      #expect(step.start + step.duration == next.start, "\(label)")
    }
  }

  @Test("makespans lie between bound and sum, nothing overlaps, critical paths have no gaps")
  func invariants() throws {
    for seed in 0..<60 {
      let graph = try GraphFixtures.random(
        receives: seed % 13, operations: (seed * 7) % 41, seed: UInt64(seed),
        channels: 1 + seed % 3, processors: 1 + seed % 2)
      for discipline in GraphRun.Discipline.allCases {
        let random = GraphRun.stream(seed: 5, iteration: seed)
        for order in [TransferOrder.none, .tac(graph), .tic(graph), .layer(graph)] {
          let timeline = GraphFixtures.run(
            graph, order, random: random, settings: .init(discipline: discipline))
          check(graph, timeline, "seed \(seed), \(discipline)")
        }
      }
    }
  }

  @Test("no order stops graphs of 10,000 operations", arguments: [1, 2, 3] as [UInt64])
  func large(seed: UInt64) throws {
    let graph = try GraphFixtures.random(
      receives: 1000, operations: 9000, seed: seed, channels: 4, processors: 3)
    for order in GraphOrder.allCases where order != .oracle {
      let numbers = order.order(graph, stream: GraphFixtures.first)
      for discipline in GraphRun.Discipline.allCases {
        let timeline = GraphFixtures.run(graph, numbers, settings: .init(discipline: discipline))
        #expect(!timeline.starts.contains(.never))
        #expect(timeline.makespan <= timeline.metrics.upper)
      }
    }
  }

  @Test("operations without a number compete with the lowest number at random")
  func competition() throws {
    var builder = OperationGraphBuilder(name: "five receives")
    let nic = builder.resource("nic")
    for index in 0..<5 { builder.add("r\(index)", .receive, on: nic, for: GraphFixtures.steps(1)) }
    let graph = try builder.build()
    let none = TransferOrder.unnumbered
    // Two with the lowest number, one with a higher one, two without.
    let order = TransferOrder(numbers: [3, 3, 8, none, none])
    var firsts = [Int](repeating: 0, count: 5)
    var run = GraphRun(graph, order: order, settings: .init(discipline: .random))
    let rounds = 4000
    for iteration in 0..<rounds {
      let timeline = run.run(GraphRun.stream(seed: 7, iteration: iteration))
      let sequence = timeline.sequence(on: nic, of: graph)
      firsts[sequence[0].index] += 1
      #expect(timeline.start(of: OperationID(2)) > min(timeline.starts[0], timeline.starts[1]))
    }
    #expect(firsts[2] == 0)
    // Four equal chances: 1,000 each, standard deviation 27.
    for index in [0, 1, 3, 4] { #expect((900...1100).contains(firsts[index]), "\(firsts)") }
  }

  @Test("streams make runs repeatable, and noise does not depend on the order")
  func streams() throws {
    let graph = try GraphFixtures.random(receives: 20, operations: 60, seed: 3)
    let settings = GraphRun.Settings(discipline: .random, noise: 0.1)
    let a = GraphRun.stream(seed: 1, worker: 2, iteration: 3)
    let once = GraphFixtures.run(graph, random: a, settings: settings)
    #expect(once == GraphFixtures.run(graph, random: a, settings: settings))
    let ordered = GraphFixtures.run(graph, .tic(graph), random: a, settings: settings)
    #expect(ordered.durations == once.durations)
    for other in [
      GraphRun.stream(seed: 2, worker: 2, iteration: 3),
      GraphRun.stream(seed: 1, worker: 3, iteration: 3),
      GraphRun.stream(seed: 1, worker: 2, iteration: 4),
    ] {
      #expect(GraphFixtures.run(graph, random: other, settings: settings).starts != once.starts)
    }
  }

  @Test("every message pays its overhead, nothing else does")
  func overhead() throws {
    let graph = try GraphFixtures.figure1a()
    let settings = GraphRun.Settings(messageOverhead: GraphFixtures.steps(1))
    let timeline = GraphFixtures.run(
      graph, GraphFixtures.ranked(graph, ["r1", "r2"]), settings: settings)
    // r1 [0, 3], r2 [3, 6], op1 [3, 6], op2 [6, 7].
    #expect(timeline.makespan == GraphFixtures.steps(7))
    #expect(timeline.loads == [GraphFixtures.steps(4), GraphFixtures.steps(6)])
  }

  @Test("the straggler's share is the longest wait of an iteration")
  func stragglers() {
    #expect(ScheduleMetrics.stragglerShare(of: []) == 0)
    #expect(ScheduleMetrics.stragglerShare(of: [.zero, .zero]) == 0)
    #expect(ScheduleMetrics.stragglerShare(of: [.seconds(1)]) == 0)
    #expect(
      ScheduleMetrics.stragglerShare(of: [.seconds(1), .seconds(4), .seconds(2)]) == 0.75)
  }
}
