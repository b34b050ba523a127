import SimKernel
import Testing

/// The plain truth: pending events in a list, the earliest and first inserted found by looking.
private struct PlainQueue {
  private var heap: [(time: Int64, sequence: Int, payload: Int)] = []
  private var gone: Set<Int> = []
  private var sequence = 0

  var count: Int { heap.count - gone.count }

  @discardableResult
  mutating func push(_ payload: Int, at time: Int64) -> Int {
    heap.append((time, sequence, payload))
    var child = heap.count - 1
    while child > 0, precedes(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
    sequence += 1
    return sequence - 1
  }
  mutating func cancel(_ sequence: Int) { gone.insert(sequence) }
  mutating func peek() -> Int64? {
    while let first = heap.first, gone.contains(first.sequence) {
      gone.remove(first.sequence)
      removeFirst()
    }
    return heap.first?.time
  }
  mutating func pop() -> (time: Int64, sequence: Int, payload: Int)? {
    guard peek() != nil else { return nil }
    let first = heap[0]
    removeFirst()
    return first
  }
  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if precedes(child, least) { least = child }
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
  private func precedes(_ a: Int, _ b: Int) -> Bool {
    (heap[a].time, heap[a].sequence) < (heap[b].time, heap[b].sequence)
  }
}

/// An event queue behind a reference, because the test macros copy what they are given.
private final class Queue<Payload: BitwiseCopyable> {
  private var queue = EventQueue<Payload>()

  var count: Int { queue.count }
  var isEmpty: Bool { queue.isEmpty }
  var now: SimTime { queue.now }
  var nextTime: SimTime { queue.nextTime }
  func schedule(_ payload: Payload, at time: SimTime) { queue.schedule(payload, at: time) }
  func scheduleCancellable(
    _ payload: Payload, at time: SimTime
  ) -> EventQueue<Payload>.Handle { queue.scheduleCancellable(payload, at: time) }
  @discardableResult
  func cancel(_ handle: EventQueue<Payload>.Handle) -> Bool { queue.cancel(handle) }
  func advance(to time: SimTime) { queue.advance(to: time) }
  func popDue() -> Payload? { queue.popDue() }
  func pop() -> (time: SimTime, payload: Payload)? { queue.pop() }
}

/// How far ahead events are scheduled in a random test.
enum Spread: String, CaseIterable, Sendable {
  case exponential, heavyTailed, ties, mostlyTies, sparse, powersOfTwo

  func increment(_ random: inout RandomStream) -> Int64 {
    switch self {
    case .exponential: Int64(random.exponential() * 1e6)
    case .heavyTailed: Int64(min(1 / random.openUniform() * 100, 1e15))
    case .ties: 0
    case .mostlyTies: Int64(random.index(below: 3)) * 1_000_000
    case .sparse: Int64(random.next() >> 14)
    case .powersOfTwo: 1 << Int64(random.index(below: 40))
    }
  }
}

@Suite struct EventQueueTests {
  private func at(_ picoseconds: Int64) -> SimTime { SimTime(picoseconds: picoseconds) }

  @Test func `an empty queue has no next time and nothing to pop`() {
    let queue = Queue<UInt32>()
    #expect(queue.isEmpty)
    #expect(queue.count == 0)
    #expect(queue.nextTime == .never)
    #expect(queue.popDue() == nil)
    #expect(queue.pop() == nil)
    #expect(queue.now == .zero)
  }

