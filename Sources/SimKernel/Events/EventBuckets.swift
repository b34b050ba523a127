/// The buckets of an ``EventQueue``: lists of entries in fixed-size chunks, filed by the highest
/// base-64 digit in which their time differs from the floor, and by the value of that digit.
///
/// Chunks come from a pool of the queue and go back as soon as they are read, so memory follows the
/// number of pending events and stays warm. Entries are moved as bytes; their size is a parameter
/// that becomes a constant where a queue of one payload type is compiled.
@usableFromInline
struct EventBuckets: ~Copyable {
  /// A list of entries: chunks, each with a pointer to the next in front.
  @usableFromInline
  struct Bucket: BitwiseCopyable {
    /// The first chunk; nil if there are no entries.
    @usableFromInline var first: UnsafeMutableRawPointer?
    /// Behind the last entry.
    @usableFromInline var end: UnsafeMutableRawPointer
    /// How many entries the last chunk still takes.
    @usableFromInline var room: Int
    /// The earliest time filed; too early once that event was cancelled and the bucket is stale.
    @usableFromInline var minimum: UInt64
    @inlinable init(end: UnsafeMutableRawPointer) {
      first = nil
      self.end = end
      room = 0
      minimum = .max
    }
  }

  /// Which buckets of one digit hold entries, and which of those have an unsure minimum: bit d is
  /// the digit's value d.
  @usableFromInline
  struct Level: BitwiseCopyable {
    @usableFromInline var occupied: UInt64 = 0
    @usableFromInline var stale: UInt64 = 0
    @inlinable init() {}
  }

  /// A list that was taken out of its bucket and is being read.
  @usableFromInline
  struct Reading {
    @usableFromInline var chunk: UnsafeMutableRawPointer
    @usableFromInline var entry: UnsafeMutableRawPointer
    /// Behind the last entry of all.
    @usableFromInline var end: UnsafeMutableRawPointer
    @inlinable init(first: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer) {
      chunk = first
      entry = first + EventBuckets.header
      self.end = end
    }
  }

  /// Values of a digit: a `UInt64` has a bit for each.
  @inlinable static var digits: Int { 64 }
  /// 63 bits of time in digits of six bits.
  @inlinable static var levelCount: Int { 11 }
  /// Bytes in front of a chunk's entries.
  @inlinable static var header: Int { 16 }
  /// Entries of `stride` bytes in a chunk.
  @inlinable static func capacity(_ stride: Int) -> Int { max(4, 480 / stride) }
  /// Bytes of a chunk: about 500, and not a power of two, whose multiples share a few cache sets.
  @inlinable static func chunkBytes(_ stride: Int) -> Int { header &+ capacity(stride) &* stride }
  /// No event at all, as a time.
  @inlinable static var none: UInt64 { UInt64(Int64.max) }

  /// One a (level, digit), and one a level; both live as long as the queue.
  @usableFromInline let buckets: UnsafeMutablePointer<Bucket>
  @usableFromInline let levels: UnsafeMutablePointer<Level>
  /// Bit l is set when level l holds entries.
  @usableFromInline var summary: UInt64 = 0
  /// The present: no event is earlier.
  @usableFromInline var floor: UInt64 = 0
  /// Where the next due entry stands in the first chunk of the due bucket.
  @usableFromInline var dueOffset: Int
  /// Chunks that are free, chained.
  @usableFromInline var pool: UnsafeMutableRawPointer?
  /// What the chunks were cut from.
  @usableFromInline var slabs: [UnsafeMutableRawPointer] = []

  @usableFromInline init() {
    let count = Self.levelCount * Self.digits
    buckets = .allocate(capacity: count)
    levels = .allocate(capacity: Self.levelCount)
    buckets.initialize(repeating: Bucket(end: UnsafeMutableRawPointer(buckets)), count: count)
    levels.initialize(repeating: Level(), count: Self.levelCount)
    dueOffset = Self.header
  }

  @usableFromInline deinit {
    for slab in slabs { slab.deallocate() }
    buckets.deallocate()
    levels.deallocate()
  }

  // MARK: - Where

  /// The bucket of `time`: 64 * level + digit.
  ///
  /// Below 704, because times are below 2^63.
  @inlinable static func index(of time: UInt64, floor: UInt64) -> Int {
    let bit = 63 &- ((time ^ floor) | 1).leadingZeroBitCount
    // bit / 6, exact for 0...62.
    let level = (bit &* 43) &>> 8
    return level &* digits | Int(truncatingIfNeeded: (time &>> UInt64(level &* 6)) & 63)
  }

  /// The bucket of events at the floor itself.
  @inlinable var dueIndex: Int { Int(floor & 63) }
  /// The bucket that holds the earliest event.
  @inlinable var lowest: Int? {
    if summary == 0 { return nil }
    let level = summary.trailingZeroBitCount
    return level &* Self.digits | levels[level].occupied.trailingZeroBitCount
  }
  /// The earliest time filed, or ``none``.
  @inlinable var earliest: UInt64 {
    guard let index = lowest else { return Self.none }
    return buckets[index].minimum
  }

  @inlinable func isOccupied(_ index: Int) -> Bool {
    levels[index &>> 6].occupied & (1 &<< UInt64(index & 63)) != 0
  }
  @inlinable func isStale(_ index: Int) -> Bool {
    levels[index &>> 6].stale & (1 &<< UInt64(index & 63)) != 0
  }

  /// Learns that an event at `time` was cancelled.
  @inlinable mutating func noteCancellation(at time: UInt64) {
    // What is due is checked one by one when it is taken.
    if time == floor { return }
    let index = Self.index(of: time, floor: floor)
    if buckets[index].minimum == time {
      levels[index &>> 6].stale |= 1 &<< UInt64(index & 63)
    }
  }

