/// A monotone priority queue of events ordered by (time, insertion): a radix heap over integer time.
///
/// Simulated time never runs backwards, so an event can be filed under the highest bit in which its
/// time differs from the present (Ahuja, Mehlhorn, Orlin, Tarjan, J. ACM 37, 1990,
/// doi:10.1145/77600.77615). Each event moves to a lower bucket at most 63 times, in bulk and in
/// order; events at one instant always share a bucket, so ties leave in the order they came.
///
/// Peeking (``nextTime``) never moves the floor; only ``advance(to:)`` does. Two queues can
/// therefore act as two clocks of one run: each may schedule at the present instant after the
/// other was peeked.
///
///     var queue = EventQueue<UInt32>()
///     queue.schedule(7, at: .zero + .nanoseconds(3))
///     queue.advance(to: queue.nextTime)
///     queue.popDue()  // 7
///
/// - Complexity: schedule and pop are O(1) amortised for a fixed width of time; peeking is O(1)
///   except after a cancellation of the earliest event.
public struct EventQueue<Payload: BitwiseCopyable>: ~Copyable {
  @usableFromInline
  struct Entry: BitwiseCopyable {
    @usableFromInline var time: UInt64
    @usableFromInline var payload: Payload
    /// The cancellation slot, or `noSlot`.
    @usableFromInline var slot: UInt32
    @inlinable init(time: UInt64, payload: Payload, slot: UInt32) {
      self.time = time
      self.payload = payload
      self.slot = slot
    }
  }

  @usableFromInline
  struct Bucket: BitwiseCopyable {
    @usableFromInline var entries: UnsafeMutablePointer<Entry>
    @usableFromInline var count: Int
    @usableFromInline var capacity: Int
    /// The earliest time in the bucket; exact unless `stale`.
    @usableFromInline var minimum: UInt64
    /// An event at `minimum` was cancelled, so the minimum must be found again.
    @usableFromInline var stale: Bool
    @inlinable init(capacity: Int) {
      entries = .allocate(capacity: capacity)
      count = 0
      self.capacity = capacity
      minimum = .max
      stale = false
    }
  }

  /// Cancellation state of one pending event.
  ///
  /// A slot is free when `time` is `freeSlot`.
  @usableFromInline
  struct Slot {
    @usableFromInline var generation: UInt32
    @usableFromInline var time: UInt64
    @usableFromInline var cancelled: Bool
    @inlinable init() {
      generation = 0
      time = 0
      cancelled = false
    }
  }

