import SimKernel

/// Reads PyTorch profiler (Kineto) traces, plain or gzip'd, one event at a time.
///
/// Timestamps are microseconds since 1970 or since ``KinetoHeader/baseTimeNanoseconds``, whole or
/// with decimals; they are read digit by digit and kept in picoseconds since ``base``, which is
/// exact. The bare array form of the trace format is read as well.
///
///     var reader = try KinetoReader(path: "trace.json.gz")
///     while let event = try reader.next() { busy += event.duration }
///
/// - Complexity: one pass at the speed of memory's tenth; memory for one chunk and the different
///   names, whatever the size of the file.
public struct KinetoReader: ~Copyable {
  private var json: JSONStream
  private let keys = KinetoKeys()
  private var state = State.start
  private var isBareArray = false
  /// What event times are counted from, in picoseconds: the first timestamp of a complete event.
  private var basePicoseconds: Int128?

  private var known = NameCache()
  /// The category of annotations, whose number is known before the first event.
  private let annotation: Int32

  /// What the head has said so far; complete when ``next()`` has returned nil, as PyTorch writes
  /// `traceName` last.
  public private(set) var header = KinetoHeader()
  /// The names of events so far.
  public private(set) var names = NameTable()
  /// The communication events so far.
  public private(set) var collectives: [KinetoCollective] = []
  /// What `process_labels` and the like call the processes and threads, in the order written.
  public private(set) var eventCount = 0

  private enum State { case start, events, after, end }

  /// A reader of the file at `path`.
  ///
  /// - Parameter chunkSize: bytes read together; the result does not depend on it.
  public init(path: String, chunkSize: Int = 1 << 18) throws(InterchangeError) {
    annotation = names.index(of: "user_annotation")
    json = try JSONStream(try ByteStream(path: path, chunkSize: chunkSize))
  }

  /// A reader of a file in memory, called `path` in messages.
  public init(
    bytes: [UInt8], path: String, chunkSize: Int = 1 << 18
  ) throws(InterchangeError) {
    annotation = names.index(of: "user_annotation")
    json = try JSONStream(
      try ByteStream(InputFile(path: path, contents: bytes), chunkSize: chunkSize))
  }

  /// What times count from, in picoseconds on the trace's own clock: the first complete event.
  public var base: Int128 { basePicoseconds ?? 0 }

  /// Bytes of text read so far.
  public var offset: Int { json.offset }
  /// Bytes of all of the text; nil where it is packed.
  public var size: Int? { json.size }

  /// The next event, in the order written; nil at the end of the file.
  ///
  /// - Throws: `InterchangeError` with the byte, counted in the unpacked text.
  public mutating func next() throws(InterchangeError) -> KinetoEvent? {
    while true {
      switch state {
      case .start: try begin()
      case .events:
        if try json.nextElement() {
          eventCount += 1
          return try readEvent()
        }
        state = isBareArray ? .end : .after
        if isBareArray { try json.finish() }
      case .after: try readTop()
      case .end: return nil
      }
    }
  }

  private mutating func begin() throws(InterchangeError) {
    if try json.peek() == .array {
      try json.beginArray()
      isBareArray = true
      state = .events
    } else {
      try json.beginObject()
      state = .after
    }
  }

  /// Reads keys at the top up to the events, or to the end.
  private mutating func readTop() throws(InterchangeError) {
    while let key = try json.nextName() {
      switch key {
      case "traceEvents":
        try json.beginArray()
        state = .events
        return
      case "schemaVersion": header.schemaVersion = Int(try json.integer())
      case "traceName": header.traceName = try json.string()
      case "baseTimeNanoseconds": header.baseTimeNanoseconds = try json.integer()
      case "distributedInfo": try readDistributedInfo()
      case "deviceProperties": try readDevices()
      default:
        header.otherKeys.append(key)
        try json.skip()
      }
    }
    try json.finish()
    state = .end
  }

  private mutating func readDistributedInfo() throws(InterchangeError) {
    try json.beginObject()
    while let key = try json.nextName() {
      switch key {
      case "backend": header.backend = try json.string()
      case "rank": header.rank = Int(try json.integer())
      case "world_size": header.worldSize = Int(try json.integer())
      case "pg_config":
        guard try json.peek() == .array else {
          try json.skip()
          continue
        }
        try json.beginArray()
        while try json.nextElement() { header.groups.append(try readGroup()) }
      default: try json.skip()
      }
    }
  }

