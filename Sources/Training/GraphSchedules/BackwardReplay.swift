import SimKernel

/// A backward pass as gradients that become ready one after another, the last layer's first: what
/// rules of merging decide on.
public struct BackwardReplay: Sendable, Equatable {
  /// One gradient.
  public struct Gradient: Sendable, Equatable {
    /// The computation since the gradient before it.
    public var wait: SimDuration
    public var size: ByteCount
    public init(wait: SimDuration, size: ByteCount) {
      self.wait = wait
      self.size = size
    }
  }
  /// In the order they become ready.
  public let gradients: [Gradient]
  /// When each is ready.
  public let readyTimes: [SimDuration]

  public init(_ gradients: [Gradient]) {
    self.gradients = gradients
    var now = SimDuration.zero
    readyTimes = gradients.map {
      now += $0.wait
      return now
    }
  }

  /// The gradients of tensors in forward order, with the time from the start of backward until each is
  /// ready; ties go to the later layer.
  public init(sizes: [ByteCount], readyOffsets: [SimDuration]) {
    precondition(sizes.count == readyOffsets.count, "each size has a time")
    var before = SimDuration.zero
    self.init(
      sizes.indices.sorted { (readyOffsets[$0], $1) < (readyOffsets[$1], $0) }.map { index in
        defer { before = readyOffsets[index] }
        return Gradient(wait: readyOffsets[index] - before, size: sizes[index])
      })
  }

  /// The whole pass.
  public var backward: SimDuration { readyTimes.last ?? .zero }

  /// How long communication goes on after the pass when each of `messages` - consecutive gradients -
  /// starts once all of it is ready and the message before it has ended.
  ///
  /// - Precondition: `messages` cut all gradients into consecutive parts.
  /// - Complexity: O(gradients).
  public func exposedCommunication(
    _ messages: [Range<Int>], cost: (ByteCount) -> SimDuration
  ) -> SimDuration {
    var free = SimDuration.zero
    var next = 0
    for message in messages {
      precondition(message.lowerBound == next && !message.isEmpty, "messages follow one another")
      next = message.upperBound
      free = max(free, readyTimes[message.upperBound - 1]) + cost(size(of: message))
    }
    precondition(next == gradients.count, "messages hold every gradient")
    return max(.zero, free - backward)
  }

  /// The bytes of one message.
  public func size(of message: Range<Int>) -> ByteCount {
    gradients[message].reduce(.zero) { $0 + $1.size }
  }

  /// The pass and its messages as a graph: `backward i` on a processor, one collective a message on a
  /// network, called by its gradients.
  public func graph(
    _ messages: [Range<Int>], cost: (ByteCount) -> SimDuration
  ) throws(OperationGraphError) -> OperationGraph {
    var builder = OperationGraphBuilder(name: "backward")
    let processor = builder.resource("processor")
    let network = builder.resource("network")
    var ends: [OperationID] = []
    for (index, gradient) in gradients.enumerated() {
      ends.append(
        builder.add(
          "backward \(index)", .compute, on: processor, for: gradient.wait,
          after: ends.last.map { [$0] } ?? []))
    }
    for message in messages {
      let size = size(of: message)
      builder.add(
        "message \(message.lowerBound)..<\(message.upperBound)", .collective, on: network,
        for: cost(size), size: size, after: [ends[message.upperBound - 1]])
    }
    return try builder.build()
  }
}
