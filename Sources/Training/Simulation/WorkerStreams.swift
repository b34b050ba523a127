import SimKernel

/// The streams of all workers of a job: what runs, what waits, and how overlap slows it down.
///
/// A stream runs its ready operations in the order (ready time, index in the graph). Waiting ones
/// form a linked list through one flat array, so a worker costs a few words a stream. Operations are
/// named by their cell: with two iterations at once, those of the odd one follow the even one's.
struct WorkerStreams {
  /// The streams that execute operations one by one; communication is admitted elsewhere.
  static let count = 3

  /// The operation that runs on (worker, stream), or -1.
  private(set) var running: [Int32]
  /// When it will end as things stand.
  private(set) var finish: [SimTime]
  private var handles: [EventQueue<JobEvent>.Handle]
  /// The first waiting operation of (worker, stream), or -1.
  private var head: [Int32]
  /// The operation after (worker, operation) in its list, or -1.
  private var next: [Int32]
  private var readyTime: [SimTime]
  /// Since when a worker's compute and side streams overlap; `never` when they do not.
  private var overlapStart: [SimTime]
  /// Whether overlap stretched an operation beyond the range of time.
  private(set) var hasOverflowed = false
  /// Cells of a worker, and operations in the graph.
  let cellCount: Int
  let operationCount: Int
  let slowdown: OverlapSlowdown

  init(workers: Int, cells: Int, operations: Int, slowdown: OverlapSlowdown) {
    cellCount = cells
    operationCount = operations
    self.slowdown = slowdown
    running = Array(repeating: -1, count: workers * Self.count)
    finish = Array(repeating: .never, count: workers * Self.count)
    handles = Array(repeating: .none, count: workers * Self.count)
    head = Array(repeating: -1, count: workers * Self.count)
    next = Array(repeating: -1, count: workers * cells)
    readyTime = Array(repeating: .zero, count: workers * cells)
    overlapStart = Array(repeating: .never, count: workers)
  }

  /// Puts `operation` into the waiting list of its stream.
  mutating func enqueue(_ operation: Int, on stream: StreamKind, worker: Int, at now: SimTime) {
    let base = worker * cellCount
    let list = worker * Self.count + Int(stream.rawValue)
    readyTime[base + operation] = now
    var previous: Int32 = -1
    var cursor = head[list]
    while cursor >= 0 {
      let time = readyTime[base + Int(cursor)]
      if time > now
        || (time == now && Int(cursor) % operationCount > operation % operationCount)
      {
        break
      }
      previous = cursor
      cursor = next[base + Int(cursor)]
    }
    next[base + operation] = cursor
    if previous < 0 {
      head[list] = Int32(operation)
    } else {
      next[base + Int(previous)] = Int32(operation)
    }
  }

  /// The operation that an idle stream takes up next; removed from the list.
  mutating func takeNext(worker: Int, stream: StreamKind) -> (operation: Int, ready: SimTime)? {
    let list = worker * Self.count + Int(stream.rawValue)
    guard running[list] < 0, head[list] >= 0 else { return nil }
    let operation = Int(head[list])
    head[list] = next[worker * cellCount + operation]
    return (operation, readyTime[worker * cellCount + operation])
  }

  /// Starts `operation`, which ends at `end` unless overlap changes that.
  mutating func start(
    _ operation: Int, on stream: StreamKind, worker: Int, of owner: Incarnation, until end: SimTime,
    at now: SimTime, queue: inout EventQueue<JobEvent>
  ) {
    let list = worker * Self.count + Int(stream.rawValue)
    running[list] = Int32(operation)
    finish[list] = end
    let event = JobEvent(kind: .operationFinished, of: owner, rank: worker, index: operation)
    if slowdown == .none {
      queue.schedule(event, at: end)
      return
    }
    handles[list] = queue.scheduleCancellable(event, at: end)
    beginOverlap(worker: worker, of: owner, at: now, queue: &queue)
  }

  /// Marks the operation on (worker, stream) as ended.
  ///
  /// - Returns: when overlap slows things down, the compute operation that lost time, how much, and
  ///   the side operation it lost it to.
  mutating func end(
    stream: StreamKind, worker: Int, of owner: Incarnation, at now: SimTime,
    queue: inout EventQueue<JobEvent>
  ) -> (compute: Int, lost: SimDuration, side: Int)? {
    let list = worker * Self.count + Int(stream.rawValue)
    var loss: (Int, SimDuration, Int)?
    if overlapStart[worker] != .never, stream != .cpu {
      let compute = worker * Self.count
      let side = compute + 1
      let overlapped = now - overlapStart[worker]
      let useful = Int64(Double(overlapped.picoseconds) / slowdown.compute)
      loss = (
        Int(running[compute]), overlapped - .picoseconds(useful), Int(running[side])
      )
      overlapStart[worker] = .never
      let (other, factor) =
        list == compute ? (side, slowdown.side) : (compute, slowdown.compute)
      retime(other, by: 1 / factor, worker: worker, of: owner, at: now, queue: &queue)
    }
    running[list] = -1
    finish[list] = .never
    return loss
  }

  private mutating func beginOverlap(
    worker: Int, of owner: Incarnation, at now: SimTime, queue: inout EventQueue<JobEvent>
  ) {
    let compute = worker * Self.count
    guard running[compute] >= 0, running[compute + 1] >= 0, overlapStart[worker] == .never else {
      return
    }
    overlapStart[worker] = now
    retime(compute, by: slowdown.compute, worker: worker, of: owner, at: now, queue: &queue)
    retime(compute + 1, by: slowdown.side, worker: worker, of: owner, at: now, queue: &queue)
  }

  /// Stretches what is left of the operation on `list` by `factor`.
  private mutating func retime(
    _ list: Int, by factor: Double, worker: Int, of owner: Incarnation, at now: SimTime,
    queue: inout EventQueue<JobEvent>
  ) {
    guard running[list] >= 0 else { return }
    let end = now + (finish[list] - now).scaled(by: factor)
    if end == finish[list] { return }
    if end == .never {
      hasOverflowed = true
      return
    }
    queue.cancel(handles[list])
    finish[list] = end
    handles[list] = queue.scheduleCancellable(
      JobEvent(kind: .operationFinished, of: owner, rank: worker, index: Int(running[list])),
      at: end)
  }
}