  private mutating func readGroup() throws(InterchangeError) -> KinetoHeader.Group {
    var group = KinetoHeader.Group(name: "", description: "", backend: "", size: 0, ranks: [])
    try json.beginObject()
    while let key = try json.nextName() {
      switch key {
      case "pg_name": group.name = try json.string()
      case "pg_desc": group.description = try json.string()
      case "backend_config": group.backend = try json.string()
      case "pg_size": group.size = Int(try json.integer())
      case "ranks":
        try json.beginArray()
        while try json.nextElement() { group.ranks.append(Int(try json.integer())) }
      default: try json.skip()
      }
    }
    return group
  }

  private mutating func readDevices() throws(InterchangeError) {
    try json.beginArray()
    while try json.nextElement() {
      try json.beginObject()
      while let key = try json.nextName() {
        if key == "name" { header.devices.append(try json.string()) } else { try json.skip() }
      }
    }
  }

  // MARK: - Events

  private mutating func readEvent() throws(InterchangeError) -> KinetoEvent {
    _ = try json.peek()
    let place = json.offset
    var event = KinetoEvent(
      phase: .other, device: -1, name: 0, category: 0, process: 0, thread: 0, stream: -1,
      collective: -1, start: .zero, duration: .zero, correlation: -1, externalID: -1)
    var start: Int128?
    var hasDuration = false
    var message: KinetoMessage?
    try json.beginObject()
    while let key = try json.nextKey() {
      if key == keys.ph {
        event.phase = keys.phase(try json.word())
      } else if key == keys.name {
        event.name = try json.name(in: &names, &known)
      } else if key == keys.ts {
        start = try picoseconds("ts")
      } else if key == keys.dur {
        guard let value = Int64(exactly: try picoseconds("dur")), value >= 0 else {
          throw json.failure("a duration that cannot be", "microseconds, 0 or more")
        }
        event.duration = SimDuration(picoseconds: value)
        hasDuration = true
      } else if key == keys.cat {
        event.category = try json.name(in: &names, &known)
      } else if key == keys.pid {
        event.process = try json.name(in: &names, &known)
      } else if key == keys.tid {
        event.thread = try json.name(in: &names, &known)
      } else if key == keys.args, try json.peek() == .object {
        try readArguments(&event, &message)
      } else {
        try json.skip()
      }
    }
    if event.phase == .complete {
      guard let start, hasDuration else {
        throw json.failure(
          "a complete event without \(start == nil ? "ts" : "dur")", "both, in microseconds",
          at: place)
      }
      if basePicoseconds == nil { basePicoseconds = start }
    }
    if let start, let basePicoseconds {
      guard let value = Int64(exactly: start - basePicoseconds) else {
        // Metadata is sometimes stamped zero; whatever lasts must be near the rest.
        if event.phase == .complete {
          throw json.failure(
            "an event more than 106 days from the first", "one run in a trace", at: place)
        }
        return event
      }
      event.start = SimDuration(picoseconds: value)
    }
    if event.phase == .complete, message != nil || isCommunication(event) {
      addCollective(&event, message ?? KinetoMessage())
    }
    return event
  }

  /// Microseconds in decimals as whole picoseconds; traces have at most three decimals.
  private mutating func picoseconds(_ what: String) throws(InterchangeError) -> Int128 {
    let number = try json.number()
    guard !number.isCut, let value = number.scaled(byTenTo: 6) else {
      throw json.failure("a \(what) that cannot be", "microseconds")
    }
    return value
  }

  private mutating func readArguments(
    _ event: inout KinetoEvent, _ message: inout KinetoMessage?
  ) throws(InterchangeError) {
    try json.beginObject()
    while let key = try json.nextKey() {
      if !keys.mayBeArgument(key) {
        try json.skip()
      } else if key == keys.externalID || key == keys.externalIDLower {
        event.externalID = try identifier()
      } else if key == keys.correlation {
        event.correlation = try identifier()
      } else if key == keys.stream {
        event.stream = Int32(clamping: try identifier())
      } else if key == keys.device {
        event.device = Int16(clamping: try identifier())
      } else if try !readMessage(key, event, &message) {
        try json.skip()
      }
    }
  }

