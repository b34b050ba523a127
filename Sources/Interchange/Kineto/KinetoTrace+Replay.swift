import SimKernel

extension KinetoTrace {
  /// What the recording's steps at `chosen` in ``steps`` did, all of the recording if nil.
  ///
  /// One accelerator, or one host, computes: operations that overlap become one, so that there is one
  /// after the other, and what passes between them is an operation called `(host)`. A collective waits
  /// for what was computed before it was asked for: the last kernel launched before its own launch, the
  /// operator within which `c10d` was called, or else the last that had ended when it began. Two on one
  /// stream or thread keep their order. How much later than all that it began is an operation of its
  /// lane, called `(host)`: the thread of a library that takes it up. Computation waits for a collective where it stood still until
  /// the collective ended, and the optimizer waits for all collectives before it.
  ///
  /// - Parameters:
  ///   - bytes: of collectives that the recording gives none, by kind and in their order; kinds with
  ///     another number than the step has are left as they are.
  ///   - merging: make one operation of all that lie between two points where communication begins or
  ///     is waited for.
  /// - Complexity: O(n log n) for n events.
  /// - Throws: `InterchangeError` if nothing was computed and nothing communicated.
  public func replay(
    steps chosen: Range<Int>? = nil, rank: Int? = nil, origin: String,
    bytes: [(kind: CollectiveKind, sizes: [ByteCount])] = [], merging: Bool = false
  ) throws(InterchangeError) -> KinetoReplay {
    let steps = self.steps
    var window = Window(from: .zero, to: .unbounded, next: nil, hostEnd: nil)
    if let chosen, !steps.isEmpty {
      window.from = steps[chosen.lowerBound].start
      window.hostEnd = steps[chosen].map(\.end).max()
      window.to = window.hostEnd ?? .unbounded
      if chosen.upperBound < steps.count { window.next = steps[chosen.upperBound].start }
    }
    var recording = StepRecording(self, window)
    guard !recording.computations.isEmpty || !recording.messages.isEmpty else {
      throw InterchangeError(
        path: origin, found: "a step in which nothing ran",
        expected: "operators, kernels or collectives; choose another step")
    }
    recording.fill(bytes)
    recording.order()
    if merging { recording.merge() }
    return try recording.replay(rank: rank ?? header.rank ?? 0, origin: origin)
  }

  /// The part of a recording that is looked at.
  struct Window {
    /// What began, or was launched, from here and before ``to`` belongs to it.
    var from: SimDuration
    var to: SimDuration
    /// When the host began the step that follows.
    var next: SimDuration?
    /// When the host was done.
    var hostEnd: SimDuration?
  }
}

/// The operations of a step on their way to a graph.
private struct StepRecording {
  struct Computation {
    var event: Int
    var launch: SimDuration
    var start: SimDuration
    var end: SimDuration
    /// How many operations it stands for.
    var count = 1
    /// Collectives it waits for, as indices of messages.
    var waits: [Int] = []
    var isHost = false
  }
  struct Message {
    var event: Int
    /// When it was asked for; nil if nobody says.
    var launch: SimDuration?
    var start: SimDuration
    var end: SimDuration
    var lane: Int
    var kind: CollectiveKind
    var bytes: ByteCount?
    /// The computation it waits for; -1 for none.
    var after = -1
    /// The message of its lane before it; -1 for none.
    var previous = -1
    /// How long after both, or after the step's beginning, it began.
    var delay = SimDuration.zero
  }

  let trace: KinetoTrace
  let window: KinetoTrace.Window
  let lanes: KinetoLanes
  /// The library's annotations that say what they exchange, by their starts.
  private let annotations: [Int]
  var computations: [Computation] = []
  var messages: [Message] = []
  private var isDevice = false
  private var overlapped = 0
  private var start = SimDuration.zero
  private var end = SimDuration.zero
  private var busy = SimDuration.zero
  private var host = SimDuration.zero
  private var exposed = SimDuration.zero

