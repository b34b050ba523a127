import SimKernel

/// The layers of a model with their measured or modelled times: what graphs of an iteration are
/// generated from.
public struct LayerProfile: Sendable, Equatable {
  /// One layer, or one tensor where times are known for each.
  public struct Layer: Sendable, Equatable {
    public var name: String
    public var forward: SimDuration
    public var backward: SimDuration
    /// Its parameters, and its gradient; 0 for a layer without any.
    public var parameters: ByteCount
    /// What it puts out.
    public var activations: ByteCount
    /// The layers before it, by position; all come earlier in the profile.
    public var predecessors: [Int]

    public init(
      name: String, forward: SimDuration, backward: SimDuration, parameters: ByteCount,
      activations: ByteCount = .zero, predecessors: [Int]
    ) {
      self.name = name
      self.forward = forward
      self.backward = backward
      self.parameters = parameters
      self.activations = activations
      self.predecessors = predecessors
    }
  }

  public var name: String
  /// In forward order.
  public let layers: [Layer]

  /// - Precondition: the predecessors of every layer come before it.
  public init(name: String, layers: [Layer]) {
    for (index, layer) in layers.enumerated() {
      precondition(
        layer.predecessors.allSatisfy { (0..<index).contains($0) },
        "layers follow those they need")
    }
    self.name = name
    self.layers = layers
  }

  /// Layers one after another.
  public static func chain(
    name: String,
    _ layers: [(name: String, forward: SimDuration, backward: SimDuration, parameters: ByteCount)]
  ) -> LayerProfile {
    LayerProfile(
      name: name,
      layers: layers.enumerated().map { index, layer in
        Layer(
          name: layer.name, forward: layer.forward, backward: layer.backward,
          parameters: layer.parameters, predecessors: index == 0 ? [] : [index - 1])
      })
  }
}

/// Which part of training a generated graph holds.
public enum GraphPass: String, CaseIterable, Sendable {
  /// Parameters are received, then the forward pass runs: an agent that only predicts.
  case inference
  /// Parameters are received, forward, backward, gradients are sent: a worker of parameter servers.
  case training
  /// Backward, each gradient is exchanged, and the forward pass of the next iteration waits for its
  /// own parameters only.
  case allReduce = "all_reduce"
  /// As `allReduce`, with a send to a server and a receive of its answer for each gradient.
  case pushPull = "push_pull"
}

/// The network of a generated graph.
public struct GraphChannel: Sendable, Equatable {
  public var bandwidth: Bandwidth
  /// What every transfer costs beside its bytes.
  public var latency: SimDuration
  /// Channels in each direction, such as one for each server; tensors take turns.
  public var count: Int

  /// - Precondition: `count` is positive.
  public init(bandwidth: Bandwidth, latency: SimDuration = .zero, count: Int = 1) {
    precondition(count > 0, "there is a channel")
    self.bandwidth = bandwidth
    self.latency = latency
    self.count = count
  }
}

extension LayerProfile {
  /// The graph of one worker's `pass` over `channel`.
  ///
  /// Operations are called `forward`, `backward`, `receive`, `send` and `collective` with the name of
  /// their layer; tensors are numbered by the layers that have parameters. Receives and sends have
  /// channels of their own, as links are full duplex. Backward of a layer waits for that of all layers
  /// after it, and of the last ones for their forward pass.
  ///
  /// - Complexity: O(layers + edges).
  public func graph(
    _ pass: GraphPass, channel: GraphChannel
  ) throws(OperationGraphError) -> OperationGraph {
    var builder = OperationGraphBuilder(name: "\(name) \(pass.rawValue)")
    let processor = builder.resource("processor")
    func channels(_ name: String, _ builder: inout OperationGraphBuilder) -> [GraphResourceID] {
      (0..<channel.count).map { index in
        builder.resource(
          channel.count == 1 ? name : "\(name) \(index)", bandwidth: channel.bandwidth,
          latency: channel.latency)
      }
    }
    var tensors: [Int] = []
    var count = 0
    for layer in layers {
      tensors.append(layer.parameters > .zero ? count : -1)
      if layer.parameters > .zero { count += 1 }
    }
    var followers = [[Int]](repeating: [], count: layers.count)
    for (index, layer) in layers.enumerated() {
      for predecessor in layer.predecessors { followers[predecessor].append(index) }
    }

    /// Adds the forward pass; `arrival` is what brings each layer's parameters.
    func addForward(_ arrival: [OperationID?], after last: [OperationID?]) -> [OperationID] {
      var forward: [OperationID] = []
      for (index, layer) in layers.enumerated() {
        var waits = layer.predecessors.map { forward[$0] }
        if let arrival = arrival[index] { waits.append(arrival) }
        if layer.predecessors.isEmpty, let last = last[index] { waits.append(last) }
        forward.append(
          builder.add(
            "forward \(layer.name)", .compute, on: processor, for: layer.forward,
            tensor: tensors[index], after: waits))
      }
      return forward
    }
    /// Adds the backward pass, each layer's gradient leaving by `leave`.
    func addBackward(
      after forward: [OperationID], leave: (Int, OperationID, inout OperationGraphBuilder) -> Void
    ) -> [OperationID?] {
      var backward = [OperationID?](repeating: nil, count: layers.count)
      for index in layers.indices.reversed() {
        var waits = followers[index].compactMap { backward[$0] }
        if waits.isEmpty, !forward.isEmpty { waits = [forward[index]] }
        let id = builder.add(
          "backward \(layers[index].name)", .compute, on: processor, for: layers[index].backward,
          tensor: tensors[index], after: waits)
        backward[index] = id
        if tensors[index] >= 0 { leave(index, id, &builder) }
      }
      return backward
    }

    var arrival = [OperationID?](repeating: nil, count: layers.count)
    switch pass {
    case .inference, .training:
      let incoming = channels("downlink", &builder)
      let outgoing = pass == .training ? channels("uplink", &builder) : []
      for (index, layer) in layers.enumerated() where tensors[index] >= 0 {
        arrival[index] = builder.add(
          "receive \(layer.name)", .receive, on: incoming[tensors[index] % incoming.count],
          size: layer.parameters, tensor: tensors[index])
      }
      let forward = addForward(arrival, after: Array(repeating: nil, count: layers.count))
      if pass == .training {
        _ = addBackward(after: forward) { index, gradient, builder in
          builder.add(
            "send \(layers[index].name)", .send, on: outgoing[tensors[index] % outgoing.count],
            size: layers[index].parameters, tensor: tensors[index], after: [gradient])
        }
      }
    case .allReduce:
      let network = channels("network", &builder)
      let backward = addBackward(after: []) { index, gradient, builder in
        arrival[index] = builder.add(
          "collective \(layers[index].name)", .collective,
          on: network[tensors[index] % network.count], size: layers[index].parameters,
          tensor: tensors[index], after: [gradient])
      }
      _ = addForward(arrival, after: backward)
    case .pushPull:
      let outgoing = channels("uplink", &builder)
      let incoming = channels("downlink", &builder)
      let backward = addBackward(after: []) { index, gradient, builder in
        let push = builder.add(
          "send \(layers[index].name)", .send, on: outgoing[tensors[index] % outgoing.count],
          size: layers[index].parameters, tensor: tensors[index], after: [gradient])
        arrival[index] = builder.add(
          "receive \(layers[index].name)", .receive,
          on: incoming[tensors[index] % incoming.count], size: layers[index].parameters,
          tensor: tensors[index], after: [push])
      }
      _ = addForward(arrival, after: backward)
    }
    return try builder.build()
  }
}
