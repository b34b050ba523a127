import SimKernel

/// Layer-wise backward completion as it was recorded: when each gradient was ready.
struct BackwardLog: Sendable {
  /// A gradient of `size` bytes that was ready at `end` after backward started.
  struct Event: Sendable {
    var end: SimDuration
    var size: ByteCount
  }
  /// In the order they happened: the last layer first.
  var events: [Event]

  /// The whole backward pass.
  var total: SimDuration { events.last?.end ?? .zero }

  /// When each fp32 gradient of `tensors` is ready, or nil if one of them has no event of its size.
  ///
  /// Events without a tensor - the recorded VGG-16 has batch normalisation, the plain one has not -
  /// are passed over, so that their time is part of the next tensor's. Matching goes from the first
  /// layer's event towards the last's: within a layer the recorded order is normalisation, bias,
  /// weight, and the bias of equal size must be the event beside the weight.
  func readyOffsets(_ tensors: [ModelTensor]) -> [SimDuration]? {
    var offsets: [SimDuration] = []
    offsets.reserveCapacity(tensors.count)
    var next = events.count - 1
    for tensor in tensors {
      let size = ByteCount(Int64(tensor.elements) * 4)
      while next >= 0, events[next].size != size { next -= 1 }
      if next < 0 { return nil }
      offsets.append(events[next].end)
      next -= 1
    }
    return offsets
  }
}
