import SimKernel
import Testing
import Training

@Suite("graphs from profiles")
struct LayerProfileTests {
  private static let text = [
    "node3 -- Conv2d(3, 8) -- forward_compute_time=2.000, backward_compute_time=4.000, "
      + "activation_size=100.000, parameter_size=400.000",
    "node1 -- Input0 -- forward_compute_time=0.000, backward_compute_time=0.000, "
      + "activation_size=50.0, parameter_size=0.000",
    "node2 -- LSTM(a) -- forward_compute_time=1.500, backward_compute_time=2.500, "
      + "activation_size=[10.0; 20.0; 30.5], parameter_size=800.000",
    "node4 -- Concat(1) -- forward_compute_time=1.000, backward_compute_time=1.000, "
      + "activation_size=160.000, parameter_size=0.000",
    "\tnode1 -- node2", "\tnode1 -- node3", "\tnode2 -- node4", "\tnode3 -- node4", "",
  ].joined(separator: "\n")

  @Test("a profile of PipeDream is read with its branches, in the order of its numbers")
  func pipeDream() throws {
    let profile = try LayerProfile.pipeDream(Self.text, name: "branches", origin: "test")
    #expect(
      profile.layers.map(\.name) == [
        "node1.Input0", "node2.LSTM", "node3.Conv2d", "node4.Concat",
      ])
    #expect(profile.layers.map(\.predecessors) == [[], [0], [0], [1, 2]])
    #expect(profile.layers.map(\.parameters.bytes) == [0, 800, 400, 0])
    #expect(profile.layers[1].activations == .bytes(61))
    #expect(profile.layers[1].forward == .milliseconds(1.5))
    #expect(profile.layers[2].backward == .milliseconds(4))
  }

  @Test("each pass of a profile has its operations and loads")
  func passes() throws {
    let profile = try LayerProfile.pipeDream(Self.text, name: "branches", origin: "test")
    let channel = GraphChannel(bandwidth: .megabitsPerSecond(8), latency: .microseconds(1))
    func count(_ graph: OperationGraph) -> [Int] {
      OperationGraph.Kind.allCases.map { graph.operations(of: $0).count }
    }
    // compute, receive, send, collective, memory
    let expected: [GraphPass: [Int]] = [
      .inference: [4, 2, 0, 0, 0], .training: [8, 2, 2, 0, 0], .allReduce: [8, 0, 0, 2, 0],
      .pushPull: [8, 2, 2, 0, 0],
    ]
    for pass in GraphPass.allCases {
      let graph = try profile.graph(pass, channel: channel)
      #expect(count(graph) == expected[pass], "\(pass)")
      let compute = pass == .inference ? 4.5 : 12
      #expect(graph.loads[0] == .milliseconds(compute))
      for load in graph.loads.dropFirst() { #expect(load == .microseconds(1202)) }
      let timeline = GraphFixtures.run(graph)
      #expect(timeline.makespan >= graph.makespanBound)
      #expect(timeline.makespan <= timeline.metrics.upper)
    }
    let training = try profile.graph(.training, channel: channel)
    for id in training.operations(of: .receive) {
      #expect(training.predecessors(of: id.index).isEmpty)
    }
    for id in training.operations(of: .send) { #expect(training.successors(of: id.index).isEmpty) }
    // Backward of the concatenation waits for its forward, that of the input for both branches.
    let last = training.operation(named: "backward node4.Concat")!
    #expect(
      training.predecessors(of: last.index).map { training.names[Int($0)] }
        == ["forward node4.Concat"])
    let first = training.operation(named: "backward node1.Input0")!
    #expect(
      training.predecessors(of: first.index).map { training.names[Int($0)] }.sorted()
        == ["backward node2.LSTM", "backward node3.Conv2d"])
  }

  @Test("tensors take turns over several channels")
  func channels() throws {
    let profile = try LayerProfile.pipeDream(Self.text, name: "branches", origin: "test")
    let graph = try profile.graph(
      .inference, channel: GraphChannel(bandwidth: .megabitsPerSecond(8), count: 2))
    #expect(graph.resources.map(\.name) == ["processor", "downlink 0", "downlink 1"])
    #expect(graph.loads.dropFirst() == [.microseconds(800), .microseconds(400)])
  }

  @Test(
    "faults of a profile are told with their lines",
    arguments: [
      ("node1 -- Input", 1, "a node reads"),
      ("nonsense", 1, "a node reads"),
      (text + "\tnode1 -- node9\n", 9, "node9"),
      (text + "\tnode4 -- node1\n", 2, "wait for one another"),
      (text + "\tnode4\n", 9, "an edge reads"),
      (text + "node4 -- X -- forward_compute_time=1\n", 9, "a second"),
      (
        "node1 -- X -- forward_compute_time=x, backward_compute_time=0.000, activation_size=5.0, "
          + "parameter_size=0.0", 1, "a number from 0"
      ),
      (
        "node1 -- X -- forward_compute_tim=1, backward_compute_time=0.000, activation_size=5.0, "
          + "parameter_size=0.0", 1, "did you mean \"forward_compute_time\""
      ),
      ("", 1, "no node"),
    ])
  func faults(text: String, line: Int, words: String) {
    do {
      _ = try LayerProfile.pipeDream(text, name: "faulty", origin: "test")
      Testing.Issue.record("it was accepted")
    } catch {
      #expect("\(error)".contains("test:\(line):1"), "\(error)")
      #expect("\(error)".contains(words), "\(error)")
    }
  }

  @Test("a model's table becomes a chain whose parts add up to its times")
  func model() throws {
    let tensors = (0..<6).map { index in
      ModelTensor(
        name: "t\(index)", layer: "l\(index / 2)", shape: [3 + index], elements: 3 + index,
        forwardMACs: index % 2 == 0 ? 7 + index : 0, layerIndex: index / 2)
    }
    let model = ModelTable(name: "toy", sample: "row", source: "made up", tensors: tensors)
    let evidence = Evidence(.overridden, "made up")
    let ready: [Double] = [90, 70, 70, 50, 50, 20]
    let times = ComputeTimes(
      batch: 1, forward: .microseconds(31), backward: .microseconds(90),
      readyOffsets: ready.map { .microseconds($0) }, optimizer: .zero, forwardEvidence: evidence,
      backwardEvidence: evidence, shapeEvidence: evidence, optimizerEvidence: evidence,
      warnings: [])
    let profile = LayerProfile(model: model, times: times)
    #expect(profile.layers.map(\.name) == tensors.map(\.name))
    #expect(profile.layers.reduce(.zero) { $0 + $1.forward } == times.forward)
    #expect(
      profile.layers.map { $0.backward } == [20, 0, 20, 0, 30, 20].map { .microseconds($0) })
    #expect(profile.layers.map(\.parameters.bytes) == [12, 16, 20, 24, 28, 32])
    #expect(profile.layers[1].forward == .zero)
    #expect(profile.layers.map(\.predecessors) == [[], [0], [1], [2], [3], [4]])
  }
}