  init(_ trace: KinetoTrace, _ window: KinetoTrace.Window) {
    self.trace = trace
    self.window = window
    var lanes = KinetoLanes(trace)
    lanes.sortAndUnnest()
    self.lanes = lanes
    annotations = trace.events.indices.filter {
      lanes.kind(of: $0) == .annotation && trace.events[$0].collective >= 0
    }.sorted { (trace.events[$0].start, $0) < (trace.events[$1].start, $1) }
    var onHost: [Computation] = []
    for lane in lanes.lanes.indices {
      for index in lanes.lanes[lane].events {
        let event = trace.events[index]
        let launch = lanes.call(of: index).map { trace.events[$0].start }
        guard isInside(launch ?? event.start) else { continue }
        let end = event.start + event.duration
        if let found = collective(index, launch) {
          messages.append(
            Message(
              event: index, launch: launch, start: event.start, end: end, lane: lane,
              kind: found.kind, bytes: found.bytes))
          continue
        }
        let own = Computation(
          event: index, launch: launch ?? event.start, start: event.start, end: end)
        if lanes.lanes[lane].isDevice { computations.append(own) } else { onHost.append(own) }
      }
    }
    isDevice = !computations.isEmpty
    if !isDevice { computations = onHost }
    computations.sort { ($0.start, $0.event) < ($1.start, $1.event) }
    mergeOverlapping()
    findCalls()
    messages.sort {
      ($0.launch ?? $0.start, $0.start, $0.event) < ($1.launch ?? $1.start, $1.start, $1.event)
    }
    findEnds()
  }

  /// What is exchanged by an event, which its own arguments may say, its name, or the annotation within
  /// which it was launched: kernels such as `ncclKernel_SendRecv` serve collectives of all kinds.
  private func collective(
    _ index: Int, _ launch: SimDuration?
  ) -> (kind: CollectiveKind, bytes: ByteCount?)? {
    let found = lanes.collective(of: index)
    if let found, found.details?.bytes != nil || launch == nil {
      return (found.kind, found.details?.bytes)
    }
    let name = trace.names[trace.events[index].name]
    guard let launch, found != nil || name.hasPrefix("nccl") || name.hasPrefix("rccl") else {
      return found.map { ($0.kind, nil) }
    }
    let before = Self.count(annotations.count) {
      trace.events[annotations[$0]].start <= launch
    }
    // Those of other threads may lie in between.
    for place in annotations[..<before].suffix(8).reversed() {
      let event = trace.events[place]
      let said = trace.collectives[Int(event.collective)]
      if event.start + event.duration >= launch, let kind = said.kind,
        found == nil || found?.kind == kind
      {
        return (kind, said.bytes)
      }
    }
    return found.map { ($0.kind, nil) }
  }

  private func isInside(_ time: SimDuration) -> Bool { time >= window.from && time < window.to }

  /// What ran side by side becomes one operation.
  private mutating func mergeOverlapping() {
    var kept: [Computation] = []
    for next in computations {
      if let last = kept.last, next.start < last.end {
        kept[kept.count - 1].end = max(last.end, next.end)
        kept[kept.count - 1].launch = min(last.launch, next.launch)
        kept[kept.count - 1].count += 1
        overlapped += 1
      } else {
        kept.append(next)
      }
    }
    computations = kept
    for own in kept { busy += own.end - own.start }
  }

  /// Collectives of a host's library were asked for by `c10d`'s operators, kind by kind in order.
  private mutating func findCalls() {
    var kinds = [CollectiveKind?](repeating: nil, count: trace.names.count)
    for index in 0..<Int32(trace.names.count) where trace.names[index].hasPrefix("c10d::") {
      kinds[Int(index)] = CollectiveKind(communicationName: trace.names[index])
    }
    var calls: [(kind: CollectiveKind, start: SimDuration)] = []
    for (index, event) in trace.events.enumerated() {
      guard let kind = kinds[Int(event.name)], lanes.kind(of: index) == .operation,
        isInside(event.start)
      else { continue }
      calls.append((kind, event.start))
    }
    for kind in CollectiveKind.allCases {
      let asked = calls.filter { $0.kind == kind }.map(\.start).sorted()
      let waiting = messages.indices.filter {
        messages[$0].kind == kind && messages[$0].launch == nil
      }.sorted { (messages[$0].start, $0) < (messages[$1].start, $1) }
      guard asked.count == waiting.count else { continue }
      // A call that is later than its collective belongs to another one.
      for (time, index) in zip(asked, waiting) where time <= messages[index].start {
        messages[index].launch = time
      }
    }
  }

  /// Where the step begins and ends on the lane that computes.
  private mutating func findEnds() {
    let first = (computations.map(\.start) + messages.map(\.start)).min() ?? .zero
    let last = (computations.map(\.end) + messages.map(\.end)).max() ?? .zero
    start = isDevice ? first : max(window.from, .zero)
    if window.to == .unbounded { start = first }
    end = last
    if !isDevice {
      // Annotations may end a little before what they hold.
      end = max(window.hostEnd ?? last, computations.last?.end ?? .zero)
    } else if let next = window.next {
      // A device goes on with the next step when that one's first operation begins.
      var begins: SimDuration?
      for lane in lanes.lanes where lane.isDevice {
        for index in lane.events {
          let event = trace.events[index]
          let launch = lanes.call(of: index).map { trace.events[$0].start } ?? event.start
          if launch >= next { begins = min(begins ?? event.start, event.start) }
        }
      }
      end = begins ?? last
    }
    end = max(end, computations.last?.end ?? start)
  }

