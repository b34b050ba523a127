import SimKernel

extension KinetoTrace {
  /// The graph of what the device ran, and of what the host did around it.
  ///
  /// A trace says when things happened, not why; the edges are those that the recording is evidence
  /// for:
  /// - a lane, which is a stream of a device or a thread, runs its operations in their order;
  /// - a kernel waits for the start of the host operation that launched it, by `correlation`;
  /// - a collective waits for what ended last before it began on every other lane;
  /// - an operation whose lane was idle when a collective ended, and began after that, waited for it.
  ///
  /// Of nested host operations the outermost are kept; time that a thread spends between them is an
  /// operation called `(host)`. Annotations are not kept, except for those of collectives where the
  /// device ran none, as with gloo. Nodes are called by twice their event's number in
  /// ``KinetoTrace/events``, and `(host)` by one more.
  ///
  /// - Complexity: O(n log n) for n events, times the lanes for collectives.
  public func graph(rank: Int? = nil, origin: String) throws(InterchangeError) -> TraceGraph {
    var builder = TraceGraphBuilder(origin: origin)
    let rank = Int32(clamping: rank ?? header.rank ?? 0)
    var lanes = KinetoLanes(self)
    lanes.sortAndUnnest()
    let collectives = lanes.collectiveEvents()
    for lane in lanes.lanes.indices {
      var previous: UInt64?
      var end = SimDuration.zero
      for index in lanes.lanes[lane].events {
        let event = events[index]
        let id = UInt64(index) * 2
        var parents: [UInt64] = previous.map { [$0] } ?? []
        var launches: [UInt64] = []
        var free = previous == nil ? event.start : end
        if let launch = lanes.launcher(of: index), precedes(launch, index) {
          launches.append(UInt64(launch) * 2)
        }
        let isCollective = lanes.collective(of: index) != nil
        if isCollective {
          for other in lanes.lanes.indices where other != lane {
            if let last = lanes.lastEnded(other, by: event.start), precedes(last, index) {
              parents.append(UInt64(last) * 2)
            }
          }
        } else {
          for other in collectives.between(end, event.start)
          where previous != nil && precedes(other, index) {
            parents.append(UInt64(other) * 2)
            free = max(free, events[other].start + events[other].duration)
          }
        }
        var unique: [UInt64] = []
        for parent in parents where !unique.contains(parent) { unique.append(parent) }
        if !lanes.lanes[lane].isDevice, !isCollective, event.start > free {
          builder.add(
            TraceGraph.Node(
              id: id + 1, name: builder.names.index(of: "(host)"), rank: rank, lane: Int32(lane),
              work: .compute, start: SimTime.zero + free, duration: event.start - free),
            after: unique)
          unique = [id + 1]
        }
        builder.add(
          TraceGraph.Node(
            id: id, name: builder.names.index(of: names[event.name]), rank: rank,
            lane: Int32(lane), work: work(index, lanes, &builder),
            start: SimTime.zero + event.start,
            duration: event.duration),
          after: unique, afterStart: launches)
        previous = id
        end = event.start + event.duration
      }
    }
    builder.rankCount = max(builder.rankCount, header.worldSize ?? 0)
    return try builder.build()
  }

  /// Whether one event began before another, ties going to the earlier in the file.
  ///
  /// All edges follow this order, so that there is no cycle whatever the clocks say.
  private func precedes(_ a: Int, _ b: Int) -> Bool {
    (events[a].start, a) < (events[b].start, b)
  }

  private func work(
    _ index: Int, _ lanes: KinetoLanes, _ builder: inout TraceGraphBuilder
  ) -> TraceGraph.Work {
    guard let found = lanes.collective(of: index) else { return .compute }
    return collectiveWork(
      index, lanes, kind: found.kind, bytes: found.details?.bytes, &builder)
  }

  /// What the collective of event `index` does, which is of `kind` with `bytes` of every rank.
  func collectiveWork(
    _ index: Int, _ lanes: KinetoLanes, kind: CollectiveKind, bytes: ByteCount?,
    _ builder: inout TraceGraphBuilder
  ) -> TraceGraph.Work {
    let details = lanes.collective(of: index)?.details
    var group: Int32 = -1
    if let name = details?.groupName ?? header.groups.first?.name {
      let listed = header.groups.first { $0.name == name }
      let ranks = details?.groupRanks ?? listed?.ranks ?? []
      let size = details?.groupSize ?? listed?.size ?? ranks.count
      group = builder.group(
        .init(name: name, ranks: ranks.map { Int32(clamping: $0) }, size: size))
    }
    return .collective(.init(kind: kind, bytes: bytes, group: group))
  }
}

/// The events of a trace by what runs them.
struct KinetoLanes {
  struct Lane {
    var isDevice: Bool
    /// By growing start; none overlaps the one before except on a device.
    var events: [Int]
  }
  let trace: KinetoTrace
  var lanes: [Lane] = []
  private var laneOfHost: [Int64: Int] = [:]
  private var laneOfDevice: [Int64: Int] = [:]
  /// The runtime call of each correlation, and the outermost operation around a host's event, -1 where
  /// there is none.
  private var callOf: [Int64: Int] = [:]
  private var outermost: [Int32]
  private var detailsOf: [Int64: Int32] = [:]
  private var hasDeviceCollectives = false
  private let kinds: [Kind]
  /// By name: the collective that it stands for on a device, and in an annotation.
  private var kindOfName: [CollectiveKind?]

  enum Kind { case device, runtime, operation, annotation, other }

