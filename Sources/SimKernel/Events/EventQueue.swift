/// A monotone priority queue of events ordered by (time, insertion): a radix heap over integer time.
///
/// Simulated time never runs backwards, so an event can be filed under the highest digit in which
/// its time differs from the present (Ahuja, Mehlhorn, Orlin, Tarjan, J. ACM 37, 1990,
/// doi:10.1145/77600.77615), here to base 64. Each event moves to a lower digit at most ten times,
/// in bulk and in order; events at one instant always share a bucket, so ties leave in the order
/// they came.
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
///   except after a cancellation of the earliest event, which costs a pass over those that share
///   its bucket. Memory is 8 bytes an event beside the payload, which is padded to 8 bytes.
public struct EventQueue<Payload: BitwiseCopyable>: ~Copyable {
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

  /// The pending events, filed by digit.
  @usableFromInline var store = EventBuckets()
  /// What the cancellable ones among them carry.
  @usableFromInline var slots = EventSlots<Payload>()
  @usableFromInline var live = 0
  /// The present: no event is earlier.
  @usableFromInline var floor: UInt64 = 0

  /// An empty queue whose floor is ``SimTime/zero``.
  @inlinable public init() {}

  /// The number of events that are neither popped nor cancelled.
  @inlinable public var count: Int { live }
  /// Whether nothing is pending.
  @inlinable public var isEmpty: Bool { live == 0 }
  /// The instant to which the queue was last advanced.
  @inlinable public var now: SimTime { SimTime(picoseconds: Int64(bitPattern: floor)) }

  /// An entry is a key - the time, and in its highest bit whether the event can be cancelled - and
  /// then the payload, or the slot that holds the payload.
  @inlinable static var stride: Int { 8 + max(8, (MemoryLayout<Payload>.size + 7) & ~7) }
  @inlinable static var cancellable: UInt64 { 1 << 63 }

  // MARK: - Scheduling

  /// Files `payload` at `time`.
  ///
  /// - Precondition: `time` is not before ``now`` and is not ``SimTime/never``.
  @inlinable public mutating func schedule(_ payload: Payload, at time: SimTime) {
    let place = place(at: time)
    place.storeBytes(of: UInt64(bitPattern: time.picoseconds), as: UInt64.self)
    (place + 8).storeBytes(of: payload, as: Payload.self)
  }

  /// Files `payload` at `time` and returns a handle that can cancel it.
  ///
  /// - Precondition: as ``schedule(_:at:)``.
  @inlinable
  public mutating func scheduleCancellable(_ payload: Payload, at time: SimTime) -> Handle {
    let place = place(at: time)
    let key = UInt64(bitPattern: time.picoseconds)
    let slot = slots.take(payload, time: key)
    place.storeBytes(of: key | Self.cancellable, as: UInt64.self)
    (place + 8).storeBytes(of: slot, as: UInt32.self)
    return Handle(slot: slot, generation: slots[slot].generation)
  }

  /// Room for an entry at `time`.
  @inlinable mutating func place(at time: SimTime) -> UnsafeMutableRawPointer {
    precondition(
      time.picoseconds >= Int64(bitPattern: floor) && time != .never,
      "an event must not be scheduled before the present or past the end of time")
    live &+= 1
    return store.append(UInt64(bitPattern: time.picoseconds), stride: Self.stride)
  }

  /// Takes back the event named by `handle`; returns false if it has already left.
  @discardableResult
  @inlinable public mutating func cancel(_ handle: Handle) -> Bool {
    guard slots.cancel(handle.slot, generation: handle.generation) else { return false }
    live &-= 1
    store.noteCancellation(at: slots[handle.slot].time)
    return true
  }

  // MARK: - Taking events

  /// The time of the earliest event, or ``SimTime/never``.
  ///
  /// Moves nothing the caller can see.
  @inlinable public var nextTime: SimTime {
    mutating get {
      if slots.cancelled != 0 { dropCancelled() }
      return SimTime(picoseconds: Int64(bitPattern: store.earliest))
    }
  }

  /// Moves the floor to `now`, so that events at `now` become due.
  ///
  /// - Precondition: `now` is not before the floor and not after ``nextTime``.
  @inlinable public mutating func advance(to now: SimTime) {
    let target = UInt64(bitPattern: now.picoseconds)
    if target == floor { return }
    precondition(now > self.now && now != .never, "a queue only advances forwards")
    precondition(now <= nextTime, "a queue must not be advanced past a pending event")
    floor = target
  }

  /// Removes and returns the next event at ``now``, or nil when nothing more is due.
  @inlinable public mutating func popDue() -> Payload? {
    if slots.cancelled != 0 { dropCancelled() }
    return store.earliest == floor ? take() : nil
  }

  /// Advances to the earliest event and removes it; nil when the queue is empty.
  @inlinable public mutating func pop() -> (time: SimTime, payload: Payload)? {
    if slots.cancelled != 0 { dropCancelled() }
    let next = store.earliest
    if next == EventBuckets.none { return nil }
    floor = next
    return (SimTime(picoseconds: Int64(bitPattern: next)), take())
  }

  /// Removes the earliest event, which exists and is alive.
  @inlinable mutating func take() -> Payload {
    if store.isLarge(stride: Self.stride) { refile() }
    // The entry stays readable until another one is filed.
    let entry = store.takeEarliest(stride: Self.stride)
    live &-= 1
    if entry.load(as: UInt64.self) < Self.cancellable {
      return (entry + 8).loadUnaligned(as: Payload.self)
    }
    let slot = (entry + 8).load(as: UInt32.self)
    let payload = slots[slot].payload
    _ = slots.free(slot)
    return payload
  }

  // MARK: - Buckets

  /// Files the events of the lowest bucket again, in order, by lower digits.
  @inlinable @inline(never)
  mutating func refile() {
    var list = store.splitLowest()
    refile(&list)
  }

  /// Files the entries of `list`, but for those that were cancelled.
  @inlinable mutating func refile(_ list: inout EventBuckets.Reading) {
    let check = slots.cancelled != 0
    while let entry = store.nextEntry(of: &list, stride: Self.stride) {
      let key = entry.load(as: UInt64.self)
      if check, key >= Self.cancellable, dropIfCancelled(entry) { continue }
      let place = store.append(key & ~Self.cancellable, stride: Self.stride)
      place.copyMemory(from: entry, byteCount: Self.stride)
    }
  }

  /// Frees the slot of the cancellable `entry` if it was cancelled, and returns whether it was.
  @inlinable mutating func dropIfCancelled(_ entry: UnsafeMutableRawPointer) -> Bool {
    let slot = (entry + 8).load(as: UInt32.self)
    if !slots[slot].cancelled { return false }
    return slots.free(slot)
  }

  /// Removes cancelled events until the earliest one is alive.
  @inlinable @inline(never)
  mutating func dropCancelled() {
    while let index = store.lowest {
      if index < EventBuckets.digits, store.earliest == floor {
        // The events of this instant are being taken: those in front go one by one.
        let entry = store.front
        if entry.load(as: UInt64.self) < Self.cancellable || !dropIfCancelled(entry) { return }
        _ = store.takeEarliest(stride: Self.stride)
      } else if store.isStale(index) {
        var list = store.detach(index)
        refile(&list)
      } else {
        return
      }
    }
  }
}
