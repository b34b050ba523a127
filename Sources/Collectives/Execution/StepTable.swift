/// A map from steps to 32-bit integers that is never iterated: open addressing, linear probing.
///
/// It holds only steps in flight, so that an implicit plan needs no memory a step. The order of its
/// slots decides nothing.
///
/// - Complexity: O(1) expected for every operation; at most half of the slots are used.
struct StepTable: Sendable {
  private var keys: [Int] = []
  private var values: [Int32] = []
  private(set) var count = 0

  /// Fibonacci hashing spreads the arithmetic sequences that steps come in.
  private func slot(of step: Int) -> Int {
    let hash = UInt64(truncatingIfNeeded: step) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: hash >> 32) & (keys.count - 1)
  }

  /// Adds `step`, which must be new.
  mutating func insert(_ step: Int, _ value: Int32) {
    if 2 * (count + 1) > keys.count { grow() }
    var slot = slot(of: step)
    while keys[slot] >= 0 {
      precondition(keys[slot] != step, "a step departs, and is delivered, once")
      slot = (slot + 1) & (keys.count - 1)
    }
    keys[slot] = step
    values[slot] = value
    count += 1
  }

  func contains(_ step: Int) -> Bool { find(step) != nil }

  /// Removes `step` and returns its value, or nil if it is not there.
  mutating func remove(_ step: Int) -> Int32? {
    guard var hole = find(step) else { return nil }
    let value = values[hole]
    count -= 1
    // Entries that probed past the hole move back into it, so that no tombstones are left.
    var slot = hole
    while true {
      slot = (slot + 1) & (keys.count - 1)
      if keys[slot] < 0 { break }
      let home = self.slot(of: keys[slot])
      let distance = (slot - home) & (keys.count - 1)
      if distance >= (slot - hole) & (keys.count - 1) {
        keys[hole] = keys[slot]
        values[hole] = values[slot]
        hole = slot
      }
    }
    keys[hole] = -1
    return value
  }

  private func find(_ step: Int) -> Int? {
    if count == 0 { return nil }
    var slot = slot(of: step)
    while keys[slot] >= 0 {
      if keys[slot] == step { return slot }
      slot = (slot + 1) & (keys.count - 1)
    }
    return nil
  }

  private mutating func grow() {
    let old = (keys, values)
    let capacity = max(16, 2 * keys.count)
    keys = Array(repeating: -1, count: capacity)
    values = Array(repeating: 0, count: capacity)
    count = 0
    for index in old.0.indices where old.0[index] >= 0 { insert(old.0[index], old.1[index]) }
  }
}
