import SimKernel
import Training

/// Small graphs of the papers, and random ones.
enum GraphFixtures {
  /// One step of a toy.
  static func steps(_ count: Int) -> SimDuration { .microseconds(Double(count)) }
  /// A byte a step.
  static let channel = GraphChannel(bandwidth: .megabitsPerSecond(8))
  static let first = GraphRun.stream(seed: 1)

  /// TicTac's figure 1a: r1 = r2 = 2, op1 (after r1) 3, op2 (after op1 and r2) 1.
  static func figure1a() throws -> OperationGraph {
    var builder = OperationGraphBuilder(name: "figure 1a")
    let processor = builder.resource("processor")
    let nic = builder.resource("nic")
    let r1 = builder.add("r1", .receive, on: nic, for: steps(2))
    let r2 = builder.add("r2", .receive, on: nic, for: steps(2))
    let op1 = builder.add("op1", .compute, on: processor, for: steps(3), after: [r1])
    builder.add("op2", .compute, on: processor, for: steps(1), after: [op1, r2])
    return try builder.build()
  }

  /// TicTac's figure 4a: A = 2, B = 3, op1 (after A) 4, op2 (after B) 1, op3 (after both) 1.
  static func figure4a() throws -> OperationGraph {
    var builder = OperationGraphBuilder(name: "figure 4a")
    let processor = builder.resource("processor")
    let nic = builder.resource("nic")
    let a = builder.add("A", .receive, on: nic, for: steps(2))
    let b = builder.add("B", .receive, on: nic, for: steps(3))
    let op1 = builder.add("op1", .compute, on: processor, for: steps(4), after: [a])
    let op2 = builder.add("op2", .compute, on: processor, for: steps(1), after: [b])
    builder.add("op3", .compute, on: processor, for: steps(1), after: [op1, op2])
    return try builder.build()
  }

  static func ranked(_ graph: OperationGraph, _ names: [String]) -> TransferOrder {
    TransferOrder(ranking: names.map { graph.operation(named: $0)! }, of: graph)
  }

  static func names(_ graph: OperationGraph, _ order: TransferOrder) -> [String] {
    order.ranking.map { graph.names[$0.index] }
  }

  static func run(
    _ graph: OperationGraph, _ order: TransferOrder = .none, random: RandomStream = first,
    settings: GraphRun.Settings = .init()
  ) -> GraphTimeline {
    var run = GraphRun(graph, order: order, settings: settings)
    return run.run(random)
  }

  /// A worker with `receives` root receives and `operations` computations, each after up to three
  /// earlier ones, over `channels` channels and `processors` processors.
  static func random(
    receives: Int, operations: Int, seed: UInt64, channels: Int = 1, processors: Int = 1,
    longest: Int = 9
  ) throws -> OperationGraph {
    var stream = RandomStream(seed: seed, purpose: RandomPurpose("test graph"))
    var builder = OperationGraphBuilder(name: "random \(seed)")
    let units = (0..<processors).map { builder.resource("processor \($0)") }
    let lines = (0..<channels).map { builder.resource("channel \($0)") }
    var ids: [OperationID] = []
    for index in 0..<receives {
      ids.append(
        builder.add(
          "r\(index)", .receive, on: lines[stream.index(below: channels)],
          for: steps(stream.index(below: longest) + 1)))
    }
    for index in 0..<operations {
      let after = (0..<stream.index(below: 4)).compactMap { _ in
        ids.isEmpty ? nil : ids[stream.index(below: ids.count)]
      }
      ids.append(
        builder.add(
          "op\(index)", .compute, on: units[stream.index(below: processors)],
          for: steps(stream.index(below: longest)), after: after))
    }
    return try builder.build()
  }

  /// A residual network of the shape of ResNet-50 v2 in TicTac's table 1: 125 receives of 97.45 MiB,
  /// four operations a tensor in a forward pass of 80 ms; backward takes twice as long.
  static func residual() -> LayerProfile {
    var layers: [LayerProfile.Layer] = []
    /// Appends operations that hold `tensors` and take `share` of the pass together.
    func add(_ name: String, _ tensors: [Int64], share: Double, after: [Int]) -> Int {
      var after = after
      for (index, elements) in tensors.enumerated() {
        layers.append(
          .init(
            name: "\(name).\(index)",
            forward: .microseconds(80_000 * share / Double(tensors.count)),
            backward: .microseconds(160_000 * share / Double(tensors.count)),
            parameters: ByteCount(elements * 4), predecessors: after))
        after = [layers.count - 1]
      }
      layers.append(
        .init(
          name: "\(name).relu", forward: .microseconds(20), backward: .microseconds(40),
          parameters: .zero, predecessors: after))
      return layers.count - 1
    }
    var last = add("stem", [9_408, 64, 64, 64, 64], share: 0.03, after: [])
    var width: Int64 = 64
    var input: Int64 = 64
    for blocks in [3, 4, 6, 3] {
      for block in 0..<blocks {
        let name = "w\(width)b\(block)"
        let entry = last
        var shortcut = entry
        if block == 0 {
          shortcut = add("\(name).shortcut", [input * width * 4], share: 0.01, after: [entry])
        }
        let a = add("\(name).a", [input * width, width, width], share: 0.015, after: [entry])
        let b = add("\(name).b", [width * width * 9, width], share: 0.027, after: [a])
        let c = add("\(name).c", [width * width * 4, width * 4], share: 0.015, after: [b])
        last = add("\(name).sum", [], share: 0, after: [c, shortcut])
        input = width * 4
      }
      width *= 2
    }
    _ = add("head", [2048, 2048, 2_048_000, 1000], share: 0.02, after: [last])
    return LayerProfile(name: "residual", layers: layers)
  }

  /// VGG-16: 32 tensors of 527.8 MiB, of which one has 392; the forward pass takes 300 ms in
  /// proportion to multiply-accumulates, backward twice as long.
  static func vgg16() -> LayerProfile {
    let extents: [(Int64, Int64, Double)] = [
      (27, 64, 87), (576, 64, 1850), (576, 128, 925), (1152, 128, 1850), (1152, 256, 925),
      (2304, 256, 1850), (2304, 256, 1850), (2304, 512, 925), (4608, 512, 1850),
      (4608, 512, 1850), (4608, 512, 462), (4608, 512, 462), (4608, 512, 462), (25088, 4096, 103),
      (4096, 4096, 17), (4096, 1000, 4),
    ]
    return .chain(
      name: "VGG-16",
      extents.enumerated().flatMap { index, layer in
        [
          (
            "\(index).weight", .microseconds(layer.2 * 300_000 / 15472),
            .microseconds(layer.2 * 600_000 / 15472), ByteCount(layer.0 * layer.1 * 4)
          ),
          ("\(index).bias", .microseconds(5), .microseconds(5), ByteCount(layer.1 * 4)),
        ]
      })
  }
}
