import SimKernel

/// Carries out a ``LogGPSchedule``: counts dependencies down and matches messages with receives.
///
/// A message and its receive meet in their channel, a first-in-first-out list either of posted
/// receives or of unexpected messages. A host with wildcards searches its receives and messages in
/// posting order instead, as LogGOPSim does everywhere.
struct StoredProgram: LogGPProgram, ~Copyable {
  private struct State: BitwiseCopyable {
    /// Dependencies that are open.
    var pending: UInt32
    /// The next in the list it stands in.
    var next: Int32 = -1
    /// When its last dependency was satisfied; of an unexpected message, the end of its reception.
    var time: Int64 = 0
  }
  private struct List: BitwiseCopyable {
    var first: Int32 = -1
    var last: Int32 = -1
    var holdsReceives = false
  }
  private static let done = UInt32.max

  private let schedule: LogGPSchedule
  private var states: FlatBuffer<State>
  /// One a channel; then, if there are wildcards, two a host: posted receives, unexpected messages.
  private var lists: FlatBuffer<List>
  private var unfinished: Int
  private var unexpected = 0

  init(_ schedule: LogGPSchedule) {
    self.schedule = schedule
    states = FlatBuffer(capacity: schedule.operations.count)
    for operation in schedule.operations {
      states.append(State(pending: operation.dependencies))
    }
    let searched = schedule.hasWildcards.contains(true) ? 2 * schedule.hostCount : 0
    lists = FlatBuffer(repeating: List(), count: schedule.channelCount + searched)
    unfinished = schedule.operations.count
  }

  var hostCount: Int { schedule.hostCount }
  var cpuCount: Int { schedule.cpuCount }
  var nicCount: Int { schedule.nicCount }

  // MARK: - Facts

  func send(_ operation: UInt32, at host: Int) -> SendFacts {
    let it = schedule.operations[Int(operation)]
    return SendFacts(
      destination: Int(it.peer), size: it.size, cpu: Int(it.cpu), nic: Int(it.nic))
  }
  func calculation(_ operation: UInt32, at host: Int) -> CalculationFacts {
    let it = schedule.operations[Int(operation)]
    return CalculationFacts(duration: it.size, cpu: Int(it.cpu))
  }
  func receiveCPU(_ operation: UInt32, at host: Int) -> Int {
    Int(schedule.operations[Int(operation)].cpu)
  }
  func message(_ operation: UInt32, at host: Int) -> MessageFacts {
    let it = schedule.operations[Int(operation)]
    return MessageFacts(source: Int(it.host), size: it.size, cpu: Int(it.cpu), nic: Int(it.nic))
  }

  // MARK: - Dependencies

  mutating func begin(_ host: Int, _ ready: inout FlatBuffer<ReadyOperation>) {
    for index in schedule.ranges[host] where states[index].pending == 0 {
      ready.append(
        ReadyOperation(
          operation: UInt32(index), kind: schedule.operations[index].kind, time: 0))
    }
  }

  mutating func started(
    _ operation: UInt32, at host: Int, time: Int64, _ ready: inout FlatBuffer<ReadyOperation>
  ) {
    satisfy(Int(operation), byStart: true, time, &ready)
  }

  mutating func finished(
    _ operation: UInt32, at host: Int, time: Int64, _ ready: inout FlatBuffer<ReadyOperation>
  ) {
    states[Int(operation)].pending = Self.done
    unfinished -= 1
    satisfy(Int(operation), byStart: false, time, &ready)
  }

  @inline(__always)
  private mutating func satisfy(
    _ operation: Int, byStart: Bool, _ time: Int64, _ ready: inout FlatBuffer<ReadyOperation>
  ) {
    for index in schedule.dependentRange(operation) {
      let dependent = schedule.dependents[index]
      if dependent.onStart != byStart { continue }
      let later = Int(dependent.operation)
      let pending = states[later].pending - 1
      let latest = max(states[later].time, time)
      states[later].pending = pending
      states[later].time = latest
      if pending == 0 {
        ready.append(
          ReadyOperation(
            operation: dependent.operation, kind: schedule.operations[later].kind, time: latest))
      }
    }
  }

  // MARK: - Matching

  mutating func arrive(_ message: UInt32, at host: Int, time: Int64) -> UInt32? {
    let channel = schedule.operations[Int(message)].channel
    if channel < 0 { return search(message, at: host, time: time) }
    if lists[Int(channel)].holdsReceives, lists[Int(channel)].first >= 0 {
      return take(from: Int(channel))
    }
    states[Int(message)].time = time
    append(message, to: Int(channel), isReceive: false)
    unexpected += 1
    return nil
  }

  mutating func post(_ receive: UInt32, at host: Int) -> (message: UInt32, time: Int64)? {
    let channel = schedule.operations[Int(receive)].channel
    if channel < 0 { return search(receive, at: host) }
    if !lists[Int(channel)].holdsReceives, lists[Int(channel)].first >= 0 {
      unexpected -= 1
      let message = take(from: Int(channel))
      return (message, states[Int(message)].time)
    }
    append(receive, to: Int(channel), isReceive: true)
    return nil
  }

  @inline(__always)
  private mutating func append(_ operation: UInt32, to list: Int, isReceive: Bool) {
    states[Int(operation)].next = -1
    let index = Int32(bitPattern: operation)
    let last = lists[list].last
    if lists[list].first < 0 {
      lists[list] = List(first: index, last: index, holdsReceives: isReceive)
    } else {
      states[Int(last)].next = index
      lists[list].last = index
    }
  }

