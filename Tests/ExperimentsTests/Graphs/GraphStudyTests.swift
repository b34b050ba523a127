import Experiments
import Foundation
import SimKernel
import Testing
import Training

@Suite("graphs under several orders")
struct GraphStudyTests {
  private static let profiles = [
    "vgg16", "resnet50", "resnet101", "resnext50", "inception_v3", "gnmt", "gnmt_large", "alexnet",
    "densenet121",
  ]

  @Test("every profile of PipeDream becomes a graph of every pass", arguments: profiles)
  func pipeDream(name: String) throws {
    guard let path = SharedTraces.path("pipedream-profiles/\(name).graph.txt") else { return }
    for pass in GraphPass.allCases {
      let graph = try GraphFile.read(
        path,
        options: .init(channel: GraphChannel(bandwidth: .gigabitsPerSecond(10)), pass: pass))
      let orders: [GraphOrder] =
        pass == .allReduce ? [.fifo, .layer] : [.fifo, .layer, .tic, .tac]
      let study = try GraphStudy(graph, orders: orders, runs: 3, seed: 1, option: "--schedule")
      for entry in study.entries {
        #expect(entry.metrics.makespan >= graph.makespanBound, "\(pass), \(entry.order)")
        #expect((0...1).contains(entry.metrics.efficiency), "\(pass), \(entry.order)")
      }
    }
  }

  @Test("ordering receives pays on profiles with branches, where communication matters")
  func gains() throws {
    guard let path = SharedTraces.path("pipedream-profiles/inception_v3.graph.txt") else { return }
    let graph = try GraphFile.read(
      path,
      options: .init(
        channel: GraphChannel(bandwidth: .gigabitsPerSecond(4)), pass: .inference))
    let study = try GraphStudy(
      graph, orders: [.random, .tic, .tac], runs: 20, seed: 1, option: "--schedule")
    let means = study.entries.map(\.mean)
    #expect(means[1] < means[0] && means[2] < means[0], "\(means)")
  }

  @Test("a file is told apart by its first character, and options that do not fit are refused")
  func files() throws {
    let path = NSTemporaryDirectory() + "simnet-graph-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(
      #"""
      {"simnet_graph": 1, "resources": [{"name": "nic"}],
       "operations": [{"name": "r", "kind": "receive", "resource": "nic", "bytes": "1 MB"}]}
      """#.utf8
    ).write(to: URL(fileURLWithPath: path))
    #expect(throws: InvalidInput.self) { try GraphFile.read(path) }
    let graph = try GraphFile.read(
      path, options: .init(channel: GraphChannel(bandwidth: .megabitsPerSecond(8))))
    #expect(graph.operations[0].duration == .seconds(1))
    #expect(throws: InvalidInput.self) {
      try GraphFile.read(path, options: .init(pass: .training))
    }
    #expect(throws: InputError.self) { try GraphFile.read(path + ".missing") }
  }

  @Test("random orders are run as often as asked, fixed ones once, refused ones not at all")
  func runs() throws {
    var builder = OperationGraphBuilder(name: "two")
    let (nic, gpu) = (builder.resource("nic"), builder.resource("gpu"))
    let r1 = builder.add("r1", .receive, on: nic, for: .microseconds(2))
    let r2 = builder.add("r2", .receive, on: nic, for: .microseconds(2))
    let op1 = builder.add("op1", .compute, on: gpu, for: .microseconds(3), after: [r1])
    builder.add("op2", .compute, on: gpu, for: .microseconds(1), after: [op1, r2])
    let graph = try builder.build()
    let study = try GraphStudy(
      graph, orders: GraphOrder.allCases, runs: 64, seed: 3, option: "--schedule")
    #expect(study.entries.map(\.order) == GraphOrder.allCases)
    // TIC's numbers tie in this graph.
    #expect(study.entries.map(\.makespans.count) == [1, 64, 1, 64, 1, 1])
    for entry in study.entries {
      #expect(entry.makespans.allSatisfy { [6, 8].map { .microseconds($0) }.contains($0) })
    }
    let random = study.entries[1]
    #expect(random.percentile(0.05) == 6e-6)
    #expect(random.percentile(0.95) == 8e-6)
    #expect(random.mean > 6e-6 && random.mean < 8e-6)
    #expect(study.entries[4].mean == 6e-6)
    #expect(study.entries[4].metrics.efficiency == 0.5)

    let eager = ExecutionMode.eager(dispatch: .microseconds(1))
    do {
      _ = try GraphStudy(
        graph, orders: [.tic, .fifo, .tac], runs: 1, seed: 1, mode: eager, option: "--schedule")
      Testing.Issue.record("tic was accepted")
    } catch let error as InvalidInput {
      #expect(error.issues.count == 2)
      #expect("\(error)".contains("--schedule") && "\(error)".contains("eager"))
    }
    let fifo = try GraphStudy(
      graph, orders: [.fifo], runs: 1, seed: 1, mode: eager, option: "--schedule")
    #expect(fifo.graph.count == 8)
  }
}
