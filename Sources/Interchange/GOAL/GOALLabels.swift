/// The labels of one rank of a GOAL schedule: an open-addressing table over one arena of bytes.
struct GOALLabels {
  private struct Entry {
    var hash: UInt64
    var start: Int32
    var count: Int32
    var operation: Int32
  }
  private var entries: [Entry] = []
  private var slots = [Int32](repeating: -1, count: 64)
  private var arena: [UInt8] = []

  /// Forgets all labels.
  mutating func removeAll() {
    if entries.isEmpty { return }
    entries.removeAll(keepingCapacity: true)
    arena.removeAll(keepingCapacity: true)
    for index in slots.indices { slots[index] = -1 }
  }

  /// The operation called `word`, or nil.
  func find(_ word: [UInt8], hash: UInt64) -> Int? {
    let entry = slots[slot(of: word, hash)]
    return entry < 0 ? nil : Int(entries[Int(entry)].operation)
  }

  /// Calls `operation` by `word`; false if that is taken.
  mutating func insert(_ word: [UInt8], hash: UInt64, operation: Int) -> Bool {
    let slot = slot(of: word, hash)
    if slots[slot] >= 0 { return false }
    slots[slot] = Int32(entries.count)
    entries.append(
      Entry(
        hash: hash, start: Int32(arena.count), count: Int32(word.count),
        operation: Int32(operation)))
    arena.append(contentsOf: word)
    if entries.count * 2 > slots.count { grow() }
    return true
  }

  private func slot(of word: [UInt8], _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
    while slots[slot] >= 0 {
      let entry = entries[Int(slots[slot])]
      if entry.hash == hash, Int(entry.count) == word.count,
        arena[Int(entry.start)..<Int(entry.start) + word.count].elementsEqual(word)
      {
        break
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (index, entry) in entries.enumerated() {
      var slot = Int(truncatingIfNeeded: entry.hash ^ entry.hash >> 32) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(index)
    }
  }
}
