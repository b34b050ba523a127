/// The buckets of an ``EventQueue``: lists of entries in fixed-size chunks, filed by the highest
/// base-64 digit in which their time differs from a base, and by the value of that digit.
///
/// The base is at or before the present. It is moved up, and the lowest bucket filed again by lower
/// digits, only when that bucket is large; a small one is searched. A bucket of the lowest digit
/// holds a single instant and is read from the front.
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
    /// The earliest time filed; too early if that event was cancelled, and the bucket then stale.
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
  /// What the digits are compared with: no event is earlier.
  @usableFromInline var base: UInt64 = 0
  /// Where the next entry stands in the first chunk of the lowest bucket, if that is one of the
  /// lowest digit and at the present: only then it may have been read in part.
  @usableFromInline var frontOffset: Int
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
    frontOffset = Self.header
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
  @inlinable @inline(__always)
  func index(of time: UInt64) -> Int {
    let bit = 63 &- ((time ^ base) | 1).leadingZeroBitCount
    // bit / 6, exact for 0...62.
    let level = (bit &* 43) &>> 8
    return level &* Self.digits | Int(truncatingIfNeeded: (time &>> UInt64(level &* 6)) & 63)
  }

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
  @inlinable @inline(__always)
  mutating func noteCancellation(at time: UInt64) {
    let index = index(of: time)
    if buckets[index].minimum == time {
      levels[index &>> 6].stale |= 1 &<< UInt64(index & 63)
    }
  }

  // MARK: - Filing

  /// Room for one more entry at `time`, behind the others of its bucket.
  @inlinable @inline(__always)
  mutating func append(_ time: UInt64, stride: Int) -> UnsafeMutableRawPointer {
    let index = index(of: time)
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
  @inlinable @inline(__always)
  mutating func extend(_ index: Int, stride: Int) {
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

  @inlinable @inline(__always)
  mutating func recycle(_ chunk: UnsafeMutableRawPointer) {
    chunk.storeBytes(of: pool, as: UnsafeMutableRawPointer?.self)
    pool = chunk
  }

  // MARK: - Taking

  /// Entries of a bucket that is searched and not filed again.
  ///
  /// At most half a chunk's, so that a search may look as far beyond the last of them.
  @inlinable static func small(_ stride: Int) -> Int { min(8, capacity(stride) / 2) }

  /// Whether the lowest bucket, which exists, must be filed again before its earliest entry is
  /// taken.
  @inlinable @inline(__always)
  func isLarge(stride: Int) -> Bool {
    let level = summary.trailingZeroBitCount
    if level == 0 { return false }
    let bucket = buckets + (level &* Self.digits | levels[level].occupied.trailingZeroBitCount)
    // An occupied bucket has a first chunk. Its end lies in another chunk if it is large, hence at
    // a negative distance or behind the first chunk's; or, if the two touch, at distance zero.
    let bytes = bucket.pointee.end - bucket.pointee.first.unsafelyUnwrapped
    return UInt(bitPattern: bytes &- 1)
      >= UInt(bitPattern: Self.header &+ Self.small(stride) &* stride)
  }

  /// Moves the base to the earliest time and hands out the entries of its bucket.
  @inlinable mutating func splitLowest() -> Reading {
    let level = summary.trailingZeroBitCount
    let index = level &* Self.digits | levels[level].occupied.trailingZeroBitCount
    // Only this bucket loses its meaning: higher ones still differ from the base in the same digit,
    // and lower ones are empty.
    base = buckets[index].minimum
    return detach(index)
  }

  /// The entry at the front of the lowest bucket, which exists.
  @inlinable var front: UnsafeMutableRawPointer {
    let level = summary.trailingZeroBitCount
    let index = level &* Self.digits | levels[level].occupied.trailingZeroBitCount
    // An occupied bucket has a first chunk, and the offset is below its end.
    return buckets[index].first.unsafelyUnwrapped + frontOffset
  }

  /// Takes the earliest entry of the lowest bucket, which exists and is not large.
  ///
  /// The entry stays readable until another one is filed.
  @inlinable @inline(__always)
  mutating func takeEarliest(stride: Int) -> UnsafeMutableRawPointer {
    let level = summary.trailingZeroBitCount
    let index = level &* Self.digits | levels[level].occupied.trailingZeroBitCount
    // An occupied bucket has a first chunk.
    let first = buckets[index].first.unsafelyUnwrapped
    return level == 0
      ? takeFront(index, first, stride: stride) : takeMinimum(index, first, stride: stride)
  }

  @inlinable @inline(__always)
  mutating func takeFront(
    _ index: Int, _ first: UnsafeMutableRawPointer, stride: Int
  ) -> UnsafeMutableRawPointer {
    let entry = first + frontOffset
    if entry + stride == buckets[index].end {
      recycle(first)
      clear(index)
      frontOffset = Self.header
    } else if frontOffset &+ stride &+ stride > Self.chunkBytes(stride) {
      // Not the last chunk, because the end was not reached.
      buckets[index].first = first.load(as: UnsafeMutableRawPointer?.self)
      recycle(first)
      frontOffset = Self.header
    } else {
      frontOffset &+= stride
    }
    return entry
  }

  /// Takes the first of the earliest entries out of a small bucket, whose order is kept.
  ///
  /// Always looks at as many places and moves as many: what depends on the number of entries would
  /// be mispredicted.
  @inlinable @inline(__always)
  mutating func takeMinimum(
    _ index: Int, _ first: UnsafeMutableRawPointer, stride: Int
  ) -> UnsafeMutableRawPointer {
    let entries = first + Self.header
    let end = buckets[index].end
    let minimum = buckets[index].minimum
    let small = Self.small(stride)
    var position = 0
    var equals = 0
    var second = UInt64.max
    var keys: UInt64 = 0
    // In bounds: a chunk has room for twice as many places as are looked at and moved.
    for place in (0..<small).reversed() {
      let entry = entries + place &* stride
      let key = entry.load(as: UInt64.self)
      let time = key & UInt64(Int64.max)
      let isFiled = entry < end
      let isMinimum = isFiled && time == minimum
      position = isMinimum ? place : position
      equals &+= isMinimum ? 1 : 0
      second = isFiled && !isMinimum && time < second ? time : second
      keys |= isFiled ? key : 0
    }
    let taken = entries + position &* stride
    let last = end - stride
    // The entry is kept behind the new end.
    let spare = entries + (2 &* small &- 1) &* stride
    spare.copyMemory(from: taken, byteCount: stride)
    if last == entries {
      recycle(first)
      clear(index)
      return spare
    }
    for place in 0..<small {
      (taken + place &* stride).copyMemory(
        from: taken + (place &+ 1) &* stride, byteCount: stride)
    }
    buckets[index].end = last
    buckets[index].room &+= 1
    buckets[index].minimum = equals > 1 ? minimum : second
    // The event that is the earliest now may have been cancelled when it was not.
    levels[index &>> 6].stale |= (keys &>> 63) &<< UInt64(index & 63)
    return spare
  }

  /// Marks bucket `index` as empty; its chunks belong to the caller.
  @inlinable @inline(__always)
  mutating func clear(_ index: Int) {
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
  @inlinable @inline(__always)
  mutating func detach(_ index: Int) -> Reading {
    // An occupied bucket has a first chunk.
    let list = Reading(
      first: buckets[index].first.unsafelyUnwrapped, end: buckets[index].end)
    clear(index)
    return list
  }

  /// The next entry of `list`, readable until the next call; nil at its end.
  @inlinable @inline(__always)
  mutating func nextEntry(
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
}