  /// Gives collectives without bytes those of another recording of the same step.
  mutating func fill(_ bytes: [(kind: CollectiveKind, sizes: [ByteCount])]) {
    for (kind, sizes) in bytes {
      let own = messages.indices.filter { messages[$0].kind == kind }
      guard own.count == sizes.count else { continue }
      for (index, size) in zip(own, sizes) where messages[index].bytes == nil {
        messages[index].bytes = size
      }
    }
  }

  // MARK: - What waits for what

  /// Finds the edges, and makes operations of the time between operations.
  mutating func order() {
    findReasons()
    let byEnd = messages.indices.sorted { (messages[$0].end, $0) < (messages[$1].end, $1) }
    let optimizers = optimizerSteps()
    var pieces: [Computation] = []
    var places = [Int](repeating: -1, count: computations.count)
    var free = start
    var ended = 0
    var optimizer = 0
    func takeEnded(by time: SimDuration) -> [Int] {
      var found: [Int] = []
      while ended < byEnd.count, messages[byEnd[ended]].end <= time {
        if messages[byEnd[ended]].end > free { found.append(byEnd[ended]) }
        ended += 1
      }
      return found
    }
    func passTime(until time: SimDuration, _ waits: [Int]) -> [Int] {
      let idle = max(free, waits.map { messages[$0].end }.max() ?? free)
      exposed += idle - free
      guard time > idle else { return waits }
      host += time - idle
      pieces.append(
        Computation(
          event: -1, launch: idle, start: idle, end: time, waits: waits, isHost: true))
      return []
    }
    for index in computations.indices {
      var own = computations[index]
      var waits = takeEnded(by: own.start)
      while optimizer < optimizers.count, optimizers[optimizer] <= own.launch {
        // The last of each lane: those before it are in its past.
        var lasts: [(lane: Int, message: Int)] = []
        for (place, message) in messages.enumerated()
        where message.end <= own.start && (message.launch ?? message.start) < optimizers[optimizer]
        {
          if let known = lasts.firstIndex(where: { $0.lane == message.lane }) {
            lasts[known].message = place
          } else {
            lasts.append((message.lane, place))
          }
        }
        for last in lasts where !waits.contains(last.message) { waits.append(last.message) }
        optimizer += 1
      }
      own.waits = passTime(until: own.start, waits)
      places[index] = pieces.count
      pieces.append(own)
      free = own.end
    }
    // What a step waits for at its end, nothing is computed after.
    if end > free { _ = passTime(until: end, takeEnded(by: end)) }
    for index in messages.indices where messages[index].after >= 0 {
      messages[index].after = places[messages[index].after]
    }
    computations = pieces
  }

  /// What each collective waits for.
  private mutating func findReasons() {
    // earliest[i]: the earliest launch from computation i on, which only grows with i.
    var earliest = computations.map(\.launch)
    for index in earliest.indices.dropLast().reversed() {
      earliest[index] = min(earliest[index], earliest[index + 1])
    }
    var lastOfLane: [(lane: Int, message: Int)] = []
    for index in messages.indices {
      let message = messages[index]
      var after = Self.count(computations.count) { computations[$0].start < message.start } - 1
      if let launch = message.launch {
        after = min(after, Self.count(computations.count) { earliest[$0] <= launch } - 1)
      } else {
        after = min(
          after, Self.count(computations.count) { computations[$0].end <= message.start } - 1)
      }
      messages[index].after = after
      if let known = lastOfLane.firstIndex(where: { $0.lane == message.lane }) {
        let previous = lastOfLane[known].message
        if messages[previous].start <= message.start { messages[index].previous = previous }
        lastOfLane[known].message = index
      } else {
        lastOfLane.append((message.lane, index))
      }
      var reason = start
      if messages[index].after >= 0 { reason = computations[messages[index].after].end }
      let previous = messages[index].previous
      if previous >= 0 { reason = max(reason, messages[previous].end) }
      messages[index].delay = max(.zero, message.start - reason)
    }
  }