  // MARK: - Filing

  /// Room for one more entry at `time`, behind the others of its bucket.
  @inlinable mutating func append(_ time: UInt64, stride: Int) -> UnsafeMutableRawPointer {
    let index = Self.index(of: time, floor: floor)
    let bucket = buckets + index
    if bucket.pointee.room == 0 { extend(index, stride: stride) }
    // In bounds: the last chunk has room for at least one entry.
    let place = bucket.pointee.end
    bucket.pointee.end = place + stride
    bucket.pointee.room &-= 1
    if time < bucket.pointee.minimum { bucket.pointee.minimum = time }
    return place
  }

  /// Gives bucket `index` another chunk.
  @inlinable mutating func extend(_ index: Int, stride: Int) {
    if pool == nil { refill(chunkBytes: Self.chunkBytes(stride)) }
    // The pool was just refilled if it was empty.
    let chunk = pool.unsafelyUnwrapped
    pool = chunk.load(as: UnsafeMutableRawPointer?.self)
    chunk.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
    let bucket = buckets + index
    let capacity = Self.capacity(stride)
    if bucket.pointee.first == nil {
      bucket.pointee.first = chunk
      let level = index &>> 6
      levels[level].occupied |= 1 &<< UInt64(index & 63)
      summary |= 1 &<< UInt64(level)
    } else {
      // The last chunk is full, so it begins this far before its end.
      let last = bucket.pointee.end - (Self.header &+ capacity &* stride)
      last.storeBytes(of: chunk, as: UnsafeMutableRawPointer?.self)
    }
    bucket.pointee.end = chunk + Self.header
    bucket.pointee.room = capacity
  }

  @usableFromInline @inline(never) mutating func refill(chunkBytes: Int) {
    let chunks = 32 << min(slabs.count, 6)
    let slab = UnsafeMutableRawPointer.allocate(
      byteCount: chunks * chunkBytes, alignment: 64)
    slabs.append(slab)
    // In bounds: the slab holds `chunks` chunks.
    for index in (0..<chunks).reversed() { recycle(slab + index * chunkBytes) }
  }

  @inlinable mutating func recycle(_ chunk: UnsafeMutableRawPointer) {
    chunk.storeBytes(of: pool, as: UnsafeMutableRawPointer?.self)
    pool = chunk
  }

  // MARK: - Taking

  /// The next due entry; the due bucket is not empty.
  @inlinable var due: UnsafeMutableRawPointer {
    // An occupied bucket has a first chunk, and the offset is below its end.
    buckets[dueIndex].first.unsafelyUnwrapped + dueOffset
  }

  /// Takes the next due entry, which stays readable until another one is filed.
  @inlinable mutating func takeDue(stride: Int) -> UnsafeMutableRawPointer? {
    let index = dueIndex
    let bucket = buckets + index
    guard let first = bucket.pointee.first else { return nil }
    let entry = first + dueOffset
    dueOffset &+= stride
    if entry + stride == bucket.pointee.end {
      recycle(first)
      clear(index)
      dueOffset = Self.header
    } else if dueOffset &+ stride > Self.chunkBytes(stride) {
      // Not the last chunk: its end was not reached.
      bucket.pointee.first = first.load(as: UnsafeMutableRawPointer?.self)
      recycle(first)
      dueOffset = Self.header
    }
    return entry
  }

  /// Marks bucket `index` as empty; its chunks belong to the caller.
  @inlinable mutating func clear(_ index: Int) {
    buckets[index].first = nil
    buckets[index].room = 0
    buckets[index].minimum = .max
    let level = index &>> 6
    let bit: UInt64 = 1 &<< UInt64(index & 63)
    levels[level].stale &= ~bit
    levels[level].occupied &= ~bit
    if levels[level].occupied == 0 { summary &= ~(1 &<< UInt64(level)) }
  }

  /// Takes the list out of the occupied bucket `index`.
  @inlinable mutating func detach(_ index: Int) -> Reading {
    // An occupied bucket has a first chunk.
    let list = Reading(
      first: buckets[index].first.unsafelyUnwrapped, end: buckets[index].end)
    clear(index)
    return list
  }

  /// The next entry of `list`, readable until the next call; nil at its end.
  @inlinable mutating func nextEntry(
    of list: inout Reading, stride: Int
  ) -> UnsafeMutableRawPointer? {
    // Chunks are filled one after the other, so only the last one may be filled in part.
    let entry = list.entry
    if entry == list.end {
      recycle(list.chunk)
      return nil
    }
    if entry + stride > list.chunk + Self.chunkBytes(stride) {
      // Not the last chunk, so the next one exists and holds an entry.
      let next = list.chunk.load(as: UnsafeMutableRawPointer?.self).unsafelyUnwrapped
      recycle(list.chunk)
      list.chunk = next
      list.entry = next + (Self.header &+ stride)
      return next + Self.header
    }
    list.entry = entry + stride
    return entry
  }

  /// Makes the list of bucket `index` the due one if it holds a single entry, whose time is the
  /// floor's.
  @inlinable mutating func moveSingle(from index: Int, stride: Int) -> Bool {
    let bucket = buckets[index]
    // An occupied bucket has a first chunk.
    let first = bucket.first.unsafelyUnwrapped
    if bucket.end != first + (Self.header &+ stride) || bucket.minimum != floor { return false }
    clear(index)
    buckets[dueIndex] = bucket
    levels[0].occupied |= 1 &<< (floor & 63)
    summary |= 1
    return true
  }
}
