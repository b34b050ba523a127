/// The ready operations of every resource, so that the next one is found at once.
///
/// Operations of one resource that share a priority number lie in one bucket, those without a
/// number in a last one. An operation enters its bucket once, at the end; one that is chosen out of
/// turn changes places with the first. Buckets that hold something form a heap for each resource.
///
/// - Complexity: pushing and popping are O(log buckets); memory is three words an operation.
struct ReadyQueues: Sendable {
  /// Of each operation.
  private let bucketOf: [Int32]
  /// Of each bucket, with one more at the end.
  private let bucketStart: [Int32]
  /// The numbered buckets of each resource and, as the last, the one without number.
  private let firstBucket: [Int32]
  private var head: [Int32]
  private var tail: [Int32]
  private var storage: [Int32]
  /// The heap of resource r is at `heap[firstBucket[r]...]`.
  private var heap: [Int32]
  private var heapCount: [Int32]
  /// When each operation became ready, as a sequence number.
  private var sequence: [Int32]
  private var nextSequence: Int32 = 0

  /// Queues for `graph`; `numbers` is empty or has one for each operation.
  ///
  /// - Complexity: O(operations + n log n) for n operations with a number.
  init(_ graph: OperationGraph, numbers: [Int32]) {
    let count = graph.count
    let resourceCount = graph.resources.count
    func resource(_ operation: Int) -> Int { graph.operations[operation].resource.index }
    var numbered: [Int32] = []
    if !numbers.isEmpty {
      for index in 0..<count where numbers[index] != TransferOrder.unnumbered {
        numbered.append(Int32(index))
      }
      numbered.sort { (a: Int32, b: Int32) -> Bool in
        let (x, y) = (resource(Int(a)), resource(Int(b)))
        return x != y
          ? x < y
          : (numbers[Int(a)], a) < (numbers[Int(b)], b)
      }
    }
    var plain = [Int32](repeating: 0, count: resourceCount)
    for index in 0..<count { plain[resource(index)] += 1 }
    for index in numbered { plain[resource(Int(index))] -= 1 }

    var bucketOf = [Int32](repeating: -1, count: count)
    var starts: [Int32] = []
    var first: [Int32] = []
    var cursor: Int32 = 0
    var next = 0
    for r in 0..<resourceCount {
      first.append(Int32(starts.count))
      var last: Int32?
      while next < numbered.count, resource(Int(numbered[next])) == r {
        let operation = Int(numbered[next])
        if last != numbers[operation] {
          starts.append(cursor)
          last = numbers[operation]
        }
        bucketOf[operation] = Int32(starts.count - 1)
        cursor += 1
        next += 1
      }
      starts.append(cursor)
      cursor += plain[r]
    }
    first.append(Int32(starts.count))
    starts.append(cursor)
    for index in 0..<count where bucketOf[index] < 0 {
      bucketOf[index] = first[resource(index) + 1] - 1
    }
    self.bucketOf = bucketOf
    bucketStart = starts
    firstBucket = first
    head = starts
    tail = starts
    storage = Array(repeating: 0, count: count)
    heap = Array(repeating: 0, count: starts.count)
    heapCount = Array(repeating: 0, count: resourceCount)
    sequence = Array(repeating: 0, count: count)
  }

  /// Forgets everything that was pushed.
  mutating func reset() {
    head = bucketStart
    tail = bucketStart
    for index in heapCount.indices { heapCount[index] = 0 }
    nextSequence = 0
  }

  /// Adds `operation`, which runs on `resource`.
  mutating func push(_ operation: Int, on resource: Int) {
    let bucket = Int(bucketOf[operation])
    sequence[operation] = nextSequence
    nextSequence += 1
    let wasEmpty = head[bucket] == tail[bucket]
    storage[Int(tail[bucket])] = Int32(operation)
    tail[bucket] += 1
    if wasEmpty, bucket != Int(firstBucket[resource + 1]) - 1 {
      insert(Int32(bucket), resource)
    }
  }

  /// Takes the next operation of `resource`: among those with the lowest number and those without
  /// one, the `choose(n)`-th of n, or without `choose` the one that was ready first.
  mutating func pop(_ resource: Int, choose: (Int) -> Int) -> Int? {
    let numbered = heapCount[resource] > 0 ? Int(heap[Int(firstBucket[resource])]) : -1
    let plain = Int(firstBucket[resource + 1]) - 1
    let first = numbered >= 0 ? Int(tail[numbered] - head[numbered]) : 0
    let second = Int(tail[plain] - head[plain])
    if first + second == 0 { return nil }
    let chosen = first + second == 1 ? 0 : choose(first + second)
    return chosen < first
      ? take(chosen, of: numbered, resource, isNumbered: true)
      : take(chosen - first, of: plain, resource, isNumbered: false)
  }

  /// Takes the one that was ready first, among those with the lowest number and those without one.
  mutating func popFirst(_ resource: Int) -> Int? {
    let numbered = heapCount[resource] > 0 ? Int(heap[Int(firstBucket[resource])]) : -1
    let plain = Int(firstBucket[resource + 1]) - 1
    let hasPlain = head[plain] < tail[plain]
    if numbered < 0 {
      return hasPlain ? take(0, of: plain, resource, isNumbered: false) : nil
    }
    if hasPlain {
      let a = sequence[Int(storage[Int(head[numbered])])]
      let b = sequence[Int(storage[Int(head[plain])])]
      if b < a { return take(0, of: plain, resource, isNumbered: false) }
    }
    return take(0, of: numbered, resource, isNumbered: true)
  }

  private mutating func take(
    _ index: Int, of bucket: Int, _ resource: Int, isNumbered: Bool
  ) -> Int {
    let first = Int(head[bucket])
    storage.swapAt(first, first + index)
    head[bucket] += 1
    if isNumbered, head[bucket] == tail[bucket] { removeLowest(resource) }
    return Int(storage[first])
  }

  // MARK: - The heap of a resource

  private mutating func insert(_ bucket: Int32, _ resource: Int) {
    let base = Int(firstBucket[resource])
    var place = Int(heapCount[resource])
    heapCount[resource] += 1
    while place > 0 {
      let parent = (place - 1) / 2
      if heap[base + parent] <= bucket { break }
      heap[base + place] = heap[base + parent]
      place = parent
    }
    heap[base + place] = bucket
  }

  private mutating func removeLowest(_ resource: Int) {
    let base = Int(firstBucket[resource])
    heapCount[resource] -= 1
    let count = Int(heapCount[resource])
    if count == 0 { return }
    let moved = heap[base + count]
    var place = 0
    while true {
      var child = 2 * place + 1
      if child >= count { break }
      if child + 1 < count, heap[base + child + 1] < heap[base + child] { child += 1 }
      if moved <= heap[base + child] { break }
      heap[base + place] = heap[base + child]
      place = child
    }
    heap[base + place] = moved
  }
}