  /// Removes the first of a list that is not empty.
  @inline(__always)
  private mutating func take(from list: Int) -> UInt32 {
    let operation = lists[list].first
    lists[list].first = states[Int(operation)].next
    return UInt32(bitPattern: operation)
  }

  /// The posted receives of a host with wildcards; the next list has its unexpected messages.
  private func searched(_ host: Int) -> Int { schedule.channelCount + 2 * host }

  private func fits(receive: Int32, message: Int32) -> Bool {
    let (wanted, sent) = (schedule.operations[Int(receive)], schedule.operations[Int(message)])
    return (wanted.peer == LogGPSchedule.any || wanted.peer == sent.host)
      && (wanted.tag == LogGPSchedule.any || wanted.tag == sent.tag)
  }

  private mutating func search(_ message: UInt32, at host: Int, time: Int64) -> UInt32? {
    let index = Int32(bitPattern: message)
    if let receive = remove(from: searched(host), fitting: index, areReceives: true) {
      return receive
    }
    states[Int(message)].time = time
    append(message, to: searched(host) + 1, isReceive: false)
    unexpected += 1
    return nil
  }

  private mutating func search(
    _ receive: UInt32, at host: Int
  ) -> (message: UInt32, time: Int64)? {
    let index = Int32(bitPattern: receive)
    if let message = remove(from: searched(host) + 1, fitting: index, areReceives: false) {
      unexpected -= 1
      return (message, states[Int(message)].time)
    }
    append(receive, to: searched(host), isReceive: true)
    return nil
  }

  /// Removes the first of a list of receives or of messages that fits `other`.
  private mutating func remove(
    from list: Int, fitting other: Int32, areReceives: Bool
  ) -> UInt32? {
    var previous: Int32 = -1
    var place = lists[list].first
    while place >= 0 {
      let next = states[Int(place)].next
      let isFitting =
        areReceives
        ? fits(receive: place, message: other) : fits(receive: other, message: place)
      if isFitting {
        if previous < 0 {
          lists[list].first = next
        } else {
          states[Int(previous)].next = next
        }
        if next < 0 { lists[list].last = previous }
        return UInt32(bitPattern: place)
      }
      previous = place
      place = next
    }
    return nil
  }

  // MARK: - The end

  var isComplete: Bool { unfinished == 0 && unexpected == 0 }

  func waitingReport() -> [String] {
    var report: [String] = []
    let blockers = firstBlockers()
    for index in schedule.operations.indices where states[index].pending == 0 {
      let operation = schedule.operations[index]
      switch operation.kind {
      case .receive: report.append(name(index) + " waits for a message")
      case .send:
        report.append(name(index) + " waits for its receive, because it is a rendezvous")
      case .calculation: break
      }
    }
    for list in lists.indices where !lists[list].holdsReceives {
      var place = lists[list].first
      while place >= 0 {
        report.append(name(Int(place)) + " arrived and is never received")
        place = states[Int(place)].next
      }
    }
    // Each cycle is named once, by its first operation.
    var visit = [Int32](repeating: 0, count: blockers.count)
    for start in blockers.indices where blockers[start] >= 0 && visit[start] == 0 {
      var place = start
      while place >= 0, visit[place] == 0 {
        visit[place] = Int32(start) + 1
        place = Int(blockers[place])
      }
      if place < 0 || visit[place] != Int32(start) + 1 { continue }
      var cycle = [name(place)]
      var other = Int(blockers[place])
      while other != place, cycle.count < 8 {
        cycle.append(name(other))
        other = Int(blockers[other])
      }
      if cycle.count == 1 {
        report.append(name(place) + " waits for itself")
      } else {
        report.append("a circle: " + cycle.joined(separator: ", which waits for "))
      }
    }
    for index in blockers.indices where blockers[index] >= 0 {
      report.append(name(index) + " waits for " + name(Int(blockers[index])))
    }
    return report
  }

  /// For each operation that was never released, the first one it waits for; else -1.
  private func firstBlockers() -> [Int32] {
    var blockers = [Int32](repeating: -1, count: schedule.operations.count)
    for earlier in schedule.operations.indices where states[earlier].pending != Self.done {
      for index in schedule.dependentRange(earlier) {
        let dependent = schedule.dependents[index]
        let later = Int(dependent.operation)
        // A released operation has started; only its end is outstanding.
        if dependent.onStart && states[earlier].pending == 0 { continue }
        if states[later].pending == 0 || states[later].pending == Self.done { continue }
        if blockers[later] < 0 { blockers[later] = Int32(earlier) }
      }
    }
    return blockers
  }

  /// Where an operation stands and what it is.
  private func name(_ index: Int) -> String {
    let operation = schedule.operations[index]
    let place =
      operation.line > 0
      ? "line \(operation.line)"
      : "operation \(index - schedule.ranges[Int(operation.host)].lowerBound + 1)"
    let head = "rank \(operation.host), \(place): "
    let source = operation.peer == LogGPSchedule.any ? "anybody" : "rank \(operation.peer)"
    let tag = operation.tag == LogGPSchedule.any ? "any tag" : "tag \(operation.tag)"
    switch operation.kind {
    case .send: return head + "send of \(operation.size) B to rank \(operation.peer) with \(tag)"
    case .receive: return head + "receive of \(operation.size) B from \(source) with \(tag)"
    case .calculation: return head + "calculation"
    }
  }
}