  /// What tells about a message; false for any other key.
  private mutating func readMessage(
    _ key: JSONKey, _ event: KinetoEvent, _ draft: inout KinetoMessage?
  ) throws(InterchangeError) -> Bool {
    guard keys.isMessage(key) else { return false }
    let isInput = key == keys.inputDims || key == keys.inputType
    if isInput, !isCommunication(event) { return false }
    var message = draft ?? KinetoMessage()
    if key == keys.inputDims {
      message.inputElements = try elementCounts()
    } else if key == keys.inputType {
      message.inputTypes = try strings()
    } else if key == keys.collectiveName {
      message.name = try json.string()
    } else if key == keys.messageElements {
      message.elements = try json.integer()
    } else if key == keys.groupSize {
      message.groupSize = Int(try json.integer())
    } else if key == keys.dtype {
      message.elementType = try json.string()
    } else if key == keys.groupName {
      message.groupName = try json.string()
    } else if key == keys.groupRanks {
      message.groupRanks = try ranks()
    }
    draft = message
    return true
  }

  /// A number that names something; anything else there is passed over.
  private mutating func identifier() throws(InterchangeError) -> Int64 {
    guard try json.peek() == .number else {
      try json.skip()
      return -1
    }
    let number = try json.number()
    return number.integer ?? -1
  }

  /// Whether the tensors of an event are a message: `nccl:all_reduce` and its like.
  private func isCommunication(_ event: KinetoEvent) -> Bool {
    // User annotations are few, so their names may be looked at.
    event.category == annotation && CollectiveKind(communicationName: names[event.name]) != nil
  }
}

extension KinetoReader {
  /// The elements of each tensor in `[[3, 4], [], [[2], [3]]]`; lists of tensors are summed.
  private mutating func elementCounts() throws(InterchangeError) -> [Int64] {
    var counts: [Int64] = []
    guard try json.peek() == .array else {
      try json.skip()
      return []
    }
    try json.beginArray()
    while try json.nextElement() { counts.append(try elementCount()) }
    return counts
  }

  private mutating func elementCount() throws(InterchangeError) -> Int64 {
    guard try json.peek() == .array else {
      try json.skip()
      return 0
    }
    var product: Int64 = 1
    var sum: Int64 = 0
    var isShape = false
    try json.beginArray()
    while try json.nextElement() {
      if try json.peek() == .array {
        sum = sum.addingReportingOverflow(try elementCount()).partialValue
      } else {
        isShape = true
        let (value, overflow) = product.multipliedReportingOverflow(by: try json.integer())
        if overflow { throw json.failure("a shape of more than 2^63 elements", "a tensor") }
        product = value
      }
    }
    return isShape ? product : sum
  }

  private mutating func strings() throws(InterchangeError) -> [String] {
    var strings: [String] = []
    guard try json.peek() == .array else {
      try json.skip()
      return []
    }
    try json.beginArray()
    while try json.nextElement() {
      if try json.peek() == .string {
        strings.append(try json.string())
      } else {
        try json.skip()
        strings.append("")
      }
    }
    return strings
  }

  /// `"[0, 1]"` or `[0, 1]`; nil where the list was shortened with dots.
  private mutating func ranks() throws(InterchangeError) -> [Int]? {
    if try json.peek() == .string { return KinetoMessage.ranks(try json.string()) }
    guard try json.peek() == .array else {
      try json.skip()
      return nil
    }
    var ranks: [Int] = []
    try json.beginArray()
    while try json.nextElement() { ranks.append(Int(try json.integer())) }
    return ranks
  }

  private mutating func addCollective(_ event: inout KinetoEvent, _ message: KinetoMessage) {
    let isNamed = message.name != nil
    guard isNamed || isCommunication(event) else { return }
    let name = message.name ?? names[event.name]
    event.collective = Int32(collectives.count)
    collectives.append(
      KinetoCollective(
        kind: CollectiveKind(named: name), name: name, bytes: message.bytes,
        groupName: message.groupName, groupSize: message.groupSize,
        groupRanks: message.groupRanks))
  }
}
