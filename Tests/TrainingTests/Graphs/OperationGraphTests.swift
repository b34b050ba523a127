import SimKernel
import Testing
import Training

@Suite("operation graphs")
struct OperationGraphTests {
  @Test("a graph without operations takes no time")
  func empty() throws {
    let graph = try OperationGraphBuilder(name: "nothing").build()
    let timeline = GraphFixtures.run(graph)
    #expect(timeline.makespan == .zero)
    #expect(timeline.criticalPath(of: graph).isEmpty)
    #expect(timeline.metrics.efficiency == 1)
    #expect(timeline.metrics.speedup == 0)
    #expect(OracleBound.search(graph).makespan == .zero)
  }

  @Test("a circle is named by its operations", arguments: [1, 2, 3, 7])
  func circles(length: Int) {
    var builder = OperationGraphBuilder(name: "circle")
    let place = builder.resource("place")
    let before = builder.add("before", .compute, on: place, for: .zero)
    let ids = (0..<length).map { builder.add("op\($0)", .compute, on: place, for: .zero) }
    for (index, id) in ids.enumerated() { builder.require(id, before: ids[(index + 1) % length]) }
    builder.require(before, before: ids[0])
    builder.add("after", .compute, on: place, for: .zero, after: [ids[length - 1]])
    guard case .circle(let names)? = refusal(of: builder) else {
      Testing.Issue.record("a circle was accepted")
      return
    }
    #expect(names.sorted() == (0..<length).map { "op\($0)" })
    // Each waits for the one after it in the message.
    for (name, next) in zip(names, names.dropFirst()) {
      let (a, b) = (Int(name.dropFirst(2))!, Int(next.dropFirst(2))!)
      #expect((b + 1) % length == a)
    }
  }

  private func refusal(of builder: OperationGraphBuilder) -> OperationGraphError? {
    do {
      _ = try builder.build()
      return nil
    } catch { return error }
  }

  @Test("names that occur twice, missing and negative durations are refused")
  func faults() {
    func error(_ change: (inout OperationGraphBuilder, GraphResourceID) -> Void)
      -> OperationGraphError?
    {
      var builder = OperationGraphBuilder(name: "faulty")
      let place = builder.resource("place")
      builder.add("op", .compute, on: place, for: .zero)
      change(&builder, place)
      return refusal(of: builder)
    }
    #expect(error { _, _ in } == nil)
    #expect(
      error { $0.add("op", .compute, on: $1, for: .zero) } == .duplicateOperation("op"))
    #expect(error { builder, _ in _ = builder.resource("place") } == .duplicateResource("place"))
    #expect(
      error { $0.add("r", .receive, on: $1, size: .bytes(1)) }
        == .missingDuration(operation: "r", resource: "place"))
    #expect(
      error { $0.add("r", .compute, on: $1, for: SimDuration(picoseconds: -1)) }
        == .negative(operation: "r"))
    #expect(error { $0.add("r", .compute, on: $1, for: .unbounded) } == .tooLarge)
  }

  @Test("bytes take the time of their resource, rounded up, and its latency")
  func sizes() throws {
    var builder = OperationGraphBuilder(name: "sizes")
    let nic = builder.resource("nic", bandwidth: .bitsPerSecond(3), latency: .microseconds(5))
    builder.add("r", .receive, on: nic, size: .bytes(1))
    builder.add("nothing", .receive, on: nic, size: .zero)
    let graph = try builder.build()
    #expect(graph.operations[0].duration.picoseconds == 2_666_666_666_667 + 5_000_000)
    #expect(graph.operations[1].duration == .microseconds(5))
  }

  @Test("operations that were added backwards get an order of their own, others the program's")
  func orders() throws {
    for count in [1, 2, 3, 50] {
      var forwards = OperationGraphBuilder(name: "forwards")
      var backwards = OperationGraphBuilder(name: "backwards")
      let a = forwards.resource("place")
      let b = backwards.resource("place")
      for index in 0..<count {
        forwards.add(
          "op\(index)", .compute, on: a, for: .zero,
          after: index == 0 ? [] : [OperationID(index - 1)])
        backwards.add(
          "op\(index)", .compute, on: b, for: .zero,
          after: index == count - 1 ? [] : [OperationID(index + 1)])
      }
      #expect(try forwards.build().order == (0..<Int32(count)).map { $0 })
      #expect(try backwards.build().order == (0..<Int32(count)).reversed())
    }
  }
}
