import SimKernel

/// The rules by which a worker, or all workers together, admit exchanges.
public struct AdmissionRules: Sendable, Equatable {
  public var order: AdmissionOrder
  public var limit: FlightLimit
  /// Whether workers agree on one order, as ranks of a collective must: what is admitted next is then
  /// chosen among exchanges that are ready on every worker (Horovod's coordinator).
  public var isAgreed: Bool

  public init(
    order: AdmissionOrder = .fixed, limit: FlightLimit = .exchanges(1), isAgreed: Bool = false
  ) {
    self.order = order
    self.limit = limit
    self.isAgreed = isAgreed
  }
}

/// What admission needs to know of an exchange.
public struct AdmissionTicket: Sendable, Equatable, BitwiseCopyable {
  /// Smaller goes first under ``AdmissionOrder/priority``.
  public var priority: Int32
  /// Its bytes before compression, which credit counts.
  public var bytes: Int64
  public init(priority: Int32 = 0, bytes: Int64 = 0) {
    self.priority = priority
    self.bytes = bytes
  }
}

/// Ready exchanges in the order in which they are admitted: the smallest key first, equal ones in the
/// order in which they came.
///
/// - Complexity: O(log n) each, O(1) for keys that only grow.
struct ReadyHeap: Sendable {
  private struct Entry: BitwiseCopyable {
    var key: Int64
    var serial: Int32
    var exchange: Int32
    func precedes(_ other: Entry) -> Bool {
      key != other.key ? key < other.key : serial < other.serial
    }
  }
  private var entries: [Entry] = []
  private var serial: Int32 = 0

  var isEmpty: Bool { entries.isEmpty }
  /// The exchange that is admitted next.
  var first: Int? { entries.isEmpty ? nil : Int(entries[0].exchange) }

  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    serial = 0
  }

  mutating func insert(_ exchange: Int, key: Int64) {
    let entry = Entry(key: key, serial: serial, exchange: Int32(exchange))
    serial += 1
    entries.append(entry)
    var hole = entries.count - 1
    while hole > 0 {
      let parent = (hole - 1) / 2
      if !entry.precedes(entries[parent]) { break }
      entries[hole] = entries[parent]
      hole = parent
    }
    entries[hole] = entry
  }

  mutating func popFirst() -> Int? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    var hole = 0
    while true {
      var child = 2 * hole + 1
      if child >= entries.count { break }
      if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
      if !entries[child].precedes(last) { break }
      entries[hole] = entries[child]
      hole = child
    }
    if hole < entries.count { entries[hole] = last }
    return Int(first.exchange)
  }
}

/// What one worker has in flight, against its limit.
struct Flight: Sendable {
  private var exchanges = 0
  private var bytes: Int64 = 0

  /// Whether an exchange of so many bytes may start as well.
  func hasRoom(for size: Int64, under limit: FlightLimit) -> Bool {
    switch limit {
    case .exchanges(let most): exchanges < most
    case .credit(let credit, overshoot: true): bytes < credit.bytes
    case .credit(let credit, overshoot: false): exchanges == 0 || bytes + size <= credit.bytes
    }
  }
  mutating func start(_ size: Int64) {
    exchanges += 1
    bytes += size
  }
  mutating func end(_ size: Int64) {
    exchanges -= 1
    bytes -= size
  }
}

/// The state of one worker's schedule.
///
/// An exchange becomes ready when its payload exists, is admitted when it is its turn and there is
/// room in flight, and leaves when the worker has its result.
public struct AdmissionQueue: Sendable {
  private let rules: AdmissionRules
  private let tickets: [AdmissionTicket]
  private var isReady: [Bool]
  private var next = 0
  private var end: Int
  private var heap = ReadyHeap()
  private var flight = Flight()
  private var random = RandomStream(seed: 0, purpose: RandomPurpose("exchange order"))

  /// A queue in which none of the exchanges is ready; `tickets` has one for each.
  public init(_ tickets: [AdmissionTicket], rules: AdmissionRules) {
    self.tickets = tickets
    self.rules = rules
    isReady = Array(repeating: false, count: tickets.count)
    end = tickets.count
  }

