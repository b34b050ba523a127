import Interchange
import SimKernel
import Testing

@Suite struct ChakraTests {
  /// A trace with every kind of value.
  private static var everything: ChakraTrace {
    let values: [ChakraTrace.Value] = [
      .integer(-5), .integer(.min), .unsigned(.max), .double(0.1), .float(0.5), .bool(true),
      .bool(false), .string("ä"), .bytes([0, 255]), .integers([1, -2]), .unsigneds([3, .max]),
      .doubles([1.5, -2]), .bools([true, false]), .strings(["", "b"]), .none,
    ]
    var trace = ChakraTrace(version: "0.0.4", nodes: [], origin: "all.3.et")
    trace.attributes = [.init("schema", .string("1.1.1-chakra.0.0.4"))]
    trace.nodes = [
      ChakraTrace.Node(
        id: .max, name: "first", kind: .compute, startMicroseconds: 5, durationMicroseconds: 7,
        inputs: .init(values: "[1]", shapes: "[[2]]", types: "['Tensor(float)']"),
        attributes: values.enumerated().map { .init("a\($0)", $1) }),
      ChakraTrace.Node(
        id: 0, name: "", kind: .collective, controlParents: [.max], dataParents: [.max],
        attributes: [.init("comm_type", .integer(0)), .init("comm_size", .unsigned(1 << 20))]),
      ChakraTrace.Node(
        id: 2, name: "s", kind: .send, dataParents: [0],
        attributes: [
          .init("comm_dst", .integer(1)), .init("comm_size", .integer(64)),
          .init("comm_tag", .integer(9)),
        ]),
      ChakraTrace.Node(id: 3, name: "later", kind: .unknown(12), dataParents: [2]),
    ]
    return trace
  }

  private func withoutPlaces(_ trace: ChakraTrace) -> ChakraTrace {
    var trace = trace
    for index in trace.nodes.indices { trace.nodes[index].byteOffset = -1 }
    return trace
  }

