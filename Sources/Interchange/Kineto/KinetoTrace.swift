import SimKernel

/// A PyTorch profiler trace in memory: the events that last, on one clock that begins with them.
public struct KinetoTrace: Sendable {
  /// Complete events in the order written; ``KinetoEvent/start`` counts from the first one's start
  /// in time, so none is negative.
  public var events: [KinetoEvent]
  public var names: NameTable
  public var collectives: [KinetoCollective]
  public var header: KinetoHeader
  /// When the earliest event began, in picoseconds on the trace's own clock.
  public var origin: Int128
  /// Events of the other phases, which are not kept, by ``KinetoEvent/Phase``'s raw value.
  public var phaseCounts: [Int]

  /// Reads the trace at `path`.
  ///
  /// - Complexity: O(bytes); 72 bytes an event.
  public init(path: String, chunkSize: Int = 1 << 18) throws(InterchangeError) {
    var reader = try KinetoReader(path: path, chunkSize: chunkSize)
    try self.init(reading: &reader)
  }

  /// Reads a trace in memory.
  public init(
    bytes: [UInt8], path: String, chunkSize: Int = 1 << 18
  ) throws(InterchangeError) {
    var reader = try KinetoReader(bytes: bytes, path: path, chunkSize: chunkSize)
    try self.init(reading: &reader)
  }

  /// After so many events of a large file it is known how many there will be.
  private static let firstEvents = 1 << 14
  /// An event that lasts has at least so many bytes.
  private static let fewestBytes = 40

  private init(reading reader: inout KinetoReader) throws(InterchangeError) {
    events = []
    phaseCounts = [Int](repeating: 0, count: KinetoEvent.Phase.allCases.count)
    var earliest = Int64.max
    while let event = try reader.next() {
      phaseCounts[Int(event.phase.rawValue)] += 1
      if event.phase != .complete { continue }
      earliest = min(earliest, event.start.picoseconds)
      events.append(event)
      if events.count == Self.firstEvents, let size = reader.size {
        // An array that grows by copying has its events in memory twice.
        let expected = Double(events.count) * Double(size) / Double(max(1, reader.offset))
        events.reserveCapacity(Int(min(expected * 1.05, Double(size / Self.fewestBytes))))
      }
    }
    if events.isEmpty { earliest = 0 }
    for index in events.indices {
      let (start, overflow) = events[index].start.picoseconds
        .subtractingReportingOverflow(earliest)
      // Both lie within 106 days of the first event, on either side of it.
      if overflow {
        throw InterchangeError(
          path: "event \(index)", found: "events more than 106 days apart",
          expected: "one run in a trace")
      }
      events[index].start = SimDuration(picoseconds: start)
    }
    names = reader.names
    collectives = reader.collectives
    header = reader.header
    origin = reader.base + Int128(earliest)
  }

  /// From the first start to the last end.
  public var span: SimDuration {
    var end = SimDuration.zero
    for event in events { end = max(end, event.start + event.duration) }
    return end
  }
}