  /// Names a scheduled event that may still be cancelled.
  public struct Handle: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline var slot: UInt32
    @usableFromInline var generation: UInt32
    @inlinable init(slot: UInt32, generation: UInt32) {
      self.slot = slot
      self.generation = generation
    }
    /// Names no event; cancelling it does nothing.
    public static var none: Handle { Handle(slot: .max, generation: 0) }
  }

  @usableFromInline static var noSlot: UInt32 { .max }

  /// 64 buckets, indexed by 64 - leading zeros of (time xor floor).
  ///
  /// Times are at most Int64.max, so index 64 cannot occur. The pointer lives as long as the queue
  /// (freed in `deinit`).
  @usableFromInline let buckets: UnsafeMutablePointer<Bucket>
  /// Bit i is set when bucket i holds entries.
  @usableFromInline var occupied: UInt64 = 0
  /// The present: no event is earlier.
  @usableFromInline var floor: UInt64 = 0
  /// Entries of bucket 0 before this index have left.
  @usableFromInline var head = 0
  @usableFromInline var live = 0
  @usableFromInline var slots: [Slot] = []
  @usableFromInline var freeSlots: [UInt32] = []

  /// An empty queue whose floor is ``SimTime/zero``.
  public init() {
    buckets = .allocate(capacity: 64)
    for index in 0..<64 { buckets.advanced(by: index).initialize(to: Bucket(capacity: 8)) }
  }

  deinit {
    for index in 0..<64 { buckets[index].entries.deallocate() }
    buckets.deallocate()
  }

  /// The number of events that are neither popped nor cancelled.
  @inlinable public var count: Int { live }
  /// Whether nothing is pending.
  @inlinable public var isEmpty: Bool { live == 0 }
  /// The instant to which the queue was last advanced.
  @inlinable public var now: SimTime { SimTime(picoseconds: Int64(bitPattern: floor)) }

  // MARK: - Scheduling

  /// Files `payload` at `time`.
  ///
  /// - Precondition: `time` is not before ``now`` and is not ``SimTime/never``.
  @inlinable public mutating func schedule(_ payload: Payload, at time: SimTime) {
    precondition(
      time.picoseconds >= Int64(bitPattern: floor) && time != .never,
      "an event must not be scheduled before the present or past the end of time")
    append(Entry(time: UInt64(bitPattern: time.picoseconds), payload: payload, slot: Self.noSlot))
    live &+= 1
  }

  /// Files `payload` at `time` and returns a handle that can cancel it.
  ///
  /// - Precondition: as ``schedule(_:at:)``.
  public mutating func scheduleCancellable(_ payload: Payload, at time: SimTime) -> Handle {
    precondition(
      time.picoseconds >= Int64(bitPattern: floor) && time != .never,
      "an event must not be scheduled before the present or past the end of time")
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = UInt32(slots.count)
      slots.append(Slot())
    }
    slots[Int(slot)].time = UInt64(bitPattern: time.picoseconds)
    slots[Int(slot)].cancelled = false
    append(Entry(time: UInt64(bitPattern: time.picoseconds), payload: payload, slot: slot))
    live &+= 1
    return Handle(slot: slot, generation: slots[Int(slot)].generation)
  }

  /// Takes back the event named by `handle`; returns false if it has already left.
  @discardableResult
  public mutating func cancel(_ handle: Handle) -> Bool {
    let index = Int(handle.slot)
    guard index < slots.count, slots[index].generation == handle.generation,
      !slots[index].cancelled
    else { return false }
    slots[index].cancelled = true
    live -= 1
    let bucket = bucketIndex(of: slots[index].time)
    if buckets[bucket].minimum == slots[index].time { buckets[bucket].stale = true }
    return true
  }

  // MARK: - Taking events

  /// The time of the earliest event, or ``SimTime/never``.
  ///
  /// Moves nothing the caller can see.
  @inlinable public var nextTime: SimTime {
    mutating get {
      while occupied != 0 {
        let index = occupied.trailingZeroBitCount
        if buckets[index].stale {
          dropCancelled(from: index)
          continue
        }
        return SimTime(picoseconds: Int64(bitPattern: buckets[index].minimum))
      }
      return .never
    }
  }

  /// Moves the floor to `now`, so that events at `now` become due.
  ///
  /// - Precondition: `now` is not before the floor and not after ``nextTime``.
  @inlinable public mutating func advance(to now: SimTime) {
    let target = UInt64(bitPattern: now.picoseconds)
    if target == floor { return }
    precondition(target > floor && now != .never, "a queue only advances forwards")
    let index = bucketIndex(of: target)
    floor = target
    // Only the bucket of the highest changed bit loses its meaning: higher ones still differ from
    // the floor in the same bit, lower ones would lie in the past and must be empty.
    precondition(
      occupied & ((1 << UInt64(index)) &- 1) == 0
        && (buckets[index].minimum >= target || buckets[index].stale),
      "a queue must not be advanced past a pending event")
    if occupied & (1 << UInt64(index)) != 0 { redistribute(index) }
  }

  /// Removes and returns the next event at ``now``, or nil when nothing more is due.
  @inlinable public mutating func popDue() -> Payload? {
    while occupied & 1 != 0 {
      let entry = buckets[0].entries[head]
      head &+= 1
      if head == buckets[0].count {
        buckets[0].count = 0
        buckets[0].stale = false
        buckets[0].minimum = .max
        head = 0
        occupied &= ~1
      }
      if entry.slot != Self.noSlot, release(entry.slot) { continue }
      live &-= 1
      return entry.payload
    }
    return nil
  }

  /// Advances to the earliest event and removes it; nil when the queue is empty.
  @inlinable public mutating func pop() -> (time: SimTime, payload: Payload)? {
    let next = nextTime
    if next == .never { return nil }
    advance(to: next)
    guard let payload = popDue() else { return nil }
    return (next, payload)
  }

  // MARK: - Buckets

  @inlinable func bucketIndex(of time: UInt64) -> Int {
    64 &- (time ^ floor).leadingZeroBitCount
  }

  @inlinable mutating func append(_ entry: Entry) {
    let index = bucketIndex(of: entry.time)
    let bucket = buckets.advanced(by: index)
    if bucket.pointee.count == bucket.pointee.capacity { grow(index) }
    // In bounds: count < capacity was just ensured.
    bucket.pointee.entries[bucket.pointee.count] = entry
    bucket.pointee.count &+= 1
    if entry.time < bucket.pointee.minimum { bucket.pointee.minimum = entry.time }
    occupied |= 1 << UInt64(truncatingIfNeeded: index)
  }

  @usableFromInline @inline(never)
  mutating func grow(_ index: Int) {
    let capacity = buckets[index].capacity * 2
    let grown = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    grown.update(from: buckets[index].entries, count: buckets[index].count)
    buckets[index].entries.deallocate()
    buckets[index].entries = grown
    buckets[index].capacity = capacity
  }

  /// Empties bucket `index` into lower buckets, in order, after the floor moved into its range.
  @inlinable mutating func redistribute(_ index: Int) {
    let bucket = buckets[index]
    buckets[index].count = 0
    buckets[index].minimum = .max
    buckets[index].stale = false
    occupied &= ~(1 << UInt64(index))
    for position in 0..<bucket.count {
      let entry = bucket.entries[position]
      if entry.slot != Self.noSlot, slots[Int(entry.slot)].cancelled {
        _ = release(entry.slot)
        continue
      }
      append(entry)
    }
  }

  /// Removes cancelled entries from bucket `index` and finds its minimum again.
  @usableFromInline @inline(never)
  mutating func dropCancelled(from index: Int) {
    let entries = buckets[index].entries
    var kept = 0
    var minimum = UInt64.max
    for position in (index == 0 ? head : 0)..<buckets[index].count {
      let entry = entries[position]
      if entry.slot != Self.noSlot, slots[Int(entry.slot)].cancelled {
        _ = release(entry.slot)
        continue
      }
      entries[kept] = entry
      kept += 1
      minimum = min(minimum, entry.time)
    }
    if index == 0 { head = 0 }
    buckets[index].count = kept
    buckets[index].minimum = minimum
    buckets[index].stale = false
    if kept == 0 { occupied &= ~(1 << UInt64(index)) }
  }

  /// Frees `slot` for another event; returns whether its event had been cancelled.
  @usableFromInline @inline(never)
  mutating func release(_ slot: UInt32) -> Bool {
    let cancelled = slots[Int(slot)].cancelled
    slots[Int(slot)].generation &+= 1
    slots[Int(slot)].cancelled = false
    freeSlots.append(slot)
    return cancelled
  }
}
