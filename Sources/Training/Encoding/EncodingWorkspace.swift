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
  /// One worker's gradient on its way into the mean of a host's.
  private var addend: [Float] = []
  /// How many of `gradients` belong to the key.
  private var loaded = 0
  private var parts: [[Float]] = []
  /// The gradients of a study, by iteration and representative; empty where not made yet.
  private var studied: [[Float]] = []
  private var studyKey = ""

  /// An empty workspace.
  public init() {}

  /// Keeps the gradients only if they are those of `key` in this layout.
  mutating func open(gradients key: String, sampled layout: SampledLayout) {
    if key == self.key, layout == self.layout { return }
    self.key = key
    self.layout = layout
    loaded = 0
  }

  /// Loads the mean gradient of `members` as representative `worker`, unless it is there;
  /// representatives are loaded in order.
  mutating func load(_ worker: Int, _ members: [Int], from source: some GradientSource) {
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
        worker: members[0], iteration: 0, parameterVersion: 0,
        into: UnsafeMutableBufferPointer(rebasing: $0[..<count]))
    }
    if members.count > 1 { addMean(of: members, to: worker, count, source) }
    loaded = worker + 1
  }

  private mutating func addMean(
    of members: [Int], to worker: Int, _ count: Int, _ source: some GradientSource
  ) {
    if addend.count < count { addend = [Float](repeating: 0, count: count) }
    for member in members.dropFirst() {
      addend.withUnsafeMutableBufferPointer { addend in
        source.gradient(
          worker: member, iteration: 0, parameterVersion: 0,
          into: UnsafeMutableBufferPointer(rebasing: addend[..<count]))
      }
      // Both arrays have at least `count` elements.
      for index in 0..<count { gradients[worker][index] += addend[index] }
    }
    let share = 1 / Float(members.count)
    for index in 0..<count { gradients[worker][index] *= share }
  }

  /// Keeps the gradients of a study only if they are those of `key`.
  mutating func openStudy(_ key: String) {
    if key == studyKey { return }
    studyKey = key
    studied.removeAll()
  }

  /// The mean gradient of `members` in `iteration`, made once and kept at `place`.
  mutating func studied(
    at place: Int, _ members: [Int], iteration: Int, from source: some GradientSource
  ) -> [Float] {
    while studied.count <= place { studied.append([]) }
    if studied[place].isEmpty {
      var sum = source.gradient(worker: members[0], iteration: iteration)
      for member in members.dropFirst() {
        let other = source.gradient(worker: member, iteration: iteration)
        for index in sum.indices { sum[index] += other[index] }
      }
      if members.count > 1 {
        let share = 1 / Float(members.count)
        for index in sum.indices { sum[index] *= share }
      }
      studied[place] = sum
    }
    return studied[place]
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