  /// How many of `0..<count` fulfil `test`, which is true for the first ones only.
  private static func count(_ count: Int, _ test: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if test(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// When the host began the optimizer's steps.
  private func optimizerSteps() -> [SimDuration] {
    var found: [SimDuration] = []
    for (index, event) in trace.events.enumerated() where lanes.kind(of: index) == .annotation {
      if isInside(event.start), trace.names[event.name].hasPrefix("Optimizer.step") {
        found.append(event.start)
      }
    }
    return found.sorted()
  }

  /// Makes one operation of those between which nothing begins or is waited for.
  mutating func merge() {
    var isReason = [Bool](repeating: false, count: computations.count)
    for message in messages where message.after >= 0 { isReason[message.after] = true }
    var kept: [Computation] = []
    var places = [Int](repeating: -1, count: computations.count)
    var isOpen = false
    for (index, own) in computations.enumerated() {
      if isOpen, own.waits.isEmpty {
        kept[kept.count - 1].end = own.end
        kept[kept.count - 1].count += own.isHost ? 0 : own.count
        if kept[kept.count - 1].isHost, !own.isHost {
          kept[kept.count - 1].isHost = false
          kept[kept.count - 1].event = own.event
          kept[kept.count - 1].count = own.count
        }
      } else {
        kept.append(own)
      }
      places[index] = kept.count - 1
      isOpen = !isReason[index]
    }
    for index in messages.indices where messages[index].after >= 0 {
      messages[index].after = places[messages[index].after]
    }
    computations = kept
  }

  // MARK: - The graph

  func replay(rank: Int, origin: String) throws(InterchangeError) -> KinetoReplay {
    var builder = TraceGraphBuilder(origin: origin)
    var commLanes: [Int] = []
    // By their start, computation first: in the order in which people would write the program.
    var listed: [(start: SimDuration, isMessage: Bool, index: Int)] = []
    for (index, own) in computations.enumerated() { listed.append((own.start, false, index)) }
    for (index, own) in messages.enumerated() { listed.append((own.start, true, index)) }
    listed.sort {
      ($0.start, $0.isMessage ? 1 : 0, $0.index) < ($1.start, $1.isMessage ? 1 : 0, $1.index)
    }
    func id(ofMessage index: Int) -> UInt64 { UInt64(computations.count + index) }
    func id(ofDelay index: Int) -> UInt64 { UInt64(computations.count + messages.count + index) }
    for entry in listed {
      let index = entry.index
      if entry.isMessage {
        let own = messages[index]
        if !commLanes.contains(own.lane) { commLanes.append(own.lane) }
        var parents: [UInt64] = []
        if own.after >= 0 { parents.append(UInt64(own.after)) }
        if own.previous >= 0 { parents.append(id(ofMessage: own.previous)) }
        let lane = Int32(commLanes.firstIndex(of: own.lane)! + 1)
        if own.delay > .zero {
          builder.add(
            TraceGraph.Node(
              id: id(ofDelay: index), name: builder.names.index(of: Self.hostName),
              rank: Int32(clamping: rank), lane: lane, work: .compute,
              start: SimTime.zero + max(.zero, own.start - own.delay - start),
              duration: own.delay), after: parents)
          parents = [id(ofDelay: index)]
        }
        let work = trace.collectiveWork(
          own.event, lanes, kind: own.kind, bytes: own.bytes, &builder)
        builder.add(
          TraceGraph.Node(
            id: id(ofMessage: index),
            name: builder.names.index(of: trace.names[trace.events[own.event].name]),
            rank: Int32(clamping: rank), lane: lane, work: work,
            start: SimTime.zero + max(.zero, own.start - start), duration: own.end - own.start),
          after: parents)
      } else {
        let own = computations[index]
        var parents: [UInt64] = index > 0 ? [UInt64(index - 1)] : []
        for message in own.waits { parents.append(id(ofMessage: message)) }
        builder.add(
          TraceGraph.Node(
            id: UInt64(index), name: builder.names.index(of: name(of: own)),
            rank: Int32(clamping: rank), work: .compute, start: SimTime.zero + (own.start - start),
            duration: own.end - own.start), after: parents)
      }
    }
    builder.rankCount = max(builder.rankCount, trace.header.worldSize ?? 0)
    return KinetoReplay(
      graph: try builder.build(), length: end - start, busy: busy, host: host, exposed: exposed,
      communication: communication, isDevice: isDevice, overlapped: overlapped)
  }

  private static let hostName = "(host)"

  private func name(of own: Computation) -> String {
    if own.isHost { return Self.hostName }
    let name = trace.names[trace.events[own.event].name]
    return own.count > 1 ? "\(name) +\(own.count - 1)" : name
  }

  /// How long at least one collective was under way.
  private var communication: SimDuration {
    var total = SimDuration.zero
    var covered = SimDuration(picoseconds: .min)
    for own in messages.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      let from = max(own.start, covered)
      if own.end > from { total += own.end - from }
      covered = max(covered, own.end)
    }
    return total
  }
}
