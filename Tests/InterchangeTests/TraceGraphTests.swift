import Interchange
import SimKernel
import Testing

@Suite struct TraceGraphTests {
  private func graph(_ edges: [(UInt64, [UInt64])]) throws(InterchangeError) -> TraceGraph {
    var builder = TraceGraphBuilder(origin: "t")
    for (id, parents) in edges {
      builder.add(TraceGraph.Node(id: id, rank: 0, work: .compute), after: parents)
    }
    return try builder.build()
  }
  private func message(_ edges: [(UInt64, [UInt64])]) -> String {
    do throws(InterchangeError) {
      _ = try graph(edges)
      return "none"
    } catch { return error.description }
  }

  @Test func anEmptyGraphIsAGraph() throws {
    let empty = try graph([])
    #expect(empty.nodes.isEmpty && empty.order.isEmpty && empty.edgeCount == 0)
  }

  @Test func parentsMayComeLaterInTheFile() throws {
    let made = try graph([(7, [9]), (9, []), (3, [7, 9])])
    #expect(made.order == [1, 0, 2])
    #expect(made.dependencies(of: 2).map(\.node) == [0, 1])
    #expect(made.dependencies(of: 1).isEmpty)
  }

  @Test func theSameIdOnTwoRanksIsTwoNodes() throws {
    var builder = TraceGraphBuilder(origin: "t")
    for rank in 0..<2 {
      builder.add(TraceGraph.Node(id: 1, rank: Int32(rank), work: .compute))
      builder.add(TraceGraph.Node(id: 2, rank: Int32(rank), work: .compute), after: [1])
    }
    let made = try builder.build()
    #expect(made.rankCount == 2 && made.dependencies(of: 3).map(\.node) == [2])
  }

  @Test func faultsNameTheirNodes() {
    #expect(
      message([(1, [5]), (2, [6, 1])])
        == "t: 2 missing parents: node 1 waits for 5, node 2 waits for 6; every parent is a node "
        + "of the file; was the trace cut?")
    #expect(message([(4, []), (4, [])]).contains("node 4 of rank 0 is given twice"))
    #expect(message([(1, [1])]).contains("a cycle of 1: node 1 waits for 1;"))
    #expect(
      message([(10, []), (1, [3, 10]), (2, [1]), (3, [2])])
        .contains("a cycle of 3: node 1 waits for 3 waits for 2 waits for 1;"))
  }

  @Test func aLongCycleIsFoundInLinearTime() {
    let count: UInt64 = 200_000
    let text = message((0..<count).map { ($0, [($0 + 1) % count]) })
    #expect(
      text.contains("a cycle of 200000: node 0 waits for 1") && text.contains("more waits for"))
  }

  @Test(arguments: [
    ("_all_gather_base", CollectiveKind.allGather), ("allreduce_", .allReduce),
    ("ncclKernel_AllReduce_RING_LL_Sum_float(ncclDevComm*)", .allReduce),
    ("ncclDevKernel_ReduceScatter_Sum_f32_RING_LL", .reduceScatter), ("all_to_allv", .allToAll),
    ("alltoall_base", .allToAll), ("gloo:broadcast", .broadcast), ("reduce", .reduce),
    ("c10d::_reduce_scatter_base_", .reduceScatter), ("barrier", .barrier),
  ]) func collectivesAreToldByTheirNames(_ name: String, _ kind: CollectiveKind) {
    #expect(CollectiveKind(named: name) == kind)
  }

  @Test func otherNamesAreNoCollectives() {
    #expect(CollectiveKind(named: "wait") == nil && CollectiveKind(named: "") == nil)
    #expect(CollectiveKind(communicationName: "aten::scatter_add") == nil)
  }
}
