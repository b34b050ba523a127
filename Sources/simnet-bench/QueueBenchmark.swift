import SimKernel

extension Benchmark {
  /// The hold model (Jones, CACM 29, 1986, doi:10.1145/5684.5686): with n events pending, take the
  /// earliest and schedule it again, an increment later.
  static var queue: Benchmark {
    Benchmark(
      name: "queue",
      summary: "event queue, one pop and one push an operation, against a binary heap and memcpy"
    ) { extent, report in
      for workload in HoldWorkload.allCases {
        for pending in extent.pick([1_000, 1_000_000], [1_000, 100_000, 1_000_000]) {
          measureHold(workload, pending: pending, extent, report)
        }
      }
    }
  }
}

/// How far ahead events are scheduled.
enum HoldWorkload: String, CaseIterable {
  case exponential = "exponential"
  case heavyTailed = "Pareto 1.1"
  case ties = "all ties"
  case timers = "with cancelled timers"

  /// Increments in picoseconds, made in advance so that drawing them is not measured.
  func increments(_ count: Int) -> [Int64] {
    var random = RandomStream(seed: 1, purpose: RandomPurpose("queue benchmark"))
    return (0..<count).map { _ in
      switch self {
      case .exponential, .timers: Int64(random.exponential() * 1e6) + 1
      case .heavyTailed:
        Int64(min(DeterministicMath.pow(random.openUniform(), -1 / 1.1) * 1e4, 1e13))
      case .ties: 1_000_000
      }
    }
  }
}

private func measureHold(
  _ workload: HoldWorkload, pending: Int, _ extent: Benchmark.Extent,
  _ report: (Measurement) -> Void
) {
  let operations = max(1_000_000, min(4_000_000, pending * extent.pick(1, 4)))
  let increments = workload.increments(1 << 16)
  var checksums: [UInt64] = [0, 0]
  // What the pending events occupy: a time and a payload each.
  let copied = pending * 16
  let contest = Contest(
    rounds: extent.rounds,
    [
      {
        let (seconds, sum) =
          workload == .timers
          ? holdTimers(pending, operations, increments) : hold(pending, operations, increments)
        checksums[0] = sum
        return seconds
      },
      {
        let (seconds, sum) = holdHeap(pending, operations, increments)
        checksums[1] = sum
        return seconds
      },
      { Ceilings.copySeconds(bytes: copied) },
    ])
  precondition(checksums[0] == checksums[1], "both queues must give the same order")
  let rate = Double(operations) / contest.best[0] / 1e6
  report(
    Measurement(
      what: "queue \(workload.rawValue)", n: pending, rate: rate, unit: "M ops/s",
      ceiling: "binary heap", ceilingRate: Double(operations) / contest.best[1] / 1e6))
  // No order at all: each event moved once.
  report(
    Measurement(
      what: "queue \(workload.rawValue)", n: pending, rate: rate, unit: "M ops/s",
      ceiling: "memcpy of as many", ceilingRate: Double(pending) / contest.best[2] / 1e6))
}

private func hold(_ pending: Int, _ operations: Int, _ increments: [Int64]) -> (Double, UInt64) {
  var queue = EventQueue<UInt64>()
  let mask = increments.count - 1
  for index in 0..<pending {
    queue.schedule(
      UInt64(index), at: SimTime(picoseconds: increments[index & mask] &+ Int64(index & 1023)))
  }
  var sum: UInt64 = 0
  let start = ThreadClock.seconds
  increments.withUnsafeBufferPointer { table in
    for operation in 0..<operations {
      guard let (time, payload) = queue.pop() else { break }
      sum = sum &* 31 &+ payload
      // In bounds: the table's size is a power of two and the index is masked.
      queue.schedule(payload, at: time + SimDuration(picoseconds: table[operation & mask]))
    }
  }
  return (ThreadClock.seconds - start, sum)
}

/// The hold model in which every operation also sets a far timer and cancels the previous one, as
/// acknowledged packets do.
private func holdTimers(
  _ pending: Int, _ operations: Int, _ increments: [Int64]
) -> (Double, UInt64) {
  var queue = EventQueue<UInt64>()
  let mask = increments.count - 1
  for index in 0..<pending {
    queue.schedule(
      UInt64(index), at: SimTime(picoseconds: increments[index & mask] &+ Int64(index & 1023)))
  }
  var timer = queue.scheduleCancellable(0, at: SimTime(picoseconds: 100_000_000))
  var sum: UInt64 = 0
  let start = ThreadClock.seconds
  increments.withUnsafeBufferPointer { table in
    for operation in 0..<operations {
      guard let (time, payload) = queue.pop() else { break }
      sum = sum &* 31 &+ payload
      queue.cancel(timer)
      timer = queue.scheduleCancellable(0, at: time + SimDuration(picoseconds: 100_000_000))
      // In bounds: the table's size is a power of two and the index is masked.
      queue.schedule(payload, at: time + SimDuration(picoseconds: table[operation & mask]))
    }
  }
  return (ThreadClock.seconds - start, sum)
}

/// The hold model on a binary heap: the seconds it took, and a checksum of the order.
func holdHeap(
  _ pending: Int, _ operations: Int, _ increments: [Int64]
) -> (Double, UInt64) {
  var heap = BinaryHeap(capacity: pending)
  let mask = increments.count - 1
  for index in 0..<pending {
    heap.push(UInt64(index), at: increments[index & mask] &+ Int64(index & 1023))
  }
  var sum: UInt64 = 0
  let start = ThreadClock.seconds
  increments.withUnsafeBufferPointer { table in
    for operation in 0..<operations {
      guard let (time, payload) = heap.pop() else { break }
      sum = sum &* 31 &+ payload
      // In bounds: the table's size is a power of two and the index is masked.
      heap.push(payload, at: time &+ table[operation & mask])
    }
  }
  return (ThreadClock.seconds - start, sum)
}
