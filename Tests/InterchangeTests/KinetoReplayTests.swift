import Interchange
import SimKernel
import Testing

/// Steps of a recording, and what they become when they are run again.
@Suite struct KinetoReplayTests {
  private typealias Text = KinetoText
  private func edges(_ graph: TraceGraph) -> [String] {
    graph.nodes.indices.flatMap { node in
      graph.dependencies(of: node).map { edge in
        "\(graph.names[graph.nodes[node].name]) after "
          + graph.names[graph.nodes[Int(edge.node)].name]
      }
    }.sorted()
  }
  private let floats = "\"Input Dims\":[[10]],\"Input type\":[\"float\"]"

  @Test func stepsAreThoseOfTheProfiler() throws {
    let own = try Text.trace([
      Text.event("ProfilerStep#4", "user_annotation", 20, 10),
      Text.event("ProfilerStep#3", "user_annotation", 0, 15),
      Text.event("ProfilerStep#3", "gpu_user_annotation", 5, 15),
      Text.event("Optimizer.step#SGD.step", "user_annotation", 10, 2),
    ])
    #expect(own.steps.map(\.number) == [3, 4])
    #expect(own.steps.map(\.duration) == [15, 10].map { .microseconds($0) })
  }

  @Test func optimizersMarkStepsWhereTheProfilerDoesNot() throws {
    let own = try Text.trace([
      Text.event("op", "cpu_op", 0, 1),
      Text.event("Optimizer.step#SGD.step", "user_annotation", 10, 2),
      Text.event("Optimizer.step#EMA.step", "user_annotation", 13, 2),
      Text.event("Optimizer.step#SGD.step", "user_annotation", 30, 2),
    ])
    #expect(own.steps.map(\.start) == [0, 12].map { .microseconds($0) })
    #expect(own.steps.map(\.end) == [12, 32].map { .microseconds($0) })
    #expect(try Text.trace([Text.event("op", "cpu_op", 0, 1)]).steps.isEmpty)
  }

  /// Backward 0-10 with a call at 8, 12-20, idle until the collective ends at 30, the rest 33-37.
  private func overlapping() throws -> KinetoTrace {
    try Text.trace([
      Text.event("ProfilerStep#1", "user_annotation", 0, 40),
      Text.event("backward", "cpu_op", 0, 10),
      Text.event("c10d::allreduce_", "cpu_op", 8, 1), Text.event("more", "cpu_op", 12, 8),
      Text.event("gloo:all_reduce", "user_annotation", 11, 19, tid: 2, args: floats),
      Text.event("update", "cpu_op", 33, 4),
    ])
  }

