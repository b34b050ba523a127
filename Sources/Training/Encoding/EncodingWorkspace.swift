import Compression

/// Memory that one thread's encoding requests share.
///
/// Fresh memory costs a page fault for every 4 KiB, and a full gradient is needed half a dozen times
/// over: reused, the faults are paid once. Gradients stay until others are asked for, so requests
/// that differ in the codec only do not make them again.
public struct EncodingWorkspace: ~Copyable {
  /// The flat gradients of the representatives loaded so far, by worker; longer than the layout if
  /// an earlier one was.
  private(set) var gradients: [[Float]] = []
  var scratch = CodecScratch()
  /// The frame being made; its memory grows to the largest one.
  var encoded = EncodedGradient()
  private var key = ""
  private var layout: SampledLayout?
  private var tensors: [GradientTensor] = []
  /// How many of `gradients` belong to the key.
  private var loaded = 0
  private var parts: [[Float]] = []

  /// An empty workspace.
  public init() {}

  /// Keeps the gradients only if they are those of `key` in this layout.
  mutating func open(gradients key: String, sampled layout: SampledLayout) {
    if key == self.key, layout == self.layout { return }
    self.key = key
    self.layout = layout
    loaded = 0
  }

  /// Loads the gradient of `worker`, unless it is there; workers are loaded in order.
  mutating func load(_ worker: Int, from source: some GradientSource) {
    if source.tensors != tensors {
      tensors = source.tensors
      loaded = 0
    }
    if worker < loaded { return }
    precondition(worker == loaded, "workers are loaded in order")
    let count = source.layout.elementCount
    if gradients.count == worker { gradients.append([]) }
    if gradients[worker].count < count {
      // The old memory goes before the new one comes.
      gradients[worker] = []
      gradients[worker] = [Float](repeating: 0, count: count)
    }
    gradients[worker].withUnsafeMutableBufferPointer {
      source.gradient(
        worker: worker, iteration: 0, parameterVersion: 0,
        into: UnsafeMutableBufferPointer(rebasing: $0[..<count]))
    }
    loaded = worker + 1
  }

  /// Arrays for the parts of one unit, one a worker, with room for `capacity` elements.
  mutating func takeParts(_ workers: Int, capacity: Int) -> [[Float]] {
    var taken: [[Float]] = []
    swap(&taken, &parts)
    if taken.count > workers { taken.removeLast(taken.count - workers) }
    while taken.count < workers { taken.append([]) }
    for worker in taken.indices {
      taken[worker].removeAll(keepingCapacity: true)
      taken[worker].reserveCapacity(capacity)
    }
    return taken
  }
  /// Takes them back.
  mutating func giveBack(_ taken: inout [[Float]]) { swap(&taken, &parts) }
}