  @Test(arguments: [1, 2, 3, 7, 8, 9, 29, 30, 31, 100, 1000])
  func `events at one instant leave in the order they came`(n: Int) {
    for time in [0, 1, 63, 64, 1_000_000_007] as [Int64] {
      let queue = Queue<Int>()
      for payload in 0..<n { queue.schedule(payload, at: at(time)) }
      #expect(queue.count == n)
      queue.advance(to: queue.nextTime)
      #expect(queue.now == at(time))
      for payload in 0..<n { #expect(queue.popDue() == payload) }
      #expect(queue.popDue() == nil)
      #expect(queue.isEmpty)
    }
  }

  @Test(arguments: [1, 2, 3, 8, 9, 30, 31, 300])
  func `events scheduled downwards leave upwards`(n: Int) {
    for step in [1, 63, 64, 4096, 1 << 40] as [Int64] {
      let queue = Queue<Int>()
      for payload in (0..<n).reversed() { queue.schedule(payload, at: at(Int64(payload) * step)) }
      for payload in 0..<n {
        let next = queue.pop()
        #expect(next?.payload == payload)
        #expect(next?.time == at(Int64(payload) * step))
      }
      #expect(queue.pop() == nil)
    }
  }

  @Test func `an event may be scheduled at the present while the present is being served`() {
    let queue = Queue<Int>()
    queue.schedule(0, at: at(70))
    queue.advance(to: at(70))
    for payload in 0..<100 {
      #expect(queue.popDue() == payload)
      queue.schedule(payload + 1, at: at(70))
    }
    #expect(queue.count == 1)
  }

  @Test func `an advance may stop short of the next event`() {
    let queue = Queue<Int>()
    queue.schedule(1, at: at(1000))
    for time in [1, 5, 64, 999] as [Int64] {
      queue.advance(to: at(time))
      #expect(queue.popDue() == nil)
      #expect(queue.nextTime == at(1000))
      queue.schedule(Int(time), at: at(time))
      #expect(queue.popDue() == Int(time))
    }
    queue.advance(to: at(1000))
    #expect(queue.popDue() == 1)
  }

  @Test func `times up to the last picosecond are ordered`() {
    let last = Int64.max - 1
    let queue = Queue<Int>()
    let times: [Int64] = [last, 0, last - 1, 1 << 62, last, (1 << 62) - 1]
    for (payload, time) in times.enumerated() {
      queue.schedule(payload, at: at(time))
    }
    var order: [Int] = []
    while let next = queue.pop() { order.append(next.payload) }
    #expect(order == [1, 5, 3, 2, 0, 4])
    #expect(queue.now == at(last))
    queue.schedule(9, at: at(last))
    #expect(queue.popDue() == 9)
  }

  @Test(arguments: Spread.allCases, [1, 2, 3, 10, 500, 5000])
  func `the order is that of a plain heap`(spread: Spread, pending: Int) {
    var random = RandomStream(seed: 11, purpose: RandomPurpose("hold"), entity: pending)
    let queue = Queue<Int>()
    var plain = PlainQueue()
    for payload in 0..<pending {
      let time = spread.increment(&random)
      queue.schedule(payload, at: at(time))
      plain.push(payload, at: time)
    }
    for step in 0..<20_000 {
      guard let expected = plain.pop(), let found = queue.pop() else { break }
      #expect(found.time == at(expected.time))
      #expect(found.payload == expected.payload)
      if found.payload != expected.payload { break }
      // Bursts that shrink and grow the queue, then a steady state.
      let births = random.index(below: 3)
      for birth in 0..<births where plain.count < 2 * pending || birth == 0 {
        let time = min(expected.time.addingReportingOverflow(spread.increment(&random)).0, 1 << 62)
        if time < expected.time { continue }
        queue.schedule(step, at: at(time))
        plain.push(step, at: time)
      }
      #expect(queue.count == plain.count)
    }
    while let expected = plain.pop() { #expect(queue.pop()?.payload == expected.payload) }
    #expect(queue.isEmpty)
  }

  @Test(arguments: Spread.allCases)
  func `two clocks of one run may each schedule at the present after the other was peeked`(
    spread: Spread
  ) {
    var random = RandomStream(seed: 12, purpose: RandomPurpose("two clocks"))
    let first = Queue<Int>()
    let second = Queue<Int>()
    var plain = [PlainQueue(), PlainQueue()]
    for payload in 0..<50 {
      let time = spread.increment(&random)
      first.schedule(payload, at: at(time))
      plain[0].push(payload, at: time)
      let other = spread.increment(&random)
      second.schedule(payload, at: at(other))
      plain[1].push(payload, at: other)
    }
    var present: Int64 = 0
    for step in 0..<5_000 {
      let next = min(first.nextTime, second.nextTime)
      #expect(next.picoseconds == min(plain[0].peek() ?? .max, plain[1].peek() ?? .max))
      if next == .never || next.picoseconds > 1 << 61 { break }
      present = next.picoseconds
      first.advance(to: next)
      second.advance(to: next)
      var again = true
      var served = 0
      while again, served < 40 {
        again = false
        for side in 0..<2 {
          while let payload = side == 0 ? first.popDue() : second.popDue() {
            let expected = plain[side].pop()
            #expect(expected?.time == present)
            #expect(expected?.payload == payload)
            served += 1
            again = true
            let time = present + (random.index(below: 4) == 0 ? 0 : spread.increment(&random))
            // Every event begets one on the other side, sometimes at this very instant.
            if side == 0 {
              second.schedule(step, at: at(time))
            } else {
              first.schedule(step, at: at(time))
            }
            plain[1 - side].push(step, at: time)
            if served >= 40 { break }
          }
          if served >= 40 { break }
        }
      }
      #expect(first.count == plain[0].count)
      #expect(second.count == plain[1].count)
      if served == 0 { break }
    }
    #expect(present >= 0)
  }

  @Test(arguments: Spread.allCases, [2, 3, 20, 2000])
  func `cancelled events never leave and the others keep their order`(
    spread: Spread, pending: Int
  ) {
    var random = RandomStream(seed: 13, purpose: RandomPurpose("cancel"), entity: pending)
    let queue = Queue<Int>()
    var plain = PlainQueue()
    var handles: [(handle: EventQueue<Int>.Handle, sequence: Int)] = []
    var dead: Set<Int> = []
    var present: Int64 = 0
    func file(_ payload: Int, at time: Int64) {
      let sequence = plain.push(payload, at: time)
      if random.index(below: 4) == 0 {
        queue.schedule(payload, at: at(time))
      } else {
        handles.append((queue.scheduleCancellable(payload, at: at(time)), sequence))
      }
    }
    for step in 0..<10_000 {
      let room = plain.count < pending
      switch random.index(below: 8) {
      case 0...3 where room:
        let time = present + min(spread.increment(&random), 1 << 45)
        file(step, at: time)
      case 4, 5:
        if handles.isEmpty { continue }
        let pick = random.index(below: handles.count)
        let (handle, sequence) = handles[pick]
        let alive = !dead.contains(sequence)
        #expect(queue.cancel(handle) == alive)
        #expect(!queue.cancel(handle), "a second cancellation finds nothing")
        if alive { plain.cancel(sequence) }
        dead.insert(sequence)
        if random.index(below: 2) == 0 { handles.swapAt(pick, handles.count - 1) }
        if random.index(below: 2) == 0 { handles.removeLast() }
      case 6:
        // The earliest is cancelled if it can be, so that peeking has to look further.
        guard let time = plain.peek() else { continue }
        #expect(queue.nextTime == at(time))
        if let first = plain.pop() {
          dead.insert(first.sequence)
          if let handle = handles.first(where: { $0.sequence == first.sequence })?.handle {
            #expect(queue.cancel(handle))
          } else {
            queue.advance(to: at(first.time))
            present = first.time
            #expect(queue.popDue() == first.payload)
          }
        }
      default:
        let expected = plain.pop()
        let found = queue.pop()
        #expect(found?.payload == expected?.payload)
        #expect(found?.time.picoseconds == expected?.time)
        if let expected {
          dead.insert(expected.sequence)
          present = expected.time
        }
      }
      #expect(queue.count == plain.count)
    }
    while let expected = plain.pop() { #expect(queue.pop()?.payload == expected.payload) }
    #expect(queue.pop() == nil)
    for (handle, _) in handles { #expect(!queue.cancel(handle)) }
  }

  @Test func `a queue may be advanced past cancelled events`() {
    let queue = Queue<Int>()
    let now = queue.scheduleCancellable(1, at: at(0))
    let soon = queue.scheduleCancellable(2, at: at(5))
    let later = queue.scheduleCancellable(3, at: at(5_000_000))
    queue.schedule(4, at: at(7_000_000))
    for handle in [now, soon, later] { #expect(queue.cancel(handle)) }
    queue.advance(to: at(6_000_000))
    #expect(queue.popDue() == nil)
    #expect(queue.pop()?.payload == 4)
    #expect(queue.isEmpty)
  }

  @Test func `peeking past cancelled ties does not disturb an earlier event filed afterwards`() {
    let queue = Queue<Int>()
    let handles = (0..<40).map { queue.scheduleCancellable($0, at: at(50)) }
    queue.schedule(40, at: at(50))
    for handle in handles.prefix(20) { #expect(queue.cancel(handle)) }
    #expect(queue.nextTime == at(50))
    queue.schedule(99, at: at(10))
    for handle in handles.suffix(20) { #expect(queue.cancel(handle)) }
    #expect(queue.pop()?.payload == 99)
    #expect(queue.pop()?.payload == 40)
    #expect(queue.pop() == nil)
  }

  @Test func `a handle does not name the event that reuses its slot`() {
    let queue = Queue<Int>()
    let first = queue.scheduleCancellable(1, at: at(5))
    #expect(queue.pop()?.payload == 1)
    let second = queue.scheduleCancellable(2, at: at(6))
    #expect(first != second)
    #expect(!queue.cancel(first))
    #expect(queue.count == 1)
    #expect(queue.cancel(second))
    #expect(queue.pop() == nil)
  }

  @Test func `cancelling events of the present that wait behind others works`() {
    let queue = Queue<Int>()
    let handles = (0..<70).map { queue.scheduleCancellable($0, at: at(9)) }
    queue.advance(to: at(9))
    for payload in 0..<10 { #expect(queue.popDue() == payload) }
    for payload in 10..<69 where payload % 2 == 0 { #expect(queue.cancel(handles[payload])) }
    for payload in 10..<69 where payload % 2 == 1 { #expect(queue.popDue() == payload) }
    #expect(queue.cancel(handles[69]))
    #expect(queue.popDue() == nil)
    #expect(queue.nextTime == .never)
  }

  /// Payload sizes on both sides of every multiple of eight bytes.
  @Test func `payloads of any size come back whole`() {
    func check<P: BitwiseCopyable & Equatable>(_ make: (Int) -> P) {
      var random = RandomStream(seed: 14, purpose: RandomPurpose("sizes"))
      let queue = Queue<P>()
      var plain = PlainQueue()
      for step in 0..<2_000 {
        let time = queue.now.picoseconds + Int64(random.index(below: 50_000))
        if step % 3 == 0 {
          queue.schedule(make(step), at: at(time))
        } else {
          _ = queue.scheduleCancellable(make(step), at: at(time))
        }
        plain.push(step, at: time)
        if step % 2 == 1 { #expect(queue.pop()?.payload == plain.pop().map { make($0.payload) }) }
      }
      while let expected = plain.pop() { #expect(queue.pop()?.payload == make(expected.payload)) }
      #expect(queue.isEmpty)
    }
    check { UInt8(truncatingIfNeeded: $0) }
    check { UInt16(truncatingIfNeeded: $0) }
    check { UInt32($0) }
    check { UInt64($0) }
    check { SIMD2<UInt64>(UInt64($0), UInt64($0 * 3)) }
    check { SIMD8<UInt64>(repeating: UInt64($0)) }
    check { Wide(words: ($0, $0 + 1, $0 + 2), byte: UInt8(truncatingIfNeeded: $0)) }
    check { Huge(front: $0, back: SIMD64<UInt64>(repeating: UInt64($0))) }
  }

  private struct Wide: BitwiseCopyable, Equatable {
    var words: (Int, Int, Int)
    var byte: UInt8
    static func == (a: Wide, b: Wide) -> Bool { a.words == b.words && a.byte == b.byte }
  }
  private struct Huge: BitwiseCopyable, Equatable {
    var front: Int
    var back: SIMD64<UInt64>
  }
}