  @Test func timeIsComputingTheHostsOrWaiting() throws {
    let made = try overlapping().replay(steps: 0..<1, origin: "t")
    #expect(!made.isDevice && made.overlapped == 0)
    #expect(made.length == .microseconds(40) && made.busy == .microseconds(22))
    // 10-12, 30-33 and 37-40.
    #expect(made.host == .microseconds(8) && made.exposed == .microseconds(10))
    #expect(made.communication == .microseconds(19))
    // It was asked for at 8, by what ended at 10, and taken up at 11.
    let taken = made.graph.nodes.filter { $0.lane > 0 && $0.work == .compute }
    #expect(taken.map(\.duration) == [.microseconds(1)])
    #expect(
      edges(made.graph) == [
        "(host) after backward", "(host) after backward", "(host) after gloo:all_reduce",
        "(host) after more", "(host) after update", "gloo:all_reduce after (host)",
        "more after (host)", "update after (host)",
      ])
    #expect(
      made.graph.nodes.contains {
        $0.work == .collective(.init(kind: .allReduce, bytes: .bytes(40)))
      })
  }

  @Test func mergedOperationsTakeAsLong() throws {
    let whole = try overlapping().replay(steps: 0..<1, origin: "t")
    let merged = try overlapping().replay(steps: 0..<1, origin: "t", merging: true)
    func computing(_ graph: TraceGraph) -> SimDuration {
      var sum = SimDuration.zero
      for node in graph.nodes where node.work == .compute { sum += node.duration ?? .zero }
      return sum
    }
    #expect(computing(whole.graph) == computing(merged.graph))
    // What the collective waits for, until it is taken up, what runs beside it, what waits for it.
    #expect(merged.graph.nodes.count == 5)
  }

  @Test func kernelsThatOverlapAreOneAndCollectivesWaitForWhatWasLaunchedBefore() throws {
    let launch = "cudaLaunchKernel"
    let made = try Text.trace([
      Text.event(launch, "cuda_runtime", 0, 1, args: "\"correlation\":1"),
      Text.event(launch, "cuda_runtime", 2, 1, args: "\"correlation\":2"),
      Text.event("nccl:all_reduce", "user_annotation", 3, 3, args: floats),
      Text.event(launch, "cuda_runtime", 4, 1, args: "\"correlation\":3"),
      Text.event(launch, "cuda_runtime", 7, 1, args: "\"correlation\":4"),
      Text.event(
        "k1", "kernel", 10, 10, tid: 7, args: "\"correlation\":1,\"stream\":7,\"device\":0"),
      Text.event(
        "k2", "kernel", 15, 10, tid: 8, args: "\"correlation\":2,\"stream\":8,\"device\":0"),
      Text.event(
        "ncclKernel_SendRecv", "kernel", 40, 10, tid: 9,
        args: "\"correlation\":3,\"stream\":9,\"device\":0"),
      Text.event(
        "k3", "kernel", 25, 10, tid: 7, args: "\"correlation\":4,\"stream\":7,\"device\":0"),
    ]).replay(origin: "t")
    #expect(made.isDevice && made.overlapped == 1 && made.busy == .microseconds(25))
    // The kernel says neither kind nor bytes, the annotation around its launch does.
    #expect(
      made.graph.nodes.contains {
        $0.work == .collective(.init(kind: .allReduce, bytes: .bytes(40)))
      })
    // k3 ended before the collective began, but was launched after it.
    #expect(edges(made.graph).contains("(host) after k1 +1"))
    #expect(edges(made.graph).contains("ncclKernel_SendRecv after (host)"))
  }

  @Test func nothingIsRefused() {
    let message = positionlessError {
      _ = try Text.trace([Text.event("ProfilerStep#1", "user_annotation", 0, 40)]).replay(
        steps: 0..<1, origin: "t")
    }
    #expect(message.contains("a step in which nothing ran"))
  }

  private func positionlessError(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch { return "\(error)" }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason), arguments: [0, 1])
  func theRecordedStepHasItsTimesAndItsOverlap(_ rank: Int) throws {
    let path = SharedTraces.path("recorded-ddp/kineto_gloo2_resnet18_rank\(rank).json.gz")
    let trace = try KinetoTrace(path: path)
    let made = try trace.replay(steps: 0..<1, origin: path)
    #expect(made.length == trace.steps[0].duration)
    #expect(made.busy + made.host + made.exposed == made.length)
    // The first of two all-reduces runs beside backward, of the second the most is waited for.
    #expect(made.exposed.seconds < 0.06 && made.communication.seconds > 0.4)
    // Recorded times make the step again: every operation after what it waits for.
    var ends = [SimDuration](repeating: .zero, count: made.graph.nodes.count)
    var last = SimDuration.zero
    for node in made.graph.order.map({ Int($0) }) {
      var start = SimDuration.zero
      for edge in made.graph.dependencies(of: node) { start = max(start, ends[Int(edge.node)]) }
      ends[node] = start + (made.graph.nodes[node].duration ?? .zero)
      last = max(last, ends[node])
    }
    #expect(abs(last.seconds / made.length.seconds - 1) < 0.05)
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func bytesComeFromTheExecutionTraceOrTheAnnotation() throws {
    let path = SharedTraces.path("kineto-hta/sampled_rank-0.json.gz")
    let trace = try KinetoTrace(path: path)
    let made = try trace.replay(steps: 0..<1, origin: path)
    let rows = made.graph.summary.rows
    #expect(rows.contains { $0.kind == "all_to_all" && $0.withoutBytes == 0 })
  }
}

@Suite struct DroppedCycleTests {
  private func graph(
    _ edges: [(UInt64, [UInt64])], drops: Bool
  ) throws(InterchangeError) -> TraceGraph {
    var builder = TraceGraphBuilder(origin: "t")
    for (id, parents) in edges {
      builder.add(TraceGraph.Node(id: id, rank: 0, work: .compute), after: parents)
    }
    return try builder.build(droppingCycles: drops)
  }

  @Test func anEdgeOfEveryCycleGoesAndIsNamed() throws {
    let made = try graph([(1, [2]), (2, [1]), (3, [2, 4]), (4, [5]), (5, [3])], drops: true)
    #expect(made.order.count == 5)
    let dropped = made.droppedEdges.map { edge in
      "\(made.nodes[Int(edge.node)].id) on \(made.nodes[Int(edge.parent)].id)"
    }
    // Those that lead furthest against the order of the file.
    #expect(dropped == ["1 on 2", "3 on 4"] || dropped == ["1 on 2", "4 on 5"])
    #expect(made.edgeCount == 4)
  }

  @Test func withoutCyclesNothingGoes() throws {
    let edges: [(UInt64, [UInt64])] = [(3, [1]), (1, []), (2, [1, 3])]
    let made = try graph(edges, drops: true)
    let plain = try graph(edges, drops: false)
    #expect(made == plain && made.droppedEdges.isEmpty)
  }

  @Test func manyRandomGraphsAreOrdered() throws {
    var random = SplitMix(state: 11)
    for count in [2, 3, 10, 60] {
      for _ in 0..<20 {
        var edges: [(UInt64, [UInt64])] = []
        for node in 0..<count {
          var parents: [UInt64] = []
          for _ in 0..<3 {
            let other = UInt64.random(in: 0..<UInt64(count), using: &random)
            if other != UInt64(node), !parents.contains(other) { parents.append(other) }
          }
          edges.append((UInt64(node), parents))
        }
        let made = try graph(edges, drops: true)
        var place = [Int](repeating: -1, count: count)
        for (index, node) in made.order.enumerated() { place[Int(node)] = index }
        #expect(!place.contains(-1))
        for node in 0..<count {
          for edge in made.dependencies(of: node) { #expect(place[Int(edge.node)] < place[node]) }
        }
        let all = edges.reduce(0) { $0 + $1.1.count }
        #expect(made.edgeCount + made.droppedEdges.count == all)
      }
    }
  }
}
