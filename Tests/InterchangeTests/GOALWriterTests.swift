import Interchange
import SimKernel
import Testing

@Suite struct GOALWriterTests {
  private func copy(_ path: String) throws -> [UInt8] {
    var writer = GOALWriter()
    try GOALReader.read(path: path, into: &writer)
    return writer.bytes
  }

  @Test func aCopyOfACopyIsTheCopy() throws {
    let folder = try ScratchFolder()
    let text = """
      num_ranks 3
      rank 1 {
      a: calc 100 cpu 2
      b: send 8b to 2 tag 7 cpu 1 nic 3
      recv 8b from -1 tag -1
      b requires a
      }
      rank 2 { c: calc 0
      d: recv 4b from 1
      d irequires c }
      """
    let first = try copy(try folder.file("a.goal", Array(text.utf8)))
    let second = try copy(try folder.file("b.goal", first))
    #expect(first == second)
    let graph = try TraceGraph(goal: folder.path("a.goal"))
    #expect(graph.rankCount == 3 && graph.edgeCount == 2)
    #expect(graph.nodes[0].duration == .nanoseconds(100))
    #expect(graph.dependencies(of: 4) == [TraceGraph.Edge(node: 3, onStart: true)])
    var writer = GOALWriter()
    try graph.write(to: &writer, origin: "a.goal")
    try writer.write(path: folder.path("c.goal"))
    let again = try TraceGraph(goal: folder.path("c.goal"))
    #expect(again.nodes.map(\.work) == graph.nodes.map(\.work) && again.edgeCount == 2)
  }

  @Test func collectivesAreRefused() throws {
    var builder = TraceGraphBuilder(origin: "t")
    builder.add(.init(id: 9, rank: 0, work: .collective(.init(kind: .allReduce, bytes: .bytes(1)))))
    let graph = try builder.build()
    var writer = GOALWriter()
    #expect(throws: InterchangeError.self) { try graph.write(to: &writer, origin: "t") }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedSchedulesComeBackEqual() throws {
    let folder = try ScratchFolder()
    for name in SharedTraces.files("goal-loggopsim/", ".goal") {
      let graph = try TraceGraph(goal: SharedTraces.path(name))
      var writer = GOALWriter()
      try GOALReader.read(path: SharedTraces.path(name), into: &writer)
      try writer.write(path: folder.path("copy.goal"))
      #expect(try TraceGraph(goal: folder.path("copy.goal")) == graph, "\(name)")
    }
  }
}
