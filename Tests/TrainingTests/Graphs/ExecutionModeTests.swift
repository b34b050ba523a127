import SimKernel
import Testing
import Training

@Suite("eager and staged execution")
struct ExecutionModeTests {
  private func chain(_ count: Int, _ time: SimDuration) throws -> OperationGraph {
    var builder = OperationGraphBuilder(name: "chain")
    let device = builder.resource("device")
    for index in 0..<count {
      builder.add(
        "op\(index)", .compute, on: device, for: time,
        after: index == 0 ? [] : [OperationID(index - 1)])
    }
    return try builder.build()
  }

  @Test(
    "n operations of t take n max(h, t) + min(h, t) eagerly, n t staged, the trace once",
    arguments: [1, 2, 3, 40], [1, 10, 100])
  func identities(count: Int, dispatch: Int) throws {
    let (h, t) = (GraphFixtures.steps(dispatch), GraphFixtures.steps(10))
    let graph = try chain(count, t)
    let eager = try graph.executed(.eager(dispatch: h))
    #expect(GraphFixtures.run(eager).makespan == max(h, t) * count + min(h, t))
    let staged = ExecutionMode.staged(trace: .milliseconds(3))
    #expect(GraphFixtures.run(try graph.executed(staged)).makespan == t * count)
    #expect(
      GraphFixtures.run(try graph.executed(staged, isFirst: true)).makespan
        == t * count + .milliseconds(3))
  }

  @Test("small operations gain at least five times from staging, large ones nothing")
  func ratio() throws {
    func ratio(_ t: Int) throws -> Double {
      let graph = try chain(1000, GraphFixtures.steps(t))
      let eager = GraphFixtures.run(try graph.executed(.eager(dispatch: GraphFixtures.steps(15))))
      let staged = GraphFixtures.run(try graph.executed(.staged(trace: .zero)))
      return eager.makespan.seconds / staged.makespan.seconds
    }
    #expect(try ratio(3) >= 5)
    #expect(try ratio(1500) < 1.001)
  }

  @Test("orders that need the whole graph are refused where there is none, with the reason")
  func refusals() throws {
    let graph = try GraphFixtures.figure1a()
    let eager = ExecutionMode.eager(dispatch: .microseconds(15))
    for order in GraphOrder.allCases {
      #expect(order.refusal(of: graph, mode: .staged(trace: .zero)) == nil)
      let reason = order.refusal(of: graph, mode: eager)
      #expect((reason != nil) == [.tic, .tac, .oracle].contains(order))
      if let reason { #expect(reason.contains(order.rawValue) && reason.contains("eager")) }
    }
    let computing = try chain(3, .zero)
    for order in [GraphOrder.tic, .tac] {
      #expect(order.refusal(of: computing, mode: .staged(trace: .zero))!.contains("receives"))
    }
    var builder = OperationGraphBuilder(name: "timeless")
    let nic = builder.resource("nic")
    builder.add("r", .receive, on: nic, for: .zero)
    let timeless = try builder.build()
    #expect(
      GraphOrder.tac.refusal(of: timeless, mode: .staged(trace: .zero))!.contains("durations"))
    #expect(GraphOrder.tic.refusal(of: timeless, mode: .staged(trace: .zero)) == nil)
  }
}