  @Test func whatIsWrittenIsReadAsItWas() throws {
    let bytes = ChakraFile.bytes(of: Self.everything)
    let read = try ChakraFile.read(bytes: bytes, path: "all.3.et")
    #expect(withoutPlaces(read) == Self.everything)
    #expect(read.rank == 3 && read.schema == "0.0.4")
    let graph = try read.graph()
    #expect(graph.nodes.map(\.rank) == [3, 3, 3, 3])
    #expect(
      graph.nodes[1].work == .collective(.init(kind: .allReduce, bytes: .mebibytes(1))))
    #expect(graph.nodes[2].work == .send(.init(peer: 1, bytes: .bytes(64), tag: 9)))
    #expect(graph.nodes[3].work == .marker)
    #expect(graph.nodes[0].duration == .microseconds(7))
  }

  @Test func aGraphGoesOutAndComesBackEqual() throws {
    let graph = try Self.everything.graph()
    let again = try ChakraTrace(graph, rank: 3, origin: "all.3.et").graph()
    #expect(again.nodes.map(\.id) == graph.nodes.map(\.id))
    #expect(again.nodes.map(\.work) == graph.nodes.map(\.work))
    #expect(again.nodes.map(\.duration) == graph.nodes.map(\.duration))
    #expect(again.order == graph.order && again.edgeCount == graph.edgeCount)
  }

  @Test func emptyMetadataIsAVersionThatIsNotSaid() throws {
    let node = ChakraTrace.Node(id: 1, name: "n", kind: .compute)
    let trace = ChakraTrace(version: "", nodes: [node], origin: "t")
    let bytes = ChakraFile.bytes(of: trace)
    #expect(bytes[0] == 0)
    let read = try ChakraFile.read(bytes: bytes, path: "t")
    #expect(read.schema == nil && read.nodes.count == 1)
  }

  @Test func everyEndInsideAMessageIsRefused() throws {
    let bytes = ChakraFile.bytes(of: Self.everything)
    var ends = 0
    for count in 0..<bytes.count {
      do throws(InterchangeError) {
        _ = try ChakraFile.read(bytes: Array(bytes[..<count]), path: "cut")
        ends += 1
      } catch { #expect(error.byteOffset != nil) }
    }
    // Between messages a cut cannot be told; the parents that are missing then can.
    #expect(ends == Self.everything.nodes.count)
  }

  @Test func noByteMakesItCrash() {
    let bytes = ChakraFile.bytes(of: Self.everything)
    var random = SplitMix(state: 5)
    for _ in 0..<5000 {
      var copy = bytes
      copy[Int.random(in: 0..<copy.count, using: &random)] = UInt8.random(
        in: 0...255, using: &random)
      _ = try? ChakraFile.read(bytes: copy, path: "damaged").graph()
    }
  }

  @Test func schemasBefore2023AreRefused() {
    // id 1, name n, type COMP, parent 2, attribute 11 with a name and a type, as proto2 wrote it.
    let node: [UInt8] = [8, 1, 18, 1, 110, 24, 4, 32, 2, 90, 5, 10, 1, 97, 16, 3]
    let message = positionedError("an old trace") {
      _ = try ChakraFile.read(bytes: [0, UInt8(node.count)] + node, path: "old.et")
    }
    #expect(message.contains("schema before 0.0.4"))
  }

  @Test func wrongSizesAndTypesNameTheirNode() throws {
    for (name, value) in [("comm_size", -1), ("comm_type", 10)] {
      var trace = Self.everything
      trace.nodes[1].name = "all_reduce"
      trace.nodes[1].attributes = [.init(name, .integer(Int64(value)))]
      #expect(throws: InterchangeError.self) { _ = try trace.graph() }
    }
  }

  @Test func parentsThatAreLeftOutMayBeDropped() throws {
    var trace = Self.everything
    trace.nodes.remove(at: 0)
    trace = try ChakraFile.read(bytes: ChakraFile.bytes(of: trace), path: "cut")
    #expect(positionedError("cut") { _ = try trace.graph() }.contains("1 missing parent: node 0"))
    let graph = try trace.graph(droppingMissingParents: true)
    #expect(graph.missingParents.map(\.parent) == [.max] && graph.missingParents[0].node == 0)
    #expect(graph.edgeCount == 2)
  }

  @Test func jsonIsReadInBothSpellings() throws {
    let text = """
      {"workload_graph": [
        {"Id": 18446744073709551615, "Name": "a", "NodeType": 4, "ctrlDeps": [], "runtime": 318,
         "is_cpu_op": true, "x": [1, 2], "y": null},
        {"id": 2, "name": "b", "node_type": 7, "ctrl_deps": [18446744073709551615],
         "data_deps": [], "comm_type": 0, "comm_size": 18446744073709551615.0e-3}
       ], "workload_name": "w", "ngpus": 8}
      """
    let trace = try ChakraJSON.read(bytes: Array(text.utf8), path: "t.json", chunkSize: 3)
    #expect(trace.nodes.map(\.id) == [.max, 2])
    #expect(
      trace.nodes[0].attributes == [
        .init("is_cpu_op", .bool(true)), .init("x", .integers([1, 2])),
      ])
    #expect(
      trace.attributes == [.init("workload_name", .string("w")), .init("ngpus", .integer(8))])
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedTracesAreRead() throws {
    let files = SharedTraces.files("astra-sim/", ".et")
    #expect(files.count == 120)
    for name in files {
      let trace = try ChakraFile.read(path: SharedTraces.path(name))
      let graph = try trace.graph()
      #expect(graph.nodes.count == trace.nodes.count)
      let again = try ChakraFile.read(bytes: ChakraFile.bytes(of: trace), path: trace.origin)
      #expect(try again.graph() == graph)
      if name.contains("microbenchmarks") {
        guard case .collective(let collective) = graph.nodes[0].work else {
          Issue.record("\(name) has no collective")
          continue
        }
        #expect(name.contains(collective.kind.rawValue) && collective.bytes == .mebibytes(1))
      } else {
        #expect(trace.nodes.contains { $0.kind == .send })
      }
    }
    let large = try ChakraFile.read(path: SharedTraces.path("chakra/chakra.0.et"))
    #expect(large.nodes.count == 3664 && large.schema == "1.0.1")
    // Its converter left the parents of 1,277 nodes out.
    #expect(
      positionedError("chakra.0.et") { _ = try large.graph() }.contains("node 216 waits for 3"))
    // Without them two nodes still wait for each other.
    let cycle = positionedError("chakra.0.et") { _ = try large.graph(droppingMissingParents: true) }
    #expect(cycle.contains("a cycle of 2: node 3317 waits for 3318 waits for 3317"))
    #expect(large.nodes.count { $0.kind == .collective } == 21)
    #expect(large.nodes.count { $0.kind == .compute } == 3643)
    let text = try ChakraJSON.read(path: SharedTraces.path("chakra/chakra.0.json.gz"))
    #expect(text.nodes.map(\.id) == large.nodes.map(\.id))
    #expect(text.nodes.map(\.durationMicroseconds) == large.nodes.map(\.durationMicroseconds))
    #expect(text.nodes.map(\.dataParents) == large.nodes.map(\.dataParents))
    _ = try text.graph()
    let small = try ChakraJSON.read(path: SharedTraces.path("chakra/small_chakra.0.json"))
    #expect(small.nodes.count == 7)
    // Five parents of an excerpt are outside of it.
    #expect(positionedError("small") { _ = try small.graph() }.contains("node 216 waits for 3"))
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func damagedCopiesOfSharedTracesAreRefusedWithAByte() throws {
    let name = "chakra/chakra.0.et"
    for (number, copy) in damagedCopies(of: try SharedTraces.bytes(name), filler: 255).enumerated()
    {
      _ = positionedError("\(name) \(number)") { _ = try ChakraFile.read(bytes: copy, path: name) }
    }
    let json = "chakra/small_chakra.0.json"
    for (number, copy) in damagedCopies(of: try SharedTraces.bytes(json)).enumerated() {
      _ = positionedError("\(json) \(number)") { _ = try ChakraJSON.read(bytes: copy, path: json) }
    }
  }
}
