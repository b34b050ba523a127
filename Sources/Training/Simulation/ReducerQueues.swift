import SimKernel

/// The reducer of each rank slot of a job: it sums one message after the other.
///
/// What waits is taken in the order in which it came, or the most urgent first, as P3's servers do.
struct ReducerQueues {
  private struct Waiting: BitwiseCopyable {
    var slot: Int32
    var step: Int32
    var duration: SimDuration
  }
  private var isBusy: [Bool]
  private var heaps: [ReadyHeap]
  /// What waits, by the number in the heap.
  private var pool: [Waiting] = []
  private var free: [Int32] = []
  private let isByPriority: Bool

  init(ranks: Int, isByPriority: Bool) {
    isBusy = Array(repeating: false, count: ranks)
    heaps = Array(repeating: ReadyHeap(), count: ranks)
    self.isByPriority = isByPriority
  }

  /// Whether `rank` may begin at once; otherwise the reduction is kept until it is free.
  mutating func admit(
    rank: Int, slot: Int, step: Int, priority: Int32, for duration: SimDuration
  ) -> Bool {
    if !isBusy[rank] {
      isBusy[rank] = true
      return true
    }
    let entry = Waiting(slot: Int32(slot), step: Int32(step), duration: duration)
    let place: Int32
    if let old = free.popLast() {
      place = old
      pool[Int(place)] = entry
    } else {
      place = Int32(pool.count)
      pool.append(entry)
    }
    heaps[rank].insert(Int(place), key: isByPriority ? Int64(priority) : 0)
    return false
  }

  /// The reducer of `rank` is free again; returns what it does next.
  mutating func release(_ rank: Int) -> (slot: Int, step: Int, duration: SimDuration)? {
    guard let place = heaps[rank].popFirst() else {
      isBusy[rank] = false
      if heaps[rank].isEmpty { heaps[rank].removeAll() }
      return nil
    }
    free.append(Int32(place))
    let next = pool[place]
    return (Int(next.slot), Int(next.step), next.duration)
  }
}
