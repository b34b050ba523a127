import SimKernel
import Testing
import Training

@Suite("graphs in JSON")
struct GraphJSONTests {
  private static let figure = """
    {"simnet_graph": 1, "name": "figure 1a",
     "resources": [{"name": "gpu"}, {"name": "nic", "bandwidth": "8 Mbps", "latency": "1 us"}],
     "operations": [
       {"name": "op2", "kind": "compute", "resource": "gpu", "duration": "1 us",
        "after": ["op1", "r2"]},
       {"name": "op1", "kind": "compute", "resource": "gpu", "duration": "3 us", "after": ["r1"]},
       {"name": "r1", "kind": "receive", "resource": "nic", "bytes": "1 B", "tensor": 0},
       {"name": "r2", "kind": "receive", "resource": "nic", "duration": "2 us", "bytes": "9 B"}]}
    """

  private func read(_ text: String, channel: GraphChannel? = nil) throws -> OperationGraph {
    try OperationGraph.read(try JSONNode.parse(text, origin: "test"), channel: channel)
  }

  @Test("figure 1a runs from JSON as from code, with operations before those they wait for")
  func figure() throws {
    let graph = try read(Self.figure)
    #expect(graph.name == "figure 1a")
    #expect(graph.operations.map(\.duration.picoseconds) == [1, 3, 2, 2].map { $0 * 1_000_000 })
    #expect(graph.operations[3].size == .bytes(9))
    #expect(graph.operations[2].tensor == 0)
    #expect(GraphFixtures.run(graph, .tac(graph)).makespan == GraphFixtures.steps(6))
    #expect(graph.order.map { graph.names[Int($0)] } == ["r1", "r2", "op1", "op2"])
  }

  @Test("a channel replaces what the file says where bytes stand for durations")
  func channel() throws {
    let graph = try read(
      Self.figure, channel: GraphChannel(bandwidth: .megabitsPerSecond(4), latency: .zero))
    #expect(graph.operations[2].duration == .microseconds(2))
    #expect(graph.operations[3].duration == .microseconds(2))
    #expect(graph.resources[1].latency == .zero)
  }

  @Test(
    "faults are told with place and remedy",
    arguments: [
      (
        #""resource": "gpu", "duration": "3 us""#, #""resource": "gpo", "duration": "3 us""#,
        "test:6:", "did you mean \"gpu\""
      ),
      (#"["r1"]"#, #"["r7"]"#, "test:6:", "unknown operation \"r7\""),
      (
        #""kind": "receive", "resource": "nic", "bytes""#,
        #""kind": "recieve", "resource": "nic", "bytes""#, "test:7:", "did you mean \"receive\""
      ),
      (#""name": "r2""#, #""name": "r1""#, "test:8:", "a second operation \"r1\""),
      (#"{"name": "gpu"}"#, #"{"name": "nic"}"#, "test:2:", "a second resource \"nic\""),
      (#", "bandwidth": "8 Mbps""#, "", "test:7:", "no bandwidth"),
      (#""duration": "3 us""#, #""duration": 3"#, "test:6:", "no unit"),
      (#", "bytes": "1 B""#, "", "test:7:", "a duration, or bytes"),
      (
        #""tensor": 0"#, #""after": ["op2"]"#, "test:4:",
        "wait for one another: op2 after op1 after r1 after op2"
      ),
      (#""simnet_graph": 1"#, #""simnet_graph": 2"#, "test:1:", "1...1"),
      (#""name": "figure 1a""#, #""nam": "figure 1a""#, "test:1:", "did you mean \"name\""),
    ])
  func faults(part: String, replacement: String, place: String, words: String) {
    let pieces = Self.figure.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
    #expect(pieces.count == 2, "\(part) is in the example")
    do {
      _ = try read(pieces.joined(separator: replacement))
      Testing.Issue.record("it was accepted")
    } catch {
      #expect("\(error)".contains(place), "\(error)")
      #expect("\(error)".contains(words), "\(error)")
    }
  }

  @Test("an empty file and an empty list are refused")
  func empty() {
    #expect(throws: InvalidInput.self) { try read("{}") }
    #expect(throws: InvalidInput.self) { try read(#"{"simnet_graph": 1, "operations": []}"#) }
    #expect(throws: InvalidInput.self) { try read("[]") }
  }

  @Test("the format describes itself")
  func description() {
    let keys = OperationGraph.fileDescription.fields.map(\.key)
    #expect(keys == ["simnet_graph", "name", "source", "resources", "operations"])
  }
}
