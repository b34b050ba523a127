import SimKernel

/// The training steps of a recording, as its annotations mark them.
extension KinetoTrace {
  /// One step on the host.
  public struct Step: Sendable, Equatable {
    /// What the profiler calls it: 3 for `ProfilerStep#3`.
    public var number: Int
    /// On the clock of ``KinetoTrace/events``.
    public var start: SimDuration
    public var end: SimDuration

    /// How long the host took.
    public var duration: SimDuration { end - start }
  }

  /// The steps in the order in which they began.
  ///
  /// They are the annotations `ProfilerStep#N`; where there are none, what lies between the ends of
  /// the first kind of `Optimizer.step`, numbered from 0; where there are none of these, none.
  ///
  /// - Complexity: O(events).
  public var steps: [Step] {
    var numbers = [Int?](repeating: nil, count: names.count)
    var isOptimizer = [Bool](repeating: false, count: names.count)
    for index in 0..<Int32(names.count) {
      let name = names[index]
      if name.hasPrefix("ProfilerStep#") { numbers[Int(index)] = Int(name.dropFirst(13)) }
      isOptimizer[Int(index)] = name.hasPrefix("Optimizer.step")
    }
    let onDevice = names.find("gpu_user_annotation") ?? -1
    var found: [Step] = []
    var optimizer: Int32?
    var ends: [SimDuration] = []
    for event in events where event.category != onDevice {
      if let number = numbers[Int(event.name)] {
        found.append(Step(number: number, start: event.start, end: event.start + event.duration))
      } else if isOptimizer[Int(event.name)] {
        // A training step may have several optimizers.
        if optimizer == nil { optimizer = event.name }
        if optimizer == event.name { ends.append(event.start + event.duration) }
      }
    }
    if found.isEmpty {
      ends.sort()
      var start = SimDuration.zero
      for (index, end) in ends.enumerated() {
        found.append(Step(number: index, start: start, end: end))
        start = end
      }
    }
    found.sort { ($0.start, $0.number) < ($1.start, $1.number) }
    return found
  }
}

/// What one or several steps of a recording were made of, as a graph that can be run again.
public struct KinetoReplay: Sendable {
  /// Computation on lane 0, one operation after the other, and collectives on the lanes behind it,
  /// with the time that passed before they were taken up.
  public var graph: TraceGraph
  /// From the first operation to where the next step begins, or to the end.
  public var length: SimDuration
  /// The part of it in which something was computed.
  public var busy: SimDuration
  /// The part in which nothing ran and no collective was waited for: the host's own time.
  public var host: SimDuration
  /// The part in which computation waited for a collective.
  public var exposed: SimDuration
  /// The part in which a collective was under way.
  public var communication: SimDuration
  /// Whether kernels of a device were computing, not operators of the host.
  public var isDevice: Bool
  /// Operations that ran beside another one and were made one with it.
  public var overlapped: Int
}
