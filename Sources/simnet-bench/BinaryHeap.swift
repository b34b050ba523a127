/// The textbook priority queue that the event queue is measured against: a binary heap of
/// (time, sequence, payload) in one array, ordered by time and then by insertion.
struct BinaryHeap {
  struct Entry {
    var time: Int64
    var sequence: UInt64
    var payload: UInt64

    @inline(__always)
    func precedes(_ other: Entry) -> Bool {
      time != other.time ? time < other.time : sequence < other.sequence
    }
  }

  private var entries: [Entry] = []
  private var sequence: UInt64 = 0

  init(capacity: Int) { entries.reserveCapacity(capacity) }

  mutating func push(_ payload: UInt64, at time: Int64) {
    let entry = Entry(time: time, sequence: sequence, payload: payload)
    sequence &+= 1
    entries.append(entry)
    entries.withUnsafeMutableBufferPointer { heap in
      // In bounds: a parent's index is below its child's, and the root has none.
      var hole = heap.count - 1
      while hole > 0 {
        let parent = (hole - 1) / 2
        if !entry.precedes(heap[parent]) { break }
        heap[hole] = heap[parent]
        hole = parent
      }
      heap[hole] = entry
    }
  }

  mutating func pop() -> (time: Int64, payload: UInt64)? {
    guard let last = entries.popLast() else { return nil }
    if entries.isEmpty { return (last.time, last.payload) }
    return entries.withUnsafeMutableBufferPointer { heap in
      let first = heap[0]
      let count = heap.count
      // In bounds: a child is followed only while its index is below the count.
      var hole = 0
      var child = 1
      while child < count {
        if child + 1 < count, heap[child + 1].precedes(heap[child]) { child += 1 }
        if !heap[child].precedes(last) { break }
        heap[hole] = heap[child]
        hole = child
        child = 2 * hole + 1
      }
      heap[hole] = last
      return (first.time, first.payload)
    }
  }
}
