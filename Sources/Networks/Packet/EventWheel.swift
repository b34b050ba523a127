import SimKernel

/// Pending events by time, those of one instant in the order they came: a wheel of 4096 narrow
/// buckets for what is near, and an ``EventQueue`` for the rest.
///
/// Packets come in the time of a packet and a link, so nearly all events lie within one turn of the
/// wheel; filing one is a push on its bucket's list, and a bucket is sorted when its time comes (a
/// calendar queue: Brown, CACM 31, 1988, doi:10.1145/63039.63045). An event at a given time is far
/// when it comes early and near when it comes late, so at one instant far events precede near ones.
/// - Complexity: O(1) an event if few share a bucket; 24 bytes an event.
struct EventWheel: ~Copyable {
  struct Node: BitwiseCopyable {
    var time: Int64
    var word: UInt64
    var next: Int32
  }
  struct Entry: BitwiseCopyable {
    var time: Int64
    var word: UInt64
  }

  private static var buckets: Int { 4096 }

  /// Logarithm of a bucket's width in picoseconds.
  private let shift: Int64
  /// The list of every bucket, latest first, or -1; bit b of word w: bucket 64 w + b is not empty;
  /// bit w: word w is not zero.
  private var heads = FlatBuffer<Int32>(repeating: -1, count: Self.buckets)
  private var occupied = FlatBuffer<UInt64>(repeating: 0, count: Self.buckets / 64)
  private var summary: UInt64 = 0
  private var nodes = FlatBuffer<Node>(capacity: 1024)
  private var freeNode: Int32 = -1
  /// The bucket being emptied, in order, from `position` on, and its number.
  private var run = FlatBuffer<Entry>(capacity: 64)
  private var position = 0
  private var runSlot: Int64 = 0
  /// The bucket of the present: nothing pending lies before it, and near is what is less than a turn
  /// after it.
  private var floorSlot: Int64 = 0
  private var far = EventQueue<UInt64>()
  private var farTime = Int64.max

  /// An empty wheel at time zero for about `pending` events at once, most of them at most `span`
  /// picoseconds ahead.
  ///
  /// Eight events a bucket are few enough to sort and many enough to look ahead.
  init(span: Int64, pending: Int) {
    let used = min(Int64(Self.buckets) - 1, max(64, Int64(pending) / 8))
    var shift: Int64 = 0
    while shift < 50, span >> shift >= used { shift += 1 }
    self.shift = shift
  }

  /// The word of the event that follows `count` others, if it is being looked at already; else
  /// `UInt64.max`.
  @inline(__always)
  func upcoming(_ count: Int) -> UInt64 {
    // In bounds: below count.
    position &+ count < run.count ? run.base[position &+ count].word : .max
  }

  /// Files `word` at `time`, which is not before the present.
  @inline(__always)
  mutating func schedule(_ word: UInt64, at time: Int64) {
    let slot = time &>> shift
    if slot &- floorSlot >= Int64(Self.buckets) {
      far.schedule(word, at: SimTime(picoseconds: time))
      farTime = min(farTime, time)
      return
    }
    if slot < runSlot { unload() }
    if slot == runSlot { insert(Entry(time: time, word: word)) } else { push(time, word, slot) }
  }

  /// The time of the earliest event, or `Int64.max`.
  var nextTime: Int64 {
    @inline(__always) mutating get {
      if position == run.count { load() }
      // In bounds: position < count.
      return min(position < run.count ? run.base[position].time : .max, farTime)
    }
  }

  /// Moves the present to `now`, which is not after the earliest event.
  mutating func advance(to now: Int64) { floorSlot = now &>> shift }

  /// Takes the earliest event and moves the present to its time; nil if there is none.
  @inline(__always)
  mutating func pop() -> (time: Int64, word: UInt64)? {
    if position == run.count { load() }
    if position < run.count {
      // In bounds: position < count.
      let entry = run.base[position]
      if entry.time < farTime {
        position &+= 1
        floorSlot = entry.time &>> shift
        return (entry.time, entry.word)
      }
    }
    return popFar()
  }