  /// Begins an iteration that takes the exchanges in `range`; the one before is over.
  public mutating func reset(to range: Range<Int>, random: RandomStream) {
    for index in range { isReady[index] = false }
    next = range.lowerBound
    end = range.upperBound
    self.random = random
  }
  /// Exchange `index` could start as far as its data is concerned.
  public mutating func ready(_ index: Int) {
    switch rules.order {
    case .fixed: isReady[index] = true
    case .arrival: heap.insert(index, key: 0)
    case .priority: heap.insert(index, key: Int64(tickets[index].priority))
    case .random: heap.insert(index, key: Int64(random.next() >> 1))
    }
  }
  /// An admitted exchange has ended.
  public mutating func complete(_ index: Int) { flight.end(tickets[index].bytes) }
  /// The next exchange that may start now, or nil.
  public mutating func admit() -> Int? {
    let candidate: Int
    if rules.order == .fixed {
      guard next < end, isReady[next] else { return nil }
      candidate = next
    } else {
      guard let first = heap.first else { return nil }
      candidate = first
    }
    guard flight.hasRoom(for: tickets[candidate].bytes, under: rules.limit) else { return nil }
    flight.start(tickets[candidate].bytes)
    if rules.order == .fixed { next += 1 } else { _ = heap.popFirst() }
    return candidate
  }
}

/// One order of exchanges for all workers, chosen as it goes.
///
/// Ranks of a collective must call it in the same order, or all wait for one another. So the first
/// worker with room decides what comes next, among exchanges that are ready on every worker, and the
/// others follow.
struct AgreedOrder: Sendable {
  private let rules: AdmissionRules
  private let tickets: [AdmissionTicket]
  private let workers: Int
  /// How many workers are ready for each exchange.
  private var readyCounts: [Int32]
  /// Exchanges that all are ready for and nobody has chosen.
  private var heap = ReadyHeap()
  /// What was chosen, and how far each worker has come in it.
  private var sequence: [Int32] = []
  private var positions: [Int32]
  private var flights: [Flight]
  private var random: RandomStream

  init(
    _ tickets: [AdmissionTicket], rules: AdmissionRules, workers: Int, random: RandomStream
  ) {
    self.tickets = tickets
    self.rules = rules
    self.workers = workers
    self.random = random
    readyCounts = Array(repeating: 0, count: tickets.count)
    positions = Array(repeating: 0, count: workers)
    flights = Array(repeating: Flight(), count: workers)
  }

  /// One more worker is ready for `exchange`; returns whether all are now.
  mutating func ready(_ exchange: Int) -> Bool {
    readyCounts[exchange] += 1
    guard Int(readyCounts[exchange]) == workers else { return false }
    readyCounts[exchange] = 0
    switch rules.order {
    case .fixed, .arrival: heap.insert(exchange, key: 0)
    case .priority: heap.insert(exchange, key: Int64(tickets[exchange].priority))
    case .random: heap.insert(exchange, key: Int64(random.next() >> 1))
    }
    return true
  }
  mutating func complete(_ exchange: Int, worker: Int) {
    flights[worker].end(tickets[exchange].bytes)
  }
  /// What `worker` starts next, or nil.
  mutating func admit(worker: Int) -> Int? {
    let position = Int(positions[worker])
    let isNew = position == sequence.count
    guard let candidate = isNew ? heap.first : Int(sequence[position]) else { return nil }
    let bytes = tickets[candidate].bytes
    guard flights[worker].hasRoom(for: bytes, under: rules.limit) else { return nil }
    if isNew {
      sequence.append(Int32(candidate))
      _ = heap.popFirst()
    }
    flights[worker].start(bytes)
    positions[worker] += 1
    if isNew, sequence.count > 4 * tickets.count + 64 { forgetWhatAllPassed() }
    return candidate
  }

  /// Drops the part of the sequence that every worker has been through.
  private mutating func forgetWhatAllPassed() {
    let passed = positions.min() ?? 0
    sequence.removeFirst(Int(passed))
    for worker in positions.indices { positions[worker] -= passed }
  }
}
