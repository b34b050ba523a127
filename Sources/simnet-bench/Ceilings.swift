import Glibc

/// Ceilings that more than one group reads its speeds against.
enum Ceilings {
  /// Seconds to copy `bytes` once, between buffers that no cache holds if `bytes` is large.
  static func copySeconds(bytes: Int) -> Double {
    let source = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    let target = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer {
      source.deallocate()
      target.deallocate()
    }
    // Both buffers are touched first, so that no page fault is measured.
    memset(source, 1, bytes)
    memset(target, 2, bytes)
    let repeats = max(1, (64 << 20) / bytes)
    let seconds = ThreadClock.measure {
      for _ in 0..<repeats { copy(target, source, bytes) }
    }
    return seconds / Double(repeats)
  }

  /// Seconds of `operations` pops and pushes on a binary heap with `pending` entries: the least a
  /// simulator can do that keeps its future in order.
  static func heapSeconds(pending: Int, operations: Int) -> Double {
    holdHeap(pending, operations, HoldWorkload.exponential.increments(1 << 12)).0
  }

  /// One copy that the optimiser cannot merge with the next.
  @inline(never)
  private static func copy(
    _ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer, _ bytes: Int
  ) {
    memcpy(target, source, bytes)
    source.storeBytes(of: target.load(as: UInt8.self) &+ 1, as: UInt8.self)
  }
}
