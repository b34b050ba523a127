import Foundation
import Interchange
import SimKernel
import Testing

/// Ten damaged copies of each kind of file that simnet writes itself give ten messages with a place.
@Suite struct DamageTests {
  private static func graph(_ ranks: Int) throws -> TraceGraph {
    var builder = TraceGraphBuilder(origin: "own")
    for rank in 0..<ranks {
      for index in 0..<20 {
        let peer = Int32((rank + 1) % ranks)
        let other = Int32((rank + ranks - 1) % ranks)
        let work: TraceGraph.Work =
          switch index % 3 {
          case 0: .compute
          case 1: .send(.init(peer: peer, bytes: .bytes(4096), tag: Int32(index)))
          default: .receive(.init(peer: other, bytes: .bytes(4096), tag: Int32(index - 1)))
          }
        builder.add(
          TraceGraph.Node(
            id: UInt64(index), name: builder.names.index(of: "operation \(index)"),
            rank: Int32(rank), work: work, duration: index % 3 == 0 ? .microseconds(5) : nil),
          after: index > 0 ? [UInt64(index - 1)] : [])
      }
    }
    return try builder.build()
  }

  private func expectPlaces(
    _ label: String, _ bytes: [UInt8], filler: UInt8 = 1, _ read: ([UInt8]) throws -> Void
  ) throws {
    try read(bytes)
    for (number, copy) in damagedCopies(of: bytes, filler: filler).enumerated() {
      _ = positionedError("\(label) \(number)") { try read(copy) }
    }
  }

  @Test func chakra() throws {
    let trace = try ChakraTrace(Self.graph(2), rank: 0, origin: "own.0.et")
    try expectPlaces("chakra", ChakraFile.bytes(of: trace), filler: 255) {
      _ = try ChakraFile.read(bytes: $0, path: "own.0.et")
    }
  }

  @Test func kineto() throws {
    try expectPlaces("kineto", TraceBenchmark.kineto(events: 30)) {
      _ = try KinetoTrace(bytes: $0, path: "own.json")
    }
  }

  @Test func goal() throws {
    var writer = GOALWriter()
    try Self.graph(3).write(to: &writer, origin: "own")
    let folder = try ScratchFolder()
    try expectPlaces("goal", writer.bytes) {
      _ = try TraceGraph(goal: try folder.file("own.goal", $0))
    }
  }

  @Test func layerWorkload() throws {
    let text = LayerWorkloadTests.small + "\n"
    try expectPlaces("workload", Array(text.utf8)) {
      _ = try LayerWorkload(bytes: $0, path: "own.txt")
    }
  }

  /// Where values are damaged they are numbers still; those that are none are found by tensor.
  @Test(arguments: ["own.safetensors", "own.npy"])
  func gradients(_ name: String) throws {
    let folder = try ScratchFolder()
    let gradient = GradientFile(
      origin: "own",
      tensors: [.init(name: "weight", shape: [64], offset: 0, count: 64)],
      values: (0..<64).map { Float($0) })
    try gradient.write(path: folder.path(name))
    for (number, copy) in damagedCopies(of: try folder.bytes(name), filler: 255).enumerated() {
      let path = try folder.file(name, copy)
      do throws(InterchangeError) {
        try GradientFile.read(path: path).checkFinite()
        Issue.record("\(name) \(number) was read")
      } catch {
        #expect(
          error.byteOffset != nil || error.found.contains("[")
            || error.found.contains("byte") || error.found.contains("header"), "\(error)")
      }
    }
  }
}
