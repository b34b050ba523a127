/// k positions out of n without replacement, as a pure function of a key: those with the largest
/// hashes, ties to the lowest index.
///
/// Hashes are uniform, so the threshold that a little more than k of them pass is known beforehand;
/// one pass over the positions collects them and a radix select cuts the surplus.
enum RandomSelection {
  /// Hashes computed at a time, which stay in the first cache.
  private static let block = 1024

  /// Writes `k` ascending positions in `start`..<`start + count` to `indices`.
  ///
  /// - Precondition: 1 <= k <= count < 2^32 and `indices` has room for `k`.
  /// - Complexity: O(count).
  static func select(
    _ hash: CounterHash, start: Int, count: Int, k: Int,
    into indices: UnsafeMutablePointer<UInt32>, memory: borrowing Memory
  ) {
    // Six standard deviations of slack, then twice that: three rounds are one in 10^9.
    var slack = 6 * Double(k).squareRoot() + 8
    while true {
      let wanted = min(Double(k) + slack, Double(count))
      let share = wanted / Double(count)
      let threshold = share >= 1 ? 0 : UInt32((1 - share) * 0x1p32)
      let found = collect(hash, start, count, atLeast: threshold, memory: memory)
      if let found, found >= k {
        cut(found, k: k, into: indices, memory: memory)
        return
      }
      slack *= 2
    }
  }

  /// Memory for selections of up to `k` of up to `count`.
  struct Memory: ~Copyable {
    let positions: UnsafeMutablePointer<UInt32>
    let hashes: UnsafeMutablePointer<UInt32>
    let keys: UnsafeMutablePointer<UInt32>
    let buffer: UnsafeMutablePointer<UInt32>
    let bins: UnsafeMutablePointer<UInt32>
    /// How many candidates fit.
    let room: Int

    init(count: Int, k: Int, scratch: inout CodecScratch) {
      room = min(count, 2 * k + 4096)
      positions = scratch.temporary(of: UInt32.self, room + 64)
      hashes = scratch.temporary(of: UInt32.self, room + 64)
      keys = scratch.temporary(of: UInt32.self, room + 64)
      buffer = scratch.temporary(of: UInt32.self, RandomSelection.block)
      bins = scratch.temporary(of: UInt32.self, RadixSelect.binCount)
    }
  }

  /// Collects positions and hashes that reach `threshold`, in order; nil if they do not fit.
  private static func collect(
    _ hash: CounterHash, _ start: Int, _ count: Int, atLeast threshold: UInt32,
    memory: borrowing Memory
  ) -> Int? {
    let (positions, hashes, buffer) = (memory.positions, memory.hashes, memory.buffer)
    var found = 0
    var done = 0
    while done < count {
      let size = min(block, count - done)
      var counter = hash.counter(start + done)
      for index in 0..<size {
        buffer[index] = hash.bits(counter: counter)
        counter &+= 1
      }
      var group = 0
      while group < size {
        // In bounds: the memory has 64 slots beyond `room`.
        if found > memory.room { return nil }
        let lanes = min(32, size - group)
        var word: UInt32 = 0
        if lanes == 32 {
          for lane in 0..<32 {
            word |= (buffer[group + lane] >= threshold ? 1 : 0) << UInt32(lane)
          }
        } else {
          for lane in 0..<lanes where buffer[group + lane] >= threshold {
            word |= 1 << UInt32(lane)
          }
        }
        while word != 0 {
          let lane = group + word.trailingZeroBitCount
          positions[found] = UInt32(truncatingIfNeeded: start + done + lane)
          hashes[found] = buffer[lane]
          found += 1
          word &= word &- 1
        }
        group += 32
      }
      done += size
    }
    return found
  }

  /// Writes the `k` candidates with the largest hashes.
  private static func cut(
    _ count: Int, k: Int, into indices: UnsafeMutablePointer<UInt32>, memory: borrowing Memory
  ) {
    let (positions, hashes, keys) = (memory.positions, memory.hashes, memory.keys)
    for index in 0..<count { keys[index] = hashes[index] }
    let border = RadixSelect.kthLargest(keys, count, k: k, bins: memory.bins)
    var above = 0
    for index in 0..<count { above += hashes[index] > border ? 1 : 0 }
    var ties = k - above
    var written = 0
    for index in 0..<count {
      if hashes[index] < border { continue }
      if hashes[index] == border {
        if ties == 0 { continue }
        ties -= 1
      }
      indices[written] = positions[index]
      written += 1
    }
  }
}
