/// The payloads and states of cancellable events, in slots that are used again.
@usableFromInline
struct EventSlots<Payload: BitwiseCopyable>: ~Copyable {
  @usableFromInline
  struct Slot: BitwiseCopyable {
    /// When the event is due, or the next free slot.
    @usableFromInline var time: UInt64
    /// Counts the events that had this slot, so that an old handle names none of the later ones.
    @usableFromInline var generation: UInt32
    @usableFromInline var cancelled: Bool
    @usableFromInline var payload: Payload
    @inlinable init(time: UInt64, payload: Payload) {
      self.time = time
      self.payload = payload
      generation = 0
      cancelled = false
    }
  }

  @usableFromInline static var noSlot: UInt32 { .max }

  /// Room for `capacity` slots, of which the first `count` are initialised; freed in `deinit`.
  @usableFromInline var storage: UnsafeMutablePointer<Slot>
  @usableFromInline var capacity = 0
  @usableFromInline var count = 0
  /// The first of the chain of free slots.
  @usableFromInline var firstFree: UInt32 = .max
  /// Cancelled events that are still filed.
  @usableFromInline var cancelled = 0

  @inlinable init() { storage = .allocate(capacity: 0) }
  @inlinable deinit { storage.deallocate() }

  /// The slot called `index`, which came from ``take(_:time:)``: below the count.
  @inlinable subscript(_ index: UInt32) -> Slot { storage[Int(index)] }

  /// A slot for `payload`, due at `time`.
  @inlinable mutating func take(_ payload: Payload, time: UInt64) -> UInt32 {
    let index = firstFree
    if index != Self.noSlot {
      let slot = storage + Int(index)
      firstFree = UInt32(truncatingIfNeeded: slot.pointee.time)
      slot.pointee.time = time
      slot.pointee.payload = payload
      return index
    }
    if count == capacity { grow() }
    storage[count] = Slot(time: time, payload: payload)
    count &+= 1
    return UInt32(count &- 1)
  }

  /// Marks a pending event as cancelled; false if it has left or was cancelled before.
  @inlinable mutating func cancel(_ index: UInt32, generation: UInt32) -> Bool {
    guard Int(index) < count else { return false }
    let slot = storage + Int(index)
    guard slot.pointee.generation == generation, !slot.pointee.cancelled else { return false }
    slot.pointee.cancelled = true
    cancelled &+= 1
    return true
  }

  /// Frees a slot for another event; returns whether its event had been cancelled.
  @inlinable mutating func free(_ index: UInt32) -> Bool {
    let slot = storage + Int(index)
    let wasCancelled = slot.pointee.cancelled
    if wasCancelled { cancelled &-= 1 }
    slot.pointee.generation &+= 1
    slot.pointee.cancelled = false
    slot.pointee.time = UInt64(firstFree)
    firstFree = index
    return wasCancelled
  }

  @inlinable @inline(never) mutating func grow() {
    let larger = max(16, capacity * 2)
    precondition(larger <= Int(UInt32.max), "too many cancellable events")
    let grown = UnsafeMutablePointer<Slot>.allocate(capacity: larger)
    // In bounds: the old slots are fewer than the new capacity.
    grown.initialize(from: storage, count: count)
    storage.deallocate()
    storage = grown
    capacity = larger
  }
}
