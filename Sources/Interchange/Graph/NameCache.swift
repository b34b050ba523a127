/// The short names that were looked up last, so that those that a trace repeats at every event - its
/// categories, processes and threads - cost a comparison each.
struct NameCache {
  private var entries = [(key: JSONKey, index: Int32)](
    repeating: (JSONKey.none, 0), count: 64)

  /// The number of `key` in the table, if it is here.
  @inline(__always)
  func find(_ key: JSONKey) -> Int32? {
    // In bounds: marks are below 64. A key that equals none is never found.
    let entry = entries[Int(key.mark)]
    return entry.key == key ? entry.index : nil
  }

  mutating func keep(_ key: JSONKey, _ index: Int32) { entries[Int(key.mark)] = (key, index) }
}