  @inline(never)
  private mutating func popFar() -> (time: Int64, word: UInt64)? {
    guard let (time, word) = far.pop() else { return nil }
    farTime = far.nextTime.picoseconds
    floorSlot = time.picoseconds &>> shift
    return (time.picoseconds, word)
  }

  // MARK: - Buckets

  // Buckets are below 4096 by the mask, words below 64, and lists hold valid nodes only.

  @inline(__always)
  private mutating func push(_ time: Int64, _ word: UInt64, _ slot: Int64) {
    let bucket = Int(truncatingIfNeeded: slot) & (Self.buckets &- 1)
    let node = Node(time: time, word: word, next: heads.base[bucket])
    var index = freeNode
    if index >= 0 {
      freeNode = nodes.base[Int(index)].next
      nodes.base[Int(index)] = node
    } else {
      index = Int32(truncatingIfNeeded: nodes.count)
      nodes.append(node)
    }
    heads.base[bucket] = index
    occupied.base[bucket &>> 6] |= 1 &<< UInt64(bucket & 63)
    summary |= 1 &<< UInt64(bucket &>> 6)
  }

  /// Makes the first bucket that is not empty the one being emptied.
  @inline(__always)
  private mutating func load() {
    if summary == 0 { return }
    run.truncate()
    position = 0
    let start = Int(truncatingIfNeeded: floorSlot) & (Self.buckets &- 1)
    let bucket = firstBucket(from: start)
    runSlot = floorSlot &+ Int64((bucket &- start) & (Self.buckets &- 1))
    var index = heads.base[bucket]
    heads.base[bucket] = -1
    let left = occupied.base[bucket &>> 6] & ~(1 &<< UInt64(bucket & 63))
    occupied.base[bucket &>> 6] = left
    if left == 0 { summary &= ~(1 &<< UInt64(bucket &>> 6)) }
    while index >= 0 {
      let node = nodes.base[Int(index)]
      run.append(Entry(time: node.time, word: node.word))
      nodes.base[Int(index)].next = freeNode
      freeNode = index
      index = node.next
    }
    if run.count > 1 { sortRun() }
  }

  /// The first bucket at or after `start`, in turn, that is not empty; there is one.
  @inline(__always)
  private func firstBucket(from start: Int) -> Int {
    let word = start &>> 6
    let here = occupied.base[word] & (UInt64.max &<< UInt64(start & 63))
    if here != 0 { return word &<< 6 | here.trailingZeroBitCount }
    let later = word == 63 ? 0 : summary & (UInt64.max &<< UInt64(word &+ 1))
    let next = (later != 0 ? later : summary).trailingZeroBitCount
    return next &<< 6 | occupied.base[next].trailingZeroBitCount
  }

  /// Sorts the run, which holds the latest first, by time and then by age.
  private mutating func sortRun() {
    var (low, high) = (0, run.count &- 1)
    while low < high {
      (run.base[low], run.base[high]) = (run.base[high], run.base[low])
      low &+= 1
      high &-= 1
    }
    for index in 1..<run.count {
      let entry = run.base[index]
      var place = index
      while place > 0, run.base[place &- 1].time > entry.time {
        run.base[place] = run.base[place &- 1]
        place &-= 1
      }
      run.base[place] = entry
    }
  }

  /// Adds an event to the bucket being emptied, behind those that are not later.
  private mutating func insert(_ entry: Entry) {
    if position == run.count {
      run.truncate()
      position = 0
    }
    run.append(entry)
    var place = run.count &- 1
    while place > position, run.base[place &- 1].time > entry.time {
      run.base[place] = run.base[place &- 1]
      place &-= 1
    }
    run.base[place] = entry
  }

  /// Puts the bucket being emptied back: the caller has looked at it, and now schedules before it.
  @inline(never)
  private mutating func unload() {
    for index in position..<run.count {
      push(run.base[index].time, run.base[index].word, runSlot)
    }
    run.truncate()
    position = 0
    runSlot = floorSlot
  }
}