  init(_ trace: KinetoTrace) {
    self.trace = trace
    var kindOfCategory: [Kind] = []
    for index in 0..<Int32(trace.names.count) {
      switch trace.names[index].lowercased() {
      case "kernel", "gpu_memcpy", "gpu_memset", "memcpy", "memset": kindOfCategory.append(.device)
      case "cuda_runtime", "cuda_driver", "runtime", "xpu_runtime": kindOfCategory.append(.runtime)
      case "cpu_op", "operator": kindOfCategory.append(.operation)
      case "user_annotation": kindOfCategory.append(.annotation)
      default: kindOfCategory.append(.other)
      }
    }
    kinds = trace.events.map { kindOfCategory[Int($0.category)] }
    outermost = [Int32](repeating: -1, count: trace.events.count)
    kindOfName = (0..<Int32(trace.names.count)).map {
      CollectiveKind(communicationName: trace.names[$0])
    }
    for (index, event) in trace.events.enumerated() {
      switch kinds[index] {
      case .device:
        let key = Int64(event.device) << 32 | Int64(UInt32(bitPattern: event.stream))
        append(index, key, isDevice: true)
        if kindOfName[Int(event.name)] != nil { hasDeviceCollectives = true }
      case .runtime:
        if event.correlation >= 0 { callOf[event.correlation] = index }
        append(index, Self.host(event), isDevice: false)
      case .operation: append(index, Self.host(event), isDevice: false)
      case .annotation:
        if event.collective >= 0 {
          detailsOf[event.externalID] = event.collective
          append(index, Self.host(event), isDevice: false)
        }
      case .other: break
      }
    }
  }

  private static func host(_ event: KinetoEvent) -> Int64 {
    Int64(event.process) << 32 | Int64(UInt32(bitPattern: event.thread))
  }

  private mutating func append(_ index: Int, _ key: Int64, isDevice: Bool) {
    if let lane = isDevice ? laneOfDevice[key] : laneOfHost[key] {
      lanes[lane].events.append(index)
      return
    }
    if isDevice { laneOfDevice[key] = lanes.count } else { laneOfHost[key] = lanes.count }
    lanes.append(Lane(isDevice: isDevice, events: [index]))
  }

  /// Orders every lane and drops what lies within another host operation.
  mutating func sortAndUnnest() {
    let events = trace.events
    for lane in lanes.indices {
      if lanes[lane].isDevice {
        lanes[lane].events.sort { (events[$0].start, $0) < (events[$1].start, $1) }
        continue
      }
      // Of those that begin together the longest comes first: it is around the others.
      lanes[lane].events.sort {
        let (a, b) = (events[$0], events[$1])
        return (a.start, b.duration, $0) < (b.start, a.duration, $1)
      }
      var kept: [Int] = []
      for index in lanes[lane].events {
        if kinds[index] == .annotation, hasDeviceCollectives { continue }
        if let last = kept.last,
          events[index].start < events[last].start + events[last].duration
            || events[index].start == events[last].start
        {
          outermost[index] = Int32(last)
          continue
        }
        outermost[index] = Int32(index)
        kept.append(index)
      }
      lanes[lane].events = kept
    }
  }

  /// What kind of event this is.
  func kind(of index: Int) -> Kind { kinds[index] }

  /// The runtime call that launched a device's event.
  func call(of index: Int) -> Int? {
    let event = trace.events[index]
    guard kinds[index] == .device, event.correlation >= 0 else { return nil }
    return callOf[event.correlation]
  }

  /// The host operation that launched a device's event.
  func launcher(of index: Int) -> Int? {
    call(of: index).flatMap { outermost[$0] < 0 ? nil : Int(outermost[$0]) }
  }

  func collective(of index: Int) -> (kind: CollectiveKind, details: KinetoCollective?)? {
    let event = trace.events[index]
    guard kinds[index] == .device || kinds[index] == .annotation else { return nil }
    let place = event.collective >= 0 ? event.collective : detailsOf[event.externalID] ?? -1
    let isNamed = kindOfName[Int(event.name)] != nil
    guard event.collective >= 0 || isNamed else { return nil }
    let details = place >= 0 ? trace.collectives[Int(place)] : nil
    guard let kind = details?.kind ?? kindOfName[Int(event.name)] else { return nil }
    return (kind, details)
  }

  /// The last event of a lane that ended by `time`.
  func lastEnded(_ lane: Int, by time: SimDuration) -> Int? {
    let events = lanes[lane].events
    var low = 0
    var high = events.count
    while low < high {
      let middle = (low + high) / 2
      let event = trace.events[events[middle]]
      if event.start + event.duration <= time { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? events[low - 1] : nil
  }

  /// The collectives by growing end.
  func collectiveEvents() -> Collectives {
    var found: [(end: SimDuration, event: Int)] = []
    for lane in lanes {
      for index in lane.events where collective(of: index) != nil {
        found.append((trace.events[index].start + trace.events[index].duration, index))
      }
    }
    found.sort { ($0.end, $0.event) < ($1.end, $1.event) }
    return Collectives(ends: found.map(\.end), events: found.map(\.event))
  }

  struct Collectives {
    var ends: [SimDuration]
    var events: [Int]

    /// Those that ended after `start` and by `end`.
    func between(_ start: SimDuration, _ end: SimDuration) -> ArraySlice<Int> {
      let low = Self.first(ends) { $0 > start }
      let high = Self.first(ends) { $0 > end }
      return low < high ? events[low..<high] : []
    }
    private static func first(
      _ ends: [SimDuration], _ test: (SimDuration) -> Bool
    ) -> Int {
      var low = 0
      var high = ends.count
      while low < high {
        let middle = (low + high) / 2
        if test(ends[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }
}
