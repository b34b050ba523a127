import Interchange
import SimKernel
import Testing

@Suite struct KinetoGraphTests {
  private typealias Text = KinetoText
  private func graph(_ events: [String]) throws -> TraceGraph {
    try Text.trace(events).graph(origin: "t")
  }
  private func name(_ graph: TraceGraph, _ node: Int) -> String {
    graph.names[graph.nodes[node].name]
  }
  private func edges(_ graph: TraceGraph) -> [String] {
    graph.nodes.indices.flatMap { node in
      graph.dependencies(of: node).map { edge in
        "\(name(graph, node)) \(edge.onStart ? "starts" : "after") \(name(graph, Int(edge.node)))"
      }
    }
  }

  @Test func nestedOperationsAreOneAndTheTimeBetweenIsTheHosts() throws {
    let made = try graph([
      Text.event("a", "cpu_op", 0, 10), Text.event("inner", "cpu_op", 2, 3),
      Text.event("b", "cpu_op", 15, 5),
    ])
    #expect(made.nodes.indices.map { name(made, $0) } == ["a", "(host)", "b"])
    #expect(made.nodes.map(\.duration) == [10, 5, 5].map { .microseconds($0) })
    #expect(edges(made) == ["(host) after a", "b after (host)"])
  }

  @Test func kernelsWaitForTheirLaunchAndTheirStream() throws {
    let made = try graph([
      Text.event("op", "cpu_op", 0, 10),
      Text.event("cudaLaunchKernel", "cuda_runtime", 2, 1, args: "\"correlation\":7"),
      Text.event(
        "k1", "kernel", 5, 20, tid: 7, args: "\"correlation\":7,\"stream\":7,\"device\":0"),
      Text.event("k2", "kernel", 30, 2, tid: 7, args: "\"stream\":7,\"device\":0"),
    ])
    #expect(edges(made) == ["k1 starts op", "k2 after k1"])
    #expect(made.nodes.map(\.lane) == [0, 1, 1])
  }

  @Test func anIdleLaneThatGoesOnAfterACollectiveWaitedForIt() throws {
    let input = "\"Input Dims\":[[10]],\"Input type\":[\"float\"]"
    let made = try graph([
      Text.event("backward", "cpu_op", 0, 10),
      Text.event("gloo:all_reduce", "user_annotation", 10, 20, tid: 2, args: input),
      Text.event("step", "cpu_op", 33, 4),
    ])
    #expect(
      made.nodes.map(\.work).contains(.collective(.init(kind: .allReduce, bytes: .bytes(40)))))
    #expect(
      edges(made).sorted() == [
        "(host) after backward", "(host) after gloo:all_reduce", "gloo:all_reduce after backward",
        "step after (host)",
      ])
    // 3 us from the end of the collective to the step.
    #expect(made.nodes.first { made.names[$0.name] == "(host)" }?.duration == .microseconds(3))
  }

  /// When each operation ends if it begins once all it waits for has ended.
  private func makespan(_ graph: TraceGraph) -> SimDuration {
    var start = [SimDuration](repeating: .zero, count: graph.nodes.count)
    var last = SimDuration.zero
    for node in graph.order {
      let node = Int(node)
      for edge in graph.dependencies(of: node) {
        let other = Int(edge.node)
        let ready =
          edge.onStart ? start[other] : start[other] + (graph.nodes[other].duration ?? .zero)
        start[node] = max(start[node], ready)
      }
      last = max(last, start[node] + (graph.nodes[node].duration ?? .zero))
    }
    return last
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason), arguments: [0, 1])
  func theRecordedStepReplaysInItsTime(_ rank: Int) throws {
    let path = SharedTraces.path("recorded-ddp/kineto_gloo2_resnet18_rank\(rank).json.gz")
    let trace = try KinetoTrace(path: path)
    let graph = try trace.graph(origin: path)
    let recorded = trace.span.seconds
    let replayed = makespan(graph).seconds
    #expect(abs(replayed / recorded - 1) < 0.05, "\(replayed) s for \(recorded) s")
    #expect(graph.summary.rows.contains { $0.kind == "all_reduce" && $0.count == 2 })
    #expect(graph.groups.first?.ranks == [0, 1])
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func everySharedTraceBecomesAGraph() throws {
    for name in SharedTraces.files("kineto-hta/", ".gz")
      + SharedTraces.files("pytorch-et-param/dlrm8/worker")
    {
      let graph = try KinetoTrace(path: SharedTraces.path(name)).graph(origin: name)
      #expect(!graph.nodes.isEmpty && graph.order.count == graph.nodes.count)
      if name.contains("nccl_data") {
        #expect(graph.summary.rows.contains { $0.kind == "all_reduce" && $0.withoutBytes == 0 })
      }
    }
  }
}
